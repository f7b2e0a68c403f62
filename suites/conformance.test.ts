/** A short run of every suite on the real kernel, twice: nothing unexplained; the same seed gives the same result. */
import { expect, it } from 'vitest';
import { drawScenarios, SUITE_NAMES } from '../generators/scenarios.ts';
import { run } from '../harness/run/run.ts';
import type { RunOptions } from '../harness/run/options.ts';
import type { RunResult } from '../reports/data/result.ts';
import { readRecording } from './recorded/recordings.ts';

const SEED = 2026;
/** Scenarios per suite. */
const EACH = 40;

async function once(what: Pick<RunOptions, 'suites' | 'cases' | 'scenarios'>): Promise<RunResult> {
  return await run(
    {
      ...what,
      seed: SEED,
      append: '',
      accel: 'auto',
      jobs: 2,
      timeout: 60,
      command: 'vitest',
      investigate: 0,
      shrinkSeconds: 0,
    },
    { note: () => undefined, progress: () => undefined, checkpoint: () => undefined, consoleFile: () => undefined },
    new AbortController().signal,
  );
}

/** What must not depend on when and how fast the run was. */
function timeless({
  seed,
  verdict,
  scenarios,
  outcomes,
  suites,
  rules,
  known,
  divergences,
  crashes,
  hangs,
}: RunResult) {
  return { seed, verdict, scenarios, outcomes, suites, rules, known, divergences, crashes, hangs };
}

it('every suite agrees with the real kernel', async () => {
  const { abi } = readRecording('7.0.13');
  const scenarios = SUITE_NAMES.flatMap((suite) => drawScenarios(suite, abi, SEED, 0).slice(0, EACH));
  const result = await once({ suites: SUITE_NAMES, cases: scenarios.length, scenarios });
  expect(result.divergences).toEqual([]);
  expect(result.crashes).toEqual([]);
  expect(result.hangs).toEqual([]);
  expect(result.verdict).toBe('conformant');
  expect(result.scenarios).toBe(scenarios.length);
  expect(Object.keys(result.suites).sort()).toEqual([...SUITE_NAMES].sort());
}, 120_000);

it('the same seed gives the same result, but for times', async () => {
  const suites = SUITE_NAMES.filter((suite) => suite === 'evaluation' || suite === 'links' || suite === 'escape');
  const first = await once({ suites, cases: 150 });
  const second = await once({ suites, cases: 150 });
  expect(timeless(second)).toEqual(timeless(first));
}, 120_000);
