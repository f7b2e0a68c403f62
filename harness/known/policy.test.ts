/** What becomes of expectations. The kernel is scripted: it answers as the rules or the models say. */
import { describe, expect, test } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { predict } from '../../oracle/predict.ts';
import type { QuirkId } from '../../oracle/quirks/index.ts';
import { toJson } from '../../oracle/case/json.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { RULES } from '../../oracle/registry.ts';
import type { RunResult, Shard } from '../../reports/data/result.ts';
import { CaseTally } from '../run/tally.ts';
import { compare } from '../../oracle/judge/compare.ts';
import { differenceText } from '../../oracle/judge/difference.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import { loadFindings } from './findings.ts';
import { buildResult } from '../run/result.ts';
import { obedient } from '../testing/fake-guest.ts';
import { parseExpectations } from './expectation-file.ts';
import { choosePolicy, dayOf } from './policy.ts';
import type { Policy } from './policy.ts';
import { OWN_MACHINE } from '../../vm/machine/index.ts';

const ABI = { ...ABI_7_0, release: '7.0.13+deb13-cloud-amd64' };
const NOW = new Date('2026-12-01T23:59:59Z');
const FINDING = loadFindings().find(({ id }) => id === 'exec-drops-rules')!;
const ENTRY = {
  id: 'gate-1',
  rule: FINDING.rule,
  finding: FINDING.id,
  kernels: '7.0.*',
  reason: 'r',
  link: 'https://bugs.example/1',
  expires: '2026-12-01',
};

/** A kernel with these bugs. */
const kernel =
  (...quirks: QuirkId[]) =>
  async (scenario: Scenario): Promise<Observation> => ({
    steps: obedient(predict(scenario, ABI, { quirks: new Set(quirks) }).steps),
  });
const BUGGY = kernel(FINDING.id);
const OWN = compare(predict(FINDING.scenario, ABI), await BUGGY(FINDING.scenario)).difference!;
const SAID = differenceText(OWN);
const CASE = {
  id: 'gate-2',
  rule: OWN.rule,
  kernels: '*',
  reason: 'r',
  link: 'https://bugs.example/2',
  expires: '2027-01-01',
  case: {
    scenario: toJson(FINDING.scenario),
    step: OWN.step,
    what: SAID.what,
    predicted: SAID.predicted,
    observed: SAID.observed,
  },
};

async function policy(
  entries: readonly object[],
  run: (scenario: Scenario) => Promise<Observation>,
  strict = false,
): Promise<Policy> {
  const text = JSON.stringify({ ringfence_expectations: 1, expectations: entries });
  return await choosePolicy(
    {
      expect: { files: [{ file: 'gate.json', sha256: '', text }], entries: parseExpectations(text, 'gate.json') },
      strict,
    },
    ABI,
    NOW,
    run,
  );
}
const states = (
  chosen: Policy,
  known: Record<string, number> = {},
  matched: Record<string, number> = {},
  whole = true,
) =>
  chosen
    .results(
      new Map(Object.entries(known).map(([id, scenarios]) => [id, { scenarios }])),
      new Map(Object.entries(matched)),
      whole,
    )
    .map(({ state, problem, scenarios, expired }) => ({ state, problem, scenarios, expired }));

describe('an entry for a finding', () => {
  test('met', async () => {
    const chosen = await policy([ENTRY], BUGGY);
    expect(chosen.active.map(({ id }) => id)).toEqual(['exec-drops-rules']);
    expect(states(chosen, { 'exec-drops-rules': 3 })).toEqual([
      { state: 'met', problem: '', scenarios: 3, expired: false },
    ]);
  });
  test('that no case reached; of a part of a run nothing is said', async () => {
    const chosen = await policy([ENTRY], BUGGY);
    expect(states(chosen)).toMatchObject([
      { state: 'unreached', problem: expect.stringContaining('no case of this run reached it') },
    ]);
    expect(states(chosen, {}, {}, false)).toMatchObject([{ state: 'unreached', problem: '' }]);
  });
  test('gone: an unexpected pass', async () => {
    const chosen = await policy([ENTRY], kernel());
    expect(chosen.active).toEqual([]);
    expect(states(chosen)).toMatchObject([
      { state: 'gone', problem: expect.stringContaining('unexpected pass: on 7.0.13') },
    ]);
  });
  test('changed: a third answer', async () => {
    const chosen = await policy([ENTRY], async (scenario) => ({
      steps: (await BUGGY(scenario)).steps.map((step) => ({
        ...step,
        cqes: step.cqes.map((cqe) => ({ ...cqe, res: -5 })),
      })),
    }));
    expect(chosen.active).toEqual([]);
    expect(states(chosen)).toMatchObject([{ state: 'changed', problem: expect.stringContaining('look at it again') }]);
  });
  test('for other kernels: the kernel is not even asked', async () => {
    const chosen = await policy([{ ...ENTRY, kernels: '>=7.1 <7.1.8' }], async () => {
      throw new Error('asked');
    });
    expect(states(chosen, { 'exec-drops-rules': 3 })).toEqual([
      { state: 'out of range', problem: '', scenarios: 0, expired: false },
    ]);
  });
  test('expired on the day after its last, and said also where it does not apply', async () => {
    const chosen = await policy(
      [
        { ...ENTRY, expires: '2026-11-30' },
        { ...ENTRY, id: 'b', kernels: '9.*', expires: '2020-01-01' },
      ],
      BUGGY,
    );
    expect(chosen.active).toHaveLength(1);
    expect(states(chosen, { 'exec-drops-rules': 1 })).toMatchObject([
      { state: 'met', expired: true, problem: expect.stringContaining('expired after 2026-11-30') },
      { state: 'out of range', expired: true, problem: expect.stringContaining('expired') },
    ]);
    expect(dayOf(NOW)).toBe('2026-12-01');
  });
});

test('what is not listed is not known', async () => {
  expect((await policy([], BUGGY)).active).toEqual([]);
  expect((await choosePolicy({}, ABI, NOW, BUGGY)).active.map(({ id }) => id)).toContain('exec-drops-rules');
  expect((await choosePolicy({}, ABI, NOW, BUGGY)).data).toBeUndefined();
  expect((await choosePolicy({ strict: true }, ABI, NOW, BUGGY)).data).toEqual({ strict: true, files: [] });
});

describe('--strict', () => {
  const result = async (
    strict: boolean,
    run: typeof BUGGY,
    options: { expect?: false; interrupted?: true; shard?: Shard } = {},
  ): Promise<RunResult> => {
    const chosen =
      options.expect === false ? await choosePolicy({ strict }, ABI, NOW, run) : await policy([ENTRY], run, strict);
    const tally = new CaseTally();
    tally.scenarios = 1;
    const asked = {
      suites: [],
      cases: 1,
      seed: 1,
      append: '',
      accel: 'tcg',
      jobs: 1,
      timeout: 1,
      command: 'test',
      investigate: 8,
      shrinkSeconds: 0,
      ...(options.shard === undefined ? {} : { shard: options.shard }),
    } as const;
    const image = {
      release: 'fake',
      machine: OWN_MACHINE,
      path: '',
      sha256: '',
      format: 'elf',
      source: 'file',
      requested: 'fake',
    } as const;
    return buildResult({
      options: asked,
      tally,
      investigated: [],
      missing: chosen.missing,
      policy: chosen,
      abi: ABI,
      kernel: image,
      accel: { accel: 'tcg', reason: '', remembered: false },
      guests: { bootMs: 0 },
      rules: RULES,
      startedAt: NOW,
      started: 0,
      interrupted: options.interrupted === true,
      bpf: { compiler: true, interpreter: true, harden: true },
      versions: {},
    });
  };
  test('what is gone or unreached fails the run, and only then', async () => {
    expect(await result(false, kernel())).toMatchObject({
      verdict: 'conformant',
      expectations: [{ state: 'gone' }],
      policy: { strict: false },
    });
    expect(await result(true, kernel())).toMatchObject({
      verdict: 'divergent',
      reason: '1 outdated expectation',
      policy: { strict: true, files: [{ file: 'gate.json' }] },
    });
    expect(await result(true, BUGGY)).toMatchObject({ verdict: 'divergent', expectations: [{ state: 'unreached' }] });
    expect(await result(true, BUGGY, { interrupted: true })).toMatchObject({ verdict: 'interrupted' });
    expect(await result(true, BUGGY, { shard: { index: 1, count: 2 } })).toMatchObject({ verdict: 'conformant' });
  });
  test('without --expect a built-in finding that is gone fails it', async () => {
    expect(await result(true, kernel(), { expect: false })).toMatchObject({
      verdict: 'divergent',
      reason: expect.stringMatching(/^\d+ outdated expectations$/),
    });
    expect(await result(false, kernel(), { expect: false })).toMatchObject({ verdict: 'conformant' });
  });
});

describe('an entry with a case of its own', () => {
  /** The same with another result. */
  const other = (difference: Difference): Difference =>
    difference.kind === 'cqe-field'
      ? { ...difference, observed: { ...difference.observed, res: -5 } }
      : expect.fail('a difference of another kind');
  test('explains what ends at it, and nothing else', async () => {
    const chosen = await policy([CASE], BUGGY);
    expect(chosen).toMatchObject({ active: [], examines: true });
    expect(chosen.match(FINDING.scenario, OWN)?.id).toBe('gate-2');
    expect(chosen.match({ ...FINDING.scenario, jit: false }, OWN)).toBeUndefined();
    expect(chosen.match(FINDING.scenario, other(OWN))).toBeUndefined();
    expect(chosen.match(FINDING.scenario, { ...OWN, step: OWN.step - 1 })).toBeUndefined();
    expect(states(chosen, {}, { 'gate-2': 2 })).toMatchObject([{ state: 'met', scenarios: 2, problem: '' }]);
  });
  test('gone, changed', async () => {
    const gone = await policy([CASE], kernel());
    expect(gone).toMatchObject({ examines: false });
    expect(gone.match(FINDING.scenario, OWN)).toBeUndefined();
    expect(states(gone)).toMatchObject([{ state: 'gone' }]);
    expect(
      states(await policy([{ ...CASE, case: { ...CASE.case, observed: 'something else' } }], BUGGY)),
    ).toMatchObject([{ state: 'changed' }]);
  });
  test('a bug that shows one time in three is shown', async () => {
    let n = 0;
    expect(
      states(
        await policy([CASE], async (scenario) => await (++n === 3 ? BUGGY : kernel())(scenario)),
        {},
        { 'gate-2': 1 },
      ),
    ).toMatchObject([{ state: 'met' }]);
  });
});
