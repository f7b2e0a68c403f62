/** Swarm testing of instructions: each program draws which of them it uses and how often. */
import { INSTRUCTIONS } from '../../oracle/bpf/instructions.ts';
import type { Instruction } from '../../oracle/bpf/instructions.ts';
import { Draw } from '../draw.ts';

/** Instructions a valid program may hold. */
const ACCEPTED: readonly Instruction[] = INSTRUCTIONS.filter((row) => row.whitelisted);

/** How often each kind of instruction is drawn when nothing is switched off. */
function baseWeight(row: Instruction): number {
  switch (row.class) {
    case 'ld':
      return row.operand === 'abs' ? 10 : row.operand === 'mem' ? 4 : 1;
    case 'ldx':
      return row.operand === 'k' ? 4 : 2;
    case 'st':
      return 5;
    case 'stx':
      return 3;
    case 'alu':
      return row.operand === 'x' ? 2 : 1.5;
    case 'jmp':
      return row.operand === 'label' ? 1.5 : 2;
    case 'ret':
      return 0.15;
    case 'misc':
      return 3;
  }
}

const BASE: readonly number[] = ACCEPTED.map(baseWeight);

/** A table from which one instruction is drawn in constant time. */
export type Mix = readonly Instruction[];

/** Mixes are made once: making one costs as much as a program. */
const MIXES: readonly Mix[] = Array.from({ length: 256 }, (_, n) => makeMix(new Draw(n, 0x5eed, 0, 0)));

/** Draws a mix: some families of instructions are off, some are in favour. */
export function drawMix(d: Draw): Mix {
  return d.pick(MIXES);
}

function makeMix(d: Draw): Mix {
  const family = new Map<string, number>();
  const factor = (name: string): number => {
    let value = family.get(name);
    if (value === undefined) {
      value = d.pick([0, 1, 1, 1, 3]);
      family.set(name, value);
    }
    return value;
  };
  const table: Instruction[] = [];
  ACCEPTED.forEach((row, i) => {
    const always = row.operand === 'abs' && row.class === 'ld';
    // A family is a class; arithmetic and jumps are switched one mnemonic at a time.
    const name = row.class === 'alu' || row.class === 'jmp' ? row.mnemonic : row.operand === 'mem' ? 'mem' : row.class;
    const weight = BASE[i]! * (always ? 1 : factor(name));
    for (let n = Math.round(weight * 4); n > 0; n--) table.push(row);
  });
  return table;
}

/** Only arithmetic and what feeds it: for comparing the JIT with the interpreter. */
export const ARITHMETIC: Mix = ACCEPTED.flatMap((row) => {
  const weight =
    row.class === 'alu'
      ? 6
      : row.class === 'ret' || row.class === 'jmp'
        ? 0
        : row.operand === 'abs'
          ? 16
          : row.class === 'misc' || row.operand === 'mem'
            ? 4
            : 2;
  return new Array<Instruction>(weight).fill(row);
});
