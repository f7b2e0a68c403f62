import { Open } from './open-answer.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ABI_7_0 } from './probe/abi-documented.ts';
import { opForms } from './opcodes/index.ts';
import { predict } from './predict.ts';
import { RULES, ruleById } from './registry.ts';
import { anyScenario, anySqe } from './testing/scenarios.ts';
import type { Scenario } from './steps/index.ts';

// A fixed seed: a gate must not flake.
fc.configureGlobal({ seed: 7 });

test('every rule has an id in form, one line of statement, and a source', () => {
  for (const [key, { id, statement, kind, source }] of Object.entries(RULES)) {
    expect(key).toBe(id);
    expect(id).toMatch(/^[a-z][a-z0-9-]*(\.[a-z0-9_-]+)+$/);
    expect(statement).toMatch(/^[^\n]+\.$/);
    expect(['uapi', 'man', 'patch', 'observed']).toContain(kind);
    expect(source).toMatch(/^[^\n]+$/);
  }
});

test('a rule is found by its id, and nothing else is', () => {
  expect(ruleById('filter.deny')?.statement).toContain('-EACCES');
  expect(ruleById('op.socket')).toMatchObject({
    kind: 'man',
    source: 'io_uring_enter(2), IORING_OP_SOCKET; socket(2)',
  });
  expect(ruleById('op.socket.prep')?.source).toContain('ERRORS (CQE)');
  for (const id of ['', 'toString', '__proto__', 'filter', 'op.issue']) expect(ruleById(id)).toBeUndefined();
});

const unlisted = (scenario: Scenario): string[] => {
  const { steps, hits } = predict(scenario, ABI_7_0);
  const used = [
    ...hits.keys(),
    ...steps.map(({ rule }) => rule),
    ...steps.flatMap(({ cqes }) => (Open.is(cqes) ? [] : cqes).map(({ rule }) => rule)),
  ];
  return used.filter((id) => ruleById(id) === undefined);
};
const submit = (sqes: Extract<Scenario['steps'][number], { do: 'submit' }>['sqes'], flags = 0): Scenario => ({
  version: 1,
  fixtures: [],
  jit: true,
  steps: [
    { task: 0, do: 'ring', ring: 0, entries: 64, flags },
    { task: 0, do: 'submit', ring: 0, sqes },
  ],
});

test('every rule that a prediction names is listed: any scenario', () => {
  fc.assert(
    fc.property(anyScenario, (scenario) => {
      expect(unlisted(scenario)).toEqual([]);
    }),
    { numRuns: 2000 },
  );
});

test('every rule that a prediction names is listed: any request', () => {
  fc.assert(
    fc.property(fc.array(anySqe, { maxLength: 5 }), fc.constantFrom(0, 0x80, 0x400, 0x800), (sqes, flags) => {
      expect(unlisted(submit(sqes, flags))).toEqual([]);
    }),
    { numRuns: 3000 },
  );
});

test('every rule that a prediction names is listed: every ready-made request', () => {
  for (const form of opForms)
    expect([form.name, unlisted({ ...submit([form.sqe], form.need_setup), fixtures: form.fixtures })]).toEqual([
      form.name,
      [],
    ]);
});
