/** The oracle against what the real kernel answered. */
import { describe, expect, it } from 'vitest';
import { compare } from '../../oracle/judge/compare.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { predict } from '../../oracle/predict.ts';
import { pointsOf, QUIRK_IDS } from '../../oracle/quirks/index.ts';
import { readRecording, recordings } from './recordings.ts';

it('there are recordings', () => {
  expect(recordings().length).toBeGreaterThan(0);
});

describe.each(recordings())('recorded on %s', (name) => {
  const recording = readRecording(name);
  const bySuite = (suite: string) => recording.cases.filter((recorded) => recorded.suite === suite);

  it.each(SUITE_NAMES)('%s: every answer is the predicted one', (suite) => {
    const cases = bySuite(suite);
    expect(cases.length, `no recording of this suite: npm run record`).toBeGreaterThanOrEqual(30);
    const differences = cases.flatMap(({ title, scenario, observation }) => {
      const { difference } = compare(predict(scenario, recording.abi, { quirks: recording.quirks }), observation);
      return difference === undefined ? [] : [{ title, ...difference }];
    });
    expect(differences).toEqual([]);
  });

  it('belongs to a suite, each case, and no case is there twice', () => {
    const names: readonly string[] = SUITE_NAMES;
    expect(recording.cases.filter(({ suite }) => !names.includes(suite))).toEqual([]);
    expect(new Set(recording.cases.map(({ suite, title }) => `${suite}: ${title}`)).size).toBe(recording.cases.length);
  });

  it('shows every model of a faulty kernel that it is said to have', () => {
    for (const quirk of recording.quirks) {
      const quirks = new Set([...recording.quirks].filter((other) => other !== quirk));
      const missed = recording.cases.some(
        ({ scenario, observation }) =>
          compare(predict(scenario, recording.abi, { quirks }), observation).difference !== undefined,
      );
      expect(missed, quirk).toBe(true);
    }
  });

  it('a prediction that asked for no model is the same with it', () => {
    let unasked = 0;
    for (const { title, scenario } of recording.cases) {
      const pure = predict(scenario, recording.abi);
      for (const quirk of QUIRK_IDS) {
        if (pointsOf(quirk).some((point) => pure.asked.has(point))) continue;
        unasked++;
        expect(predict(scenario, recording.abi, { quirks: new Set([quirk]) }).steps, `${title}: ${quirk}`).toEqual(
          pure.steps,
        );
      }
    }
    expect(unasked).toBeGreaterThan(recording.cases.length);
  });
});
