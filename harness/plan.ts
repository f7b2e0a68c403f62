/** Which scenarios a run executes, in which order: a function of suites, seed and count only. */
import { CHUNK, drawScenarios, SUITE_NAMES } from '../generators/scenarios.ts';
import type { SuiteName } from '../generators/suites.ts';
import type { AbiProfile } from '../oracle/abi.ts';
import type { Scenario } from '../oracle/scenario/types.ts';

/** Chunks drawn per round, by suite: cheap and rich suites more often. */
export const WEIGHTS: Readonly<Record<SuiteName, number>> = {
  validator: 2,
  evaluation: 3,
  arguments: 2,
  stacking: 2,
  'deny-rest': 2,
  'opcode-context': 2,
  links: 2,
  'classic-restrictions': 2,
  privilege: 1,
  inheritance: 2,
  atomicity: 1,
  escape: 1,
  'jit-vs-interpreter': 1,
};

export interface PlannedCase {
  readonly index: number;
  readonly suite: SuiteName;
  readonly scenario: Scenario;
}

/**
 * Yields `count` cases (Infinity: without end). Case n is the same for every count above n, so that a longer
 * run contains a shorter one.
 */
export function* planCases(suites: readonly SuiteName[], abi: AbiProfile, seed: number, count: number): Generator<PlannedCase> {
  const chunks = new Map<SuiteName, number>();
  let index = 0;
  for (;;) {
    for (const suite of suites) {
      for (let i = 0; i < WEIGHTS[suite]; i++) {
        const chunk = chunks.get(suite) ?? 0;
        chunks.set(suite, chunk + 1);
        for (const scenario of drawScenarios(suite, abi, seed, chunk)) {
          if (index >= count) return;
          yield { index, suite, scenario };
          index++;
        }
      }
    }
  }
}

export { CHUNK, SUITE_NAMES };
