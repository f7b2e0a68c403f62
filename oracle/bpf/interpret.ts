/**
 * The interpreter: exact u32 semantics of the instructions that io_uring
 * accepts, in one tight loop. `trace.ts` says the same from the instruction
 * table, slowly and step by step.
 */
import { instructionOf, registerSet } from './instructions.ts';
import type { Instruction } from './instructions.ts';
import { BPF_MEMWORDS } from './program.ts';
import type { Program } from './program.ts';
import {
  newSeen,
  SEEN_DIV_ZERO,
  SEEN_INITIAL_A,
  SEEN_INITIAL_X,
  SEEN_NOT_TAKEN,
  SEEN_SHIFT_MASK,
  SEEN_TAKEN,
} from './seen.ts';
import type { Seen } from './seen.ts';

/** A program flattened for the loop. */
export interface Compiled {
  /** Four words per instruction: code, k, target when true (ja: the target), target when false. Ends with `ret #0`. */
  readonly words: Int32Array;
  /** Whether the first steps read A (X) before they write it. */
  readonly readsInitialA: boolean;
  readonly readsInitialX: boolean;
  readonly usesScratch: boolean;
}

const RET_K = 0x06;
const JA = 0x05;
const TAX = 0x07;
/** Classes, the low three bits of a code. */
const LD = 0;
const LDX = 1;
const ST = 2;
const STX = 3;
const ALU = 4;
const JMP = 5;
const RET = 6;
/** BPF_DIV, the bits of a code from 4 on. */
const DIV = 3;
/** What compiling has to know of a code. */
const REFUSED = 0;
const PLAIN = 1;
const SCRATCH = 2;
const JUMP_ALWAYS = 3;
const SHAPES = Uint8Array.from({ length: 256 }, (_, code) => {
  const instruction = instructionOf(code);
  if (instruction === undefined || !instruction.whitelisted) return REFUSED;
  return instruction.operand === 'mem' ? SCRATCH : instruction.operand === 'label' ? JUMP_ALWAYS : PLAIN;
});
const cache = new WeakMap<Program, Compiled>();

/**
 * Flattens a program; the result is cached by the array's identity. An
 * instruction that io_uring would refuse becomes `ret #0`, and a jump out of
 * the program goes to a `ret #0` behind its end, so running is total.
 */
export function compile(program: Program): Compiled {
  const known = cache.get(program);
  if (known !== undefined) return known;
  const length = program.length;
  const words = new Int32Array((length + 1) * 4);
  let usesScratch = false;
  for (let pc = 0, at = 0; pc < length; pc++, at += 4) {
    const { code, jt, jf, k } = program[pc]!;
    const shape = SHAPES[code] ?? REFUSED;
    if (shape === REFUSED) {
      words[at] = RET_K;
      continue;
    }
    if (shape === SCRATCH) usesScratch = true;
    words[at] = code;
    words[at + 1] = k;
    words[at + 2] = Math.min(length, pc + 1 + (shape === JUMP_ALWAYS ? k : jt));
    words[at + 3] = Math.min(length, pc + 1 + jf);
  }
  words[length * 4] = RET_K;
  const compiled = { words, usesScratch, ...initialReads(program) };
  cache.set(program, compiled);
  return compiled;
}

/**
 * Whether A and X are read before they are written on the way from the start
 * to the first branch or ret. Every run goes that way, so the answer holds for
 * every run; reads of an unwritten register behind a branch are not counted.
 */
function initialReads(program: Program): { readsInitialA: boolean; readsInitialX: boolean } {
  let a: boolean | null = null;
  let x: boolean | null = null;
  let pc = 0;
  while (pc < program.length && (a === null || x === null)) {
    const { code, k } = program[pc]!;
    const instruction = instructionOf(code);
    if (instruction === undefined || !instruction.whitelisted) break;
    if (readsA(instruction)) a ??= true;
    if (readsX(instruction)) x ??= true;
    const sets = registerSet(instruction);
    if (sets === 'a') a ??= false;
    if (sets === 'x') x ??= false;
    if (instruction.jump !== undefined || instruction.class === 'ret') break;
    pc += instruction.operand === 'label' ? 1 + k : 1;
  }
  return { readsInitialA: a === true, readsInitialX: x === true };
}

function readsA({ class: cls, mnemonic, operand, jump }: Instruction): boolean {
  return cls === 'alu' || cls === 'st' || jump !== undefined || mnemonic === 'tax' || operand === 'a';
}

function readsX({ class: cls, mnemonic, operand }: Instruction): boolean {
  return operand === 'x' || cls === 'stx' || mnemonic === 'txa';
}

const scratch = new Int32Array(BPF_MEMWORDS);
const unused = newSeen();

/**
 * Runs a program over a context and returns its u32 result (0 denies).
 * `ctx` holds the context as machine words: `ld [k]` reads `ctx[k >>> 2]`, and
 * 0 beyond its end. `ctxSize` is what `len` gives, in bytes. Marks in `seen`
 * what was executed. The answer means something only for an accepted program.
 */
export function run(program: Program, ctx: Uint32Array, ctxSize: number, seen: Seen = unused): number {
  const { words, readsInitialA, readsInitialX, usesScratch } = compile(program);
  if (readsInitialA) seen[SEEN_INITIAL_A] = 1;
  if (readsInitialX) seen[SEEN_INITIAL_X] = 1;
  if (usesScratch) scratch.fill(0);
  // A and X are kept as int32, the form in which the engine computes fastest; `>>> 0` where the sign matters.
  let a = 0;
  let x = 0;
  let at = 0;
  for (;;) {
    const code = words[at]!;
    const k = words[at + 1]!;
    const operand = (code & 0x08) === 0 ? k : x;
    seen[code] = 1;
    switch (code & 0x07) {
      case LD:
        a = loaded(code, k, ctx, ctxSize);
        break;
      case LDX:
        x = loaded(code, k, ctx, ctxSize);
        break;
      case ST:
        scratch[k & 15] = a;
        break;
      case STX:
        scratch[k & 15] = x;
        break;
      case ALU:
        if (operand === 0 && code >> 4 === DIV) {
          seen[SEEN_DIV_ZERO] = 1;
          return 0;
        }
        a = computed(code >> 4, a, operand, seen);
        break;
      case JMP:
        at = target(words, at, a, operand, seen);
        continue;
      case RET:
        return (code === RET_K ? k : a) >>> 0;
      default: // misc
        if (code === TAX) x = a;
        else a = x;
        break;
    }
    at += 4;
  }
}

/** What a load reads. */
function loaded(code: number, k: number, ctx: Uint32Array, ctxSize: number): number {
  switch (code >> 5) {
    case 0: // #k
      return k;
    case 1: // [k]
      return ctx[k >>> 2]! | 0;
    case 3: // M[k]
      return scratch[k & 15]!;
    default: // len
      return ctxSize;
  }
}

/** A after an arithmetic operation; not asked for a zero divisor. */
function computed(operation: number, a: number, operand: number, seen: Seen): number {
  switch (operation) {
    case 0:
      return (a + operand) | 0;
    case 1:
      return (a - operand) | 0;
    case 2:
      return Math.imul(a, operand);
    case DIV:
      return ((a >>> 0) / (operand >>> 0)) | 0;
    case 4:
      return a | operand;
    case 5:
      return a & operand;
    case 6:
      if (operand >>> 0 > 31) seen[SEEN_SHIFT_MASK] = 1;
      return a << operand;
    case 7:
      if (operand >>> 0 > 31) seen[SEEN_SHIFT_MASK] = 1;
      return (a >>> operand) | 0;
    case 8:
      return -a | 0;
    default: // xor
      return a ^ operand;
  }
}

/** Where a jump leads: the place in `words` of the next instruction. */
function target(words: Int32Array, at: number, a: number, operand: number, seen: Seen): number {
  const code = words[at]!;
  if (code === JA) return words[at + 2]! << 2;
  if (holds(code >> 4, a, operand)) {
    seen[SEEN_TAKEN + code] = 1;
    return words[at + 2]! << 2;
  }
  seen[SEEN_NOT_TAKEN + code] = 1;
  return words[at + 3]! << 2;
}

/** Whether the comparison of a conditional jump holds. */
function holds(comparison: number, a: number, operand: number): boolean {
  switch (comparison) {
    case 1:
      return a === operand;
    case 2:
      return a >>> 0 > operand >>> 0;
    case 3:
      return a >>> 0 >= operand >>> 0;
    default: // jset
      return (a & operand) !== 0;
  }
}
