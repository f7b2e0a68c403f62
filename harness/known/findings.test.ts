import { describe, expect, test } from 'vitest';
import { affects, loadFindings } from './findings.ts';
import type { Finding } from './findings.ts';
import { inRange, parseRange } from './kernel-ranges.ts';

const FINDING: Finding = { ...loadFindings()[0]!, affected: { from: '7.0-rc1', fixed: '7.3' }, seen: [], not_seen: [] };

describe('which releases have a finding that is gone in 7.3', () => {
  test.each([
    ['6.19.14', false],
    ['7.0-rc1', true],
    ['7.0', true],
    ['7.2.13+deb14-cloud-amd64', true],
    ['7.3-rc1', true],
    ['7.3.0-rc7-00012-gabcdef', true],
    ['7.3', false],
    ['7.3.4-custom', false],
    ['next-20261122', false],
  ])('%s: %s', (release, has) => {
    expect(affects(FINDING, release)).toBe(has);
    // The same as an entry of --expect says.
    expect(inRange(parseRange('>=7.0-rc1 <7.3'), release)).toBe(has);
  });
});

test('what was looked at counts more than the range, release by release', () => {
  const looked: Finding = { ...FINDING, seen: ['7.3.4', '7.4-rc1'], not_seen: ['7.2.13', '7.3-rc2', '7.0.0-39'] };
  expect(
    [
      '7.2.13+deb14-cloud-amd64',
      '7.2.12',
      '7.3.4',
      '7.3.5',
      '7.3-rc1',
      '7.3-rc2',
      '7.4-rc1',
      '7.4',
      '7.0.0-38-generic',
      '7.0.0-39-generic',
    ].map((release) => affects(looked, release)),
  ).toEqual([false, true, true, false, true, false, true, false, true, false]);
});

test('a finding whose data names no release is told', () => {
  expect(() => affects({ ...FINDING, affected: { from: 'seven', fixed: null } }, '7.0')).toThrow('"seven"');
});
