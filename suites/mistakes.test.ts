/**
 * Deliberate mistakes: the oracle with any one of them disagrees with what the real kernel answered.
 * This shows that the recorded outcomes would catch such a mistake, and so that they test the oracle.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { compare } from '../oracle/judge/compare.ts';
import { predict } from '../oracle/predict.ts';
import { BPF_MISTAKES } from './mistakes/bpf.ts';
import { MADE_MISTAKES } from './mistakes/made.ts';
import { Mutants } from './mistakes/mutants.ts';
import type { Mistake } from './mistakes/mutants.ts';
import { REGISTRATION_MISTAKES } from './mistakes/registration.ts';
import { RULE_MISTAKES } from './mistakes/rule-checks.ts';
import { readRecording } from './recorded/recordings.ts';
import type { RecordedCase } from './recorded/recordings.ts';

const MISTAKES: readonly Mistake[] = [...BPF_MISTAKES, ...REGISTRATION_MISTAKES, ...RULE_MISTAKES, ...MADE_MISTAKES];
const recording = readRecording('7.0.13');
const mutants = new Mutants();
afterAll(() => mutants.dispose());

/**
 * Whether an oracle gets a case right. A mistake must show in an answer: an oracle that throws proves
 * nothing, so nothing is caught here.
 */
function right(oracle: typeof predict, { scenario, observation }: RecordedCase): boolean {
  return compare(oracle(scenario, recording.abi, { quirks: recording.quirks }), observation).difference === undefined;
}

/** Only what the oracle as shipped gets right can tell it from one with a mistake. */
const telling = recording.cases.filter((recorded) => right(predict, recorded));

/** The first case that a faulty oracle gets wrong. */
function caught(faulty: typeof predict, likely: readonly string[]): RecordedCase | undefined {
  const first = likely.flatMap((suite) => telling.filter((recorded) => recorded.suite === suite));
  const rest = telling.filter(({ suite }) => !likely.includes(suite));
  return [...first, ...rest].find((recorded) => !right(faulty, recorded));
}

describe('deliberate mistakes against recorded outcomes', () => {
  it('there are at least 40, each with a name of its own', () => {
    expect(MISTAKES.length).toBeGreaterThanOrEqual(40);
    expect(new Set(MISTAKES.map(({ name }) => name)).size).toBe(MISTAKES.length);
  });

  it('without a mistake every recorded answer is the predicted one', async () => {
    const copy = await mutants.predict(undefined);
    expect(
      recording.cases.filter((recorded) => !right(copy, recorded)).map(({ suite, title }) => `${suite}: ${title}`),
    ).toEqual([]);
  });

  it('a mistake whose text is not in the source is an error', async () => {
    await expect(
      mutants.predict({ name: 'x', file: 'predict.ts', find: 'no such text', replace: '', likely: [] }),
    ).rejects.toThrow('stands 0 times');
  });

  it.each(MISTAKES)('caught: $name', async (mistake) => {
    const recorded = caught(await mutants.predict(mistake), mistake.likely);
    expect(
      recorded,
      `no recorded outcome tells the oracle with the mistake "${mistake.name}" from the right one`,
    ).toBeDefined();
  });
});
