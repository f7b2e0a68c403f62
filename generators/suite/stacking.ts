/** stacking: stacks of filters 1 to 64 deep, and planned ones of thousands, on rings and on the task. */
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { aroundPowers } from '../program/large.ts';
import { deepStack, inheritedStack } from './large.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';

/** Suite stacking. */
export const stacking: Suite = {
  weight: 2,
  opening: 4,
  draw,
  planned: [
    ...[128, 257, 511, 1024, 2049].map(deepStack),
    inheritedStack(513, 'fork'),
    inheritedStack(256, 'thread'),
    deepStack(4096),
    inheritedStack(1025, 'clone_vm'),
    // From here on only longer runs have them.
    ...Array.from({ length: 13 }, () => draw),
    ...aroundPowers(64, 4096).map(deepStack),
    ...(['vfork', 'clone3', 'fork', 'thread', 'clone_vm'] as const).flatMap((how, n) =>
      aroundPowers(64, 2048)
        .filter((_, i) => i % 5 === n)
        .map((depth) => inheritedStack(depth, how)),
    ),
  ],
};

/** Deep stacks on one opcode or shallow ones on several; requests between the registrations. */
function draw(b: Builder): void {
  const { d } = b;
  const depth = d.chance(0.03) ? 64 : d.geometric(1, 64, 8);
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(1, depth > 16 ? 2 : 4), setup_flags: flags });
  b.oddRing(0, crew);
  const tall = crew.opcodes[0]!;
  // So that about half of the requests pass the whole stack.
  const share = Math.max(0.5, 0.5 ** (1 / depth));
  const opcode = (): number => (d.chance(0.75) ? tall : d.pick(crew.opcodes));
  const onTask = d.chance(0.5) ? d.int(0, depth) : 0;
  for (let n = 0; n < onTask; n++) b.drawFilter(0, TASK, crew, opcode(), { share });
  const ring = b.ring(0, flags);
  if (ring === undefined) return;
  const index = b.registered(0, ring);
  const between = d.chance(0.5);
  for (let n = onTask; n < depth; n++) {
    if (between && d.below(depth) < 3) b.submit(0, ring, crew, d.int(4, 16));
    b.drawFilter(0, onRing(ring, index), crew, opcode(), { share });
  }
  b.submit(0, ring, crew, d.int(24, 64), index);
  if (d.chance(0.5)) b.submit(0, ring, crew, d.int(24, 64), index);
  if (d.chance(0.3)) {
    // A second ring has what the task had when it was created, and no more.
    const other = b.ring(0, flags);
    b.submit(0, other, crew, d.int(8, 32));
  }
}
