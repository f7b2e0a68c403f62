/**
 * A run written down step by step, for `explain`. It follows the instruction
 * table, not the fast loop, so the two check each other.
 */
import { instructionOf } from './instructions.ts';
import type { Instruction } from './instructions.ts';
import { BPF_MEMWORDS } from './program.ts';
import type { Program, SockFilter } from './program.ts';

/** One executed instruction. All register values are u32. */
export interface TraceStep {
  readonly pc: number;
  readonly filter: SockFilter;
  /** A and X before the instruction. */
  readonly a: number;
  readonly x: number;
  /** A and X after it. */
  readonly aAfter: number;
  readonly xAfter: number;
  /** Conditional jumps: whether the comparison held; null for everything else. */
  readonly taken: boolean | null;
}

/** A whole run. */
export interface Trace {
  readonly steps: readonly TraceStep[];
  /** What the program returned, u32; 0 denies. */
  readonly result: number;
  /**
   * How it ended: at a ret; at a division by X = 0; or, for a program that
   * io_uring refuses, where no further instruction could run (result 0).
   */
  readonly ended: 'ret' | 'div-by-zero-x' | 'stopped';
}

/** The machine's state between two instructions. */
interface State {
  a: number;
  x: number;
  readonly scratch: Uint32Array;
  readonly ctx: Uint32Array;
  readonly ctxSize: number;
}

/** Runs a program as `run` does, and records every step. */
export function trace(program: Program, ctx: Uint32Array, ctxSize: number): Trace {
  const state: State = { a: 0, x: 0, scratch: new Uint32Array(BPF_MEMWORDS), ctx, ctxSize };
  const steps: TraceStep[] = [];
  for (let pc = 0; ; ) {
    const filter = program[pc];
    const instruction = filter === undefined ? undefined : runnable(filter.code);
    if (filter === undefined || instruction === undefined) return { steps, result: 0, ended: 'stopped' };
    const { a, x } = state;
    const value = operandValue(instruction, filter.k, state);
    const taken = instruction.jump === undefined ? null : instruction.jump(a, value);
    const dividesByZero = instruction.mnemonic === 'div' && value === 0;
    if (!dividesByZero) apply(instruction, filter.k, value, state);
    steps.push({ pc, filter, a, x, aAfter: state.a, xAfter: state.x, taken });
    if (dividesByZero) return { steps, result: 0, ended: 'div-by-zero-x' };
    if (instruction.class === 'ret') return { steps, result: value, ended: 'ret' };
    pc += 1 + distance(instruction, filter, taken);
  }
}

/** How many instructions are left out behind this one. */
function distance({ operand }: Instruction, { jt, jf, k }: SockFilter, taken: boolean | null): number {
  if (operand === 'label') return k;
  if (taken === null) return 0;
  return taken ? jt : jf;
}

/** The row of a code that io_uring takes. */
function runnable(code: number): Instruction | undefined {
  const instruction = instructionOf(code);
  return instruction?.whitelisted === true ? instruction : undefined;
}

/** The value an instruction works on, u32. */
function operandValue({ operand }: Instruction, k: number, { a, x, scratch, ctx, ctxSize }: State): number {
  switch (operand) {
    case 'x':
      return x;
    case 'a':
      return a;
    case 'mem':
      return scratch[k % BPF_MEMWORDS]!;
    case 'abs':
      return ctx[k >>> 2] ?? 0;
    case 'len':
      return ctxSize;
    default:
      return k;
  }
}

/** Changes the registers and scratch words as the instruction says. */
function apply({ class: cls, mnemonic, alu }: Instruction, k: number, value: number, state: State): void {
  if (cls === 'ld') state.a = value;
  else if (cls === 'ldx') state.x = value;
  else if (cls === 'st') state.scratch[k % BPF_MEMWORDS] = state.a;
  else if (cls === 'stx') state.scratch[k % BPF_MEMWORDS] = state.x;
  else if (alu !== undefined) state.a = alu(state.a, value);
  else if (mnemonic === 'tax') state.x = state.a;
  else if (mnemonic === 'txa') state.a = state.x;
}
