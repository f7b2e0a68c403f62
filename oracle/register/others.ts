/** Register opcodes about workers, registered rings, cancellation, time, messages and queries. */
import { IORING_ASYNC_CANCEL, E, IORING_MSG, IORING_SETUP } from '../uapi/constants.ts';
import { messagePrep, sendData } from '../opcodes/msg-ring.ts';
import { OP } from '../opcodes/index.ts';
import { fullSqe } from '../opcodes/support.ts';
import { NOBODY } from '../opcodes/time-ops.ts';
import { decodeSqe } from '../scenario/sqe.ts';
import type { RegisterOutcome } from './argument.ts';
import type { BlindCall, Call, Handler } from './resources.ts';
import { answer, bad, takesNothing, unknown } from './resources.ts';

const PAGE = 4096n;
const MAX_RING_FDS = 16;

function probe({ arg, nr_args, view }: Call): RegisterOutcome {
  if (arg.isNull || nr_args > 256) return bad(E.INVAL);
  const size = 16 + 8 * Math.min(nr_args, view.abi.op_last);
  const bytes = arg.read(0, size);
  if (bytes === 'fault') return bad(E.FAULT);
  if (bytes === 'unknown') return { ret: [0, -E.INVAL], rule: 'register.probe' };
  return answer('register.probe', bytes.isZero(0, size) ? 0 : -E.INVAL);
}

function ringFds({ arg, nr_args, view, ring }: Call): RegisterOutcome {
  const rule = 'register.ring-fds';
  if (nr_args === 0 || nr_args > MAX_RING_FDS) return bad(E.INVAL);
  const table = new Map(view.registered);
  let errno = 0;
  let done = 0;
  for (; done < nr_args; done++) {
    const up = arg.read(done * 16, 16);
    if (up === 'unknown') return unknown(rule, ring);
    if (up === 'fault') errno = E.FAULT;
    else if (up.u32(4) !== 0) errno = E.INVAL;
    else {
      const wanted = up.u32(0);
      const target = view.ringAt(Number(BigInt.asIntN(32, up.u64(8))));
      const slots = wanted === 0xffff_ffff ? Array.from({ length: MAX_RING_FDS }, (_, i) => i) : [wanted];
      if (wanted !== 0xffff_ffff && wanted >= MAX_RING_FDS) errno = E.INVAL;
      else if (target === undefined) {
        const fd = Number(BigInt.asIntN(32, up.u64(8)));
        const file = fd >= 100 && fd < 116 ? 'closed' : view.sandbox.file(fd);
        if (file === 'unknown') return unknown(rule, ring);
        errno = file === 'closed' ? E.BADF : E.OPNOTSUPP;
      } else {
        const free = slots.find((slot) => !table.has(slot));
        if (free === undefined) errno = E.BUSY;
        else table.set(free, target.slot);
      }
    }
    if (errno !== 0) break;
  }
  return answer(rule, done > 0 ? done : -errno, () => table.forEach((slot, index) => view.registered.set(index, slot)));
}

function unregisterRingFds({ arg, nr_args, view, ring }: Call): RegisterOutcome {
  const rule = 'register.ring-fds';
  if (nr_args === 0 || nr_args > MAX_RING_FDS) return bad(E.INVAL);
  const gone: number[] = [];
  let errno = 0;
  for (let i = 0; i < nr_args && errno === 0; i++) {
    const up = arg.read(i * 16, 16);
    if (up === 'unknown') return unknown(rule, ring);
    if (up === 'fault') errno = E.FAULT;
    else if (up.u32(4) !== 0 || up.u64(8) !== 0n || up.u32(0) >= MAX_RING_FDS) errno = E.INVAL;
    else gone.push(up.u32(0));
  }
  return answer(rule, gone.length > 0 ? gone.length : -errno, () =>
    gone.forEach((index) => view.registered.delete(index)),
  );
}

function syncCancel({ arg, nr_args, view, ring }: Call): RegisterOutcome {
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const reg = arg.read(0, 64);
  if (reg === 'fault') return bad(E.FAULT);
  if (reg === 'unknown') return { ret: 'any', rule: 'register.sync-cancel' };
  const flags = reg.u32(12);
  if ((flags & ~0x3f) !== 0 || !reg.isZero(33, 64)) return bad(E.INVAL);
  if ((flags & (IORING_ASYNC_CANCEL.FD | IORING_ASYNC_CANCEL.FD_FIXED)) === IORING_ASYNC_CANCEL.FD) {
    const fd = reg.s32(8);
    const open = view.ringAt(fd) ? 0 : fd >= 100 && fd < 116 ? -E.BADF : view.sandbox.probeFd(fd);
    if (open === -E.BADF) return answer('register.sync-cancel', -E.BADF);
  }
  void ring;
  return flags === 0 && reg.u64(0) === NOBODY
    ? answer('register.sync-cancel', -E.NOENT)
    : { ret: 'any', rule: 'register.sync-cancel' };
}

function napi({ arg, nr_args }: Call): RegisterOutcome {
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const reg = arg.read(0, 16);
  if (reg === 'fault') return bad(E.FAULT);
  if (reg === 'unknown') return { ret: 'any', rule: 'register.napi' };
  if (reg.u8(6) !== 0 || reg.u8(7) !== 0 || reg.u32(12) !== 0) return bad(E.INVAL);
  const opcode = reg.u8(5);
  if (opcode > 2) return answer('register.napi', -E.INVAL);
  return opcode === 0 && reg.u32(8) === 0 ? answer('register.napi', 0) : { ret: 'any', rule: 'register.napi' };
}

function clock({ arg, nr_args }: Call): RegisterOutcome {
  if (arg.isNull || nr_args !== 0) return bad(E.INVAL);
  const reg = arg.read(0, 16);
  if (reg === 'fault') return bad(E.FAULT);
  if (reg === 'unknown') return { ret: [0, -E.INVAL], rule: 'register.clock' };
  if (!reg.isZero(4, 16)) return bad(E.INVAL);
  const id = reg.u32(0);
  return answer('register.clock', id === 1 || id === 7 ? 0 : -E.INVAL);
}

function cloneBuffers({ arg, nr_args, view, on, ring }: Call): RegisterOutcome {
  const rule = 'register.clone-buffers';
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const reg = arg.read(0, 32);
  if (reg === 'fault') return bad(E.FAULT);
  if (reg === 'unknown' || ring.unknown) return unknown(rule, ring);
  const flags = reg.u32(4);
  if ((flags & ~3) !== 0) return bad(E.INVAL);
  if ((flags & 2) === 0 && ring.buffers !== undefined) return answer(rule, -E.BUSY);
  if (!reg.isZero(20, 32)) return bad(E.INVAL);
  if ((flags & 1) !== 0) return unknown(rule, ring);
  const fd = reg.s32(0);
  const source = view.ringAt(fd);
  if (source === undefined) {
    const open = fd >= 100 && fd < 116 ? -E.BADF : view.sandbox.probeFd(fd);
    return open === 'any' ? unknown(rule, ring) : answer(rule, open === 0 ? -E.OPNOTSUPP : -E.BADF);
  }
  // Whether the source's owner is asked for depends on the release.
  if ((source.setup_flags & IORING_SETUP.SINGLE_ISSUER) !== 0 && source.slot !== on.slot) return unknown(rule, ring);
  if (reg.u32(8) !== 0 || reg.u32(12) !== 0 || reg.u32(16) !== 0 || flags !== 0) return unknown(rule, ring);
  const from = view.sandbox.world.ring(source.slot);
  if (from.unknown) return unknown(rule, ring);
  const { buffers } = from;
  return buffers === undefined ? answer(rule, -E.NXIO) : answer(rule, 0, () => void (ring.buffers = buffers.slice()));
}

function sendMsgRing({ arg, nr_args, view }: BlindCall): RegisterOutcome {
  const rule = 'register.send-msg-ring';
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const bytes = arg.read(0, 64);
  if (bytes === 'fault') return bad(E.FAULT);
  if (bytes === 'unknown') return { ret: 'any', rule };
  const sqe = fullSqe(decodeSqe(bytes.bytes, view.abi.little_endian));
  if (sqe.flags !== 0 || sqe.opcode !== OP.MSG_RING || messagePrep(sqe) !== 0) return bad(E.INVAL);
  if (Number(BigInt.asUintN(32, sqe.addr)) !== IORING_MSG.DATA) return bad(E.INVAL);
  const target = view.ringAt(sqe.fd);
  if (target === undefined) {
    const open = sqe.fd >= 100 && sqe.fd < 116 ? -E.BADF : view.sandbox.probeFd(sqe.fd);
    if (open === 'any') return { ret: [-E.BADF, -E.BADFD], rule };
    return answer(rule, open === 0 ? -E.BADFD : -E.BADF);
  }
  const sent = sendData(sqe, target);
  return { ret: sent.res, rule, ...(sent.posts ? { posts: sent.posts } : {}) };
}

function zcrx({ arg, nr_args, on }: Call): RegisterOutcome {
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const flags = on.setup_flags;
  const made_for_it =
    (flags & IORING_SETUP.DEFER_TASKRUN) !== 0 && (flags & (IORING_SETUP.CQE32 | IORING_SETUP.CQE_MIXED)) !== 0;
  // Without CAP_NET_ADMIN over the first user namespace it is -EPERM before anything else.
  return { ret: made_for_it ? 'any' : [-E.PERM, -E.INVAL], rule: 'register.zcrx' };
}

function memRegion({ arg, nr_args, on, ring }: Call): RegisterOutcome {
  const rule = 'register.mem-region';
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  if (ring.region) return answer(rule, -E.BUSY);
  const reg = arg.read(0, 32);
  if (reg === 'fault') return bad(E.FAULT);
  if (reg === 'unknown') return { ret: 'any', rule };
  const desc = arg.readAt(reg.u64(0), 64);
  if (desc === 'fault') return bad(E.FAULT);
  if (desc === 'unknown') return { ret: 'any', rule };
  if (!reg.isZero(16, 32) || reg.u64(8) > 1n) return bad(E.INVAL);
  if (reg.u64(8) === 1n && !on.disabled) return answer(rule, -E.INVAL);
  const user_addr = desc.u64(0);
  const size = desc.u64(8);
  const flags = desc.u32(16);
  if (!desc.isZero(32, 64) || (flags & ~1) !== 0) return bad(E.INVAL);
  if ((flags === 1) !== (user_addr !== 0n)) return bad(E.FAULT);
  if (size === 0n || desc.u32(20) !== 0 || desc.u64(24) !== 0n || size % PAGE !== 0n || user_addr % PAGE !== 0n)
    return bad(E.INVAL);
  if (flags === 1 || size > 16n * PAGE) return { ret: 'any', rule, effect: () => void (ring.region = true) };
  return answer(rule, 0, () => void (ring.region = true));
}

function query({ arg, nr_args }: BlindCall): RegisterOutcome {
  if (nr_args !== 0) return bad(E.INVAL);
  let at = arg.address;
  for (let i = 0; at !== 0n; i++) {
    if (i >= 8) return { ret: 'any', rule: 'register.query' };
    const header = arg.readAt(at, 40);
    if (header === 'fault') return bad(E.FAULT);
    if (header === 'unknown') return { ret: 'any', rule: 'register.query' };
    const size = header.u32(20);
    if (size > 4096) return answer('register.query', -E['2BIG']);
    const valid = header.isZero(28, 40) && header.u32(24) === 0 && size !== 0 && header.u32(16) === 0;
    if (valid) {
      const data = arg.readAt(header.u64(8), size);
      if (data === 'fault') return bad(E.FAULT);
      if (data === 'unknown') return { ret: 'any', rule: 'register.query' };
    } else if (size !== 0) {
      // What a refused query writes back depends on the release.
      return { ret: [0, -E.FAULT], rule: 'register.query' };
    }
    at = header.u64(0);
  }
  return answer('register.query', 0);
}

/** Handlers by register opcode. */
export const otherHandlers: Readonly<Record<number, Handler>> = {
  8: probe,
  17: ({ arg, nr_args }) => {
    if (arg.isNull || nr_args === 0) return bad(E.INVAL);
    const mask = arg.read(0, Math.min(nr_args, 8));
    if (mask === 'fault') return bad(E.FAULT);
    // A task that has no workers of its own, or a processor it may not use: -EINVAL.
    return { ret: [0, -E.INVAL], rule: 'register.iowq' };
  },
  18: (call) => (takesNothing(call) ? { ret: [0, -E.INVAL], rule: 'register.iowq' } : bad(E.INVAL)),
  19: ({ arg, nr_args }) => {
    if (arg.isNull || nr_args !== 2) return bad(E.INVAL);
    const counts = arg.read(0, 8);
    if (counts === 'fault') return bad(E.FAULT);
    if (counts === 'unknown') return { ret: 'any', rule: 'register.iowq' };
    return answer('register.iowq', counts.u32(0) > 0x7fff_ffff || counts.u32(4) > 0x7fff_ffff ? -E.INVAL : 0);
  },
  20: ringFds,
  21: unregisterRingFds,
  24: syncCancel,
  27: napi,
  28: ({ nr_args, arg }) => {
    if (nr_args !== 1) return bad(E.INVAL);
    return !arg.isNull && arg.read(0, 16) === 'fault' ? bad(E.FAULT) : answer('register.napi', 0);
  },
  29: clock,
  30: cloneBuffers,
  32: zcrx,
  33: ({ arg, nr_args, on, ring }) => {
    if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
    return (on.setup_flags & IORING_SETUP.DEFER_TASKRUN) === 0
      ? answer('register.resize', -E.INVAL)
      : unknown('register.resize', ring);
  },
  34: memRegion,
  35: query,
  36: ({ arg, nr_args }) => {
    if (nr_args !== 0) return bad(E.INVAL);
    const ctrl = arg.read(0, 64);
    if (ctrl === 'fault') return bad(E.FAULT);
    return ctrl === 'unknown' || !ctrl.isZero(8, 16)
      ? { ret: 'any', rule: 'register.zcrx' }
      : answer('register.zcrx', -E.NXIO);
  },
};

/** Handlers of the register opcodes that exist without a ring, by opcode: SEND_MSG_RING and QUERY. */
export const blindHandlers: Readonly<Record<number, (call: BlindCall) => RegisterOutcome>> = {
  31: sendMsgRing,
  35: query,
};
