import { expect, test } from 'vitest';
import { matrixPoints, runPoints } from './points.ts';
import { BAD, GOOD } from '../testing/results.ts';
import { FOUR_KERNELS, MATRIX_RESULTS } from '../testing/matrices.ts';
import type { PointReport } from './points.ts';
import type { RunResult } from '../data/result.ts';

const failing = (reports: readonly PointReport[]): string[] =>
  reports.flatMap(({ title, groups }) =>
    groups.flatMap(({ name, points }) =>
      points
        .filter(({ state }) => state === 'fail' || state === 'error')
        .map((point) => `${title}: ${name}/${point.name}`),
    ),
  );

/** No gate of its own: only what the name says is wrong. */
const { policy: _policy, ...LENIENT } = BAD;
const EXPECTATION: RunResult['expectations'][number] = {
  id: 'ours',
  rule: 'filter.deny',
  kernels: '7.0',
  reason: 'r',
  link: '',
  expires: '2026-01-01',
  expired: true,
  file: 'f.json',
  state: 'gone',
  scenarios: 0,
  problem: 'it is gone',
};

test.each<[string, RunResult]>([
  ['conformant', GOOD],
  ['divergent', BAD],
  ['divergent, not strict', LENIENT],
  ['interrupted', { ...GOOD, verdict: 'interrupted', reason: 'interrupted: this is what was found so far' }],
  ['nothing judged', { ...GOOD, verdict: 'untestable', reason: 'no scenario was executed', scenarios: 0 }],
  [
    'not judged',
    {
      ...GOOD,
      verdict: 'untestable',
      reason: '1 scenario could not be executed',
      runner_errors: [{ index: 3, detail: 'runner status 4' }],
    },
  ],
  ['a crash alone', { ...LENIENT, divergences: [], hangs: [] }],
  ['a hang alone', { ...LENIENT, divergences: [], crashes: [] }],
  ['an expectation that is gone', { ...GOOD, expectations: [EXPECTATION] }],
  [
    'the same for a strict gate',
    { ...GOOD, verdict: 'divergent', expectations: [EXPECTATION], policy: { strict: true, files: [] } },
  ],
  [
    'a missing finding for a strict gate',
    {
      ...GOOD,
      verdict: 'divergent',
      missing_findings: [{ id: 'f', reason: 'r' }],
      policy: { strict: true, files: [] },
    },
  ],
])('a test point fails exactly when the verdict does: %s', (_, result) => {
  expect(failing([runPoints(result)]).length > 0).toBe(result.verdict !== 'conformant');
});

test('names are stable: the same points with and without trouble', () => {
  const names = (result: RunResult): string[] =>
    runPoints(result)
      .groups.filter(({ name }) => name === 'run' || name.startsWith('rules.'))
      .flatMap(({ name, points }) => points.map((point) => `${name}/${point.name}`));
  expect(names({ ...BAD, divergences: [] })).toEqual(names(GOOD));
  expect(names(BAD)).toEqual([
    ...names(GOOD).slice(0, 7),
    'rules.filter/filter.deny-rest.kept',
    ...names(GOOD).slice(7),
  ]);
});

test('a rule fails with its divergence, and a known finding is skipped', () => {
  const points = runPoints(BAD).groups.flatMap((group) => group.points);
  const broken = points.find(({ name }) => name === 'filter.deny-rest.kept')!;
  expect(broken).toMatchObject({
    state: 'fail',
    type: 'divergence',
    message: 'predicted user_data 0x1: -EACCES; observed user_data 0x1: 5',
  });
  expect(broken.lines).toContain('suite stacking, case 1234, seed 1, reproduced 3/3, 3 scenarios alike');
  expect(points.find(({ name }) => name === 'no-crash')).toMatchObject({
    state: 'error',
    message: 'WARNING: io_uring/io_uring.c:1234 io_submit_sqe',
  });
  expect(points.find(({ name }) => name === 'no-hang')).toMatchObject({
    state: 'error',
    type: 'hang',
    message: 'no answer within 5 s',
  });
  expect(points.find(({ name }) => name === 'clone-shares-table')).toMatchObject({
    state: 'skip',
    type: 'known-finding',
  });
});

test('a matrix: unsupported is skipped, unavailable and unexplained fail', () => {
  expect(failing(matrixPoints(FOUR_KERNELS, MATRIX_RESULTS)).filter((name) => !name.startsWith('7.0.13: '))).toEqual([
    '7.9.9: kernel/testable',
    'comparison: pairs/7.0.13..7.3.4',
  ]);
  expect(failing(matrixPoints(FOUR_KERNELS, MATRIX_RESULTS))).toContain('7.0.13: rules.filter/filter.deny-rest.kept');
  expect(failing(matrixPoints(FOUR_KERNELS, new Map()))).toContain('7.0.13: kernel/testable');
  const states = matrixPoints(FOUR_KERNELS, MATRIX_RESULTS).map(
    ({ title, groups }) => `${title} ${groups[0]!.points[0]!.state}`,
  );
  expect(states).toEqual(['6.19.14 skip', '7.0.13 pass', '7.3.4 pass', '7.9.9 error', 'comparison pass']);
});
