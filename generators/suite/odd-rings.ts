/** Rings that are odd from the start: that cannot be made after all, have no descriptor, or are waited for. */
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { RING_FD } from '../../oracle/scenario/layout.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import { IORING_RESTRICTION, IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import { EPOLL_EVENT } from '../../oracle/world/arena.ts';
import { FD } from '../../oracle/scenario/layout.ts';
import { restriction } from '../args.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Builder } from '../builder.ts';
import type { Crew } from '../crew.ts';
import { ringFdUpdate } from '../registers.ts';

const S = IORING_SETUP;
const { REGISTER_RING_FDS, UNREGISTER_RING_FDS } = IORING_REGISTER;

/** What a set-up may have to do without. */
const MISSING = ['params', 'writable_params', 'descriptor', 'file'] as const;

/** A task with a few rules, and a crew for its requests. */
function bound(b: Builder, flags: number): Crew {
  const { d } = b;
  const crew = b.crew({ count: d.int(1, 3), setup_flags: flags, flags: 0 });
  for (let n = d.int(1, 3); n > 0; n--) b.drawFilter(0, TASK, crew, d.pick(crew.opcodes), { share: 0.6 });
  return crew;
}

/** Rings that fail after they got the rules of their maker; the maker's are as before, and so is its next ring. */
function failedRings(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d);
  const crew = bound(b, flags);
  if (d.chance(0.5)) b.restrict(0, TASK, allOf(crew));
  for (const without of d.shuffle(MISSING)) {
    const ring = b.ring(0, d.chance(0.7) ? flags : drawRingFlags(d), 64, { without });
    if (ring !== undefined && d.chance(0.3)) b.submit(0, ring, crew, 4);
  }
  b.submit(0, b.ring(0, flags, 64), crew, d.int(8, 16));
  b.push({ do: 'drop_cap_sys_admin', task: 0 });
  for (const without of d.shuffle(MISSING.slice(1))) b.ring(0, flags, 64, { without });
  b.drawFilter(0, TASK, crew, d.pick(crew.opcodes), { share: 0.6 });
  const child = b.spawn(0, d.pick(['fork', 'thread', 'clone3']));
  if (child !== undefined) b.ring(child, flags, 64, { without: d.pick(MISSING) });
  for (const task of child === undefined ? [0] : [0, child])
    b.submit(task, b.ring(task, flags, 64), crew, d.int(8, 16));
}

/** Restrictions that allow what the crew asks for, all register calls of the feature, and all flags. */
function allOf(crew: Crew): ReturnType<typeof restriction>[] {
  return [
    ...crew.opcodes.map((opcode) => restriction(IORING_RESTRICTION.SQE_OP, opcode)),
    restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, 0x7f),
    restriction(IORING_RESTRICTION.REGISTER_OP, IORING_REGISTER.REGISTER_BPF_FILTER),
  ];
}

/** Rings that have an index in the registered ones and no descriptor: bound as any, and only their maker's. */
function onlyRegistered(b: Builder): void {
  const { d } = b;
  const flags = (drawRingFlags(d) | S.NO_MMAP | S.REGISTERED_FD_ONLY) >>> 0;
  const crew = bound(b, flags);
  const make = (): number | undefined => b.ring(0, flags, 64, { memory: true });
  const first = make();
  b.submit(0, first, crew, d.int(8, 24), 0);
  b.drawFilter(0, TASK, crew, d.pick(crew.opcodes), { share: 0.6 });
  const second = make();
  b.drawFilter(0, { kind: 'registered', index: d.below(2) }, crew, d.pick(crew.opcodes), { share: 0.6 });
  for (const [index, ring] of [first, second].entries()) b.submit(0, ring, crew, d.int(8, 24), index);
  // Without a descriptor nobody else comes to it, and it ends with its index.
  const child = b.spawn(0, d.pick(['fork', 'thread', 'clone_vm']));
  if (child !== undefined) b.drawFilter(child, { kind: 'registered', index: 0 }, crew, d.pick(crew.opcodes), {});
  b.register(0, { kind: 'registered', index: 1 }, UNREGISTER_RING_FDS, 1, new Uint8Array(16));
  b.submit(0, first, crew, 4, 0);
  b.submit(0, make(), crew, d.int(8, 16), 0);
  b.submit(0, second, crew, d.int(8, 16), 1);
}

/** Entries of the queue's array that name no SQE, before, between and behind those that do; and nothing at all. */
function droppedEntries(b: Builder): void {
  const { d } = b;
  const flags = (d.chance(0.5) ? S.SUBMIT_ALL : 0) | d.pick([0, S.SQE128, S.CQE32, S.COOP_TASKRUN]);
  const crew = bound(b, flags);
  const ring = b.ring(0, flags, 64);
  if (ring === undefined) return;
  b.push({ do: 'submit', task: 0, ring, sqes: [] });
  b.push({ do: 'submit', task: 0, ring, sqes: [], dropped: 0 });
  for (let n = 6; n > 0; n--) {
    const { sqes } = crew.batch(flags, d.int(1, 12), 60);
    const linked = d.chance(0.5) ? sqes.map(withLink) : sqes;
    b.push({ do: 'submit', task: 0, ring, sqes: linked, dropped: d.pick([0, sqes.length, d.int(0, sqes.length)]) });
  }
}

/** Chains of three. */
const withLink = (sqe: Sqe, i: number): Sqe =>
  i % 3 === 2 ? sqe : { ...sqe, flags: (sqe.flags ?? 0) | IOSQE.IO_LINK };

/** Somebody waits for events of a ring that is not enabled yet; the ring is bound as it would be without. */
function waitedFor(b: Builder): void {
  const { d } = b;
  const flags = (S.SINGLE_ISSUER | S.SUBMIT_ALL | (d.chance(0.7) ? S.DEFER_TASKRUN : 0)) >>> 0;
  const crew = bound(b, flags);
  b.fixtures.add('epoll');
  const watching = b.ring(0, 0, 64);
  const ring = b.ring(0, flags | S.R_DISABLED, 64);
  if (watching === undefined || ring === undefined) return;
  const watch = (op: number): void => {
    const sqe = { opcode: OP.EPOLL_CTL, fd: FD.epoll, off: BigInt(RING_FD + ring), len: op, addr: EPOLL_EVENT.in };
    b.push({ do: 'submit', task: 0, ring: watching, sqes: [{ ...sqe, user_data: 0x5754n }] });
  };
  watch(1);
  if (d.chance(0.5)) b.restrict(0, onRing(ring), allOf(crew));
  b.drawFilter(0, onRing(ring), crew, d.pick(crew.opcodes), { share: 0.6 });
  b.enable(0, ring);
  for (let n = 2; n > 0; n--) b.submit(0, ring, crew, d.int(4, 16));
  watch(2);
  b.submit(0, ring, crew, d.int(4, 16));
}

/** A ring that was to be registered, but where nobody could be told; and tables of those who never had a ring. */
function untold(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d);
  const crew = bound(b, flags);
  const ring = b.ring(0, flags, 64);
  if (ring === undefined) return;
  const index = d.below(16);
  const entry = (slot: number): Uint8Array => ringFdUpdate(b.abi, slot, index);
  const wide = new Uint8Array([...entry(ring), ...entry(ring)]);
  const call = { do: 'register', task: 0, on: onRing(ring), opcode: REGISTER_RING_FDS } as const;
  b.push({ ...call, nr_args: 1, bytes: entry(ring), read_only: true });
  b.submit(0, ring, crew, 4, index);
  b.push({ ...call, nr_args: 2, bytes: wide, read_only: true });
  b.push({ ...call, nr_args: 1, bytes: entry(ring) });
  b.submit(0, ring, crew, d.int(4, 16), index);
  // The queue that is filled is not that of the ring which is entered: it has nothing to submit.
  const other = b.ring(0, flags, 64);
  if (other !== undefined) b.push({ ...call, nr_args: 1, bytes: ringFdUpdate(b.abi, other, (index + 1) % 16) });
  b.submit(0, ring, crew, 4, (index + 1) % 16);
  const child = b.spawn(0, d.pick(['fork', 'clone_vm']));
  if (child === undefined) return;
  // Its own table is not there yet: there is nothing to give back.
  b.register(child, onRing(ring), UNREGISTER_RING_FDS, d.int(1, 16), new Uint8Array(256).fill(d.below(256)));
  b.submit(child, ring, crew, d.int(4, 16));
}

/** Requests of 128 bytes on mixed queues: without a second half, and where a polling thread takes a few at a time. */
function halves(b: Builder): void {
  const { d } = b;
  const flags = (S.SQE_MIXED | (d.chance(0.5) ? S.SUBMIT_ALL : 0)) >>> 0;
  const ring = b.ring(0, flags, 64);
  if (ring === undefined) return;
  let count = 0n;
  const some = (opcode: number, n: number): Sqe[] =>
    Array.from({ length: n }, () => ({ opcode, user_data: (0x128n << 32n) | ++count }));
  const batch = (): Sqe[] => d.shuffle([...some(OP.NOP, d.below(5)), ...some(OP.NOP128, d.below(4))]);
  for (let n = 3; n > 0; n--)
    b.push({ do: 'submit', task: 0, ring, sqes: [...batch(), ...some(OP.NOP128, 1)], halved: true });
  b.push({ do: 'submit', task: 0, ring, sqes: batch() });
  // Two rings with one polling thread: it takes eight entries of each in turn.
  const polled = (S.SQPOLL | S.SQE_MIXED | S.SUBMIT_ALL) >>> 0;
  const first = b.ring(0, polled, 64);
  const second = first === undefined ? undefined : b.ring(0, polled | S.ATTACH_WQ, 64, { wq_fd: RING_FD + first });
  if (first === undefined || second === undefined) return;
  for (const to of [first, second])
    b.push({ do: 'submit', task: 0, ring: to, sqes: [...some(OP.NOP, d.pick([1, 3, 5])), ...some(OP.NOP128, 8)] });
  b.push({ do: 'submit', task: 0, ring: first, sqes: [...batch(), ...some(OP.NOP128, 1)], halved: true });
}

/** All of these. */
export const ODD_RINGS = [failedRings, onlyRegistered, droppedEntries, waitedFor, untold, halves] as const;
