/** Every hand-written example on the real kernel: just what the oracle says, or just what a known finding says. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SUITE_NAMES } from '../generators/suites.ts';
import { compare } from '../oracle/judge/compare.ts';
import { KnownFindings } from '../harness/known/predictions.ts';
import { loadFindings } from '../harness/known/findings.ts';
import { runSentinels } from '../harness/known/sentinels.ts';
import { observe } from '../harness/guests/guests.ts';
import { prepare } from '../harness/run/prepare.ts';
import type { Prepared } from '../harness/run/prepare.ts';
import { waitsOf } from '../oracle/judge/waits.ts';
import { predict } from '../oracle/predict.ts';
import type { Observation } from '../oracle/scenario/observation.ts';
import type { Scenario } from '../oracle/steps/index.ts';
import { loadNotes } from '../harness/known/notes.ts';
import { EXAMPLES } from './examples/index.ts';

let prepared: Prepared;
let known: KnownFindings | undefined;

async function run(scenario: Scenario): Promise<Observation> {
  return await observe(
    prepared.first,
    scenario,
    // What known findings let through must be waited for as well.
    waitsOf(known?.predictions(scenario).known ?? predict(scenario, prepared.abi)),
    prepared.guests.plan.deadline,
  );
}

beforeAll(async () => {
  prepared = await prepare(
    { append: '', accel: 'auto', timeout: 60 },
    { note: () => undefined, consoleFile: () => undefined },
    new AbortController().signal,
  );
  const { active, missing } = await runSentinels(loadFindings(), prepared.abi, run);
  expect(missing.map(({ id }) => id)).toEqual([]);
  known = new KnownFindings(active, prepared.abi);
}, 120_000);

afterAll(async () => {
  await prepared?.guests.closeAll();
});

describe('hand-written examples', () => {
  it('there are some for every suite, each with a title of its own', () => {
    for (const suite of SUITE_NAMES)
      expect(EXAMPLES.filter((example) => example.suite === suite).length, suite).toBeGreaterThanOrEqual(2);
    expect(new Set(EXAMPLES.map(({ suite, title }) => `${suite}: ${title}`)).size).toBe(EXAMPLES.length);
  });

  it.each(EXAMPLES)('$suite: $title', async ({ scenario }) => {
    const observation = await run(scenario);
    expect(compare(known!.predictions(scenario).known, observation).difference).toBeUndefined();
  });
});

describe('notes', () => {
  it.each(loadNotes())('$id: the kernel does what the rules leave open', async ({ scenario }) => {
    const observation = await run(scenario);
    expect(compare(known!.predictions(scenario).known, observation).difference).toBeUndefined();
  });
});
