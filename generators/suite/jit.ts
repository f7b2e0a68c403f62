/** jit-vs-interpreter: long arithmetic, once compiled and once interpreted. */
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing } from '../builder.ts';

/** Suite jit-vs-interpreter. */
export const jitVsInterpreter: Suite = { weight: 1, opening: 2, draw };

function draw(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(1, 3), setup_flags: flags, flags: d.chance(0.5) ? 0 : 0.1 });
  const ring = b.ring(0, flags);
  if (ring === undefined) return;
  for (const opcode of crew.opcodes) {
    for (let n = d.int(1, 3); n > 0; n--) {
      const shape = d.weighted([
        [6, 'arithmetic'],
        [3, 'body'],
        [1, 'tree'],
        [0.1, 'long'],
      ] as const);
      b.drawFilter(0, onRing(ring), crew, opcode, { shape, share: 0.65 });
    }
    b.submit(0, ring, crew, d.int(16, 64));
  }
  b.submit(0, ring, crew, d.int(16, 64));
  b.jit = d.chance(0.4);
}
