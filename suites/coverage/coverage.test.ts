/** The data is well-formed; whether it is right, only a kernel can say. */
import { expect, test } from 'vitest';
import { readFeature, readReasons } from '../../harness/coverage/reasons.ts';

const path = (name: string): string => new URL(name, import.meta.url).pathname;
const feature = readFeature(path('feature.json'));
const reasons = readReasons([path('reasons.json')]);

test("each function is named once, and each reason is for one of the feature's functions", () => {
  const all = feature.flatMap(({ file, functions }) => functions.map((name) => `${file} ${name}`));
  expect(new Set(all).size).toBe(all.length);
  expect(reasons.filter(({ file, function: name }) => !all.includes(`${file} ${name}`))).toEqual([]);
});

test('reasons are sentences', () => {
  expect(reasons.filter(({ why }) => !/^[A-Z_io].*\.$/.test(why)).map(({ why }) => why)).toEqual([]);
});

test('a branch that cannot come about, or lies elsewhere, says more than its kind', () => {
  const short = reasons.filter(({ kind, why }) => kind !== 'allocation' && why.split(' ').length < 5);
  expect(short.map(({ why }) => why)).toEqual([]);
});
