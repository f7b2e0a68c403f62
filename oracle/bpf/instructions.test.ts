import { describe, expect, test } from 'vitest';
import { C_CONSTANTS } from './c-constants.ts';
import { INSTRUCTIONS, instructionOf, isConditionalJump } from './instructions.ts';
import { bpfRules } from './bpf-rules.ts';

const code = (...names: string[]): number => names.reduce((sum, name) => sum | C_CONSTANTS[`BPF_${name}`]!, 0);

/** Names as in the headers, against the rows. */
const ENCODINGS: readonly (readonly [number, string, string])[] = [
  [code('LD', 'IMM'), 'ld', 'k'],
  [code('LD', 'W', 'ABS'), 'ld', 'abs'],
  [code('LD', 'H', 'ABS'), 'ldh', 'abs'],
  [code('LD', 'B', 'ABS'), 'ldb', 'abs'],
  [code('LD', 'W', 'IND'), 'ld', 'ind'],
  [code('LD', 'H', 'IND'), 'ldh', 'ind'],
  [code('LD', 'B', 'IND'), 'ldb', 'ind'],
  [code('LD', 'MEM'), 'ld', 'mem'],
  [code('LD', 'W', 'LEN'), 'ld', 'len'],
  [code('LDX', 'IMM'), 'ldx', 'k'],
  [code('LDX', 'MEM'), 'ldx', 'mem'],
  [code('LDX', 'W', 'LEN'), 'ldx', 'len'],
  [code('LDX', 'B', 'MSH'), 'ldxb', 'msh'],
  [code('ST'), 'st', 'mem'],
  [code('STX'), 'stx', 'mem'],
  ...['ADD', 'SUB', 'MUL', 'DIV', 'OR', 'AND', 'LSH', 'RSH', 'MOD', 'XOR'].flatMap((op) => [
    [code('ALU', op, 'K'), op.toLowerCase(), 'k'] as const,
    [code('ALU', op, 'X'), op.toLowerCase(), 'x'] as const,
  ]),
  [code('ALU', 'NEG'), 'neg', 'none'],
  [code('JMP', 'JA'), 'ja', 'label'],
  ...['JEQ', 'JGT', 'JGE', 'JSET'].flatMap((op) => [
    [code('JMP', op, 'K'), op.toLowerCase(), 'k'] as const,
    [code('JMP', op, 'X'), op.toLowerCase(), 'x'] as const,
  ]),
  [code('RET', 'K'), 'ret', 'k'],
  [code('RET', 'X'), 'ret', 'x'],
  [code('RET', 'A'), 'ret', 'a'],
  [code('MISC', 'TAX'), 'tax', 'none'],
  [code('MISC', 'TXA'), 'txa', 'none'],
];

test('the table has exactly the instructions that the headers encode', () => {
  const rows = INSTRUCTIONS.map((i) => [i.code, i.mnemonic, i.operand] as const);
  const byCode = (a: readonly [number, ...unknown[]], b: readonly [number, ...unknown[]]): number => a[0] - b[0];
  expect([...rows].sort(byCode)).toEqual([...ENCODINGS].sort(byCode));
  expect(new Set(rows.map((r) => r[0])).size).toBe(rows.length);
});

test('class is the low three bits', () => {
  for (const i of INSTRUCTIONS) expect(code(i.class.toUpperCase())).toBe(i.code & 7);
});

test('io_uring takes 41 of the 49 instructions the generic check knows', () => {
  expect(INSTRUCTIONS.filter((i) => i.generic)).toHaveLength(49);
  expect(INSTRUCTIONS.filter((i) => i.whitelisted)).toHaveLength(41);
  expect(
    INSTRUCTIONS.filter((i) => !i.whitelisted)
      .map((i) => i.code)
      .sort((a, b) => a - b),
  ).toEqual([0x0e, 0x28, 0x30, 0x40, 0x48, 0x50, 0x94, 0x9c, 0xb1]);
  expect(INSTRUCTIONS.filter((i) => i.whitelisted && !i.generic)).toEqual([]);
});

test('every row names a rule, and only refused rows name a rule of refusal', () => {
  for (const i of INSTRUCTIONS) {
    expect(bpfRules[i.rule].id).toBe(i.rule);
    expect(/^bpf\.(whitelist|generic)\./.test(i.rule)).toBe(!i.whitelisted);
  }
});

test('look-up by code', () => {
  expect(instructionOf(0x15)?.mnemonic).toBe('jeq');
  expect(instructionOf(0x08)).toBeUndefined();
  expect(instructionOf(0xff)).toBeUndefined();
  expect(instructionOf(0x106)).toBeUndefined();
  expect(isConditionalJump(instructionOf(0x05)!)).toBe(false);
  expect(isConditionalJump(instructionOf(0x15)!)).toBe(true);
});

describe('semantics at the edges', () => {
  const alu = (mnemonic: string, a: number, b: number): number =>
    INSTRUCTIONS.find((i) => i.mnemonic === mnemonic)!.alu!(a, b);
  test.each([
    ['add', 0xffffffff, 1, 0],
    ['sub', 0, 1, 0xffffffff],
    ['mul', 0xffffffff, 0xffffffff, 1],
    ['mul', 0x10001, 0x10001, 0x20001],
    ['div', 0xffffffff, 2, 0x7fffffff],
    ['div', 1, 0xffffffff, 0],
    ['mod', 0xffffffff, 10, 5],
    ['or', 0x80000000, 1, 0x80000001],
    ['and', 0xffffffff, 0x80000000, 0x80000000],
    ['xor', 0xffffffff, 1, 0xfffffffe],
    ['lsh', 1, 31, 0x80000000],
    ['lsh', 3, 33, 6],
    ['rsh', 0x80000000, 31, 1],
    ['rsh', 0x80000000, 32, 0x80000000],
    ['neg', 0, 0, 0],
    ['neg', 1, 0, 0xffffffff],
    ['neg', 0x80000000, 0, 0x80000000],
  ] as const)('%s %i %i', (mnemonic, a, b, want) => {
    const got = alu(mnemonic, a, b);
    expect(got).toBe(want);
    expect(Object.is(got, -0)).toBe(false);
  });
});
