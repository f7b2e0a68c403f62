/** A short run of every suite on the real kernel, twice: nothing unexplained, and the same seed gives the same result. */
import { expect, it } from 'vitest';
import { SUITE_NAMES } from '../generators/suites.ts';
import { CHUNK, WEIGHTS } from '../harness/plan.ts';
import { run } from '../harness/run.ts';
import type { RunResult } from '../reports/result.ts';

/** One round of the plan: every suite's chunks. */
const ROUND = SUITE_NAMES.reduce((sum, suite) => sum + WEIGHTS[suite] * CHUNK, 0);

async function once(suites: typeof SUITE_NAMES, cases: number): Promise<RunResult> {
  return await run(
    { suites, cases, seed: 20_26, append: '', accel: 'auto', jobs: 2, timeout: 60, command: 'vitest', investigate: 1, shrinkSeconds: 5 },
    { note: () => undefined, progress: () => undefined, checkpoint: () => undefined, consoleFile: () => undefined },
    new AbortController().signal,
  );
}

/** What must not depend on when and how fast the run was. */
function timeless({ seed, verdict, scenarios, outcomes, suites, rules, known, divergences, crashes, hangs }: RunResult) {
  return { seed, verdict, scenarios, outcomes, suites, rules, known, divergences, crashes, hangs };
}

it('every suite agrees with the real kernel', async () => {
  const result = await once(SUITE_NAMES, ROUND);
  expect(result.divergences).toEqual([]);
  expect(result.crashes).toEqual([]);
  expect(result.hangs).toEqual([]);
  expect(result.verdict).toBe('conformant');
  expect(Object.keys(result.suites).sort()).toEqual([...SUITE_NAMES].sort());
}, 120_000);

it('the same seed gives the same result, but for times', async () => {
  const suites = SUITE_NAMES.filter((suite) => suite === 'evaluation' || suite === 'links' || suite === 'escape');
  const first = await once(suites, 150);
  const second = await once(suites, 150);
  expect(timeless(second)).toEqual(timeless(first));
}, 120_000);
