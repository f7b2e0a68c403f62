/** Which scenarios a run executes, in which order: a function of suites, seed and count only. */
import { CHUNK, scenarioAt } from '../../generators/scenarios.ts';
import { weightOf } from '../../generators/suites.ts';
import type { SuiteName } from '../../generators/suites.ts';
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
 * run contains a shorter one. A shard has every n-th case, with the number it has in the whole run.
 */
export function* planCases(
  suites: readonly SuiteName[],
  abi: AbiProfile,
  seed: number,
  count: number,
  shard: Shard = { index: 1, count: 1 },
): Generator<PlannedCase> {
  let index = 0;
  for (const { suite, chunk } of turns(suites)) {
    for (let n = 0; n < CHUNK; n++, index++) {
      if (index >= count) return;
      if (inShard(index, shard)) yield { index, suite, scenario: scenarioAt(suite, abi, seed, chunk * CHUNK + n) };
    }
  }
}

/** Chunks of the suites in turn, as often as their weights say, without end. */
function* turns(suites: readonly SuiteName[]): Generator<{ readonly suite: SuiteName; readonly chunk: number }> {
  const chunks = new Map<SuiteName, number>();
  for (;;) {
    for (const suite of suites) {
      for (let i = 0; i < weightOf(suite); i++) {
        const chunk = chunks.get(suite) ?? 0;
        chunks.set(suite, chunk + 1);
        yield { suite, chunk };
      }
    }
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
