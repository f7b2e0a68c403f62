/** deny-rest: DENY_REST before, between and after filters, on rings and tasks, through inheritance. */
import { FILTER_DENY_REST } from '../args.ts';
import { everyOpcodeDenied, everyOpcodeFiltered } from './every-opcode.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import type { Target } from '../../oracle/scenario/types.ts';

/** Suite deny-rest. */
export const denyRest: Suite = {
  weight: 2,
  opening: 4,
  draw,
  planned: [
    everyOpcodeDenied(false),
    everyOpcodeDenied(true),
    everyOpcodeFiltered(true),
    everyOpcodeFiltered(false),
    everyOpcodeDenied(true),
  ],
};

function draw(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(3, 16), setup_flags: flags, flags: d.chance(0.7) ? 0 : 0.1 });
  b.oddRing(0, crew);
  let task = 0;
  let rings = 0;
  /** A few filters, one of them (at a random place) with DENY_REST. */
  const wave = (on: Target): void => {
    const count = d.int(1, 6);
    const at = d.below(count + 1);
    for (let n = 0; n < count; n++) {
      const rest = n === at ? FILTER_DENY_REST : 0;
      // Mostly on opcodes that take part: before DENY_REST this keeps them open, after it nothing does.
      const opcode = d.chance(0.75) ? d.pick(crew.opcodes) : d.chance(0.7) ? beside(b, crew) : d.below(b.abi.op_last);
      b.drawFilter(task, on, crew, opcode, { share: d.pick([0.5, 0.9, 1]) }, rest);
    }
  };
  if (d.chance(0.45)) wave(TASK);
  if (d.chance(0.2)) {
    const child = b.spawn(0, d.pick(['fork', 'thread', 'clone3']));
    if (child !== undefined) {
      task = child;
      if (d.chance(0.4)) wave(TASK);
    }
  }
  for (let n = d.int(1, 2); n > 0; n--) {
    const ring = b.ring(task, flags);
    if (ring === undefined) return;
    rings++;
    if (d.chance(0.3)) b.submit(task, ring, crew, d.int(8, 24));
    if (d.chance(0.75)) wave(onRing(ring));
    b.submit(task, ring, crew, d.int(24, 64));
    if (d.chance(0.35)) {
      wave(onRing(ring));
      b.submit(task, ring, crew, d.int(16, 48));
    }
  }
  if (task !== 0 && rings > 0 && d.chance(0.6)) {
    const ring = b.ring(0, flags);
    b.submit(0, ring, crew, d.int(16, 48));
  }
}

/** An opcode next to one that takes part, or one that differs from it in a single bit, or the first or the last. */
function beside(b: Builder, crew: Crew): number {
  const { d } = b;
  const last = b.abi.op_last - 1;
  const opcode = d.pick(crew.opcodes);
  return Math.min(last, d.pick([Math.max(0, opcode - 1), opcode + 1, opcode ^ (1 << d.below(7)), 0, last]));
}
