import { describe, expect, test } from 'vitest';
import { compareReleases, compareToBound, orderReleases, parseRelease, upstreamName } from './release.ts';

/** Each before the next. */
const ORDER = [
  '6.19.14',
  '7.0-rc1',
  '7.0-rc7',
  '7.0.0',
  '7.0.0-38-generic',
  '7.0.0-39-generic',
  '7.0.0-100-generic',
  '7.0.0-1012-azure',
  '7.0.4',
  '7.0.4-55.9.1.el11_0.x86_64',
  '7.0.4-55.10.1.el11_0.x86_64',
  '7.0.4-200.fc43.x86_64',
  '7.0.4-201.fc43.x86_64',
  '7.0.13+deb13-cloud-amd64',
  '7.1-rc2',
  '7.1-rc2-00012-gabcdef',
  '7.1-rc2-00100-g012345',
  '7.1-rc10',
  '7.1',
  '7.2.13',
  '7.2.100',
  '7.3-rc1',
  '7.3-rc7+',
  '7.3',
  '7.3.4-rt1',
  '7.10',
  '10.0',
];

test('the order, both ways and over any distance', () => {
  for (const [i, a] of ORDER.entries())
    for (const [j, b] of ORDER.entries())
      expect(Math.sign(orderReleases(a, b)), `${a} against ${b}`).toBe(Math.sign(i - j));
  expect(ORDER.toReversed().sort(orderReleases)).toEqual(ORDER);
});

test.each([
  ['7.1', '7.1.0'],
  ['7.0.13', '7.0.13+deb13-cloud-amd64'],
  ['7.3-rc7', '7.3.0-rc7+'],
  ['7.3.4-rt1', '7.3.4-custom'],
  ['7.0.0-38-generic', '7.0.0-38-lowlatency'],
  ['7.0.0-38', '7.0.0-38.0-generic'],
])('%s is neither before nor after %s', (a, b) => {
  expect(compareReleases(parseRelease(a)!, parseRelease(b)!)).toBe(0);
  expect(orderReleases(b, a)).toBe(0);
});

test('what is no release comes last, as it was given', () => {
  expect(['next-20261122', '7.3', 'b', '7.0-rc1', 'a'].sort(orderReleases)).toEqual([
    '7.0-rc1',
    '7.3',
    'next-20261122',
    'b',
    'a',
  ]);
  for (const text of ['', 'next-20261122', '7', 'v7.0', '7.0 ', '7.0.13/x', '7..1', '123456.0'])
    expect(parseRelease(text), text).toBeUndefined();
});

test('the parts', () => {
  expect(parseRelease('7.3.0-rc7+')).toEqual({ numbers: [7, 3, 0], candidate: 7, build: [], local: '+' });
  expect(parseRelease('7.0.0-38-generic')).toEqual({
    numbers: [7, 0, 0],
    candidate: Infinity,
    build: [38],
    local: '-38-generic',
  });
  expect(parseRelease('7.0.4-200.fc43.x86_64')?.build).toEqual([200]);
  // A word that begins with a digit is no number.
  expect(parseRelease('7.0.4-4k')?.build).toEqual([]);
  expect(parseRelease('7.0.4-64bit')?.build).toEqual([]);
});

describe('a bound is as exact as it is written', () => {
  test.each<[string, string, number]>([
    ['7.0.0-38-generic', '7.0.0', 0],
    ['7.0.0-38-generic', '7.0.0-39', -1],
    ['7.0.0-39-generic', '7.0.0-39', 0],
    ['7.0.0-40-generic', '7.0.0-39', 1],
    ['7.0.0', '7.0.0-39', -1],
    ['7.0.1', '7.0.0-39', 1],
    ['7.3-rc1', '7.3', -1],
    ['7.3-rc1', '7.3-rc1', 0],
    ['7.3.0', '7.3-rc1', 1],
  ])('%s against %s', (release, bound, order) => {
    expect(Math.sign(compareToBound(parseRelease(release)!, parseRelease(bound)!))).toBe(order);
  });
});

test('the upstream version in full', () => {
  expect(
    ['7.0.13+deb13-cloud-amd64', '7.3', '7.3-rc7-00012-gabcdef', '7.0.0-38-generic', 'next'].map(upstreamName),
  ).toEqual(['7.0.13', '7.3.0', '7.3.0-rc7', '7.0.0', undefined]);
});
