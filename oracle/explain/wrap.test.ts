import { expect, test } from 'vitest';
import { wrap } from './wrap.ts';

test('text is broken at blanks, and a word never', () => {
  expect(wrap('one two three', 7)).toEqual(['one two', 'three']);
  expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
  expect(wrap('a-very-long-word b', 4)).toEqual(['a-very-long-word', 'b']);
});

test('blanks around and between words leave no trace, and no text no line', () => {
  expect(wrap('  one \n  two ', 20)).toEqual(['one two']);
  expect(wrap('', 20)).toEqual([]);
  expect(wrap(' \n', 20)).toEqual([]);
});
