import { expect, test } from 'vitest';
import { HOSTILE, OPTIONS } from '../testing/pages.ts';
import { FOUR_KERNELS, MATRIX_RESULTS } from '../testing/matrices.ts';
import { BAD, GOOD } from '../testing/results.ts';
import { formatMatrixSarif, formatSarif } from './sarif.ts';

const read = (text: string): { runs: Record<string, unknown>[] } =>
  JSON.parse(text) as { runs: Record<string, unknown>[] };

test('a conformant run has no results, and names every rule', () => {
  const [run] = read(formatSarif(GOOD, OPTIONS)).runs;
  expect(run).toMatchObject({
    results: [],
    invocations: [{ executionSuccessful: true, commandLine: 'npx ringfence run --seed 1' }],
    properties: { kernel: '7.0.13+deb13-cloud-amd64', seed: 1 },
    tool: { driver: { name: 'ringfence', version: '0.1.0' } },
  });
  expect(run).toHaveProperty('tool.driver.rules.length', OPTIONS.rules.length);
});

test('what went wrong is an error at its case, what is known is suppressed', () => {
  const { runs } = read(formatSarif(BAD, { ...OPTIONS, out: 'my out' }));
  expect(runs[0]).toMatchObject({
    results: [
      {
        ruleId: 'filter.deny-rest.kept',
        level: 'error',
        occurrenceCount: 3,
        partialFingerprints: { 'ringfenceGroup/v1': '0123456789abcdef' },
        message: { text: expect.stringContaining("npx ringfence replay 'my out/divergences/001.json'") },
        locations: [{ physicalLocation: { artifactLocation: { uri: 'divergences/001.json' } } }],
      },
      { ruleId: 'crash', level: 'error' },
      { ruleId: 'hang', level: 'error' },
      { ruleId: 'link.cancel', level: 'warning' },
      { ruleId: 'inherit.child-own-way', level: 'note', suppressions: [{ kind: 'external' }] },
    ],
  });
});

test('a run that did not end says so', () => {
  expect(read(formatSarif({ ...GOOD, verdict: 'interrupted', reason: 'Ctrl-C' }, OPTIONS)).runs[0]).toMatchObject({
    invocations: [{ executionSuccessful: false, toolExecutionNotifications: [{ message: { text: 'Ctrl-C' } }] }],
  });
});

test('a matrix: a run per kernel that has a result', () => {
  const { runs } = read(formatMatrixSarif(FOUR_KERNELS, MATRIX_RESULTS, OPTIONS));
  expect(runs).toMatchObject([
    { automationDetails: { id: 'ringfence/7.0.13/' } },
    { automationDetails: { id: 'ringfence/7.3.4/' } },
  ]);
  expect(JSON.stringify(runs[0])).toContain('npx ringfence replay out/7.0.13/divergences/001.json');
  expect(JSON.stringify(runs[0])).toContain('{"uri":"7.0.13/divergences/001.json"}');
});

test('what comes from outside stays text', () => {
  expect(JSON.stringify(read(formatSarif(HOSTILE, OPTIONS)))).toContain(JSON.stringify(HOSTILE.command).slice(1, -1));
});
