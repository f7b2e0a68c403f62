/** Ring descriptors that are registered with the calling task. */
import { Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { reply, bad, unknown } from './spec.ts';
import { after, argBytes, call, struct, UNMAPPED } from './ready-made.ts';
import { rule } from '../rule.ts';
import { E } from '../uapi/constants.ts';
import { FD, RING_FD, isRingFd } from '../scenario/layout.ts';
import type { Fields, RegisterView } from './argument.ts';
import type { Answer, RingCall, RegisterFamily } from './spec.ts';

const RING_FDS = rule(
  'register.ring-fds',
  'man',
  'Ring descriptors are registered with the calling task, in slots 0 to 15; a slot in use is -EBUSY.',
  'io_uring_register(2), IORING_REGISTER_RING_FDS',
);

/** Ring descriptors that one task may have registered. */
export const MAX_RING_FDS = 16;

/** Any free slot will do. */
const ANY_SLOT = 0xffff_ffff;

/** One struct io_uring_rsrc_update: enters it in `table`, or the errno (positive), or why nobody knows. */
function enter(view: RegisterView, table: Map<number, number>, up: Fields): number | Open {
  if (up.u32(4) !== 0) return E.INVAL;
  const wanted = up.u32(0);
  if (wanted !== ANY_SLOT && wanted >= MAX_RING_FDS) return E.INVAL;
  const fd = Number(BigInt.asIntN(32, up.u64(8)));
  const target = view.ringAt(fd);
  if (target === undefined) {
    const file = isRingFd(fd) ? 'closed' : view.sandbox.file(fd);
    if (file === 'unknown') return WORLD['descriptor.not-ours'];
    return file === 'closed' ? E.BADF : E.OPNOTSUPP;
  }
  const slots = wanted === ANY_SLOT ? Array.from({ length: MAX_RING_FDS }, (_, i) => i) : [wanted];
  const free = slots.find((slot) => !table.has(slot));
  if (free === undefined) return E.BUSY;
  table.set(free, target.slot);
  return 0;
}

function ringFds({ arg, nr_args, view, ring }: RingCall): Answer {
  if (nr_args === 0 || nr_args > MAX_RING_FDS) return bad(E.INVAL);
  const table = new Map(view.registered);
  let errno = 0;
  let done = 0;
  for (; done < nr_args; done++) {
    const up = arg.read(done * 16, 16);
    if (Open.is(up)) return unknown(ring, up);
    const entered = up === 'fault' ? E.FAULT : enter(view, table, up);
    if (Open.is(entered)) return unknown(ring, entered);
    // Which slot it got could not be told: it is given back.
    errno = entered === 0 && !arg.writable ? E.FAULT : entered;
    if (errno !== 0) break;
  }
  return reply(done > 0 ? done : -errno, () => {
    for (const [index, slot] of table) view.registered.set(index, slot);
  });
}

function unregisterRingFds({ arg, nr_args, view, ring }: RingCall): Answer {
  if (nr_args === 0 || nr_args > MAX_RING_FDS) return bad(E.INVAL);
  // A task that never used io_uring has nothing to give back, whatever the entries say.
  if (!view.used_io_uring) return reply(0);
  const gone: number[] = [];
  let errno = 0;
  for (let i = 0; i < nr_args && errno === 0; i++) {
    const up = arg.read(i * 16, 16);
    if (Open.is(up)) return unknown(ring, up);
    if (up === 'fault') errno = E.FAULT;
    else if (up.u32(4) !== 0 || up.u64(8) !== 0n || up.u32(0) >= MAX_RING_FDS) errno = E.INVAL;
    else gone.push(up.u32(0));
  }
  return reply(gone.length > 0 ? gone.length : -errno, () => {
    for (const index of gone) view.registered.delete(index);
  });
}

const eventfd = { fixtures: ['eventfd'] } as const;

/** The opcodes of this family. */
export const ringDescriptors = {
  /** IORING_REGISTER_RING_FDS: registers ring descriptors with the calling task. */
  REGISTER_RING_FDS: {
    opcode: 20,
    since: '5.18',
    rule: RING_FDS,
    usesIoUring: true,
    takesReadOnly: true,
    onRing: ringFds,
    forms: [
      call('any-slot', 1, { ...argBytes(struct([4, -1], [4, 0], [8, RING_FD])), rings: [0] }),
      call('slot-3', 1, { ...argBytes(struct([4, 3], [4, 0], [8, RING_FD])), rings: [0] }),
      call('slot-16', 1, { ...argBytes(struct([4, 16], [4, 0], [8, RING_FD])), rings: [0] }),
      call('not-a-ring', 1, { ...argBytes(struct([4, -1], [4, 0], [8, FD.eventfd])), ...eventfd }),
      call('closed', 1, argBytes(struct([4, -1], [4, 0], [8, FD.closed]))),
      call('reserved', 1, argBytes(struct([4, -1], [4, 1], [8, RING_FD]))),
      call('none', 0, argBytes(new Uint8Array(16))),
      call('too-many', 17, argBytes(new Uint8Array(17 * 16))),
      call('unmapped', 1, UNMAPPED),
      call('slot-3-twice', 2, {
        ...argBytes(after(struct([4, 3], [4, 0], [8, RING_FD]), struct([4, 3], [4, 0], [8, RING_FD]))),
        rings: [0],
      }),
      call('two', 2, {
        ...argBytes(after(struct([4, -1], [4, 0], [8, RING_FD]), struct([4, -1], [4, 0], [8, RING_FD]))),
        rings: [0],
      }),
    ],
  },

  /** IORING_UNREGISTER_RING_FDS: gives ring descriptors back. */
  UNREGISTER_RING_FDS: {
    opcode: 21,
    since: '5.18',
    rule: RING_FDS,
    onRing: unregisterRingFds,
    forms: [
      call('slot-3', 1, argBytes(struct([4, 3], [4, 0], [8, 0]))),
      call('data-set', 1, argBytes(struct([4, 3], [4, 0], [8, 1]))),
      call('slot-16', 1, argBytes(struct([4, 16], [4, 0], [8, 0]))),
      call('reserved', 1, argBytes(struct([4, 3], [4, 1], [8, 0]))),
      call('none', 0, argBytes(new Uint8Array(16))),
      call('too-many', 17, argBytes(new Uint8Array(17 * 16))),
      call('unmapped', 1, UNMAPPED),
    ],
  },
} satisfies RegisterFamily;
