/** evaluation: one program, many requests. */
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import { drawResources } from './register-calls.ts';

/** Suite evaluation. */
export const evaluation: Suite = { weight: 3, opening: 6, draw };

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
  if (d.chance(0.2)) drawResources(b, 0, on);
  for (let n = d.int(1, 3); n > 0; n--) {
    b.submit(0, ring, crew, d.int(24, 64), index);
    if (n > 1 && d.chance(0.4)) b.drawFilter(0, on, crew, d.pick(crew.opcodes), { share: 0.7 });
  }
}
