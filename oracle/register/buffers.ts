/** Registered buffers. */
import { Open, OpenSet } from '../open-answer.ts';
import { REGISTER } from './open.ts';
import { reply, bad, takesNothing, unknown } from './spec.ts';
import { after, ARGS, argBytes, call, NULL, raw, u32s, u64s, UNMAPPED } from './ready-made.ts';
import { register2, update2, rsrcRegister, rsrcUpdate2 } from './resource-arrays.ts';
import { rule } from '../rule.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';
import { ARENA_END, FD, RING_FD, isRingFd } from '../scenario/layout.ts';
import { DATA, data } from '../world/arena.ts';
import type { Fields, RegisterView } from './argument.ts';
import type { Allowed } from '../scenario/prediction.ts';
import type { Answer, RingCall, RegisterFamily } from './spec.ts';
import type { RegisteredBuffer } from '../world/ring-resources.ts';

const BUFFERS = rule(
  'register.buffers',
  'man',
  'Buffers are registered once per ring; a second table is -EBUSY, a missing one -ENXIO, more than 1 GiB -EFAULT.',
  'io_uring_register(2), IORING_REGISTER_BUFFERS and ERRORS: EFAULT',
);

const CLONE_BUFFERS = rule(
  'register.clone-buffers',
  'man',
  'Cloning from a ring without buffers is -ENXIO, over existing ones -EBUSY.',
  'io_uring_clone_buffers(3)',
);

const MAX_BUFFERS = 1 << 14;

/** Longest buffer that io_uring_register(2) takes, in bytes. */
const LONGEST = 1n << 30n;
/** Pages whose addresses any guest has room for, in an array: 64 GiB. */
const FEW_PAGES = 1n << 24n;
/** Pages of which a kernel makes no array. */
const MANY_PAGES = 0xfff_ffffn;

/** Why a buffer is refused: what the call answers. */
interface Refused {
  readonly ret: Allowed;
}

const FAULT: Refused = { ret: -E.FAULT };

/** What kernels with a limit of 1 TiB make of a buffer that no task has: its pages are counted, then looked for. */
function longBuffer(addr: bigint, len: bigint): Refused {
  if (len > 1n << 40n) return { ret: -E.INVAL };
  const end = addr + len + 0xfffn;
  const pages = (end >> 12n) - (addr >> 12n);
  if (end >= 1n << 64n || pages > MANY_PAGES) return { ret: -E.OVERFLOW };
  return pages > FEW_PAGES ? { ret: REGISTER['register-call.buffers'].among(-E.FAULT, -E.NOMEM) } : FAULT;
}

/** One struct iovec as a registered buffer: undefined = sparse. */
function buffer(call: RingCall, address: bigint): RegisteredBuffer | undefined | Refused | Open {
  const iov = call.arg.readAt(address, 16);
  if (iov === 'fault') return FAULT;
  if (Open.is(iov)) return iov;
  const addr = iov.u64(0);
  const len = iov.u64(8);
  // Negative, as readv(2) counts.
  if (len >= 1n << 63n) return { ret: -E.INVAL };
  if (addr === 0n) return len === 0n ? undefined : FAULT;
  if (len > LONGEST) return call.view.decide('longBufferFaults') ? FAULT : longBuffer(addr, len);
  if (addr >= 1n << 63n || len === 0n) return FAULT;
  const { memory } = call.view.sandbox;
  const mapped = memory.mapped(addr, Number(len));
  if (Open.is(mapped)) return mapped;
  return mapped ? { addr, len: Number(len), memory } : FAULT;
}

/** Registers `count` buffers found at `address` (0: a sparse table). */
function registerBuffers(call: RingCall, address: bigint, count: number): Answer {
  const { ring } = call;
  if (ring.unknown) return unknown(ring, ring.unknown);
  if (ring.buffers !== undefined) return reply(-E.BUSY);
  if (count === 0 || count > MAX_BUFFERS) return bad(E.INVAL);
  const table: (RegisteredBuffer | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const one = address === 0n ? undefined : buffer(call, address + BigInt(i * 16));
    if (Open.is(one)) return unknown(ring, one);
    if (one !== undefined && 'ret' in one) return one;
    table.push(one);
  }
  return reply(0, () => {
    ring.buffers = table;
  });
}

function updateBuffers(call: RingCall, offset: number, address: bigint, count: number): Answer {
  const { ring } = call;
  if (ring.unknown) return unknown(ring, ring.unknown);
  if (offset + count > 0xffff_ffff) return reply(-E.OVERFLOW);
  const table = ring.buffers;
  if (table === undefined) return reply(-E.NXIO);
  if (offset + count > table.length) return reply(-E.INVAL);
  const replace: (RegisteredBuffer | undefined)[] = [];
  let ret: Allowed = 0;
  for (let i = 0; i < count; i++) {
    const one = buffer(call, address + BigInt(i * 16));
    if (Open.is(one)) return unknown(ring, one);
    if (one !== undefined && 'ret' in one) {
      ({ ret } = one);
      break;
    }
    replace.push(one);
  }
  if (replace.length === 0) return { ret };
  return reply(replace.length, () => {
    for (const [i, one] of replace.entries()) table[offset + i] = one;
  });
}

/** struct io_uring_clone_buffers.flags. */
const SRC_REGISTERED = 1;
const DST_REPLACE = 2;

/** Clones what the ring behind `source` has; parts of it are not modelled. */
function cloneFrom({ view, on, ring }: RingCall, reg: Fields, source: NonNullable<RegisterView['ring']>): Answer {
  // Whether the source's owner is asked for depends on the release.
  if ((source.setup_flags & IORING_SETUP.SINGLE_ISSUER) !== 0 && source.slot !== on.slot)
    return unknown(ring, REGISTER['register-call.clone-buffers']);
  if (reg.u32(4) !== 0 || !reg.isZero(8, 20)) return unknown(ring, REGISTER['register-call.clone-buffers']);
  const from = view.sandbox.common.ring(source.slot);
  if (from.unknown) return unknown(ring, from.unknown);
  const { buffers } = from;
  if (buffers === undefined) return reply(-E.NXIO);
  return reply(0, () => {
    ring.buffers = buffers.slice();
  });
}

function cloneBuffers(call: RingCall): Answer {
  const { arg, nr_args, view, ring } = call;
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const reg = arg.read(0, 32);
  if (reg === 'fault') return bad(E.FAULT);
  if (Open.is(reg)) return unknown(ring, reg);
  if (ring.unknown) return unknown(ring, ring.unknown);
  const flags = reg.u32(4);
  if ((flags & ~(SRC_REGISTERED | DST_REPLACE)) !== 0) return bad(E.INVAL);
  if ((flags & DST_REPLACE) === 0 && ring.buffers !== undefined) return reply(-E.BUSY);
  if (!reg.isZero(20, 32)) return bad(E.INVAL);
  if ((flags & SRC_REGISTERED) !== 0) return unknown(ring, REGISTER['register-call.clone-buffers']);
  const fd = reg.s32(0);
  const source = view.ringAt(fd);
  if (source !== undefined) return cloneFrom(call, reg, source);
  const open = isRingFd(fd) ? -E.BADF : view.sandbox.probeFd(fd);
  return OpenSet.is(open) ? unknown(ring, open.place) : reply(open === 0 ? -E.OPNOTSUPP : -E.BADF);
}

const TWO_BUFFERS = u64s(data(DATA.read), 0x100, data(0), 0x1000);

/** The opcodes of this family. */
export const buffers = {
  /** IORING_REGISTER_BUFFERS: registers buffers. */
  REGISTER_BUFFERS: {
    opcode: 0,
    since: '5.1',
    rule: BUFFERS,
    suppliesRequests: true,
    onRing: (call) => (call.arg.isNull ? bad(E.FAULT) : registerBuffers(call, call.arg.address, call.nr_args)),
    forms: [
      call('two', 2, argBytes(TWO_BUFFERS)),
      call('sparse', 1, argBytes(u64s(0, 0))),
      call('none', 0, argBytes(TWO_BUFFERS)),
      call('null', 1, NULL),
      call('unmapped', 1, UNMAPPED),
      call('bad-buffer', 1, argBytes(u64s(BigInt(ARENA_END), 16))),
      call('empty-buffer', 1, argBytes(u64s(data(0), 0))),
    ],
  },

  /** IORING_UNREGISTER_BUFFERS: gives the buffers back. */
  UNREGISTER_BUFFERS: {
    opcode: 1,
    since: '5.1',
    rule: BUFFERS,
    onRing: (call) => {
      const { ring } = call;
      if (!takesNothing(call)) return bad(E.INVAL);
      if (ring.unknown) return unknown(ring, ring.unknown);
      return ring.buffers === undefined
        ? reply(-E.NXIO)
        : reply(0, () => {
            ring.buffers = undefined;
          });
    },
    forms: [call('unregister', 0, NULL), call('with-count', 1, NULL), call('with-argument', 0, raw(ARGS))],
  },

  /** IORING_REGISTER_BUFFERS2: registers buffers, with tags or sparsely. */
  REGISTER_BUFFERS2: {
    opcode: 15,
    since: '5.13',
    rule: BUFFERS,
    suppliesRequests: true,
    onRing: (call) => register2(call, registerBuffers),
    forms: [
      call('sparse', 32, argBytes(rsrcRegister(4, 1, 0n))),
      call('one', 32, argBytes(after(rsrcRegister(1, 0, ARGS + 32n), u64s(data(0), 0x800)))),
      call('wrong-size', 33, argBytes(rsrcRegister(4, 1, 0n))),
    ],
  },

  /** IORING_REGISTER_BUFFERS_UPDATE: replaces registered buffers, with tags. */
  REGISTER_BUFFERS_UPDATE: {
    opcode: 16,
    since: '5.13',
    rule: BUFFERS,
    onRing: (call) => update2(call, updateBuffers),
    forms: [
      call('one', 32, argBytes(after(rsrcUpdate2(0, ARGS + 32n, 1), u64s(data(DATA.write), 0x100)))),
      call('far', 32, argBytes(after(rsrcUpdate2(0x4000, ARGS + 32n, 1), u64s(0, 0)))),
      call('null', 32, NULL),
    ],
  },

  /** IORING_REGISTER_CLONE_BUFFERS: takes over the buffers of another ring. */
  REGISTER_CLONE_BUFFERS: {
    opcode: 30,
    since: '6.12',
    rule: CLONE_BUFFERS,
    onRing: cloneBuffers,
    forms: [
      call('no-buffers', 1, { ...argBytes(u32s(RING_FD + 1, 0, 0, 0, 0, 0, 0, 0)), rings: [1] }),
      call('closed', 1, argBytes(u32s(FD.closed, 0, 0, 0, 0, 0, 0, 0))),
      call('unknown-flag', 1, argBytes(u32s(RING_FD, 4, 0, 0, 0, 0, 0, 0))),
      call('two', 2, argBytes(u32s(RING_FD, 0, 0, 0, 0, 0, 0, 0))),
      call('null', 1, NULL),
    ],
  },
} satisfies RegisterFamily;
