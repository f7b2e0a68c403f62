/**
 * Programs of every order of length: one instruction over and over, jumps as far as they go in instructions and in
 * bytes of machine code, and long lists of what is allowed.
 */
import { instructionOf, INSTRUCTIONS } from '../../oracle/bpf/instructions.ts';
import type { Instruction } from '../../oracle/bpf/instructions.ts';
import { BPF_MAXINSNS, BPF_MEMWORDS } from '../../oracle/bpf/program.ts';
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import type { Draw } from '../draw.ts';
import { drawBody, loadOffset, nearConstant, retValue } from './body.ts';
import type { ProgramContexts } from './body.ts';
import { drawMix } from './mix.ts';
import type { Mix } from './mix.ts';
import { appendBlend, appendTunedTail } from './tail.ts';

const f = (code: number, k = 0, jt = 0, jf = 0): SockFilter => ({ code, jt, jf, k: k >>> 0 });
const LD_K = 0x00;
const LDX_K = 0x01;
const LD_ABS = 0x20;
const LD_MEM = 0x60;
const LDX_MEM = 0x61;
const ST = 0x02;
const STX = 0x03;
const ADD_K = 0x04;
const ADD_X = 0x0c;
const XOR_X = 0xac;
const NEG = 0x84;
const LSH_K = 0x64;
const DIV_X = 0x3c;
const JA = 0x05;
const JEQ_K = 0x15;
const RET_K = 0x06;
const TAX = 0x07;
const TXA = 0x87;

/** One less, the same and one more than each power of two from `low` to `high`, both powers; none above `most`. */
export function aroundPowers(low: number, high: number, most = Infinity): readonly number[] {
  const out = new Set<number>();
  for (let power = low; power <= high; power *= 2)
    for (const value of [power - 1, power, power + 1]) if (value >= 1 && value <= most) out.add(value);
  return [...out].sort((a, b) => a - b);
}

/** Instructions that a long program may be full of: every accepted one, but for ret, which ends it. */
export const REPEATABLE: readonly Instruction[] = INSTRUCTIONS.filter((row) => row.whitelisted && row.class !== 'ret');

/** Room for what makes the verdict depend on all that came before. */
const TAIL = 9;

/** A body and a tuned comparison behind it, filled up to exactly `length` instructions, at least TAIL more. */
function closed(d: Draw, out: SockFilter[], on: ProgramContexts, length: number, share: number): Program {
  appendBlend(d, out, on);
  appendTunedTail(d, out, on, share);
  while (out.length < length) out.push(f(RET_K, 1));
  return out;
}

/** So that something is there to work on: the same instruction for the most part, and what keeps its operands alive. */
function mixOf(row: Instruction): Mix {
  const feeding = [LD_ABS, TAX, XOR_X, ADD_K].map((code) => instructionOf(code)!);
  // A division by a register that may hold 0 would end the program, and one after another leaves nothing.
  if (row.code === DIV_X) return [...new Array<Instruction>(30).fill(row), instructionOf(LD_ABS)!];
  return [...new Array<Instruction>(12).fill(row), ...feeding];
}

/** A program of `length` instructions, at least 16, nearly all of them the same. */
export function filledProgram(d: Draw, on: ProgramContexts, row: Instruction, length: number, share = 0.5): Program {
  const out: SockFilter[] = [f(LD_ABS, loadOffset(d, on)), f(LDX_K, d.pick([1, 2, 3, 7, 0x80, 0xffff, 0xffff_ffff]))];
  drawBody(d, mixOf(row), length - out.length - TAIL, on, out);
  return closed(d, out, on, length, share);
}

/** A program of `length` instructions, at least 16, of any kind but those that end it early. */
export function mixedProgram(d: Draw, on: ProgramContexts, length: number, share = 0.5): Program {
  const out: SockFilter[] = [];
  const mix = drawMix(d).filter((row) => row.class !== 'ret' && row.code !== DIV_X);
  drawBody(d, mix, length - TAIL, on, out);
  return closed(d, out, on, length, share);
}

/** A valid program of exactly `length` instructions, however short. */
export function programOfLength(d: Draw, on: ProgramContexts, length: number): Program {
  if (length >= 16)
    return d.chance(0.5) ? mixedProgram(d, on, length) : filledProgram(d, on, d.pick(REPEATABLE), length);
  const out: SockFilter[] = [];
  if (length > 3) {
    out.push(f(LD_ABS, loadOffset(d, on)));
    while (out.length < length - 3) out.push(f(d.pick([NEG, TAX, TXA, XOR_X]), 0));
    out.push(f(JEQ_K, nearConstant(d, on, 0), 0, 1));
  }
  while (out.length < length) out.push(f(RET_K, retValue(d, d.chance(0.6))));
  return out;
}

/**
 * An instruction that changes A and takes few bytes on x86-64 (2, 3 or 5), so that blocks of every number of bytes can
 * be made of them; anywhere else it is an instruction as any other.
 */
function filler(bytes: 2 | 3 | 5): SockFilter {
  return bytes === 2 ? f(NEG) : bytes === 3 ? f(ADD_K, 0x11) : f(ADD_K, 0x1234_5678);
}

/** Fillers of so many bytes on x86-64; at least 2. */
function blockOfBytes(d: Draw, bytes: number): SockFilter[] {
  const out: SockFilter[] = [];
  let left = bytes;
  while (left > 0) {
    const size =
      left === 2 || left === 4 ? 2 : left === 3 || left === 6 ? 3 : left === 5 ? 5 : d.pick([2, 2, 3, 3, 5] as const);
    out.push(filler(size));
    left -= size;
  }
  return out;
}

/** How a block is jumped over, or not, by what a comparison says. */
type Hop = 'jt' | 'jf' | 'ja' | 'both' | 'near-far' | 'far-near';

/**
 * `ld [k]`, a comparison, and a block that it jumps over for some requests: by jt, by jf, by a ja that one branch
 * meets, or to one block or another. What `inner` makes of M[0] tells which way was taken. At most 255 instructions
 * but with ja.
 */
function hop(d: Draw, on: ProgramContexts, how: Hop, inner: readonly SockFilter[]): SockFilter[] {
  const k = loadOffset(d, on);
  const compare = (jt: number, jf: number): SockFilter =>
    f(d.pick([0x15, 0x15, 0x25, 0x35]), nearConstant(d, on, k >>> 2), jt, jf);
  switch (how) {
    case 'jt':
      return [f(LD_ABS, k), compare(inner.length, 0), ...inner];
    case 'jf':
      return [f(LD_ABS, k), compare(0, inner.length), ...inner];
    case 'ja':
      return [f(LD_ABS, k), compare(d.below(2), 0), f(JA, inner.length), ...inner];
    case 'near-far':
    case 'far-near': {
      // Both branches jump: one past an instruction that nothing comes to, the other past all.
      const far = inner.length + 1;
      return [f(LD_ABS, k), how === 'near-far' ? compare(1, far) : compare(far, 1), f(JA, inner.length), ...inner];
    }
    default:
      return [
        f(LD_ABS, k),
        compare(0, inner.length + 1),
        ...inner,
        f(JA, inner.length),
        ...inner.map((x) => (x.code === ADD_K ? f(ADD_K, x.k + 2) : x)),
      ];
  }
}

const HOPS: readonly Hop[] = ['jt', 'jf', 'ja', 'both', 'near-far', 'far-near'];

/** Jumps over blocks of every number of bytes from `from` on, as fit in `most` instructions. */
export function byteHops(d: Draw, on: ProgramContexts, from: number, most: number = BPF_MAXINSNS): Program {
  const out: SockFilter[] = [f(LD_ABS, loadOffset(d, on)), f(ST, 0)];
  for (let bytes = from; ; bytes++) {
    const next = hop(d, on, d.pick(HOPS), [f(LD_MEM, 0), ...blockOfBytes(d, bytes), f(ST, 0)]);
    if (out.length + next.length > most - TAIL - 1) break;
    out.push(...next);
  }
  out.push(f(LD_MEM, 0));
  return closed(d, out, on, out.length + TAIL, 0.5);
}

/**
 * So many instructions, most of one kind, that leave in M[0] what depends on what was there: also where only the last
 * of them is run.
 */
function farInner(d: Draw, length: number, code: number): SockFilter[] {
  const sum = f(ADD_K, d.u32() | 1);
  if (length < 8) return [f(LD_MEM, 0), ...new Array<SockFilter>(Math.max(0, length - 2)).fill(sum), f(ST, 0)];
  // X is not 0, so that nothing divides by 0; numbers that are divided are large.
  const head = [f(LDX_K, 3), f(LD_K, 0xffff_ffff)];
  const tail = [f(LDX_MEM, 0), f(XOR_X), sum, f(ST, 0)];
  const block = new Array<SockFilter>(length - head.length - tail.length).fill(f(code, 3));
  return [...head, ...block, ...tail];
}

/** How far a hop jumps, and how. */
export type FarHop = readonly [distance: number, way: Exclude<Hop, 'both'> | 'far-both'];

/** Conditional jumps: by either branch, by the longer of two, by two that are both long. */
const CONDITIONAL: readonly FarHop[1][] = ['jt', 'jf', 'near-far', 'far-near', 'far-both'];
const FARTHEST = 255;
/** Room for hops in a program, and what a hop takes beside its distance at most. */
const FAR_ROOM = BPF_MAXINSNS - TAIL - 4;
const AROUND_HOP = 6;

/** Hops of every way of these distances in instructions (from 2 on), in as many programs as they need. */
export function packHops(distances: readonly number[]): readonly (readonly FarHop[])[] {
  const programs: FarHop[][] = [[]];
  let left = FAR_ROOM;
  for (const distance of distances) {
    const size = distance + AROUND_HOP;
    for (const way of distance > FARTHEST ? (['ja'] as const) : CONDITIONAL) {
      if (size > FAR_ROOM) throw new RangeError(`a jump over ${distance} instructions does not fit`);
      if (size > left) {
        programs.push([]);
        left = FAR_ROOM;
      }
      left -= size;
      programs.at(-1)!.push([distance, way]);
    }
  }
  return programs;
}

/** A comparison whose branches are both long, one longer than the other by one: `distance` and one less. */
function bothFar(d: Draw, on: ProgramContexts, distance: number, code: number): SockFilter[] {
  const k = loadOffset(d, on);
  const [jt, jf] = d.chance(0.5) ? [distance, distance - 1] : [distance - 1, distance];
  const over = Array.from({ length: distance - 1 }, () => f(code, 3));
  const compare = f(d.pick([0x15, 0x15, 0x25, 0x35]), nearConstant(d, on, k >>> 2), jt, jf);
  // Nothing comes to what stands between. The shorter branch adds something.
  return [f(LD_ABS, k), compare, ...over, f(ADD_K, d.u32() | 1), f(LDX_MEM, 0), f(XOR_X), f(ST, 0)];
}

/**
 * Jumps of given lengths in instructions. Blocks of `div x` grow the most in machine code, those of `ld #k` the least.
 */
export function farHops(d: Draw, on: ProgramContexts, hops: readonly FarHop[], code = DIV_X): Program {
  const out: SockFilter[] = [f(LD_ABS, loadOffset(d, on)), f(ST, 0)];
  for (const [distance, way] of hops) {
    // Where two branches jump, a ja is jumped over as well.
    const beside = way === 'near-far' || way === 'far-near' ? 1 : 0;
    if (way === 'far-both') out.push(...bothFar(d, on, distance, code));
    else out.push(...hop(d, on, way, farInner(d, distance - beside, code)));
  }
  out.push(f(LD_MEM, 0));
  return closed(d, out, on, out.length + TAIL, 0.5);
}

/** A list of values, each with a ret of its own, as long allowlists are: exits at every distance. */
export function ladder(d: Draw, on: ProgramContexts, length: number): Program {
  const k = loadOffset(d, on);
  const steps = Math.max(1, Math.floor((length - 2) / 2));
  // The real values stand anywhere; the others are near them, and nothing has them.
  const real = new Map<number, number>();
  for (const ctx of on.contexts) real.set(d.below(steps), ctx[k >>> 2] ?? 0);
  const out: SockFilter[] = [f(LD_ABS, k)];
  for (let i = 0; i < steps; i++) {
    out.push(
      f(JEQ_K, real.get(i) ?? nearConstant(d, on, k >>> 2) ^ (i << 8), 0, 1),
      f(RET_K, retValue(d, d.chance(0.5))),
    );
  }
  while (out.length < length) out.push(f(RET_K, retValue(d, d.chance(0.5))));
  return out;
}

/** All sixteen scratch words, written from A and from X in any order, read back into both. */
export function scratchProgram(d: Draw, on: ProgramContexts): Program {
  const out: SockFilter[] = [f(LD_ABS, loadOffset(d, on)), f(TAX), f(ADD_K, d.edge32())];
  const slots = d.shuffle(Array.from({ length: BPF_MEMWORDS }, (_, i) => i));
  for (const slot of slots) {
    out.push(d.chance(0.5) ? f(ST, slot) : f(STX, slot));
    out.push(d.chance(0.5) ? f(ADD_K, 0x0101_0101 * (slot + 1)) : f(LD_ABS, loadOffset(d, on)));
    if (d.chance(0.4)) out.push(f(TAX));
  }
  for (const slot of d.shuffle(slots)) {
    if (d.chance(0.5)) out.push(f(LDX_MEM, slot), f(d.pick([ADD_X, XOR_X])));
    else out.push(f(TAX), f(LD_MEM, slot), f(d.pick([ADD_X, XOR_X])));
    if (d.chance(0.2)) out.push(f(LSH_K, 1));
  }
  return closed(d, out, on, out.length + TAIL, 0.5);
}
