/**
 * The scenarios of a matrix: every kernel gets the same. What can be drawn depends on a kernel's ABI (which opcodes
 * there are, how large a payload is), so the kernels' distinct profiles take turns; a scenario drawn for another
 * kernel is a good question too, and the rules answer it for each.
 */
import { scenarioAt } from '../../generators/scenarios.ts';
import { weightOf } from '../../generators/suites.ts';
import type { SuiteName } from '../../generators/suites.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import type { PlannedCase } from '../run/plan.ts';

/** Scenarios of a suite of weight 1 before the next suite has its turn: a short matrix touches every suite, too. */
const TURN = 4;

/** The profiles that differ in more than the kernel's name, oldest first as given. */
export function distinctProfiles(profiles: readonly AbiProfile[]): readonly AbiProfile[] {
  const seen = new Map<string, AbiProfile>();
  for (const profile of profiles) {
    const key = JSON.stringify({ ...profile, release: '', machine: '' });
    if (!seen.has(key)) seen.set(key, profile);
  }
  return [...seen.values()];
}

/**
 * Yields `count` cases. Depends on profiles, suites and seed alone; case n is the same for every count above n.
 * With one profile the n-th scenario of each suite is that of `ringfence run`.
 */
export function* matrixCases(
  profiles: readonly AbiProfile[],
  suites: readonly SuiteName[],
  seed: number,
  count: number,
): Generator<PlannedCase> {
  const drawn = new Map<SuiteName, number>();
  for (let index = 0; ; ) {
    for (const suite of suites) {
      for (let i = 0; i < Math.max(1, Math.round(weightOf(suite) * TURN)); i++) {
        if (index >= count) return;
        const n = drawn.get(suite) ?? 0;
        drawn.set(suite, n + 1);
        yield { index, suite, scenario: scenarioAt(suite, profiles[n % profiles.length]!, seed, n) };
        index++;
      }
    }
  }
}
