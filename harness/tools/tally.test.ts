import { expect, test } from 'vitest';
import { need, programs } from '../../oracle/testing/needs.ts';
import type { Step, TestSummary } from './tally.ts';
import { tally } from './tally.ts';

const summary = (...tests: readonly (readonly [status: string, fullName: string])[]): TestSummary => ({
  numPassedTests: tests.filter(([status]) => status === 'passed').length,
  numFailedTests: tests.filter(([status]) => status === 'failed').length,
  testResults: [
    { status: 'passed', assertionResults: tests.map(([status, fullName]) => ({ status, fullName })) },
    { status: 'failed', assertionResults: [] },
  ],
});

const step = (outcome: string): Step => ({ name: 'check', outcome });

test('tests, files that could not be loaded, and other steps are counted', () => {
  expect(tally(summary(['passed', 'a'], ['failed', 'b']), [step('0'), step('1')])).toEqual({
    passed: 2,
    failed: 3,
    skipped: 0,
    lines: [],
  });
  expect(tally(undefined, [step('0'), step('0')])).toMatchObject({ passed: 2, failed: 1 });
  expect(tally(summary(['passed', 'a']), [step('needs clang-format')])).toEqual({
    passed: 1,
    failed: 1,
    skipped: 1,
    lines: ['skipped: check: needs clang-format'],
  });
});

test('a skipped test is told with its reason; one without fails', () => {
  const xmllint = programs('no-such-xmllint=libxml2-utils', 'bash');
  const name = xmllint.of('xmllint');
  expect(xmllint.missing).toBe(true);
  expect(tally(summary(['skipped', `${name} reads it`], ['pending', 'b'], ['todo', 'c']), [])).toEqual({
    passed: 0,
    failed: 3,
    skipped: 1,
    lines: [
      'skipped: xmllint reads it: needs no-such-xmllint and bash: apt-get install libxml2-utils bash',
      'skipped: b: no reason given, which counts as a failure',
      'skipped: c: no reason given, which counts as a failure',
    ],
  });
});

test('what is there is not missing', () => {
  expect(programs('bash', 'sh').missing).toBe(false);
  expect(need(true, 'a', 'b').of('c')).toBe('c [needs a: b]');
});
