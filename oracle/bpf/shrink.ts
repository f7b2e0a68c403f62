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
  for (let pc = 0; pc < few; pc++) {
    const { code, jt, jf } = program[pc]!;
    if (isConditional(code)) {
      // One branch only.
      yield splice(program, pc, pc + 1, jt === 0 ? [] : [{ code: 0x05, jt: 0, jf: 0, k: jt }]);
      yield splice(program, pc, pc + 1, jf === 0 ? [] : [{ code: 0x05, jt: 0, jf: 0, k: jf }]);
    }
    for (const smaller of smallerFields(program[pc]!))
      yield program.map((filter, i) => (i === pc ? { ...filter, ...smaller } : filter));
  }
}

/** Smaller values of an instruction's fields, one field at a time. */
function* smallerFields({ jt, jf, k }: SockFilter): Generator<Partial<SockFilter>> {
  if (k > 0) yield { k: 0 };
  if (k > 1) yield { k: 1 };
  for (let part = Math.floor(k / 16); part > 1; part = Math.floor(part / 16)) yield { k: part };
  if (jt !== 0) yield { jt: 0 };
  if (jf !== 0) yield { jf: 0 };
}
