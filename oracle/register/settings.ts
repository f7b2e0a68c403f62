/** Settings of a ring: busy polling, clock, size, memory, zero-copy receive. */
import { Open } from '../open-answer.ts';
import { REGISTER } from './open.ts';
import { anyAnswer, bad, reply, unknown } from './spec.ts';
import { after, ARGS, argBytes, call, NULL, struct, u32s, u64s } from './ready-made.ts';
import { rule } from '../rule.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';
import type { Fields } from './argument.ts';
import type { Answer, RingCall, RegisterFamily } from './spec.ts';

const NAPI = rule(
  'register.napi',
  'man',
  'Busy-poll settings are taken and can be withdrawn.',
  'io_uring_register_napi(3)',
);

const CLOCK = rule(
  'register.clock',
  'man',
  'CLOCK_MONOTONIC and CLOCK_BOOTTIME are accepted, others are -EINVAL.',
  'io_uring_register(2), IORING_REGISTER_CLOCK',
);

const ZCRX = rule(
  'register.zcrx',
  'man',
  'Zero-copy receive needs CAP_NET_ADMIN and a ring made for it.',
  'io_uring_register(2), IORING_REGISTER_ZCRX_IFQ',
);

const RESIZE = rule(
  'register.resize',
  'man',
  'Only rings with IORING_SETUP_DEFER_TASKRUN can be resized; sizes are those of io_uring_setup, and no flag but ' +
    'CQSIZE and CLAMP is taken.',
  'io_uring_resize_rings(3)',
);

const RESIZE_FLAGS = IORING_SETUP.CQSIZE | IORING_SETUP.CLAMP;
/** Most entries of a submission queue, and of a completion queue. */
const MAX_ENTRIES = 32768;
const powerOfTwo = (n: number): number => 2 ** Math.ceil(Math.log2(n));

/** The size that is asked for, cut down where CLAMP says so; undefined where there is none such. */
function sizeOf(wanted: number, most: number, clamp: boolean): number | undefined {
  if (wanted === 0 || (wanted > most && !clamp)) return undefined;
  return powerOfTwo(Math.min(wanted, most));
}

/**
 * Sizes of the queues come from struct io_uring_params. Whether what waits in the completion queue has room in the new
 * one is not looked at: it always has from 16 entries on, as each step takes all CQEs.
 */
function resize({ arg, nr_args, on, ring }: RingCall): Answer {
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  if ((on.setup_flags & IORING_SETUP.DEFER_TASKRUN) === 0) return reply(-E.INVAL);
  const params = arg.read(0, 120);
  if (params === 'fault') return bad(E.FAULT);
  if (Open.is(params)) return unknown(ring, params);
  const flags = params.u32(8);
  if ((flags & ~RESIZE_FLAGS) !== 0) return reply(-E.INVAL);
  const clamp = (flags & IORING_SETUP.CLAMP) !== 0;
  const sq = sizeOf(params.u32(0), MAX_ENTRIES, clamp);
  if (sq === undefined) return reply(-E.INVAL);
  if ((on.setup_flags & IORING_SETUP.SQE_MIXED) !== 0 && sq < 2) return reply(-E.OVERFLOW);
  let cq: number | undefined = 2 * sq;
  if ((flags & IORING_SETUP.CQSIZE) !== 0) {
    cq = sizeOf(params.u32(4), 2 * MAX_ENTRIES, clamp);
    if (cq === undefined || cq < sq) return reply(-E.INVAL);
  }
  return cq < 16 ? unknown(ring, REGISTER['register-call.resize']) : { ret: 0, entries: sq };
}

const MEM_REGION = rule(
  'register.mem-region',
  'man',
  'A ring takes one memory region; a second is -EBUSY.',
  'io_uring_register_region(3)',
);

const PAGE = 4096n;

function napi({ arg, nr_args }: RingCall): Answer {
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const reg = arg.read(0, 16);
  if (reg === 'fault') return bad(E.FAULT);
  if (Open.is(reg)) return anyAnswer(reg);
  if (reg.u8(6) !== 0 || reg.u8(7) !== 0 || reg.u32(12) !== 0) return bad(E.INVAL);
  const opcode = reg.u8(5);
  if (opcode > 2) return reply(-E.INVAL);
  return opcode === 0 && reg.u32(8) === 0 ? reply(0) : anyAnswer(REGISTER['register-call.napi']);
}

function clock({ arg, nr_args }: RingCall): Answer {
  if (arg.isNull || nr_args !== 0) return bad(E.INVAL);
  const reg = arg.read(0, 16);
  if (reg === 'fault') return bad(E.FAULT);
  if (Open.is(reg)) return anyAnswer(reg);
  if (!reg.isZero(4, 16)) return bad(E.INVAL);
  const id = reg.u32(0);
  return reply(id === 1 || id === 7 ? 0 : -E.INVAL);
}

function zcrx({ arg, nr_args, on }: RingCall): Answer {
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const flags = on.setup_flags;
  const madeForIt =
    (flags & IORING_SETUP.DEFER_TASKRUN) !== 0 && (flags & (IORING_SETUP.CQE32 | IORING_SETUP.CQE_MIXED)) !== 0;
  // Without CAP_NET_ADMIN over the first user namespace it is -EPERM before anything else.
  const place = REGISTER['register-call.zcrx'];
  return { ret: madeForIt ? place.any : place.among(-E.PERM, -E.INVAL) };
}

/** What is wrong with a struct io_uring_region_desc: errno (positive) or 0. */
function regionError(desc: Fields): number {
  const userAddr = desc.u64(0);
  const size = desc.u64(8);
  const flags = desc.u32(16);
  if (!desc.isZero(32, 64) || (flags & ~1) !== 0) return E.INVAL;
  if ((flags === 1) !== (userAddr !== 0n)) return E.FAULT;
  if (size === 0n || desc.u32(20) !== 0 || desc.u64(24) !== 0n) return E.INVAL;
  if (size / PAGE > 0x7fff_ffffn) return E['2BIG'];
  return size % PAGE !== 0n || userAddr % PAGE !== 0n ? E.INVAL : 0;
}

function memRegion({ arg, nr_args, on, ring }: RingCall): Answer {
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  if (ring.region) return reply(-E.BUSY);
  const reg = arg.read(0, 32);
  if (reg === 'fault') return bad(E.FAULT);
  if (Open.is(reg)) return anyAnswer(reg);
  const desc = arg.readAt(reg.u64(0), 64);
  if (desc === 'fault') return bad(E.FAULT);
  if (Open.is(desc)) return anyAnswer(desc);
  if (!reg.isZero(16, 32) || reg.u64(8) > 1n) return bad(E.INVAL);
  if (reg.u64(8) === 1n && !on.disabled) return reply(-E.INVAL);
  const size = desc.u64(8);
  const flags = desc.u32(16);
  const wrong = regionError(desc);
  if (wrong !== 0) return bad(wrong);
  if (flags === 1 || size > 16n * PAGE)
    return {
      ret: REGISTER['register-call.region'].any,
      effect: () => {
        ring.region = true;
      },
    };
  return reply(0, () => {
    ring.region = true;
  });
}

const region = (size: number): Uint8Array =>
  after(u64s(ARGS + 32n, 0, 0, 0), struct([8, 0], [8, size], [4, 0], [4, 0], [8, 0], [8, 0], [8, 0], [8, 0], [8, 0]));

/** The opcodes of this family. */
export const settings = {
  /** IORING_REGISTER_NAPI: sets up busy polling of network devices. */
  REGISTER_NAPI: {
    opcode: 27,
    since: '6.9',
    rule: NAPI,
    onRing: napi,
    forms: [
      call('off', 1, argBytes(new Uint8Array(16))),
      call('reserved', 1, argBytes(struct([4, 0], [1, 0], [1, 0], [1, 1], [1, 0], [4, 0], [4, 0]))),
      call('unknown-op', 1, argBytes(struct([4, 0], [1, 0], [1, 9], [1, 0], [1, 0], [4, 0], [4, 0]))),
      call('null', 1, NULL),
      call('two', 2, argBytes(new Uint8Array(16))),
    ],
  },

  /** IORING_UNREGISTER_NAPI: ends busy polling of network devices. */
  UNREGISTER_NAPI: {
    opcode: 28,
    since: '6.9',
    rule: NAPI,
    onRing: ({ nr_args, arg }) => {
      if (nr_args !== 1) return bad(E.INVAL);
      const settings = arg.isNull ? undefined : arg.read(0, 16);
      if (Open.is(settings)) return anyAnswer(settings);
      return settings === 'fault' ? bad(E.FAULT) : reply(0);
    },
    forms: [call('unregister', 1, NULL), call('none', 0, NULL)],
  },

  /** IORING_REGISTER_CLOCK: chooses the clock of timeouts. */
  REGISTER_CLOCK: {
    opcode: 29,
    since: '6.12',
    rule: CLOCK,
    onRing: clock,
    forms: [
      call('monotonic', 0, argBytes(u32s(1, 0, 0, 0))),
      call('boottime', 0, argBytes(u32s(7, 0, 0, 0))),
      call('realtime', 0, argBytes(u32s(0, 0, 0, 0))),
      call('reserved', 0, argBytes(u32s(1, 0, 0, 1))),
      call('null', 0, NULL),
      call('with-count', 1, argBytes(u32s(1, 0, 0, 0))),
    ],
  },

  /** IORING_REGISTER_ZCRX_IFQ: sets up zero-copy receive. */
  REGISTER_ZCRX_IFQ: {
    opcode: 32,
    since: '6.15',
    rule: ZCRX,
    onRing: zcrx,
    forms: [
      call('zero', 1, argBytes(new Uint8Array(128))),
      call('null', 1, NULL),
      call('two', 2, argBytes(new Uint8Array(128))),
    ],
  },

  /** IORING_REGISTER_RESIZE_RINGS: changes the size of a ring. */
  REGISTER_RESIZE_RINGS: {
    opcode: 33,
    since: '6.13',
    rule: RESIZE,
    onRing: resize,
    forms: [
      call('not-deferred', 1, { ...argBytes(new Uint8Array(120)), avoid_setup: IORING_SETUP.DEFER_TASKRUN }),
      call('null', 1, NULL),
      call('two', 2, argBytes(new Uint8Array(120))),
    ],
  },

  /** IORING_REGISTER_MEM_REGION: registers a region of memory. */
  REGISTER_MEM_REGION: {
    opcode: 34,
    since: '6.13',
    rule: MEM_REGION,
    onRing: memRegion,
    forms: [
      call('page', 1, argBytes(region(4096))),
      call('odd-size', 1, argBytes(region(100))),
      call('null-region', 1, argBytes(u64s(0, 0, 0, 0))),
      call('null', 1, NULL),
      call('two', 2, argBytes(region(4096))),
    ],
  },

  /** IORING_REGISTER_ZCRX_CTRL: controls zero-copy receive. */
  REGISTER_ZCRX_CTRL: {
    opcode: 36,
    // io_uring_register(2) has 6.15, but numbers are given in order, and 35 came with 6.18.
    since: '6.19',
    rule: ZCRX,
    onRing: ({ arg, nr_args }) => {
      if (nr_args !== 0) return bad(E.INVAL);
      const ctrl = arg.read(0, 64);
      if (ctrl === 'fault') return bad(E.FAULT);
      if (Open.is(ctrl)) return anyAnswer(ctrl);
      return ctrl.isZero(8, 24) ? reply(-E.NXIO) : anyAnswer(REGISTER['register-call.zcrx-ctrl']);
    },
    forms: [call('no-queue', 0, argBytes(new Uint8Array(64))), call('with-count', 1, argBytes(new Uint8Array(64)))],
  },
} satisfies RegisterFamily;
