/** Buffers, files, eventfd, personalities, buffer rings: what a ring keeps. */
import { E, FILE_INDEX_ALLOC } from '../uapi/constants.ts';
import { lookupPlain, updateFiles } from '../opcodes/fd-ops.ts';
import type { OpenFile } from '../world/files.ts';
import type { Argument, RegisterOutcome, RegisterView } from './argument.ts';
import type { RegisterRule } from './register-rules.ts';
import type { RegisteredBuffer, RingResources } from '../world/ring-resources.ts';

/** A call without a ring. */
export type BlindCall = { readonly arg: Argument; readonly nr_args: number; readonly view: RegisterView };
/** A call on ring `on`, which keeps `ring`. */
export type Call = BlindCall & { readonly on: NonNullable<RegisterView['ring']>; readonly ring: RingResources };
export type Handler = (call: Call) => RegisterOutcome;

export function answer(rule: RegisterRule, ret: number, effect?: () => void): RegisterOutcome {
  return effect === undefined || ret < 0 ? { ret, rule } : { ret, rule, effect };
}

/** Nothing is known any more of what the call may have changed. */
export function unknown(rule: RegisterRule, ring: RingResources): RegisterOutcome {
  return { ret: 'any', rule, effect: () => void (ring.unknown = true) };
}

export const bad = (errno: number): RegisterOutcome => ({ ret: -errno, rule: 'register.arguments' });

/** Refuses a call that takes neither a pointer nor a count. */
export function takesNothing({ arg, nr_args }: Call): boolean {
  return arg.isNull && nr_args === 0;
}

const MAX_BUFFERS = 1 << 14;
const MAX_FILES = 1 << 20;
/** RLIMIT_NOFILE is left at what the guest starts with. */
const NOFILE_UNSURE = 1024;

/** One struct iovec as a registered buffer: undefined = sparse, a number = errno. */
function buffer(call: Call, address: bigint): RegisteredBuffer | undefined | number | 'unknown' {
  const iov = call.arg.readAt(address, 16);
  if (iov === 'fault') return E.FAULT;
  if (iov === 'unknown') return 'unknown';
  const addr = iov.u64(0);
  const len = iov.u64(8);
  if (len >= 1n << 63n) return E.INVAL;
  if (addr === 0n) return len === 0n ? undefined : E.FAULT;
  if (addr >= 1n << 63n) return E.FAULT;
  if (len === 0n) return E.FAULT;
  if (len > 1n << 40n) return 'unknown';
  const { memory } = call.view.sandbox;
  const mapped = memory.mapped(addr, Number(len));
  if (mapped === 'unknown') return 'unknown';
  return mapped ? { addr, len: Number(len), memory } : E.FAULT;
}

/** Registers `count` buffers found at `address` (0: a sparse table). */
function registerBuffers(call: Call, address: bigint, count: number): RegisterOutcome {
  const { ring } = call;
  const rule = 'register.buffers';
  if (ring.unknown) return unknown(rule, ring);
  if (ring.buffers !== undefined) return answer(rule, -E.BUSY);
  if (count === 0 || count > MAX_BUFFERS) return bad(E.INVAL);
  const table: (RegisteredBuffer | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    const one = address === 0n ? undefined : buffer(call, address + BigInt(i * 16));
    if (one === 'unknown') return unknown(rule, ring);
    if (typeof one === 'number') return answer(rule, -one);
    table.push(one);
  }
  return answer(rule, 0, () => void (ring.buffers = table));
}

/** Registers `count` descriptors found at `address` (0: a sparse table). */
function registerFiles(call: Call, address: bigint, count: number): RegisterOutcome {
  const { ring, view } = call;
  const rule = 'register.files';
  if (ring.unknown) return unknown(rule, ring);
  if (ring.files !== undefined) return answer(rule, -E.BUSY);
  if (count === 0) return bad(E.INVAL);
  if (count > MAX_FILES) return answer(rule, -E.MFILE);
  if (count > NOFILE_UNSURE) return unknown(rule, ring);
  const table: (OpenFile | undefined)[] = [];
  for (let i = 0; i < count; i++) {
    if (address === 0n) {
      table.push(undefined);
      continue;
    }
    const entry = call.arg.readAt(address + BigInt(i * 4), 4);
    if (entry === 'fault') return answer(rule, -E.FAULT);
    if (entry === 'unknown') return unknown(rule, ring);
    const fd = entry.s32(0);
    const file = fd === -1 ? undefined : lookupPlain(view, fd);
    if (file === 'unknown') return unknown(rule, ring);
    if (fd !== -1 && file === undefined) return answer(rule, -E.BADF);
    table.push(file);
  }
  return answer(rule, 0, () => ring.setFiles(table));
}

/** struct io_uring_rsrc_register. */
function register2(call: Call, then: (call: Call, address: bigint, count: number) => RegisterOutcome): RegisterOutcome {
  if (call.nr_args !== 32) return bad(E.INVAL);
  const reg = call.arg.read(0, 32);
  if (reg === 'fault') return bad(E.FAULT);
  if (reg === 'unknown') return unknown('register.arguments', call.ring);
  const count = reg.u32(0);
  const flags = reg.u32(4);
  const data = reg.u64(16);
  if (count === 0 || reg.u64(8) !== 0n || (flags & ~1) !== 0) return bad(E.INVAL);
  if (flags === 1 && data !== 0n) return bad(E.INVAL);
  // Tags announce when a resource goes away: not modelled.
  if (reg.u64(24) !== 0n) return unknown('register.arguments', call.ring);
  return then(call, data, count);
}

function updateDescriptors(call: Call, offset: number, address: bigint, count: number): RegisterOutcome {
  const { ring, view, on } = call;
  const rule = 'register.files-update';
  if (ring.unknown) return unknown(rule, ring);
  if (offset + count > 0xffff_ffff) return answer(rule, -E.OVERFLOW);
  if (ring.files === undefined) return answer(rule, -E.NXIO);
  if (offset + count > ring.files.length) return answer(rule, -E.INVAL);
  const fds: number[] = [];
  let fault = false;
  for (let i = 0; i < count; i++) {
    const entry = call.arg.readAt(address + BigInt(i * 4), 4);
    if (entry === 'unknown') return unknown(rule, ring);
    if (entry === 'fault') {
      fault = true;
      break;
    }
    fds.push(entry.s32(0));
  }
  if (fault && fds.length === 0) return answer(rule, -E.FAULT);
  const { res, apply } = updateFiles(
    { ring: on.slot, sandbox: view.sandbox, ringAt: (fd) => view.ringAt(fd) },
    offset,
    fds,
  );
  return res === 'unknown' ? unknown(rule, ring) : { ret: res, rule, effect: apply };
}

/** struct io_uring_rsrc_update2. */
function update2(call: Call, buffers: boolean): RegisterOutcome {
  const rule = buffers ? 'register.buffers' : 'register.files-update';
  if (call.nr_args !== 32) return bad(E.INVAL);
  const up = call.arg.read(0, 32);
  if (up === 'fault') return bad(E.FAULT);
  if (up === 'unknown') return unknown(rule, call.ring);
  const count = up.u32(24);
  const offset = up.u32(0);
  if (count === 0 || up.u32(4) !== 0 || up.u32(28) !== 0) return bad(E.INVAL);
  if (up.u64(16) !== 0n) return unknown(rule, call.ring);
  if (!buffers) return updateDescriptors(call, offset, up.u64(8), count);
  const { ring } = call;
  if (ring.unknown) return unknown(rule, ring);
  if (offset + count > 0xffff_ffff) return answer(rule, -E.OVERFLOW);
  const table = ring.buffers;
  if (table === undefined) return answer(rule, -E.NXIO);
  if (offset + count > table.length) return answer(rule, -E.INVAL);
  const replace: (RegisteredBuffer | undefined)[] = [];
  let errno = 0;
  for (let i = 0; i < count; i++) {
    const one = buffer(call, up.u64(8) + BigInt(i * 16));
    if (one === 'unknown') return unknown(rule, ring);
    if (typeof one === 'number') {
      errno = one;
      break;
    }
    replace.push(one);
  }
  return answer(rule, replace.length > 0 ? replace.length : -errno, () =>
    replace.forEach((one, i) => (table[offset + i] = one)),
  );
}

function registerEventfd(call: Call): RegisterOutcome {
  const { ring, view } = call;
  const rule = 'register.eventfd';
  if (call.nr_args !== 1) return bad(E.INVAL);
  if (ring.eventfd !== undefined) return answer(rule, -E.BUSY);
  const reg = call.arg.read(0, 4);
  if (reg === 'fault') return bad(E.FAULT);
  if (reg === 'unknown') return unknown(rule, ring);
  const fd = reg.s32(0);
  if (view.ringAt(fd)) return answer(rule, -E.INVAL);
  const file = fd >= 100 && fd < 116 ? 'closed' : view.sandbox.file(fd);
  if (file === 'unknown') return unknown(rule, ring);
  if (file === 'closed' || file.kind === 'path') return answer(rule, -E.BADF);
  if (file.kind !== 'eventfd') return answer(rule, -E.INVAL);
  return answer(rule, 0, () => {
    ring.eventfd = file;
    // From now on every completion counts on it.
    view.sandbox.taint(file.id);
  });
}

function pbufRing(call: Call): RegisterOutcome {
  const { ring } = call;
  const rule = 'register.pbuf-ring';
  if (call.arg.isNull || call.nr_args !== 1) return bad(E.INVAL);
  const reg = call.arg.read(0, 40);
  if (reg === 'fault') return bad(E.FAULT);
  if (reg === 'unknown') return unknown(rule, ring);
  const entries = reg.u32(8);
  const group = reg.u16(12);
  const flags = reg.u16(14);
  if (!reg.isZero(20, 40)) return bad(E.INVAL);
  if ((flags & ~3) !== 0 || entries === 0 || (entries & (entries - 1)) !== 0 || entries >= 65536) return bad(E.INVAL);
  if (reg.u32(16) !== 0) return unknown(rule, ring);
  const there = ring.groups.get(group);
  if (there !== undefined && (there.kind === 'ring' || there.buffers.length > 0)) return answer(rule, -E.EXIST);
  // Memory of the kernel's own; memory of the caller is not modelled.
  if ((flags & 1) === 0) return reg.u64(0) === 0n ? answer(rule, -E.FAULT, undefined) : unknown(rule, ring);
  return answer(rule, 0, () => void ring.groups.set(group, { kind: 'ring', entries }));
}

function pbufGroup(call: Call, group: number, effect?: () => void): RegisterOutcome {
  const there = call.ring.groups.get(group);
  if (there === undefined) return answer('register.pbuf-ring', -E.NOENT);
  return there.kind === 'ring' ? answer('register.pbuf-ring', 0, effect) : answer('register.pbuf-ring', -E.INVAL);
}

function personality(call: Call): RegisterOutcome {
  const { ring } = call;
  if (!takesNothing(call)) return bad(E.INVAL);
  const id = ring.last_personality + 1;
  if (id > 0xffff) return { ret: { at_least: 1 }, rule: 'register.personality' };
  return answer('register.personality', id, () => {
    ring.last_personality = id;
    ring.personalities.add(id);
  });
}

/** Handlers by register opcode. */
export const resourceHandlers: Readonly<Record<number, Handler>> = {
  0: (call) => (call.arg.isNull ? bad(E.FAULT) : registerBuffers(call, call.arg.address, call.nr_args)),
  1: (call) => {
    const { ring } = call;
    if (!takesNothing(call)) return bad(E.INVAL);
    if (ring.unknown) return unknown('register.buffers', ring);
    return ring.buffers === undefined
      ? answer('register.buffers', -E.NXIO)
      : answer('register.buffers', 0, () => void (ring.buffers = undefined));
  },
  2: (call) => (call.arg.isNull ? bad(E.FAULT) : registerFiles(call, call.arg.address, call.nr_args)),
  3: (call) => {
    const { ring } = call;
    if (!takesNothing(call)) return bad(E.INVAL);
    if (ring.unknown) return unknown('register.files', ring);
    if (ring.files === undefined) return answer('register.files', -E.NXIO);
    return answer('register.files', 0, () => {
      ring.files = undefined;
      ring.alloc_start = ring.alloc_end = ring.alloc_hint = 0;
    });
  },
  4: registerEventfd,
  5: (call) => {
    const { ring } = call;
    if (!takesNothing(call)) return bad(E.INVAL);
    return ring.eventfd === undefined
      ? answer('register.eventfd', -E.NXIO)
      : answer('register.eventfd', 0, () => void (ring.eventfd = undefined));
  },
  6: (call) => {
    if (call.nr_args === 0) return bad(E.INVAL);
    const up = call.arg.read(0, 16);
    if (up === 'fault') return bad(E.FAULT);
    if (up === 'unknown') return unknown('register.files-update', call.ring);
    if (up.u32(4) !== 0) return bad(E.INVAL);
    return updateDescriptors(call, up.u32(0), up.u64(8), call.nr_args);
  },
  7: registerEventfd,
  9: personality,
  10: (call) => {
    if (!call.arg.isNull) return bad(E.INVAL);
    const { personalities } = call.ring;
    const id = call.nr_args;
    return personalities.has(id)
      ? answer('register.personality', 0, () => void personalities.delete(id))
      : answer('register.personality', -E.INVAL);
  },
  13: (call) => register2(call, registerFiles),
  14: (call) => update2(call, false),
  15: (call) => register2(call, registerBuffers),
  16: (call) => update2(call, true),
  22: pbufRing,
  23: (call) => {
    if (call.arg.isNull || call.nr_args !== 1) return bad(E.INVAL);
    const reg = call.arg.read(0, 40);
    if (reg === 'fault') return bad(E.FAULT);
    if (reg === 'unknown') return unknown('register.pbuf-ring', call.ring);
    if (!reg.isZero(16, 40) || reg.u16(14) !== 0) return bad(E.INVAL);
    return pbufGroup(call, reg.u16(12), () => void call.ring.groups.delete(reg.u16(12)));
  },
  25: (call) => {
    const { ring } = call;
    if (call.arg.isNull || call.nr_args !== 0) return bad(E.INVAL);
    const range = call.arg.read(0, 16);
    if (range === 'fault') return bad(E.FAULT);
    if (range === 'unknown' || ring.unknown) return unknown('register.alloc-range', ring);
    const off = range.u32(0);
    const end = off + range.u32(4);
    if (end > FILE_INDEX_ALLOC) return answer('register.alloc-range', -E.OVERFLOW);
    if (range.u64(8) !== 0n || end > (ring.files?.length ?? 0)) return answer('register.alloc-range', -E.INVAL);
    return answer('register.alloc-range', 0, () => {
      ring.alloc_start = ring.alloc_hint = off;
      ring.alloc_end = end;
    });
  },
  26: (call) => {
    if (call.arg.isNull || call.nr_args !== 1) return bad(E.INVAL);
    const status = call.arg.read(0, 40);
    if (status === 'fault') return bad(E.FAULT);
    if (status === 'unknown') return unknown('register.pbuf-ring', call.ring);
    return status.isZero(8, 40) ? pbufGroup(call, status.u32(0)) : bad(E.INVAL);
  },
};
