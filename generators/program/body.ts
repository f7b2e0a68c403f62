/** Random valid code: any accepted instruction, forward jumps, scratch memory through joins. */
import { BPF_MEMWORDS } from '../../oracle/bpf/program.ts';
import type { SockFilter } from '../../oracle/bpf/program.ts';
import { instructionOf } from '../../oracle/bpf/instructions.ts';
import type { Instruction } from '../../oracle/bpf/instructions.ts';
import type { Draw } from '../draw.ts';
import type { Mix } from './mix.ts';

/** What a program is written for. */
export interface ProgramContexts {
  /** sizeof(struct io_uring_bpf_ctx). */
  readonly ctx_size: number;
  /** Context words of requests the program will probably meet; may be empty. */
  readonly contexts: readonly Uint32Array[];
  /** Word indices worth loading, those that differ between requests more often. */
  readonly words: readonly number[];
}

const ALL_WRITTEN = 0xffff;
const LD_ABS = instructionOf(0x20)!;

/** Return values that allow; 0x100 and the like catch a result cut to a byte or a half. */
const ALLOWING: readonly number[] = [1, 1, 1, 2, 0x100, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];

/** A return value that allows (non-zero) or denies. */
export function retValue(d: Draw, allow: boolean): number {
  return allow ? d.pick(ALLOWING) : 0;
}

/** A constant near a value that word `word` really has. */
export function nearConstant(d: Draw, on: ProgramContexts, word: number): number {
  const { contexts } = on;
  if (contexts.length === 0) return d.edge32();
  const value = contexts[d.below(contexts.length)]![word] ?? 0;
  switch (d.below(8)) {
    case 0:
      return (value + 1) >>> 0;
    case 1:
      return (value - 1) >>> 0;
    case 2:
      return (value ^ (1 << d.below(32))) >>> 0;
    default:
      return value;
  }
}

/** A byte offset for ld [k]. */
export function loadOffset(d: Draw, on: ProgramContexts): number {
  if (on.words.length > 0 && d.below(10) < 8) return d.pick(on.words) * 4;
  return d.below(on.ctx_size >>> 2) * 4;
}

/** Constant of an arithmetic instruction, at its edges. */
function aluConstant(d: Draw, mnemonic: string): number {
  switch (mnemonic) {
    case 'lsh':
    case 'rsh':
      return d.pick([0, 1, 8, 15, 16, 24, 31, d.below(32)]);
    case 'div':
      return d.edge32() || 1;
    case 'and':
      return d.pick([0xff, 0xff00, 0xffff, 0xff_0000, 0x7f, 1, 0xffff_ffff, d.edge32()]);
    default:
      return d.edge32();
  }
}

/** Whether it writes to scratch memory. */
function stores(row: Instruction): boolean {
  return row.class === 'st' || row.class === 'stx';
}

/** What the constants of one piece of code are drawn from. */
class Constants {
  readonly #d: Draw;
  readonly #on: ProgramContexts;
  /** Scratch words that are written: so many, from this one on. */
  readonly #words: number;
  readonly #first: number;
  /** Jumps may be long. */
  readonly far: boolean;
  /** Word of the context that was loaded last. */
  #word: number;

  constructor(d: Draw, on: ProgramContexts) {
    this.#d = d;
    this.#on = on;
    this.#words = d.chance(0.3) ? 2 : d.chance(0.5) ? 4 : BPF_MEMWORDS;
    this.#first = d.below(BPF_MEMWORDS - this.#words + 1);
    this.far = d.chance(0.15);
    this.#word = on.words[0] ?? 0;
  }

  /** k of an instruction with `room` instructions behind it; `mask`: scratch words that every path has written. */
  of(row: Instruction, room: number, mask: number): number {
    const d = this.#d;
    switch (row.operand) {
      case 'abs': {
        const k = loadOffset(d, this.#on);
        this.#word = k >>> 2;
        return k;
      }
      case 'mem':
        return stores(row) ? this.#first + d.below(this.#words) : setBit(d, mask);
      case 'label':
        return d.below(Math.min(room, this.far ? room : 6));
      case 'k':
        return this.#immediate(row);
      default:
        return 0;
    }
  }

  #immediate(row: Instruction): number {
    const d = this.#d;
    if (row.jump !== undefined) return d.below(4) === 0 ? d.edge32() : nearConstant(d, this.#on, this.#word);
    if (row.alu !== undefined) return aluConstant(d, row.mnemonic);
    if (row.class === 'ret') return retValue(d, d.chance(0.5));
    return d.below(3) === 0 ? nearConstant(d, this.#on, this.#word) : d.edge32();
  }
}

/**
 * Appends `length` random valid instructions to `out`. At least one instruction must be
 * appended behind them: jumps go as far as that one. Scratch words are read only
 * where every path has written them, with ret counted as a path (rule
 * bpf.generic.scratch-after-ret).
 */
export function drawBody(d: Draw, mix: Mix, length: number, on: ProgramContexts, out: SockFilter[]): void {
  const written = new Uint16Array(length + 1).fill(ALL_WRITTEN);
  written[0] = 0;
  const constants = new Constants(d, on);
  for (let pc = 0; pc < length; pc++) {
    const mask = written[pc]!;
    const row = rowAt(d, mix, pc, mask);
    // A jump of zero length is allowed, so even the last body instruction may jump.
    const room = length - pc;
    const k = constants.of(row, room, mask);
    let jt = 0;
    let jf = 0;
    if (row.jump !== undefined) {
      const span = Math.min(room, constants.far ? 256 : 8);
      jt = d.below(span);
      jf = d.below(3) === 0 ? d.below(span) : 0;
      written[pc + 1 + jt]! &= mask;
      written[pc + 1 + jf]! &= mask;
    } else {
      const next = pc + 1 + (row.operand === 'label' ? k : 0);
      written[next]! &= stores(row) ? mask | (1 << k) : mask;
    }
    out.push({ code: row.code, jt, jf, k });
  }
}

/** The instruction at `pc`: mostly a load at first, and none from scratch memory while nothing is there (`mask`). */
function rowAt(d: Draw, mix: Mix, pc: number, mask: number): Instruction {
  const row = pc === 0 && d.below(4) !== 0 ? LD_ABS : mix[d.below(mix.length)]!;
  return row.operand === 'mem' && mask === 0 && !stores(row) ? LD_ABS : row;
}

/** Index of one set bit of a mask that is not 0. */
function setBit(d: Draw, mask: number): number {
  let k = d.below(16);
  while ((mask & (1 << k)) === 0) k = (k + 1) & 15;
  return k;
}
