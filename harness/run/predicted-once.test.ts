/**
 * What is predicted on the way of a case from the plan to the report: each prediction once. The guests are scripted.
 */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { RULES } from '../../oracle/registry.ts';
import type * as Oracle from '../../oracle/predict.ts';
import { predict } from '../../oracle/predict.ts';
import type { Quirks } from '../../oracle/quirks/index.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { Guests } from '../guests/guests.ts';
import { loadFindings, quirksOf } from '../known/findings.ts';
import type { Finding } from '../known/findings.ts';
import { KnownFindings } from '../known/predictions.ts';
import { FakeGuest, obedient } from '../testing/fake-guest.ts';
import { Campaign } from './campaign.ts';
import { investigate } from './investigate.ts';
import type { Investigated } from './investigate.ts';
import { Laboratory } from './laboratory.ts';
import { buildResult } from './result.ts';
import { OWN_MACHINE } from '../../vm/machine/index.ts';

/** Every prediction that was made: of which scenario, with which models, traced or not. */
const made: { readonly scenario: Scenario; readonly quirks: string; readonly traced: boolean }[] = [];

vi.mock('../../oracle/predict.ts', async (original) => {
  const oracle = await original<typeof Oracle>();
  const note = (scenario: Scenario, quirks: Quirks | undefined, traced: boolean): void =>
    void made.push({ scenario, quirks: [...(quirks ?? [])].sort().join(' '), traced });
  return {
    ...oracle,
    predict: (...[scenario, abi, options]: Parameters<typeof oracle.predict>) => {
      note(scenario, options?.quirks, false);
      return oracle.predict(scenario, abi, options);
    },
    predictTraced: (...[scenario, abi, options]: Parameters<typeof oracle.predictTraced>) => {
      note(scenario, options?.quirks, true);
      return oracle.predictTraced(scenario, abi, options);
    },
  };
});

const FINDINGS = loadFindings();
const EXEC = FINDINGS.find(({ id }) => id === 'exec-drops-rules')!;

/** The answers to its scenario on a kernel with these findings; or with every result wrong. */
function answers(findings: readonly Finding[], wrong = false): ReturnType<typeof obedient> {
  const steps = obedient(predict(EXEC.scenario, ABI_7_0, { quirks: quirksOf(findings) }).steps);
  return wrong ? steps.map((step) => ({ ...step, cqes: step.cqes.map((cqe) => ({ ...cqe, res: -5 })) })) : steps;
}

/** One case through campaign, investigation and result, on a kernel that always answers the same. */
async function play(active: readonly Finding[], steps: ReturnType<typeof obedient>): Promise<RunResult> {
  const known = new KnownFindings(active, ABI_7_0);
  const signal = new AbortController().signal;
  const guests = new Guests({
    boot: {} as never,
    patience: 150,
    deadline: 50,
    start: async () => new FakeGuest((guest, id) => guest.answer(id, steps)),
  });
  try {
    const cases = [{ index: 0, suite: 'escape', scenario: EXEC.scenario } as const][Symbol.iterator]();
    const campaign = new Campaign({ guests, cases, total: 1, jobs: 1, known, sessions: [], started: 0, signal });
    const tally = await campaign.run();
    const investigated: Investigated[] = [];
    for (const { cases: suspects } of tally.groups()) {
      const laboratory = new Laboratory(guests);
      investigated.push(await investigate(suspects[0]!, laboratory, { guests, known, signal, shrinkMs: 0 }));
      await laboratory.fresh();
    }
    const result = (): RunResult =>
      buildResult({
        options: {
          suites: [],
          cases: 1,
          seed: 1,
          append: '',
          accel: 'tcg',
          jobs: 1,
          timeout: 1,
          command: '',
          investigate: 8,
          shrinkSeconds: 0,
        },
        tally,
        investigated,
        missing: [],
        abi: ABI_7_0,
        kernel: {
          release: '',
          machine: OWN_MACHINE,
          path: '',
          sha256: '',
          format: 'elf',
          source: 'file',
          requested: '',
        },
        accel: { accel: 'tcg', reason: '', remembered: false },
        guests,
        rules: RULES,
        startedAt: new Date(),
        started: 0,
        interrupted: false,
        bpf: { compiler: true, interpreter: true, harden: true },
        versions: {},
      });
    // A checkpoint, and the end.
    result();
    return result();
  } finally {
    await guests.closeAll();
  }
}

describe('predictions of a case that', () => {
  let steps: ReturnType<typeof obedient>;
  beforeEach(() => {
    steps = answers([]);
    made.length = 0;
  });
  const counted = (): readonly string[] =>
    made.map(
      ({ quirks, traced }) => `${quirks === '' ? 'rules' : quirks.split(' ').length}${traced ? ', traced' : ''}`,
    );

  test('passes: one, and one with the models that have a say in it', async () => {
    expect((await play(FINDINGS, steps)).verdict).toBe('conformant');
    expect(counted()).toEqual(['rules', `${FINDINGS.length}`]);
    made.length = 0;
    expect((await play([], steps)).verdict).toBe('conformant');
    expect(counted()).toEqual(['rules']);
  });

  test('is known: beside these, those that show which findings it takes', async () => {
    steps = answers(FINDINGS);
    made.length = 0;
    const result = await play(FINDINGS, steps);
    expect(result).toMatchObject({ verdict: 'conformant', known: [{ id: EXEC.id, scenarios: 1 }] });
    expect(new Set(made.map(({ quirks }) => quirks)).size).toBe(made.length);
    expect(made.length).toBeLessThanOrEqual(4);
  });

  test('diverges, with and without known findings: each once, from the plan to the second result', async () => {
    for (const active of [[], FINDINGS]) {
      steps = answers([], true);
      made.length = 0;
      const result = await play(active, steps);
      expect(result).toMatchObject({ verdict: 'divergent', divergences: [{ reproduced: '3/3' }] });
      expect(result.divergences[0]!.story?.steps).toHaveLength(EXEC.scenario.steps.length);
      expect(counted()).toEqual(['rules', ...(active.length === 0 ? [] : [`${active.length}`]), 'rules, traced']);
      expect(made.every(({ scenario }) => scenario === EXEC.scenario)).toBe(true);
    }
  });
});
