/** What programs compute. Each program allows exactly if the arithmetic is right. */
import { OP } from '../../oracle/opcodes/index.ts';
import { example, filter, nop, onRing, ring, submit, suite } from './build.ts';
import type { Draft } from './build.ts';

/** Runs `text` with A at its end compared with `value`: a NOP passes if they are equal. */
const computes = (text: string, value: number): string =>
  `${text}\njeq #${value >>> 0}, yes, no\nyes: ret #1\nno: ret #0`;

const CASES: readonly (readonly [text: string, value: number])[] = [
  ['ld #7\ntax\nld #9\ntxa', 7],
  ['ldx #7\nld #9\ntax\nld #0\ntxa', 9],
  ['ld #3\nsub #5', -2],
  ['ldx #5\nld #3\nsub x', -2],
  ['ld #1\nneg', -1],
  ['ld #0x80000001\nmul #0x7fffffff', 0xffffffff],
  ['ldx #0xfffffff1\nld #0xfffffff3\nmul x', 0xc3],
  ['ld #0xfffffffe\ndiv #3', 0x55555554],
  ['ldx #0xfffffffe\nld #0xffffffff\ndiv x', 1],
  ['ldx #33\nld #1\nlsh x', 2],
  ['ldx #63\nld #0x80000000\nrsh x', 1],
  ['ld #0x80000000\nrsh #31', 1],
  ['ldx #0xf0\nld #0x3c\nor x', 0xfc],
  ['ld #0x3c\nand #0xf0', 0x30],
  ['ld #0x3c\nxor #0xf0', 0xcc],
  ['ld #0xffffffff\nadd #2', 1],
  ['ld len', 40],
  ['ldx len\ntxa', 40],
  ['ld #5\nst M[2]\nldx #6\nstx M[3]\nld M[2]\nldx M[3]\nsub x', -1],
  ['txa', 0],
];

/** A comparison that must hold (or not) for A and a constant, by both operands. */
const compare = (jump: string, a: number, k: number, holds: boolean): string[] => [
  `ld #${a >>> 0}\n${jump} #${k >>> 0}, yes, no\nyes: ret #${holds ? 1 : 0}\nno: ret #${holds ? 0 : 1}`,
  `ldx #${k >>> 0}\nld #${a >>> 0}\n${jump} x, yes, no\nyes: ret #${holds ? 1 : 0}\nno: ret #${holds ? 0 : 1}`,
];
const COMPARISONS = [
  ...compare('jgt', 5, 5, false),
  ...compare('jgt', 6, 5, true),
  ...compare('jge', 5, 5, true),
  ...compare('jge', 4, 5, false),
  ...compare('jgt', 0x80000000, 1, true),
  ...compare('jge', 1, 0xffffffff, false),
  ...compare('jset', 6, 2, true),
  ...compare('jset', 6, 9, false),
  ...compare('jset', 0x80000000, 0x80000000, true),
  ...compare('jeq', -1, 0xffffffff, true),
];

/** One ring, one opcode per program that takes any arguments: a filter and a NOP on a ring of its own. */
function runs(programs: readonly string[]) {
  return programs.flatMap((program, i) => [ring(i), filter(onRing(i), OP.NOP, program), submit(i, nop())]);
}

/** The same drafts for both suites that compute. `jit`: whether the JIT compiler is on. */
export const evaluationDrafts = (jit: boolean): readonly Draft[] => [
  example(
    'Arithmetic is unsigned and 32 bits wide',
    'A filter that computes with masks and offsets must not meet a wider or a signed machine.',
    runs(CASES.slice(0, 10).map(([text, value]) => computes(text, value))),
    { jit },
  ),
  example(
    'Shifts by X use five bits, registers start at 0',
    'Compilers of filters rely on it.',
    runs(CASES.slice(10).map(([text, value]) => computes(text, value))),
    { jit },
  ),
  example(
    'Comparisons are unsigned and each has its own edge',
    'Equality decides between jgt and jge.',
    runs(COMPARISONS.slice(0, 10)),
    { jit },
  ),
  example('jset and jeq', 'Flag tests are what most filters are made of.', runs(COMPARISONS.slice(10)), { jit }),
  example(
    'Division by X = 0 denies',
    'The program ends with 0, which is a denial, whatever it would have returned.',
    runs(['ldx #0\nld #7\ndiv x\nret #1', 'ldx #1\nld #7\ndiv x\nret #1', 'ld #7\ndiv x\nret #1']),
    { jit },
  ),
  example(
    'Any value but 0 allows',
    'The manual page says non-zero, not 1.',
    runs(['ret #2', 'ret #0x80000000', 'ld #0xffffffff\nret a', 'ret #0']),
    { jit },
  ),
  example(
    'The request as the filter sees it',
    "Low word first, opcode, flags and payload size in one word, in the machine's byte order.",
    [
      ring(0),
      filter(
        onRing(0),
        OP.NOP,
        'ld [0]\njeq #0x55667788, aa, no\naa: ld [4]\njeq #0x11223344, bb, no\n' +
          'bb: ld [8]\njeq #0x1000, yes, no\nyes: ret #1\nno: ret #0',
      ),
      submit(0, nop({ user_data: 0x1122334455667788n, flags: 16 })),
      submit(0, nop({ user_data: 0x5566778811223344n, flags: 16 })),
      submit(0, nop({ user_data: 0x1122334455667788n })),
    ],
    { jit },
  ),
];

/** Examples of suite evaluation. */
export const evaluation = suite('evaluation', evaluationDrafts(true));
