/** Which scenarios a run executes, in which order: a function of suites, seed and count only. */
import { scenarioAt } from '../../generators/scenarios.ts';
import type { SuiteName } from '../../generators/suites.ts';
import { turns } from '../../generators/turns.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { Shard } from '../../reports/data/result.ts';

/** A case of a run. */
export interface PlannedCase {
  readonly index: number;
  readonly suite: SuiteName;
  readonly scenario: Scenario;
}

/**
 * Yields `count` cases (Infinity: without end). Case n is the same for every count above n, so that a longer
 * run contains a shorter one. The first ones go through the plans of those suites that have one, all suites taking
 * turns case by case; then come chunks of each suite. A shard has every n-th case, with the number it has in the
 * whole run.
 */
export function* planCases(
  suites: readonly SuiteName[],
  abi: AbiProfile,
  seed: number,
  count: number,
  shard: Shard = { index: 1, count: 1 },
): Generator<PlannedCase> {
  let index = 0;
  const drawn = new Map<SuiteName, number>();
  for (const suite of turns(suites)) {
    if (index >= count) return;
    const n = drawn.get(suite) ?? 0;
    drawn.set(suite, n + 1);
    if (inShard(index, shard)) yield { index, suite, scenario: scenarioAt(suite, abi, seed, n) };
    index++;
  }
}

function inShard(index: number, shard: Shard): boolean {
  return index % shard.count === shard.index - 1;
}

/** How many of `count` cases a shard has. */
export function shardSize(count: number, shard: Shard | undefined): number {
  return shard === undefined || count === Infinity
    ? count
    : Math.max(0, Math.ceil((count - shard.index + 1) / shard.count));
}
