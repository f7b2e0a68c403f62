import { expect, test } from 'vitest';
import { RUN_VERDICTS, worstOf } from '../../oracle/judge/verdict.ts';
import { untestableReason, verdictOfRun } from './verdict.ts';

const NONE = { divergences: 0, crashes: 0, hangs: 0, runner_errors: 0, outdated: 0 };

test('the worst of several', () => {
  for (const [i, worse] of RUN_VERDICTS.entries())
    for (const better of RUN_VERDICTS.slice(i)) {
      expect(worstOf([better, worse])).toBe(worse);
      expect(worstOf([worse, better])).toBe(worse);
    }
  expect(worstOf([])).toBe('conformant');
});

test('whatever is bad makes it divergent, but for what the kernel is not to blame for', () => {
  for (const fault of ['divergences', 'crashes', 'hangs', 'outdated'] as const)
    expect(verdictOfRun({ counts: { ...NONE, [fault]: 1 }, interrupted: 'i', untestable: 'u' }).verdict).toBe(
      'divergent',
    );
  expect(verdictOfRun({ counts: { ...NONE, runner_errors: 1 } })).toEqual({ verdict: 'conformant' });
  expect(verdictOfRun({ counts: NONE, interrupted: 'i', untestable: 'u' })).toEqual({
    verdict: 'interrupted',
    reason: 'i',
  });
  expect(verdictOfRun({ counts: NONE, untestable: 'u' })).toEqual({ verdict: 'untestable', reason: 'u' });
});

test('reasons', () => {
  const counts = { divergences: 1, crashes: 2, hangs: 1, runner_errors: 2, outdated: 2 };
  expect(verdictOfRun({ counts, more: 'gave up' }).reason).toBe(
    '1 divergence, 2 crashes, 1 hang, 2 runner errors, 2 outdated expectations; gave up',
  );
  expect(verdictOfRun({ counts: { ...NONE, outdated: 1 } }).reason).toBe('1 outdated expectation');
  expect(untestableReason(5, 0, undefined)).toBeUndefined();
  expect(untestableReason(0, 0, undefined)).toBe('no scenario was executed');
  expect(untestableReason(5, 0, 'gave up')).toBe('the guests do not hold out; gave up');
  expect(untestableReason(5, 1, 'gave up')).toBe('1 scenario could not be executed; gave up');
  expect(untestableReason(0, 3, undefined)).toBe('3 scenarios could not be executed');
});
