/** Which pairs of levels were drawn together in a judged request. */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { predict } from '../../oracle/predict.ts';
import type { Prediction } from '../../oracle/scenario/prediction.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { clash } from './impossible.ts';
import { LEVELS, sameFactor } from './factors.ts';
import type { LevelName } from './factors.ts';
import { recognise } from './recognise.ts';

/** Two levels of different factors, in the order of `LEVELS`. */
export type Pair = readonly [LevelName, LevelName];

/** Counts requests by the pairs of levels that they have. */
export class PairTally {
  /** Requests with both levels, at `lower * LEVELS.length + higher`. */
  readonly counts = new Uint32Array(LEVELS.length * LEVELS.length);
  requests = 0;

  /** Takes one scenario into account. */
  add(scenario: Scenario, abi: AbiProfile, prediction: Prediction = predict(scenario, abi)): void {
    recognise(scenario, prediction, (levels) => {
      this.#request(levels);
    });
  }

  #request(levels: readonly number[]): void {
    this.requests++;
    const { counts } = this;
    for (let i = 0; i < levels.length; i++) {
      const one = levels[i]!;
      for (let j = i + 1; j < levels.length; j++) {
        const other = levels[j]!;
        counts[one < other ? one * LEVELS.length + other : other * LEVELS.length + one]!++;
      }
    }
  }

  /** How many requests had both. */
  count([one, other]: Pair): number {
    return this.counts[LEVELS.indexOf(one) * LEVELS.length + LEVELS.indexOf(other)]!;
  }

  /** Possible pairs that nothing drawn had. */
  missing(): Pair[] {
    return POSSIBLE.filter((pair) => this.count(pair) === 0);
  }

  /** Pairs that were drawn and are listed as impossible. */
  wronglyListed(): Pair[] {
    return PAIRS.filter((pair) => clash(...pair) !== undefined && this.count(pair) > 0);
  }
}

/** Every pair. */
export const PAIRS: readonly Pair[] = LEVELS.flatMap((one, i) =>
  LEVELS.slice(i + 1).flatMap((other, j) => (sameFactor(i, i + 1 + j) ? [] : [[one, other] as const])),
);

/** Those that are not listed as impossible. */
export const POSSIBLE = PAIRS.filter((pair) => clash(...pair) === undefined);
