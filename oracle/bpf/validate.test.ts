import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { INSTRUCTIONS } from './instructions.ts';
import { parseAsm } from './asm.ts';
import type { Program } from './program.ts';
import { anyProgram, nearlyValid } from '../testing/programs.ts';
import { validate } from './validate.ts';

const ABI = { ctx_size: 40 };

function asm(text: string): Program {
  const parsed = parseAsm(text);
  if (!parsed.ok) throw new Error(parsed.errors[0]!.message);
  return parsed.program;
}

const f = (code: number, k = 0, jt = 0, jf = 0) => ({ code, jt, jf, k });
const RET = f(0x06, 1);
const repeat = (count: number): Program => [...Array.from({ length: count - 1 }, () => f(0x00, 1)), RET];

describe('refusals', () => {
  const cases: readonly (readonly [string, Program, string, number])[] = [
    ['no instruction', [], 'bpf.program.empty', 0],
    ['4097 instructions', repeat(4097), 'bpf.program.too-long', 4096],
    ['code 0xff', [f(0xff), RET], 'bpf.generic.unknown-instruction', 0],
    ['code 0x106', [f(0x106)], 'bpf.generic.unknown-instruction', 0],
    ['ret x', asm('ret x'), 'bpf.generic.unknown-instruction', 0],
    ['unknown behind ret', [RET, f(0x08), RET], 'bpf.generic.unknown-instruction', 1],
    ["the code that io_uring's loads become", [f(0x21), RET], 'bpf.generic.unknown-instruction', 0],
    ['div #0', asm('div #0 ret a'), 'bpf.generic.div-by-zero-k', 0],
    ['mod #0', asm('mod #0 ret a'), 'bpf.generic.div-by-zero-k', 0],
    ['lsh #32', asm('lsh #32 ret a'), 'bpf.generic.shift-k', 0],
    ['rsh #0xffffffff', asm('ld #1 rsh #-1 ret a'), 'bpf.generic.shift-k', 1],
    ['st M[16]', asm('st M[16] ret a'), 'bpf.generic.scratch-index', 0],
    ['stx M[16]', asm('stx M[16] ret a'), 'bpf.generic.scratch-index', 0],
    ['ld M[16]', asm('ld M[16] ret a'), 'bpf.generic.scratch-index', 0],
    ['ldx M[-1]', asm('ldx M[-1] ret a'), 'bpf.generic.scratch-index', 0],
    ['ja beyond the end', [f(0x05, 1), RET], 'bpf.generic.jump-ja', 0],
    ['ja to itself', [f(0x05, 0xffffffff), RET], 'bpf.generic.jump-ja', 0],
    ['ja as the last instruction', [RET, f(0x05, 0)], 'bpf.generic.jump-ja', 1],
    ['jt beyond the end', [f(0x15, 0, 1, 0), RET], 'bpf.generic.jump-jt', 0],
    ['jf beyond the end', [f(0x4d, 0, 0, 1), RET], 'bpf.generic.jump-jf', 0],
    ['both beyond the end', [f(0x25, 0, 255, 255), RET], 'bpf.generic.jump-jt', 0],
    ['unknown ancillary offset', asm('ld [0xfffff001] ret a'), 'bpf.generic.ancillary-offset', 0],
    ['ancillary offset beyond the last', asm('ldh [0xfffff040] ret a'), 'bpf.generic.ancillary-offset', 0],
    ['ends with a load', asm('ret a ld #1'), 'bpf.generic.end-without-ret', 1],
    ['unwritten word', asm('ld M[0] ret a'), 'bpf.generic.scratch-unwritten', 0],
    ['other word written', asm('st M[1] ldx M[0] ret a'), 'bpf.generic.scratch-unwritten', 1],
    ['one branch writes', asm('jeq #0, aa, bb aa: st M[3] bb: ld M[3] ret a'), 'bpf.generic.scratch-unwritten', 2],
    ['dead read behind ret', asm('ret #0 ld M[0] ret a'), 'bpf.generic.scratch-after-ret', 1],
    [
      'a path through ret leaves it unwritten',
      asm('jeq #0, aa, bb aa: st M[0] ja cc bb: ret #0 cc: ld M[0] ret a'),
      'bpf.generic.scratch-after-ret',
      4,
    ],
    ['known ancillary offset', asm('ld proto ret a'), 'bpf.whitelist.load-outside', 0],
    ['known ancillary offset, one byte', asm('ldb vlan_tpid ret a'), 'bpf.whitelist.load-narrow', 0],
    ['ld [40]', asm('ld [40] ret a'), 'bpf.whitelist.load-outside', 0],
    ['ld [41]', asm('ld [41] ret a'), 'bpf.whitelist.load-outside', 0],
    ['ld [2]', asm('ld #1 ld [2] ret a'), 'bpf.whitelist.load-unaligned', 1],
    ['ldh [0]', asm('ldh [0] ret a'), 'bpf.whitelist.load-narrow', 0],
    ['ld [x + 0]', asm('ld [x + 0] ret a'), 'bpf.whitelist.load-indirect', 0],
    ['ldxb', asm('ldxb 4*([0]&0xf) ret a'), 'bpf.whitelist.load-msh', 0],
    ['mod #1', asm('mod #1 ret a'), 'bpf.whitelist.mod', 0],
    ['mod x behind ret', asm('ret a mod x ret a'), 'bpf.whitelist.mod', 1],
    ['generic rules come first', asm('mod #1 ld #1'), 'bpf.generic.end-without-ret', 1],
  ];
  test.each(cases)('%s', (_, program, rule, pc) => {
    expect(validate(program, ABI)).toEqual({ verdict: 'rejected', errno: -22, rule, pc });
  });
});

describe('acceptance at the limits', () => {
  test.each([
    ['one instruction', [RET]],
    ['4096 instructions', repeat(4096)],
    ['ja over the whole program', [f(0x05, 4094), ...repeat(4095)]],
    ['jt and jf at 255', [f(0x15, 0, 255, 255), ...repeat(256)]],
    ['ja to the last instruction', [f(0x05, 0), RET]],
    ['lsh #31, rsh #31, div #1', asm('lsh #31 rsh #31 div #1 ret a')],
    ['M[15]', asm('st M[15] ldx M[15] stx M[15] ld M[15] ret a')],
    ['the last context word', asm('ld [36] ret a')],
    ['len', asm('ld len ldx len ret a')],
    ['fields in disuse', [f(0x07, 9, 9, 9), f(0x80, 0xffffffff, 1, 1), f(0x16, 7, 255, 255)]],
    ['a dead read behind ja', asm('ja cc ld M[0] cc: ret a')],
    ['both branches write', asm('jeq #0, aa, bb aa: st M[3] ja cc bb: stx M[3] cc: ld M[3] ret a')],
    ['a branch that writes nothing returns', asm('jeq #0, aa, bb bb: ret #0 aa: st M[1] ld M[1] ret a')],
  ] as const)('%s', (_, program) => {
    expect(validate(program, ABI)).toEqual({ verdict: 'accepted', rule: 'bpf.program.accepted' });
  });
});

test('the context size comes from the profile', () => {
  expect(validate(asm('ld [40] ret a'), { ctx_size: 44 }).verdict).toBe('accepted');
  expect(validate(asm('ld [36] ret a'), { ctx_size: 36 })).toMatchObject({ rule: 'bpf.whitelist.load-outside' });
});

/** Every path from the start; true when one reads a word that it has not written before. */
function somePathReadsUnwritten(program: Program, retGoesOn: boolean): boolean {
  const walk = (pc: number, written: ReadonlySet<number>): boolean => {
    if (pc >= program.length) return false;
    const { code, k, jt, jf } = program[pc]!;
    if (code === 0x60 || code === 0x61) return !written.has(k) || walk(pc + 1, written);
    if (code === 0x02 || code === 0x03) return walk(pc + 1, new Set([...written, k]));
    if (code === 0x05) return walk(pc + 1 + k, written);
    if ((code & 7) === 5) return walk(pc + 1 + jt, written) || walk(pc + 1 + jf, written);
    if ((code & 7) === 6) return retGoesOn && walk(pc + 1, written);
    return walk(pc + 1, written);
  };
  return walk(0, new Set());
}

test('the scratch rules agree with walking every path', () => {
  const few = INSTRUCTIONS.filter(
    (i) => i.whitelisted && (i.operand === 'mem' || i.class === 'jmp' || i.class === 'ret'),
  );
  const reached = new Set<string>();
  fc.assert(
    fc.property(nearlyValid(14, few), (program) => {
      const want = somePathReadsUnwritten(program, false)
        ? 'bpf.generic.scratch-unwritten'
        : somePathReadsUnwritten(program, true)
          ? 'bpf.generic.scratch-after-ret'
          : 'bpf.program.accepted';
      expect(validate(program, ABI).rule).toBe(want);
      reached.add(want);
    }),
    { numRuns: 5000 },
  );
  expect(reached.size).toBe(3);
});

/** Codes that io_uring accepts, with a suitable k. */
const ALLOWED = [
  ...'00 20 60 80 01 61 81 02 03 04 0c 14 1c 24 2c 34 3c 44 4c 54 5c 64 6c 74 7c 84 a4 ac'.split(' '),
  ...'05 15 1d 25 2d 35 3d 45 4d 06 16 07 87'.split(' '),
];

/** The other rules once more, said another way: a program is taken when nothing is wrong with any instruction. */
function naive(program: Program): boolean {
  const wrong = program.some(({ code, k, jt, jf }, pc) => {
    const hex = code.toString(16).padStart(2, '0');
    if (!ALLOWED.includes(hex)) return true;
    if (hex === '34' && k === 0) return true;
    if ((hex === '64' || hex === '74') && k > 31) return true;
    if (['60', '61', '02', '03'].includes(hex) && k > 15) return true;
    if (hex === '20' && ![0, 4, 8, 12, 16, 20, 24, 28, 32, 36].includes(k)) return true;
    if (hex === '05' && pc + 1 + k > program.length - 1) return true;
    return (code & 7) === 5 && hex !== '05' && Math.max(jt, jf) + pc + 1 > program.length - 1;
  });
  return (
    !wrong &&
    program.length > 0 &&
    [0x06, 0x16].includes(program.at(-1)!.code) &&
    !somePathReadsUnwritten(program, true)
  );
}

test('acceptance agrees with a naive reading of the rules', () => {
  const reached = { accepted: 0, rejected: 0 };
  fc.assert(
    fc.property(fc.oneof(anyProgram, nearlyValid(12), nearlyValid(12, INSTRUCTIONS)), (program) => {
      const { verdict } = validate(program, ABI);
      expect(verdict === 'accepted').toBe(naive(program));
      reached[verdict]++;
    }),
    { numRuns: 5000 },
  );
  expect(Math.min(reached.accepted, reached.rejected)).toBeGreaterThan(500);
});
