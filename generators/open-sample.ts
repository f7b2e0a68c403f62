/** How often the oracle's open answers are used, over a fixed sample of drawn cases. */
import { OpenTally } from '../oracle/judge/open-tally.ts';
import { predict } from '../oracle/predict.ts';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { scenarioAt, SUITE_NAMES } from './scenarios.ts';

/** Uses of places, and requests that are left open, by suite. */
export interface OpenUses {
  readonly places: Readonly<Record<string, number>>;
  readonly suites: Readonly<
    Record<string, { readonly requests: number; readonly open: number; readonly numbers: number }>
  >;
}

/** Predicts the first `cases` scenarios of each suite. */
export function measureOpen(cases: number, seed: number, abi: AbiProfile): OpenUses {
  const places: Record<string, number> = {};
  const suites: Record<string, { requests: number; open: number; numbers: number }> = {};
  for (const suite of SUITE_NAMES) {
    const tally = new OpenTally();
    for (let n = 0; n < cases; n++) {
      const scenario = scenarioAt(suite, abi, seed, n);
      tally.add(scenario, predict(scenario, abi));
    }
    suites[suite] = { requests: tally.requests, open: tally.open, numbers: tally.numbers };
    for (const [id, times] of tally.uses) places[id] = (places[id] ?? 0) + times;
  }
  return { places, suites };
}
