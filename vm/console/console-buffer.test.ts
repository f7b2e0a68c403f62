import { expect, it } from 'vitest';
import { ConsoleBuffer } from './console-buffer.ts';

it('keeps a short console whole', () => {
  const buffer = new ConsoleBuffer(100);
  for (const piece of ['abc', '', 'def\n', 'g'.repeat(90)]) buffer.add(piece);
  expect(buffer.text).toBe(`abcdef\n${'g'.repeat(90)}`);
});

it('keeps beginning and end of a long one, and says how much is missing', () => {
  const buffer = new ConsoleBuffer(20);
  let all = '';
  for (let i = 0; i < 500; i++) {
    buffer.add(`${i},`);
    all += `${i},`;
  }
  const [head, note, tail] = buffer.text.split('\n');
  expect(head).toBe(all.slice(0, 10));
  expect(tail).toBe(all.slice(-10));
  expect(note).toBe(`[... ${all.length - 20} characters left out ...]`);
});
