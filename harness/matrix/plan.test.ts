import { expect, test } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { toJson } from '../../oracle/case/json.ts';
import { scenarioAt, SUITE_NAMES } from '../../generators/scenarios.ts';
import { distinctProfiles, matrixCases } from './plan.ts';

const WIDER = { ...ABI_7_0, release: '7.2.6', pdu_size: ABI_7_0.pdu_size.map((size, op) => (op === 16 ? 24 : size)) };

test('profiles that differ in their names alone are one', () => {
  expect(distinctProfiles([ABI_7_0, { ...ABI_7_0, release: '7.0.13' }, WIDER])).toEqual([ABI_7_0, WIDER]);
});

test('with one profile: the scenarios of a run, suite by suite', () => {
  const counts = new Map<string, number>();
  for (const { suite, scenario, index } of matrixCases([ABI_7_0], SUITE_NAMES, 5, 150)) {
    const n = counts.get(suite) ?? 0;
    counts.set(suite, n + 1);
    if (index % 10 === 0) expect(toJson(scenario)).toEqual(toJson(scenarioAt(suite, ABI_7_0, 5, n)));
  }
  expect([...counts.keys()].sort()).toEqual([...SUITE_NAMES].sort());
});

test('profiles take turns; a longer plan contains a shorter one', () => {
  const cases = [...matrixCases([ABI_7_0, WIDER], ['opcode-context'], 5, 6)];
  expect(cases.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  expect(toJson(cases[3]!.scenario)).toEqual(toJson(scenarioAt('opcode-context', WIDER, 5, 3)));
  expect([...matrixCases([ABI_7_0, WIDER], ['opcode-context'], 5, 4)].map(({ scenario }) => toJson(scenario))).toEqual(
    cases.slice(0, 4).map(({ scenario }) => toJson(scenario)),
  );
});
