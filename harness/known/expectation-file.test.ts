import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Difference } from '../../oracle/judge/difference.ts';
import { RING_FD } from '../../oracle/scenario/layout.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { SetupError } from '../../vm/index.ts';
import { loadFindings } from './findings.ts';
import { canonicalCase } from './expectation-case.ts';
import { loadExpectations, parseExpectations } from './expectation-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringfence-expect-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const ENTRY = {
  id: 'gate-1',
  rule: 'inherit.exec',
  finding: 'exec-drops-rules',
  kernels: '>=7.0.4 <7.1.8',
  reason: 'no exec here',
  link: 'https://bugs.example/1',
  expires: '2027-03-31',
};
const STEPS = [
  { task: 0, do: 'ring', ring: 0, entries: 8 },
  { task: 0, do: 'submit', ring: 0, sqes: [{ opcode: 'NOP', user_data: '0x1' }] },
];
const OWN = {
  ...ENTRY,
  finding: undefined,
  case: { scenario: { version: 1, steps: STEPS }, step: 1, what: 'cqe', predicted: 'a', observed: 'b' },
};
const file = (...expectations: readonly unknown[]): string =>
  JSON.stringify({ ringfence_expectations: 1, expectations });
const parse = (text: string) => parseExpectations(text, 'gate.json');

test('good entries', () => {
  expect(parse(file(ENTRY))[0]).toMatchObject({ id: 'gate-1', model: { id: 'exec-drops-rules' }, file: 'gate.json' });
  expect(parse(file(OWN))[0]!.case).toMatchObject({
    step: 1,
    what: 'cqe',
    scenario: { steps: [{ do: 'ring' }, { do: 'submit' }] },
  });
  expect(parse(`\ufeff${file()}`)).toEqual([]);
});

describe('bad files name the place', () => {
  const own = (change: object): object => ({ ...OWN, case: { ...OWN.case, ...change } });
  test.each<[string, string, RegExp]>([
    [
      'an unknown finding',
      file({ ...ENTRY, finding: 'nope' }),
      /expectations\[0\]\.finding: there is no finding "nope"; findings are blind-msg-ring, /,
    ],
    [
      'another rule than the finding',
      file({ ...ENTRY, rule: 'op.nop' }),
      /expectations\[0\]\.rule: the finding exec-drops-rules breaks the rule inherit\.exec, not op\.nop/,
    ],
    [
      'an unknown rule',
      file(ENTRY, { ...ENTRY, id: 'b', rule: 'inherit.exec2' }),
      /expectations\[1\]\.rule: there is no rule "inherit\.exec2"; similar are .*inherit/,
    ],
    ['a bad id', file({ ...ENTRY, id: 'Bad Id' }), /expectations\[0\]\.id: expected an id of lower-case/],
    [
      'a day that does not exist',
      file({ ...ENTRY, expires: '2027-02-30' }),
      /expectations\[0\]\.expires: expected a day \(UTC\) such as "2027-03-31", found "2027-02-30"/,
    ],
    ['no day', file({ ...ENTRY, expires: 'soon' }), /expectations\[0\]\.expires/],
    [
      'a bad range',
      file({ ...ENTRY, kernels: '>=7.1 <7.0' }),
      /expectations\[0\]\.kernels: ">=7\.1 <7\.0" holds for no kernel/,
    ],
    ['no reason', file({ ...ENTRY, reason: 'TODO' }), /expectations\[0\]\.reason: expected the reason/],
    ['no link', file({ ...ENTRY, link: 'ticket 17' }), /expectations\[0\]\.link: expected a link/],
    ['a missing member', file({ ...ENTRY, expires: undefined }), /expectations\[0\]: the field "expires" is missing/],
    ['an unknown member', file({ ...ENTRY, until: 1 }), /expectations\[0\]: unknown field "until"/],
    ['neither finding nor case', file({ ...ENTRY, finding: undefined }), /expectations\[0\]: an entry has either/],
    ['both', file({ ...OWN, finding: 'exec-drops-rules' }), /expectations\[0\]: an entry has either/],
    ['a proposal', file({ ...ENTRY, proposed: true }), /expectations\[0\]\.proposed: this entry is a proposal/],
    ['half a proposal', file({ ...ENTRY, proposal: 'x' }), /expectations\[0\]\.proposal: this entry is a proposal/],
    [
      'a bad scenario',
      file(own({ scenario: { version: 1, steps: [{ task: 0, do: 'fly' }] } })),
      /expectations\[0\]\.case\.scenario\.steps\[0\]\.do: expected one of/,
    ],
    [
      'a step beyond the case',
      file(own({ step: 2 })),
      /expectations\[0\]\.case\.step: expected a step from 0 to 1, found 2/,
    ],
    [
      'a bad kind of difference',
      file(own({ what: 'colour' })),
      /expectations\[0\]\.case\.what: expected one of reached/,
    ],
    ['two mistakes', file({ ...ENTRY, id: '' }, { ...ENTRY, id: 'b', expires: '' }), /\[0\]\.id[^]*\[1\]\.expires/],
    ['another version', '{"ringfence_expectations": 2, "expectations": []}', /ringfence_expectations: expected 1/],
    ['no list', '{"ringfence_expectations": 1}', /expectations: expected an array/],
    ['an array', '[]', /expected an object, found an array/],
    ['no JSON', '{"ringfence_expectations": 1, expectations: []}', /line 1, column 31: this is not JSON/],
    ['truncated', file(ENTRY).slice(0, 50), /ends too early/],
    ['empty', '', /the file is empty/],
  ])('%s', (_, text, message) => {
    expect(() => parse(text)).toThrow(SetupError);
    expect(() => parse(text)).toThrow(message);
    expect(() => parse(text)).toThrow(/^gate\.json: /);
  });
  test('an id twice, in one file and in two', () => {
    const [a, b] = [join(dir, 'a.json'), join(dir, 'b.json')];
    writeFileSync(a, file(ENTRY, { ...ENTRY, kernels: '*' }));
    expect(() => loadExpectations([a])).toThrow(
      /the id "gate-1" is used twice \(expectations\[0\] and expectations\[1\]\)/,
    );
    writeFileSync(a, file(ENTRY));
    writeFileSync(b, file({ ...ENTRY, kernels: '*' }));
    expect(() => loadExpectations([a, b])).toThrow(/b\.json: the id "gate-1" is used twice: also in .*a\.json/);
    writeFileSync(b, file({ ...ENTRY, id: 'gate-2' }));
    expect(() => loadExpectations([a, b])).toThrow(/"gate-1" and "gate-2" expect the same finding on the same kernels/);
    expect(() => loadExpectations([join(dir, 'absent.json')])).toThrow(/absent\.json cannot be read/);
  });
});

describe('an own case', () => {
  const scenario = loadFindings().find(({ id }) => id === 'exec-drops-rules')!.scenario;
  const data = scenario.steps.flatMap((step) => (step.do === 'submit' ? (step.sqes[0]!.user_data ?? 0n) : []))[0]!;
  const base = {
    kind: 'cqe-field',
    step: 4,
    rule: 'inherit.exec',
    field: 'res',
    predicted: { user_data: data, res: -13, flags: 0, sqe: 0, rule: 'inherit.exec' },
    observed: { user_data: data, res: 0, flags: 0 },
  } as const satisfies Difference;
  const text = (of: Scenario, change: object = {}): string => canonicalCase(of, Object.assign({ ...base }, change));
  test('is the same under other numbers of rings and tasks and other user_data', () => {
    const other = {
      ...scenario,
      suite: 'escape',
      steps: scenario.steps.map((step) => {
        const moved = 'ring' in step ? { ...step, ring: step.ring + 5 } : step;
        return moved.do === 'submit'
          ? { ...moved, sqes: moved.sqes.map((sqe) => ({ ...sqe, user_data: 0x77n })) }
          : moved;
      }),
    };
    const moved = {
      predicted: { ...base.predicted, user_data: 0x77n },
      observed: { ...base.observed, user_data: 0x77n },
    };
    expect(text(other, moved)).toBe(text(scenario));
    expect(text(other, { ...moved, observed: { ...moved.observed, user_data: 0x78n } })).not.toBe(text(scenario));
  });
  test.each<[string, object]>([
    ['another answer', { observed: { ...base.observed, res: -1 } }],
    ['another prediction', { predicted: { ...base.predicted, res: -1 } }],
    ['a prediction with more in it', { predicted: { ...base.predicted, optional: true } }],
    ['another step', { step: 3 }],
    ['another kind', { kind: 'return', predicted: [-13], observed: [0] }],
    ['no answer at all', { kind: 'cqe-missing' }],
    ['another rule', { rule: 'filter.deny' }],
  ])('is not the same with %s', (_, change) => expect(text(scenario, change)).not.toBe(text(scenario)));
  test.each<[string, Scenario]>([
    ['one step more', { ...scenario, steps: [...scenario.steps, scenario.steps[0]!] }],
    ['the JIT off', { ...scenario, jit: false }],
    [
      'another way to be denied',
      {
        ...scenario,
        steps: scenario.steps.map((step) =>
          step.do === 'register_bpf_filter' ? { ...step, arg: { ...step.arg, flags: step.arg.flags ^ 1 } } : step,
        ),
      },
    ],
  ])('is not the same with %s', (_, other) => expect(text(other)).not.toBe(text(scenario)));
  test('numbers that something may refer to stay', () => {
    const poll = (userData: bigint): Scenario => ({
      ...scenario,
      steps: scenario.steps.map((step) =>
        step.do === 'submit' ? { ...step, sqes: [{ opcode: 14, addr: 5n, user_data: userData }] } : step,
      ),
    });
    expect(text(poll(5n))).not.toBe(text(poll(6n)));
    const ring = (slot: number): Scenario => ({
      ...scenario,
      steps: [
        { task: 0, do: 'ring', ring: slot, entries: 8, flags: 0 },
        { task: 0, do: 'probe_fd', fd: RING_FD + 1 },
      ],
    });
    expect(text(ring(0))).not.toBe(text(ring(1)));
  });
});
