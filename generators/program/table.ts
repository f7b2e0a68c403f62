/**
 * Programs that check themselves: one instruction, every pair of operands at the edges of 32-bit arithmetic, and the
 * result that the oracle's arithmetic gives. One that is off by a bit makes the program deny.
 */
import { INSTRUCTIONS } from '../../oracle/bpf/instructions.ts';
import type { Instruction } from '../../oracle/bpf/instructions.ts';
import { BPF_MAXINSNS } from '../../oracle/bpf/program.ts';
import type { Program, SockFilter } from '../../oracle/bpf/program.ts';
import type { Draw } from '../draw.ts';

const f = (code: number, k = 0, jt = 0, jf = 0): SockFilter => ({ code, jt, jf, k: k >>> 0 });
const LD_K = 0x00;
const LDX_K = 0x01;
const JEQ_K = 0x15;
const RET_K = 0x06;
const TXA = 0x87;

/** Operands at which arithmetic, its sign, or the length of an encoded constant changes. */
const OPERANDS: readonly number[] = [
  0, 1, 2, 3, 7, 8, 15, 16, 31, 32, 33, 63, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0xff_ff00,
  0x1234_5678, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xaaaa_5555, 0xffff_0000, 0xffff_ff7f, 0xffff_ff80, 0xffff_fffe,
  0xffff_ffff,
];

/** Every instruction that computes or compares. */
export const COMPUTING: readonly Instruction[] = INSTRUCTIONS.filter(
  (row) => row.whitelisted && (row.alu !== undefined || row.jump !== undefined),
);

/** Whether the kernel takes the operand, and running goes on behind it. */
function goesOn({ mnemonic, operand }: Instruction, b: number): boolean {
  if (mnemonic === 'div') return b !== 0;
  return operand !== 'k' || b < 32 || (mnemonic !== 'lsh' && mnemonic !== 'rsh');
}

/** One check: computes, and goes on where the result is right; else the program denies. */
function check(row: Instruction, a: number, b: number): SockFilter[] {
  const operand = row.operand === 'x' ? [f(LDX_K, b)] : [];
  const k = row.operand === 'k' ? b : 0;
  if (row.jump !== undefined) {
    const taken = row.jump(a, b);
    return [f(LD_K, a), ...operand, f(row.code, k, taken ? 1 : 0, taken ? 0 : 1), f(RET_K, 0)];
  }
  return [f(LD_K, a), ...operand, f(row.code, k), f(JEQ_K, row.alu!(a, b), 1, 0), f(RET_K, 0)];
}

/** Operands around `a` first: comparisons are decided there. */
function pairs(d: Draw, row: Instruction, count: number): readonly (readonly [number, number])[] {
  const out: (readonly [number, number])[] = [];
  const more = [d.u32(), d.u32(), (1 << d.below(32)) >>> 0, d.edge32()];
  const all = [...OPERANDS, ...more];
  for (const a of all) {
    const near = row.jump === undefined ? all : [a, (a + 1) >>> 0, (a - 1) >>> 0, (a ^ 0x8000_0000) >>> 0, ...all];
    for (const b of row.mnemonic === 'neg' ? [0] : near) if (goesOn(row, b)) out.push([a, b]);
  }
  return d.sample(out, count);
}

/** Denies where A or X is not 0 when it begins: whatever ran before, and in whichever way. */
export function startProgram(d: Draw): Program {
  const zero = [f(JEQ_K, 0, 1, 0), f(RET_K, 0)];
  return [...zero, f(TXA), ...zero, f(RET_K, d.pick([1, 0x100, 0x8000_0000]))];
}

/** A program of at most `most` instructions that checks pairs of operands of one instruction, as many as fit. */
export function tableProgram(d: Draw, row: Instruction, most: number = BPF_MAXINSNS): Program {
  const size = check(row, 0, 1).length;
  const out: SockFilter[] = [];
  for (const [a, b] of pairs(d, row, Math.floor((most - 1) / size))) out.push(...check(row, a, b));
  out.push(f(RET_K, d.pick([1, 0x100, 0x8000_0000])));
  return out;
}
