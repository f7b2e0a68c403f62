/** Smaller programs, best first. They stay plausible: jumps are kept on their targets. */
import { BPF_MAXINSNS } from './program.ts';
import type { Program, SockFilter } from './program.ts';
import { isConditional, splice } from './splice.ts';

const ret = (k: number): SockFilter => ({ code: 0x06, jt: 0, jf: 0, k });

/** Candidates; the caller drops those that are not smaller by its measure. */
export function* shrinkProgram(program: Program): Generator<Program> {
  const n = program.length;
  if (n > 1) {
    yield [ret(0)];
    yield [ret(1)];
  }
  // Runs of instructions: halves, quarters, ... single ones.
  for (let size = n >>> 1; size >= 1; size >>>= 1) {
    for (let from = 0; from + size <= n; from += size) yield splice(program, from, from + size, []);
  }
  const few = Math.min(n, BPF_MAXINSNS);
  const change = (pc: number, by: Partial<SockFilter>): Program =>
    program.map((filter, i) => (i === pc ? { ...filter, ...by } : filter));
  for (let pc = 0; pc < few; pc++) {
    const { code, jt, jf, k } = program[pc]!;
    if (isConditional(code)) {
      // One branch only.
      yield splice(program, pc, pc + 1, jt === 0 ? [] : [{ code: 0x05, jt: 0, jf: 0, k: jt }]);
      yield splice(program, pc, pc + 1, jf === 0 ? [] : [{ code: 0x05, jt: 0, jf: 0, k: jf }]);
    }
    if (k > 1) {
      yield change(pc, { k: 0 });
      yield change(pc, { k: 1 });
      for (let half = Math.floor(k / 16); half > 1; half = Math.floor(half / 16)) yield change(pc, { k: half });
    } else if (k === 1) yield change(pc, { k: 0 });
    if (jt !== 0) yield change(pc, { jt: 0 });
    if (jf !== 0) yield change(pc, { jf: 0 });
  }
}
