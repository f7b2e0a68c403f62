import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeProgram, encodeProgram } from './program.ts';
import { anyProgram } from '../testing/programs.ts';

test('a program survives the byte form in both byte orders', () => {
  fc.assert(
    fc.property(anyProgram, fc.boolean(), (program, littleEndian) => {
      const bytes = encodeProgram(program, littleEndian);
      expect(bytes.length).toBe(program.length * 8);
      expect(decodeProgram(bytes, littleEndian)).toEqual({ ok: true, program });
    }),
  );
});

test('the byte form is struct sock_filter', () => {
  const program = [{ code: 0x1234, jt: 5, jf: 6, k: 0x89abcdef }];
  expect([...encodeProgram(program, true)]).toEqual([0x34, 0x12, 5, 6, 0xef, 0xcd, 0xab, 0x89]);
  expect([...encodeProgram(program, false)]).toEqual([0x12, 0x34, 5, 6, 0x89, 0xab, 0xcd, 0xef]);
});

test('decoding reads a view into a larger buffer', () => {
  const buffer = new Uint8Array([9, 9, 9, 6, 0, 0, 0, 1, 0, 0, 0]);
  expect(decodeProgram(buffer.subarray(3), true)).toEqual({ ok: true, program: [{ code: 6, jt: 0, jf: 0, k: 1 }] });
});

test('bytes that are no whole number of instructions are refused', () => {
  expect(decodeProgram(new Uint8Array(12), true)).toEqual({
    ok: false,
    error: '12 bytes are not a whole number of 8-byte instructions',
  });
});
