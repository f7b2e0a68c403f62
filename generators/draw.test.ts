import { expect, test } from 'vitest';
import { Draw, mix32 } from './draw.ts';

const draw = (seed = 1): Draw => new Draw(seed, 2, 3, 4);

test('equal seeds draw equally, different ones do not', () => {
  const words = (d: Draw): number[] => Array.from({ length: 8 }, () => d.u32());
  expect(words(draw())).toEqual(words(draw()));
  expect(words(draw(2))).not.toEqual(words(draw()));
});

test('numbers keep to their range and reach its ends', () => {
  const d = draw();
  const seen = new Set(Array.from({ length: 500 }, () => d.int(-2, 3)));
  expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2, 3]);
  for (let i = 0; i < 500; i++) {
    expect(d.edge32()).toSatisfy((n: number) => Number.isInteger(n) && n >= 0 && n <= 0xffff_ffff);
    expect(d.geometric(3, 9, 2)).toSatisfy((n: number) => Number.isInteger(n) && n >= 3 && n <= 9);
  }
});

test('weights are kept', () => {
  const d = draw();
  const counts = { a: 0, b: 0, c: 0 };
  for (let i = 0; i < 4000; i++)
    counts[
      d.weighted([
        [1, 'a'],
        [3, 'b'],
        [0, 'c'],
      ] as const)
    ]++;
  expect(counts.c).toBe(0);
  expect(counts.b / counts.a).toBeGreaterThan(2.5);
  expect(counts.b / counts.a).toBeLessThan(3.5);
  expect(d.chance(0)).toBe(false);
  expect(d.chance(1)).toBe(true);
});

test('samples hold different elements', () => {
  const d = draw();
  const list = Array.from({ length: 50 }, (_, i) => i);
  for (const count of [0, 1, 5, 30, 50, 80]) {
    const some = d.sample(list, count);
    expect(some.length).toBe(Math.min(count, 50));
    expect(new Set(some).size).toBe(some.length);
  }
  expect(d.shuffle(list).sort((a, b) => a - b)).toEqual(list);
});

test('mix32 tells orders and lengths apart', () => {
  expect(new Set([mix32(), mix32(0), mix32(0, 0), mix32(1, 2), mix32(2, 1), mix32(-1)]).size).toBe(6);
});
