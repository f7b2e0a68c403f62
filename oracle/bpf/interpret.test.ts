import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseAsm } from './asm.ts';
import { compile, run } from './interpret.ts';
import type { Program } from './program.ts';
import { bpfRules } from './bpf-rules.ts';
import { rulesOfSeen } from './seen-rules.ts';
import { newSeen } from './seen.ts';
import { anyContext, anyProgram, nearlyValid, u32 } from '../testing/programs.ts';
import { trace } from './trace.ts';
import { validate } from './validate.ts';

const CTX_SIZE = 40;
const CTX = Uint32Array.from([0x11111111, 0x22222222, 45, 0, 2, 1, 6, 0, 0, 0x99999999]);

function asm(text: string): Program {
  const parsed = parseAsm(text);
  if (!parsed.ok) throw new Error(parsed.errors[0]!.message);
  return parsed.program;
}

const evaluate = (text: string): number => run(asm(text), CTX, CTX_SIZE);

const M = 1n << 32n;

/** A after an arithmetic operation, by the high bits of its code; undefined: the program ends with 0. */
const ARITHMETIC: Readonly<Record<number, (a: bigint, b: bigint) => bigint | undefined>> = {
  0: (a, b) => (a + b) % M,
  1: (a, b) => (a + M - b) % M,
  2: (a, b) => (a * b) % M,
  3: (a, b) => (b === 0n ? undefined : a / b),
  4: (a, b) => a | b,
  5: (a, b) => a & b,
  6: (a, b) => (a * 2n ** (b % 32n)) % M,
  7: (a, b) => a / 2n ** (b % 32n),
  8: (a) => (M - a) % M,
  10: (a, b) => a ^ b,
};
const COMPARISONS: Readonly<Record<number, (a: bigint, b: bigint) => boolean>> = {
  1: (a, b) => a === b,
  2: (a, b) => a > b,
  3: (a, b) => !(a < b),
  4: (a, b) => (a & b) !== 0n,
};

/** An independent model in unbounded integers, by code alone. */
function model(program: Program, ctx: Uint32Array): bigint {
  const mem = new Map<number, bigint>();
  let a = 0n;
  let x = 0n;
  let pc = 0;
  const setA = (value: bigint): void => {
    a = value;
  };
  const setX = (value: bigint): void => {
    x = value;
  };
  const moves = new Map<number, (k: number) => void>([
    [0x00, (k) => setA(BigInt(k))],
    [0x20, (k) => setA(BigInt(ctx[k / 4]!))],
    [0x60, (k) => setA(mem.get(k)!)],
    [0x80, () => setA(40n)],
    [0x01, (k) => setX(BigInt(k))],
    [0x61, (k) => setX(mem.get(k)!)],
    [0x81, () => setX(40n)],
    [0x02, (k) => void mem.set(k, a)],
    [0x03, (k) => void mem.set(k, x)],
    [0x07, () => setX(a)],
    [0x87, () => setA(x)],
  ]);
  for (;;) {
    const { code, jt, jf, k } = program[pc++]!;
    const operand = (code & 8) !== 0 ? x : BigInt(k);
    if (code === 0x06) return BigInt(k);
    if (code === 0x16) return a;
    const move = moves.get(code);
    if (move !== undefined) move(k);
    else if (code === 0x05) pc += k;
    else if ((code & 7) === 5) pc += COMPARISONS[code >> 4]!(a, operand) ? jt : jf;
    else {
      const result = ARITHMETIC[code >> 4]!(a, operand);
      if (result === undefined) return 0n;
      a = result;
    }
  }
}

test('accepted programs agree with the model and the tracer', () => {
  let compared = 0;
  fc.assert(
    fc.property(nearlyValid(30), anyContext, (program, ctx) => {
      if (validate(program, { ctx_size: CTX_SIZE }).verdict !== 'accepted') return;
      compared++;
      const want = Number(model(program, ctx));
      expect(run(program, ctx, CTX_SIZE)).toBe(want);
      const traced = trace(program, ctx, CTX_SIZE);
      expect(traced.result).toBe(want);
      expect(traced.ended).not.toBe('stopped');
    }),
    { numRuns: 5000 },
  );
  expect(compared).toBeGreaterThan(1000);
});

test('one operation on any two values agrees with the model and the tracer', () => {
  const codes = [0x04, 0x14, 0x24, 0x34, 0x44, 0x54, 0x64, 0x74, 0x84, 0xa4, 0x15, 0x25, 0x35, 0x45];
  fc.assert(
    fc.property(fc.constantFrom(...codes), u32, u32, fc.boolean(), (code, a, b, byX) => {
      const shift = code === 0x64 || code === 0x74;
      const operand =
        byX && code !== 0x84
          ? { code: code | 8, k: 0 }
          : { code, k: shift ? b % 32 : code === 0x34 && b === 0 ? 1 : b };
      const jump = (code & 7) === 5;
      const program = [
        { code: 0x00, jt: 0, jf: 0, k: a },
        { code: 0x01, jt: 0, jf: 0, k: b },
        { ...operand, jt: jump ? 1 : 0, jf: 0 },
        { code: 0x16, jt: 0, jf: 0, k: 0 },
        { code: 0x06, jt: 0, jf: 0, k: 0xabcdef01 },
      ];
      const want = Number(model(program, CTX));
      expect(run(program, CTX, CTX_SIZE)).toBe(want);
      expect(trace(program, CTX, CTX_SIZE).result).toBe(want);
    }),
    { numRuns: 5000 },
  );
});

test('any program at all ends, and the loop and the tracer agree on it', () => {
  fc.assert(
    fc.property(anyProgram, anyContext, (program, ctx) => {
      const result = run(program, ctx, CTX_SIZE);
      expect(trace(program, ctx, CTX_SIZE).result).toBe(result);
      expect(result).toBe(result >>> 0);
    }),
    { numRuns: 3000 },
  );
});

describe('edges', () => {
  test.each([
    ['ret a', 0],
    ['txa ret a', 0],
    ['sub #1 ret a', 0xffffffff],
    ['ld #5 neg ret a', 0xfffffffb],
    ['ld #7 div x ret #1', 0],
    ['ldx #33 ld #3 lsh x ret a', 6],
    ['ldx #32 ld #-1 rsh x ret a', 0xffffffff],
    ['ld #-1 div #2 ret a', 0x7fffffff],
    ['ld #-1 ldx #-1 mul x ret a', 1],
    ['ld len ret a', 40],
    ['ldx len txa ret a', 40],
    ['ld [36] ret a', 0x99999999],
    ['ld #-1 jgt #1, aa, bb aa: ret #1 bb: ret #2', 1],
    ['ldx #0x80000000 ld #0x7fffffff jge x, aa, bb aa: ret #1 bb: ret #2', 2],
    ['ja aa ret #1 aa: ret #-1', 0xffffffff],
    ['ld #9 st M[15] ld #0 ldx M[15] stx M[0] ld M[0] ret a', 9],
  ])('%s', (text, want) => {
    expect(evaluate(text)).toBe(want);
    expect(trace(asm(text), CTX, CTX_SIZE).result).toBe(want);
  });
});

test('scratch words of one run do not reach the next', () => {
  evaluate('ld #77 st M[2] ret a');
  // Not a program the kernel takes; running it must still not depend on history.
  expect(evaluate('ld M[2] ret a')).toBe(0);
});

test('a program is compiled once', () => {
  const program = asm('ret #1');
  expect(compile(program)).toBe(compile(program));
  expect(compile(asm('ret #1'))).not.toBe(compile(program));
});

test('a refused instruction, the end and a jump out of the program end a run with 0', () => {
  for (const program of [
    [],
    asm('ld #1'),
    asm('ld #9 mod #5 ret a'),
    asm('.raw 0x05, 0, 0, 0xffffffff ret #1'),
    asm('.raw 0x15, 200, 0, 0 ret #1'),
  ]) {
    expect(run(program, CTX, CTX_SIZE)).toBe(0);
    expect(trace(program, CTX, CTX_SIZE)).toMatchObject({ result: 0, ended: 'stopped' });
  }
  expect(run(asm('ld [400] ret a'), CTX, CTX_SIZE)).toBe(0);
  expect(trace(asm('ld [400] ret a'), CTX, CTX_SIZE).result).toBe(0);
});

test('a trace has every step with the registers around it', () => {
  const { steps, result, ended } = trace(asm('ld #6 tax jeq #6, aa, bb aa: div x bb: ret a'), CTX, CTX_SIZE);
  expect(steps.map(({ pc, a, x, aAfter, xAfter, taken }) => [pc, a, x, aAfter, xAfter, taken])).toEqual([
    [0, 0, 0, 6, 0, null],
    [1, 6, 0, 6, 6, null],
    [2, 6, 6, 6, 6, true],
    [3, 6, 6, 1, 6, null],
    [4, 1, 6, 1, 6, null],
  ]);
  expect([result, ended]).toEqual([1, 'ret']);
  expect(trace(asm('ld #6 div x ret #1'), CTX, CTX_SIZE)).toMatchObject({
    result: 0,
    ended: 'div-by-zero-x',
    steps: [{ pc: 0 }, { pc: 1 }],
  });
  expect(trace(asm('jset #1, aa, bb aa: ret #1 bb: ret #2'), CTX, CTX_SIZE)).toMatchObject({
    result: 2,
    steps: [{ taken: false }, {}],
  });
});

describe('what was seen', () => {
  const rules = (...texts: string[]): string[] => {
    const seen = newSeen();
    for (const text of texts) run(asm(text), CTX, CTX_SIZE, seen);
    return rulesOfSeen(seen);
  };
  test.each([
    ['ret #1', ['bpf.ret.k']],
    ['ret a', ['bpf.ret.a', 'bpf.run.initial-a']],
    ['txa ret a', ['bpf.ret.a', 'bpf.misc.txa', 'bpf.run.initial-x']],
    ['ja aa ret #1 aa: tax ret #2', ['bpf.jmp.ja', 'bpf.ret.k', 'bpf.misc.tax', 'bpf.run.initial-a']],
    [
      'jeq x, aa aa: ret #2',
      ['bpf.jmp.jeq-x', 'bpf.jmp.true-branch', 'bpf.ret.k', 'bpf.run.initial-a', 'bpf.run.initial-x'],
    ],
    ['ld #1 jset #2, aa, aa aa: ret a', ['bpf.ld.imm', 'bpf.jmp.jset-k', 'bpf.jmp.false-branch', 'bpf.ret.a']],
    ['ld #1 div x ret a', ['bpf.ld.imm', 'bpf.alu.div-x', 'bpf.run.div-by-zero-x', 'bpf.run.initial-x']],
    ['ld #1 ldx #32 lsh x ret a', ['bpf.ld.imm', 'bpf.ldx.imm', 'bpf.alu.lsh-x', 'bpf.ret.a', 'bpf.run.shift-x-mask']],
    ['ld #1 ldx #-1 rsh x ret a', ['bpf.ld.imm', 'bpf.ldx.imm', 'bpf.alu.rsh-x', 'bpf.ret.a', 'bpf.run.shift-x-mask']],
    ['ld #1 ldx #31 rsh x lsh x ret a', ['bpf.ld.imm', 'bpf.ldx.imm', 'bpf.alu.lsh-x', 'bpf.alu.rsh-x', 'bpf.ret.a']],
    ['stx M[0] st M[1] ret #0', ['bpf.st.mem', 'bpf.stx.mem', 'bpf.ret.k', 'bpf.run.initial-a', 'bpf.run.initial-x']],
  ])('%s', (text, want) => {
    expect(rules(text)).toEqual(want);
  });

  test('marks of several runs add up', () => {
    expect(rules('ret #1', 'ld #0 ret a')).toEqual(['bpf.ld.imm', 'bpf.ret.k', 'bpf.ret.a']);
  });

  test('every rule about running can be seen', () => {
    const ops = ['add', 'sub', 'mul', 'div', 'or', 'and', 'xor', 'lsh', 'rsh'];
    const jumps = ['jeq', 'jgt', 'jge', 'jset'];
    const bothWays = (jump: string, i: number): string =>
      `${jump} #1, l${i}a, l${i}a l${i}a: ${jump} x, l${i}b, l${i}b l${i}b: add #1`;
    const seen = rules(
      'ret a',
      'txa ret a',
      'ld #1 div x ret a',
      'ld #1 ldx #40 lsh x ret a',
      'ld #1 ld [0] ld len st M[0] ld M[0] ldx #3 ldx len stx M[1] ldx M[1] neg tax ja aa aa: ret #1',
      `ldx #3 ${ops.map((op) => `${op} #1 ${op} x`).join(' ')} ret a`,
      `${jumps.map(bothWays).join(' ')} ret a`,
    );
    const all = Object.keys(bpfRules).filter((id) => !/^bpf\.(program|generic|whitelist)\./.test(id));
    expect([...seen].sort()).toEqual(all.sort());
  });
});
