import { expect, test } from 'vitest';
import { nearest } from './nearest.ts';

test.each([
  ['exec-drop-rules', ['blind-msg-ring', 'exec-drops-rules', 'link-timeout-hides-denial'], 'exec-drops-rules'],
  ['ab', ['xyz', 'ba', 'abc'], 'abc'],
  ['zz', ['ab', 'cd'], 'ab'],
  ['zz', [], ''],
])('"%s" among %j', (typed, names, best) => {
  expect(nearest(typed, names)).toBe(best);
});
