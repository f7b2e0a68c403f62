import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ABI_7_0 } from '../oracle/probe/abi-documented.ts';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { predict } from '../oracle/predict.ts';
import { CHUNK, drawScenarios, scenarioAt, SUITE_NAMES } from './scenarios.ts';
import { anyScenario, scenarioArbitrary } from './suites.ts';
import { isWellFormed } from './well-formed.ts';

/** A kernel with more of everything: CONNECT shows a payload. */
const LATER: AbiProfile = {
  ...ABI_7_0,
  release: '7.2',
  op_last: 66,
  register_last: 39,
  pdu_size: [...ABI_7_0.pdu_size.map((size, op) => (op === 16 ? 24 : size)), 0],
};
/** And one with less. */
const SMALL: AbiProfile = {
  ...ABI_7_0,
  op_last: 60,
  register_last: 30,
  ctx_size: 32,
  pdu_size: ABI_7_0.pdu_size.slice(0, 60),
};

describe.each(SUITE_NAMES)('%s', (suite) => {
  test.each([
    ['7.0', ABI_7_0],
    ['later', LATER],
    ['smaller', SMALL],
  ] as const)('scenarios are well-formed and the oracle judges them (%s)', (_, abi) => {
    for (let n = 0; n < 250; n++) {
      const scenario = scenarioAt(suite, abi, 11, n);
      expect(isWellFormed(scenario)).toBe(true);
      expect(scenario.suite).toBe(suite);
      expect(predict(scenario, abi).steps.every((step) => step.reached)).toBe(true);
    }
  });

  test('a chunk depends on suite, seed and number alone', () => {
    const wanted = drawScenarios(suite, ABI_7_0, 5, 2);
    expect(wanted.length).toBe(CHUNK);
    drawScenarios(suite, ABI_7_0, 5, 0);
    expect(drawScenarios(suite, ABI_7_0, 5, 2)).toEqual(wanted);
    expect(drawScenarios(suite, ABI_7_0, 5, 3)).not.toEqual(wanted);
    expect(drawScenarios(suite, ABI_7_0, 6, 2)).not.toEqual(wanted);
  });

  test('the arbitrary draws the same', () => {
    const options = { seed: 3, numRuns: 20 };
    const arbitrary = scenarioArbitrary(suite, ABI_7_0);
    expect(fc.sample(arbitrary, options)).toEqual(fc.sample(arbitrary, options));
    for (const scenario of fc.sample(arbitrary, options))
      expect(arbitrary.canShrinkWithoutContext(scenario)).toBe(true);
  });
});

test('the mix draws every suite', () => {
  const drawn = new Set(fc.sample(anyScenario(ABI_7_0), { seed: 1, numRuns: 400 }).map(({ suite }) => suite));
  expect(drawn).toEqual(new Set(SUITE_NAMES));
});

test('seeds beyond 32 bits count', () => {
  expect(scenarioAt('evaluation', ABI_7_0, 2 ** 40, 0)).not.toEqual(scenarioAt('evaluation', ABI_7_0, 0, 0));
});

test('no such suite', () => {
  expect(() => drawScenarios('other' as never, ABI_7_0, 1, 0)).toThrow('no such suite');
});

test('the cost, for the record', () => {
  const started = process.cpuUsage();
  let count = 0;
  for (const suite of SUITE_NAMES) count += drawScenarios(suite, ABI_7_0, 77, 0).length;
  const { user, system } = process.cpuUsage(started);
  console.log(`${((user + system) / count / 1000).toFixed(3)} ms of processor time per scenario`);
});
