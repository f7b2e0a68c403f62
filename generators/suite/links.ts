/** links: denied and failed requests anywhere in chains, with drain, async and skipped completions. */
import { IORING_RESTRICTION, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import { restriction } from '../args.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing } from '../builder.ts';
import { drawResources } from './register-calls.ts';

/** Opcodes whose requests say how they ended without acting on anything. */
const PLAIN = [0, 0, 0, 18, 28, 45, 22, 23, 37] as const;

/** Suite links. */
export const links: Suite = { weight: 2, opening: 5, draw };

function draw(b: Builder): void {
  const { d } = b;
  const classic = d.chance(0.2);
  const flags = drawRingFlags(d, classic ? IORING_SETUP.R_DISABLED : 0);
  const crew = b.crew({
    opcodes: [0, d.pick(PLAIN)],
    count: d.int(2, 5),
    setup_flags: flags,
    links: d.pick([0.2, 0.4, 0.6, 0.8]),
    flags: d.pick([0, 0, 0.1, 0.25]),
    forms: 10,
  });
  b.oddRing(0, crew);
  const ring = b.ring(0, flags);
  if (ring === undefined) return;
  const share = d.pick([0.4, 0.6, 0.75, 0.9]);
  for (const opcode of crew.opcodes) if (d.chance(0.7)) b.drawFilter(0, onRing(ring), crew, opcode, { share });
  if (classic) {
    // All but one of the opcodes, all flags but one.
    const leftOut = d.pick(crew.opcodes);
    const list = crew.opcodes
      .filter((opcode) => opcode !== leftOut || d.chance(0.5))
      .map((opcode) => restriction(IORING_RESTRICTION.SQE_OP, opcode));
    list.push(restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, d.chance(0.5) ? 0x7f : 0x7f & ~(1 << d.below(7))));
    b.restrict(0, onRing(ring), list);
    b.enable(0, ring);
  }
  if (d.chance(0.2)) drawResources(b, 0, onRing(ring));
  for (let n = d.int(1, 4); n > 0; n--) b.submit(0, ring, crew, d.int(8, 48));
}
