/** How often the oracle's open answers are used, over a fixed sample of drawn cases. */
import { OpenTally } from '../oracle/judge/open-tally.ts';
import { predict } from '../oracle/predict.ts';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { scenarioAt, SUITE_NAMES } from './scenarios.ts';

/** Requests of one suite, and how they are left open. */
export type SuiteUses = Pick<OpenTally, 'requests' | 'open' | 'numbers' | 'kinds'>;

/** Uses of places, and requests that are left open, by suite. */
export interface OpenUses {
  readonly places: Readonly<Record<string, number>>;
  readonly suites: Readonly<Record<string, SuiteUses>>;
}

/** Predicts the first `cases` scenarios of each suite. */
export function measureOpen(cases: number, seed: number, abi: AbiProfile): OpenUses {
  const places: Record<string, number> = {};
  const suites: Record<string, SuiteUses> = {};
  for (const suite of SUITE_NAMES) {
    const tally = new OpenTally();
    for (let n = 0; n < cases; n++) {
      const scenario = scenarioAt(suite, abi, seed, n);
      tally.add(scenario, predict(scenario, abi));
    }
    const { requests, open, numbers, kinds } = tally;
    suites[suite] = { requests, open, numbers, kinds };
    for (const [id, times] of tally.uses) places[id] = (places[id] ?? 0) + times;
  }
  return { places, suites };
}
