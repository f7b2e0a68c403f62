/** Small fast-check arbitraries for the tests of this folder; the real generators live in `generators/`. */
import * as fc from 'fast-check';
import { INSTRUCTIONS } from '../bpf/instructions.ts';
import type { Instruction } from '../bpf/instructions.ts';
import type { Program, SockFilter } from '../bpf/program.ts';

/** u32 values that sit on edges more often than not. */
export const u32: fc.Arbitrary<number> = fc.oneof(
  fc.constantFrom(
    0,
    1,
    2,
    3,
    4,
    5,
    15,
    16,
    17,
    31,
    32,
    33,
    36,
    39,
    40,
    44,
    63,
    64,
    0xff,
    0x7fffffff,
    0x80000000,
    0xfffff000,
    0xfffff004,
    0xfffffffe,
    0xffffffff,
  ),
  fc.nat(20),
  fc.integer({ min: 0, max: 0xffffffff }),
);

const knownCode = fc.constantFrom(...INSTRUCTIONS.map((i) => i.code));

/** Any instruction at all, known codes and small jumps preferred. */
const anyFilter: fc.Arbitrary<SockFilter> = fc.record({
  code: fc.oneof(
    { weight: 8, arbitrary: knownCode },
    { weight: 1, arbitrary: fc.nat(0xff) },
    { weight: 1, arbitrary: fc.nat(0xffff) },
  ),
  jt: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(0xff)),
  jf: fc.oneof(fc.constant(0), fc.nat(4), fc.nat(0xff)),
  k: u32,
});

/** Any program, also invalid and empty ones. */
export const anyProgram: fc.Arbitrary<Program> = fc.array(anyFilter, { maxLength: 24 });

const WHITELISTED = INSTRUCTIONS.filter((i) => i.whitelisted);
const DIVISIONS = new Set(['div', 'mod']);
const SHIFTS = new Set(['lsh', 'rsh']);

/** A constant that suits the instruction; `room` is the number of instructions a jump may skip. */
function constantFor({ operand, mnemonic }: Instruction, raw: number, room: number, ctxSize: number): number {
  if (operand === 'mem') return raw % 4;
  if (operand === 'abs') return (raw % (ctxSize / 4)) * 4;
  if (operand === 'label') return raw % room;
  if (operand !== 'k') return 0;
  if (DIVISIONS.has(mnemonic)) return raw === 0 ? 7 : raw;
  if (SHIFTS.has(mnemonic)) return raw % 32;
  return raw;
}

/**
 * Programs that break no rule but, perhaps, the scratch rules: it may read
 * words that are unwritten. Whitelisted instructions only, or a `only` subset.
 */
export function nearlyValid(maxLength: number, only: readonly Instruction[] = WHITELISTED): fc.Arbitrary<Program> {
  const draft = fc.record({ row: fc.constantFrom(...only), raw: u32, jt: fc.nat(0xff), jf: fc.nat(0xff) });
  const last = fc.record({
    row: fc.constantFrom(...INSTRUCTIONS.filter((i) => i.code === 0x06 || i.code === 0x16)),
    raw: u32,
    jt: fc.constant(0),
    jf: fc.constant(0),
  });
  return fc.tuple(fc.array(draft, { maxLength: maxLength - 1 }), last).map(([drafts, end]) => {
    const all = [...drafts, end];
    return all.map(({ row, raw, jt, jf }, pc) => {
      const room = Math.max(1, all.length - pc - 1);
      const jumps =
        row.jump === undefined ? { jt: 0, jf: 0 } : { jt: jt % Math.min(room, 4), jf: jf % Math.min(room, 4) };
      return { code: row.code, k: constantFor(row, raw, Math.min(room, 4), 40), ...jumps };
    });
  });
}

/** Ten context words. */
export const anyContext: fc.Arbitrary<Uint32Array> = fc
  .array(u32, { minLength: 10, maxLength: 10 })
  .map((words) => Uint32Array.from(words));
