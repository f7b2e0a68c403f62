/** In which order the suites of a run take turns. */
import { CHUNK } from './scenarios.ts';
import { openingOf, weightOf } from './suites.ts';
import type { SuiteName } from './suites.ts';

/** Cases that a run begins with: those of `run --quick`, planned to cover as much as so many can. */
export const OPENING = 1_600;

/** The suite of each case, without end; the n-th case of a suite is its n-th scenario. */
export function* turns(suites: readonly SuiteName[]): Generator<SuiteName> {
  yield* opening(suites);
  for (;;) {
    for (const suite of suites) for (let n = weightOf(suite) * CHUNK; n > 0; n--) yield suite;
  }
}

/** Always the suite that is furthest behind its share; of equals the first. */
function* opening(suites: readonly SuiteName[]): Generator<SuiteName> {
  const total = suites.reduce((sum, suite) => sum + openingOf(suite), 0);
  const due = suites.map(() => 0);
  for (let i = 0; i < OPENING; i++) {
    let most = 0;
    for (let s = 0; s < suites.length; s++) {
      due[s]! += openingOf(suites[s]!);
      if (due[s]! > due[most]!) most = s;
    }
    due[most]! -= total;
    yield suites[most]!;
  }
}
