import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { predict } from '../../oracle/predict.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import { scenarioAt, SUITE_NAMES } from '../scenarios.ts';
import { shrinkScenario } from './shrink.ts';
import { scenarioSize } from './size.ts';
import { scenarioArbitrary } from '../suites.ts';
import { isWellFormed } from '../well-formed.ts';

/** Goes to the first candidate that keeps the property, until none does. */
function minimal(
  start: Scenario,
  keeps: (scenario: Scenario) => boolean,
): { readonly scenario: Scenario; readonly rounds: number } {
  let scenario = start;
  for (let rounds = 0; ; rounds++) {
    let next: Scenario | undefined;
    for (const candidate of shrinkScenario(scenario)) {
      if (!keeps(candidate)) continue;
      next = candidate;
      break;
    }
    if (next === undefined) return { scenario, rounds };
    scenario = next;
  }
}

describe.each(SUITE_NAMES)('%s', (suite) => {
  test('candidates are well-formed and strictly smaller', () => {
    for (let n = 0; n < 3; n++) {
      const scenario = scenarioAt(suite, ABI_7_0, 21, n);
      const size = scenarioSize(scenario);
      let looked = 0;
      for (const candidate of shrinkScenario(scenario)) {
        expect(isWellFormed(candidate)).toBe(true);
        expect(scenarioSize(candidate)).toBeLessThan(size);
        if (++looked === 300) break;
      }
      expect(looked).toBeGreaterThan(5);
    }
  });

  test('shrinking ends at one step', () => {
    for (let n = 0; n < 4; n++) {
      const { scenario } = minimal(scenarioAt(suite, ABI_7_0, 22, n), () => true);
      expect(scenario.steps.length).toBe(1);
    }
  });
});

/** Ids of the rules that a scenario reaches. */
const reaches =
  (rule: string) =>
  (scenario: Scenario): boolean =>
    predict(scenario, ABI_7_0).hits.has(rule);

test.each([
  ['evaluation', 'filter.deny', 3],
  ['stacking', 'filter.stack-all', 4],
  ['deny-rest', 'filter.deny-rest', 3],
  ['links', 'link.broken', 2],
  ['inheritance', 'inherit.child-at-fork', 2],
] as const)('a %s case that reaches %s comes down to %i steps', (suite, rule, steps) => {
  const keeps = reaches(rule);
  let tried = 0;
  for (let n = 0; n < 40 && tried < 3; n++) {
    const start = scenarioAt(suite, ABI_7_0, 23, n);
    if (!keeps(start)) continue;
    tried++;
    const { scenario } = minimal(start, keeps);
    expect(scenario.steps.length).toBeLessThanOrEqual(steps);
    for (const step of scenario.steps) {
      if (step.do === 'submit') expect(step.sqes.length).toBeLessThanOrEqual(2);
      if (step.do === 'register_bpf_filter') expect(step.arg.program.length).toBeLessThanOrEqual(2);
    }
  }
  expect(tried).toBe(3);
});

test('a taken ring: of the root instead, or gone with the task it was taken from', () => {
  const steps: Step[] = [
    { do: 'ring', task: 0, ring: 0, entries: 1, flags: 0 },
    { do: 'spawn', task: 0, how: 'fork', child: 1 },
    { do: 'spawn', task: 0, how: 'fork', child: 2 },
    { do: 'take_ring', task: 2, from: 1, ring: 0 },
  ];
  const start: Scenario = { version: 1, fixtures: [], jit: true, steps };
  const kept = [...shrinkScenario(start)].flatMap((candidate) =>
    candidate.steps.filter((step) => step.do === 'take_ring').map(({ task, from }) => `${task} of ${from}`),
  );
  expect(new Set(kept)).toEqual(new Set(['2 of 1', '2 of 0', '0 of 1']));
});

test('fast-check shrinks with it', () => {
  const details = fc.check(
    fc.property(scenarioArbitrary('evaluation', ABI_7_0), (scenario) => !reaches('filter.deny')(scenario)),
    { seed: 4, numRuns: 50 },
  );
  expect(details.failed).toBe(true);
  expect(details.counterexample![0].steps.length).toBe(3);
});
