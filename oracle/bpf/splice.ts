/** Inserting and removing instructions with the jumps kept on their targets. */
import type { Program, SockFilter } from './program.ts';

const JA = 0x05;

/** True for jeq, jgt, jge, jset in both forms. */
export function isConditional(code: number): boolean {
  return (code & 0x07) === 0x05 && code !== JA && code < 0x50;
}

/**
 * Program with the instructions of [from, to) replaced by `by`. Jumps into the removed part land on
 * the first instruction behind it; a conditional jump that grows beyond 255 is cut to 255.
 */
export function splice(program: Program, from: number, to: number, by: readonly SockFilter[]): SockFilter[] {
  const shift = by.length - (to - from);
  const place = (target: number): number => (target <= from ? target : target < to ? from + by.length : target + shift);
  const moved = (pc: number): number => (pc < from ? pc : pc + shift);
  const out: SockFilter[] = [];
  program.forEach((filter, pc) => {
    if (pc === from) out.push(...by);
    if (pc >= from && pc < to) return;
    const at = moved(pc);
    const offset = (old: number): number => Math.max(0, place(pc + 1 + old) - at - 1);
    if (isConditional(filter.code))
      out.push({ ...filter, jt: Math.min(255, offset(filter.jt)), jf: Math.min(255, offset(filter.jf)) });
    else if (filter.code === JA && filter.k < program.length) out.push({ ...filter, k: offset(filter.k) });
    else out.push(filter);
  });
  if (from >= program.length) out.push(...by);
  return out;
}
