/** evaluation: one program, many requests. */
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import type { Instruction } from '../../oracle/bpf/instructions.ts';
import { BPF_MAXINSNS } from '../../oracle/bpf/program.ts';
import { aroundPowers, REPEATABLE } from '../program/large.ts';
import { COMPUTING } from '../program/table.ts';
import { fullOf, jumpsOf, longestJump, scratchWords, tables } from './large.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import { drawResources } from './register-calls.ts';

const DIV_X = 0x3c;
const LD_K = 0x00;
const QUARTERS: readonly number[] = [0, 1, 2, 3];
const quarter = (n: number): readonly Instruction[] => REPEATABLE.filter((_, i) => i % 4 === n);

/** Suite evaluation. */
export const evaluation: Suite = {
  weight: 3,
  opening: 6,
  draw,
  planned: [
    ...QUARTERS.map((n) => tables(COMPUTING.slice(n * 7, n * 7 + 7), 2400)),
    ...QUARTERS.map((n) => fullOf(quarter(n), 1025 - n)),
    scratchWords(8),
    jumpsOf([...aroundPowers(2, 256, 255).filter((n) => n > 1), 254, ...aroundPowers(512, 1024)], {}, LD_K),
    jumpsOf([2047, 1900, 2048, 1900, 2049, 1900, 4060], {}, LD_K),
    longestJump(DIV_X),
    longestJump(LD_K),
    // From here on only longer runs have them.
    ...Array.from({ length: 19 }, () => draw),
    ...QUARTERS.map((n) => tables(COMPUTING.slice(n * 7, n * 7 + 7), BPF_MAXINSNS)),
    ...QUARTERS.map((n) => fullOf(quarter(n), BPF_MAXINSNS - n)),
  ],
};

/** Programs on one or a few opcodes; batches whose user_data, flags and payloads they look at. */
function draw(b: Builder): void {
  const { d } = b;
  const onTask = d.chance(0.35);
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(1, 5), setup_flags: flags });
  b.oddRing(0, crew);
  const register = (on: typeof TASK): void => {
    for (const opcode of crew.opcodes) {
      if (!d.chance(0.85)) continue;
      for (let n = d.chance(0.8) ? 1 : 2; n > 0; n--) b.drawFilter(0, on, crew, opcode, n === 2 ? { share: 0.8 } : {});
    }
  };
  if (onTask) register(TASK);
  const ring = b.ring(0, flags);
  if (ring === undefined) return;
  const index = b.registered(0, ring);
  const on = onRing(ring, index);
  if (!onTask) register(on);
  if (d.chance(0.2)) drawResources(b, 0, on, crew);
  for (let n = d.int(1, 3); n > 0; n--) {
    b.submit(0, ring, crew, d.int(24, 64), index);
    if (n > 1 && d.chance(0.4)) b.drawFilter(0, on, crew, d.pick(crew.opcodes), { share: 0.7 });
  }
}
