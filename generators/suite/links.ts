/** links: denied and failed requests anywhere in chains, with drain, async and skipped completions. */
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_RESTRICTION, IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import { restriction } from '../args.ts';
import type { Builder } from '../builder.ts';
import { bigAtTheEnd } from './big-requests.ts';
import { messagesTo } from './messages.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing } from '../builder.ts';
import type { Weighted } from '../draw.ts';
import { roleTable } from '../roles.ts';
import { exactly } from './exactly.ts';
import { drawResources, registerFiles } from './register-calls.ts';

/** Opcodes whose requests say how they ended without acting on anything. */
const PLAIN = [0, 0, 0, 18, 28, 45, 22, 23, 37] as const;

const S = IORING_SETUP;

/** Suite links. */
export const links: Suite = {
  weight: 2,
  opening: 5,
  draw,
  planned: [
    bigAtTheEnd,
    messagesTo(0, 0),
    drainWithinChains,
    messagesTo(0, S.SINGLE_ISSUER | S.DEFER_TASKRUN),
    messagesTo(0, 0, false),
    bigAtTheEnd,
    messagesTo(S.SINGLE_ISSUER | S.DEFER_TASKRUN, S.CQE32),
    messagesTo(0, S.R_DISABLED),
    messagesTo(S.SQPOLL, S.COOP_TASKRUN),
    messagesTo(S.CQE32, S.CQE_MIXED),
    messagesTo(S.SQE128, S.SINGLE_ISSUER | S.DEFER_TASKRUN | S.CQE32),
    messagesTo(0, S.SQPOLL),
    messagesTo(S.COOP_TASKRUN, S.SINGLE_ISSUER),
    messagesTo(S.IOPOLL, 0),
    messagesTo(0, S.IOPOLL),
  ],
};

function draw(b: Builder): void {
  const { d } = b;
  if (d.chance(0.12)) {
    drawDrained(b);
    return;
  }
  if (d.chance(0.08)) {
    drawMessages(b);
    return;
  }
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
  if (d.chance(0.2)) drawResources(b, 0, onRing(ring), crew);
  for (let n = d.int(1, 4); n > 0; n--) b.submit(0, ring, crew, d.int(8, 48));
}

const { IO_DRAIN, IO_LINK, IO_HARDLINK, ASYNC } = IOSQE;
/** How a request goes in where some drain; none skips its CQE, which would forbid it. */
const DRAINED: Weighted<number> = [
  [10, 0],
  [4, IO_DRAIN],
  [4, IO_LINK],
  [1, IO_HARDLINK],
  [1, IO_DRAIN | IO_LINK],
  [1, ASYNC],
];

/** Requests that take a moment, and drains among them: alone, at the head of a chain, and within one. */
function drawDrained(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d) | IORING_SETUP.SUBMIT_ALL;
  const crew = b.crew({ opcodes: [OP.NOP, OP.TIMEOUT], count: 2, setup_flags: flags, links: 0, flags: 0 });
  const ring = b.ring(0, flags, 64);
  if (ring === undefined) return;
  const table = roleTable(b.abi);
  const slow = (table.byOpcode[OP.TIMEOUT] ?? []).filter(({ prepared, form }) => prepared && form.name !== 'multishot');
  // Only what does not depend on whether the request was sent to a worker: user_data.
  const on = crew.contexts(OP.NOP);
  if (d.chance(0.8)) b.filter(0, onRing(ring), OP.NOP, exactly(d, d.pick(on.contexts), [d.below(2)], d.chance(0.3)));
  for (let n = d.int(1, 2); n > 0; n--) {
    const sqes = Array.from({ length: d.int(4, 24) }, () =>
      crew.sqe(d.chance(0.3) ? d.pick(slow) : table.nop, d.weighted(DRAINED)),
    );
    b.push({ do: 'submit', task: 0, ring, sqes });
  }
}

/** A drain at every place of a chain, behind a request that takes a moment: the whole chain waits for that. */
function drainWithinChains(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d) | S.SUBMIT_ALL;
  const crew = b.crew({ opcodes: [OP.NOP, OP.TIMEOUT], count: 2, setup_flags: flags, links: 0, flags: 0 });
  const ring = b.ring(0, flags, 64, {});
  const table = roleTable(b.abi);
  const slow = (table.byOpcode[OP.TIMEOUT] ?? []).filter(({ prepared, form }) => prepared && form.name !== 'multishot');
  if (ring === undefined || slow.length === 0) return;
  for (const length of d.shuffle([2, 3, 4, 2, 3]))
    for (let at = 0; at < length; at++) {
      const link = d.pick([IO_LINK, IO_LINK, IO_HARDLINK]);
      const chain = Array.from({ length }, (_, i) =>
        crew.sqe(table.nop, (i + 1 < length ? link : 0) | (i === at ? IO_DRAIN : 0)),
      );
      const behind = d.chance(0.5) ? [crew.sqe(table.nop)] : [];
      b.push({ do: 'submit', task: 0, ring, sqes: [crew.sqe(d.pick(slow)), ...chain, ...behind] });
    }
}

/** Two rings that send each other messages and direct descriptors; one of them may not take any yet. */
function drawMessages(b: Builder): void {
  const { d } = b;
  const flags = [drawRingFlags(d), drawRingFlags(d, d.chance(0.2) ? IORING_SETUP.R_DISABLED : 0)] as const;
  const rings = flags.map((setup) => b.ring(0, setup, 64));
  for (const ring of rings) if (ring !== undefined && d.chance(0.8)) registerFiles(b, 0, onRing(ring));
  const crew = b.crew({ opcodes: [OP.MSG_RING], count: 2, forms: 14, links: d.pick([0, 0.2]) });
  if (d.chance(0.4) && rings[0] !== undefined) b.drawFilter(0, onRing(rings[0]), crew, OP.MSG_RING, { share: 0.7 });
  for (let n = d.int(1, 3); n > 0; n--) {
    const from = d.below(2);
    b.submit(0, rings[from], crew, d.int(4, 14));
    const to = rings[1 - from];
    if (to !== undefined) b.push({ do: 'reap', task: 0, ring: to });
  }
}
