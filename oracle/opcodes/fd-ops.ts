/** Requests about descriptors: CLOSE, FILES_UPDATE, FIXED_FD_INSTALL, PIPE, EPOLL_CTL, EPOLL_WAIT. */
import { ARENA, FD } from '../scenario/layout.ts';
import { DATA, data, EPOLL_EVENT, FD_LIST } from '../world/arena.ts';
import { E, FILE_INDEX_ALLOC, IORING_FIXED_FD_NO_CLOEXEC, IOSQE } from '../uapi/constants.ts';
import type { OpenFile } from '../world/files.ts';
import { memoryNames } from '../world/memory.ts';
import {
  ANY,
  anySet,
  descriptor,
  EBADF,
  EFAULT,
  EINVAL,
  isFixed,
  onFile,
  oneOf,
  PREP_OK,
  PREP_UNKNOWN,
  prepError,
  result,
  withFile,
} from './support.ts';
import type { IssueOutcome, OpContext, OpForm, OpSpec } from './types.ts';

type Fields = Partial<OpForm['sqe']>;
const refused = { prep_error: true } as const;
const file = { fixtures: ['file'] } as const;
const eventfd = { fixtures: ['eventfd'] } as const;
const epoll = { fixtures: ['epoll'] } as const;
const epoll_eventfd = { fixtures: ['epoll', 'eventfd'] } as const;

function form(opcode: number, name: string, fields: Fields, extra: Partial<OpForm> = {}): OpForm {
  return { name, sqe: { opcode, ...fields }, fixtures: [], ...extra };
}

export const CLOSE: OpSpec = {
  opcode: 19,
  name: 'CLOSE',
  prep: (c) => {
    if (anySet(c.sqe, 'off', 'addr', 'len', 'op_flags', 'buf_index')) return EINVAL;
    if (isFixed(c)) return EBADF;
    return c.sqe.file_index !== 0 && c.sqe.fd !== 0 ? EINVAL : PREP_OK;
  },
  issue: (c) => {
    const { sqe, sandbox } = c;
    if (sqe.file_index !== 0) {
      const ring = sandbox.world.ring(c.ring);
      const touches = [`files:${c.ring}`];
      if (ring.unknown) return { ...ANY, touches };
      const slot = sqe.file_index - 1;
      const res =
        ring.files === undefined
          ? -E.NXIO
          : slot >= ring.files.length
            ? -E.INVAL
            : ring.files[slot] === undefined
              ? -E.BADF
              : 0;
      return result(res, { touches, effect: () => void ring.remove(slot) });
    }
    const touches = [`fd:${sqe.fd}`];
    const open = descriptor(c, sqe.fd);
    if (open === 'unknown') return { ...ANY, touches };
    if (open === 'closed' || open.kind === 'ring') return result(-E.BADF, { touches, changes: [] });
    return result(0, { touches, effect: () => void sandbox.fds.delete(sqe.fd) });
  },
  forms: [
    form(19, 'file', { fd: FD.file }, { ...file, probe: { fd: FD.file } }),
    form(19, 'eventfd', { fd: FD.eventfd }, { ...eventfd, probe: { fd: FD.eventfd } }),
    form(19, 'epoll', { fd: FD.epoll }, { ...epoll, probe: { fd: FD.epoll } }),
    form(19, 'datagram', { fd: FD.datagram }, { fixtures: ['datagram'], probe: { fd: FD.datagram } }),
    form(19, 'closed', { fd: FD.closed }),
    form(19, 'negative', { fd: -1 }),
    form(19, 'direct', { file_index: 1 }),
    form(19, 'direct-far', { file_index: 0x1_0000 }),
    form(19, 'direct-alloc', { file_index: FILE_INDEX_ALLOC }),
    form(19, 'both', { fd: FD.file, file_index: 1 }, { ...file, ...refused }),
    form(19, 'fixed-file', { fd: FD.file, flags: IOSQE.FIXED_FILE }, { ...file, ...refused }),
    form(19, 'off-set', { fd: FD.file, off: 1n }, { ...file, ...refused }),
    form(19, 'addr-set', { fd: FD.file, addr: 1n }, { ...file, ...refused }),
    form(19, 'len-set', { fd: FD.file, len: 1 }, { ...file, ...refused }),
    form(19, 'flags-set', { fd: FD.file, op_flags: 1 }, { ...file, ...refused }),
    form(19, 'buf-index-set', { fd: FD.file, buf_index: 1 }, { ...file, ...refused }),
  ],
};

/** s32[] at an address, or 'fault' or 'unknown'. */
function descriptors(c: OpContext, addr: bigint, count: number): readonly number[] | 'fault' | 'unknown' {
  const bytes = c.sandbox.memory.read(addr, count * 4);
  if (typeof bytes === 'string') return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: count }, (_, i) => view.getInt32(i * 4, c.abi.little_endian));
}

/** Replaces direct descriptors from `offset` on, all inside a known table; the rules of IORING_REGISTER_FILES_UPDATE. Returns how to do it and the answer. */
export function updateFiles(
  c: Pick<OpContext, 'ring' | 'sandbox' | 'ringAt'>,
  offset: number,
  fds: readonly number[],
): { readonly res: number | 'unknown'; readonly apply: () => void } {
  const ring = c.sandbox.world.ring(c.ring);
  const steps: (() => void)[] = [];
  let done = 0;
  let error = 0;
  for (const [i, fd] of fds.entries()) {
    const slot = offset + i;
    if (fd !== -2) {
      steps.push(() => void ring.remove(slot));
      if (fd !== -1) {
        const open = lookupPlain(c, fd);
        if (open === 'unknown') return { res: 'unknown', apply: () => void (ring.unknown = true) };
        if (open === undefined) {
          error = -E.BADF;
          break;
        }
        steps.push(() => void ring.install(open, slot + 1));
      }
    }
    done++;
  }
  return { res: done > 0 ? done : error, apply: () => steps.forEach((step) => step()) };
}

/** A file that may become a direct descriptor: not a ring. */
export function lookupPlain(c: Pick<OpContext, 'sandbox' | 'ringAt'>, fd: number): OpenFile | undefined | 'unknown' {
  if (c.ringAt(fd) || (fd >= 100 && fd < 116)) return undefined;
  const open = c.sandbox.file(fd);
  return open === 'closed' || (open !== 'unknown' && open.kind === 'path') ? undefined : open;
}

export const FILES_UPDATE: OpSpec = {
  opcode: 20,
  name: 'FILES_UPDATE',
  takesIopoll: true,
  prep: (c) => {
    if (isFixed(c)) return EINVAL;
    if (anySet(c.sqe, 'op_flags', 'file_index')) return EINVAL;
    return c.sqe.len === 0 ? EINVAL : PREP_OK;
  },
  issue: (c) => {
    const { sqe } = c;
    const offset = Number(BigInt.asUintN(32, sqe.off));
    const count = sqe.len >>> 0;
    const touches = [`files:${c.ring}`];
    const ring = c.sandbox.world.ring(c.ring);
    if (ring.unknown) return { ...ANY, touches };
    if (offset === FILE_INDEX_ALLOC) {
      if (ring.files === undefined) return result(-E.NXIO, { touches });
      return { ...ANY, touches, effect: () => void (ring.unknown = true) };
    }
    if (offset + count > 0xffff_ffff) return result(-E.OVERFLOW, { touches });
    if (ring.files === undefined) return result(-E.NXIO, { touches });
    if (offset + count > ring.files.length) return result(-E.INVAL, { touches });
    const fds = descriptors(c, sqe.addr, count);
    if (fds === 'unknown') return { ...ANY, touches, effect: () => void (ring.unknown = true) };
    if (fds === 'fault') return result(-E.FAULT, { touches });
    const { res, apply } = updateFiles(c, offset, fds);
    const names = [...touches, ...fds.map((fd) => `fd:${fd}`)];
    if (res === 'unknown') return { ...ANY, touches: names, effect: apply };
    return result(res, { touches: names, changes: touches, effect: apply });
  },
  forms: [
    form(20, 'clear', { addr: FD_LIST.minus_one, len: 1 }),
    form(20, 'pipe', { addr: FD_LIST.pipe, len: 2 }, { fixtures: ['pipe'] }),
    form(20, 'closed', { addr: FD_LIST.closed, len: 1 }),
    form(20, 'far', { addr: FD_LIST.minus_one, len: 1, off: 0x1_0000n }),
    form(20, 'wraps', { addr: FD_LIST.minus_one, len: 2, off: 0xffff_fffen }),
    form(20, 'alloc', { addr: data(DATA.update), len: 1, off: BigInt(FILE_INDEX_ALLOC) }),
    form(20, 'len-zero', { addr: FD_LIST.minus_one }, refused),
    form(20, 'flags-set', { addr: FD_LIST.minus_one, len: 1, op_flags: 1 }, refused),
    form(20, 'file-index-set', { addr: FD_LIST.minus_one, len: 1, file_index: 1 }, refused),
    form(20, 'fixed-file', { addr: FD_LIST.minus_one, len: 1, flags: IOSQE.FIXED_FILE }, refused),
  ],
};

export const FIXED_FD_INSTALL: OpSpec = {
  opcode: 54,
  name: 'FIXED_FD_INSTALL',
  prep: (c) => {
    const { sqe } = c;
    if (anySet(sqe, 'off', 'addr', 'len', 'buf_index', 'file_index', 'addr3')) return EINVAL;
    if (!isFixed(c)) return EBADF;
    if ((sqe.op_flags & ~IORING_FIXED_FD_NO_CLOEXEC) !== 0) return EINVAL;
    return sqe.personality !== 0 ? prepError(E.PERM) : PREP_OK;
  },
  issue: (c) => withFile(c, false, () => oneOf({ at_least: 0 }, false)),
  forms: [
    form(54, 'slot-0', { flags: IOSQE.FIXED_FILE }),
    form(54, 'slot-1-no-cloexec', { fd: 1, flags: IOSQE.FIXED_FILE, op_flags: IORING_FIXED_FD_NO_CLOEXEC }),
    form(54, 'slot-far', { fd: 0x1_0000, flags: IOSQE.FIXED_FILE }),
    form(54, 'not-fixed', { fd: FD.file }, { ...file, ...refused }),
    form(54, 'unknown-flag', { flags: IOSQE.FIXED_FILE, op_flags: 2 }, refused),
    form(54, 'len-set', { flags: IOSQE.FIXED_FILE, len: 1 }, refused),
    form(54, 'addr3-set', { flags: IOSQE.FIXED_FILE, addr3: 1n }, refused),
  ],
};

function issuePipe(c: OpContext): IssueOutcome {
  const { sqe, sandbox } = c;
  const { open } = c.abi;
  const flags = sqe.op_flags;
  // Packet mode depends on nothing here; a notification pipe is up to the kernel's configuration.
  if ((flags & open.O_EXCL) !== 0) return ANY;
  const nonblock = (flags & open.O_NONBLOCK) !== 0;
  const mapped = sandbox.memory.mapped(sqe.addr, 8);
  const memory = memoryNames(sqe.addr, 8);
  if (sqe.file_index === 0) {
    if (mapped === 'unknown') return ANY;
    if (!mapped) return result(-E.FAULT);
    return result(0, { touches: memory, effect: () => sandbox.memory.forget(sqe.addr, 8) });
  }
  const ring = sandbox.world.ring(c.ring);
  const touches = [`files:${c.ring}`, ...memory];
  if ((flags & open.O_CLOEXEC) !== 0) return result(-E.INVAL, { touches });
  if (ring.unknown || mapped !== true) return { ...ANY, touches, effect: () => void (ring.unknown = true) };
  const pipe = { id: 'pipe:new', bytes: new Uint8Array(0) };
  const read: OpenFile = { kind: 'pipe', pipe, end: 'read', nonblock };
  const write: OpenFile = { kind: 'pipe', pipe, end: 'write', nonblock };
  const alloc = sqe.file_index === FILE_INDEX_ALLOC;
  const first = ring.tryInstall(read, sqe.file_index);
  if (first < 0) return result(first, { touches });
  const slot = alloc ? first : sqe.file_index - 1;
  if (alloc || slot + 1 >= ring.files!.length) {
    // The second end has its own way to fail, with the first already in place.
    return { ...ANY, touches, effect: () => void (ring.unknown = true) };
  }
  return result(0, {
    touches,
    effect: () => {
      ring.install(read, slot + 1);
      ring.install(write, slot + 2);
      const bytes = new Uint8Array(8);
      const view = new DataView(bytes.buffer);
      view.setInt32(0, slot, c.abi.little_endian);
      view.setInt32(4, slot + 1, c.abi.little_endian);
      sandbox.memory.write(sqe.addr, bytes);
    },
  });
}

const fds_at = data(DATA.pipe_fds);
export const PIPE: OpSpec = {
  opcode: 62,
  name: 'PIPE',
  prep: (c) => {
    const { sqe } = c;
    if (anySet(sqe, 'fd', 'off', 'addr3')) return EINVAL;
    // O_CLOEXEC, O_NONBLOCK, O_DIRECT (either architecture's bit is not told apart here) and O_NOTIFICATION_PIPE (O_EXCL).
    const { O_CLOEXEC, O_NONBLOCK, O_EXCL } = c.abi.open;
    const rest = sqe.op_flags & ~(O_CLOEXEC | O_NONBLOCK | O_EXCL);
    return rest === 0 ? PREP_OK : (rest & ~0x1_4000) === 0 ? PREP_UNKNOWN : EINVAL;
  },
  issue: issuePipe,
  forms: [
    form(62, 'plain', { addr: fds_at }),
    form(62, 'cloexec-nonblock', { addr: fds_at, op_flags: 0o2004000 }),
    form(62, 'null', { addr: 0n }),
    form(
      62,
      'direct',
      { addr: fds_at, file_index: 1 },
      { probe: { memory: { at: ARENA.data + DATA.pipe_fds, length: 8 } } },
    ),
    form(62, 'direct-cloexec', { addr: fds_at, op_flags: 0o2000000, file_index: 1 }),
    form(62, 'unknown-flag', { addr: fds_at, op_flags: 1 }, refused),
    form(62, 'fd-set', { addr: fds_at, fd: 1 }, refused),
    form(62, 'off-set', { addr: fds_at, off: 1n }, refused),
    form(62, 'addr3-set', { addr: fds_at, addr3: 1n }, refused),
  ],
};

const CTL_ADD = 1;
const CTL_DEL = 2;
const CTL_MOD = 3;

function issueEpollCtl(c: OpContext): IssueOutcome {
  const { sqe } = c;
  const target_fd = Number(BigInt.asIntN(32, sqe.off));
  const watched = descriptor(c, target_fd);
  const slot = `fd:${target_fd}`;
  return onFile(c, descriptor(c, sqe.fd), `fd:${sqe.fd}`, true, (set) =>
    onFile(c, watched, slot, false, (open) => {
      if (open.kind === 'file' || open.kind === 'dir') return result(-E.PERM);
      if (set.kind !== 'epoll') return result(-E.INVAL);
      if (open === set) return result(-E.INVAL);
      if (open.kind === 'ring') return ANY;
      const key = `${target_fd}`;
      const known = set.watches.get(key);
      const there = known !== undefined && known.file === open;
      switch (sqe.len | 0) {
        case CTL_ADD:
          return there
            ? result(-E.EXIST)
            : result(0, { effect: () => void set.watches.set(key, { fd: target_fd, file: open }) });
        case CTL_DEL:
          return there ? result(0, { effect: () => void set.watches.delete(key) }) : result(-E.NOENT);
        case CTL_MOD:
          return result(there ? 0 : -E.NOENT);
        default:
          return result(-E.INVAL);
      }
    }),
  );
}

const ctl = (name: string, op: number, fields: Fields = {}, extra: Partial<OpForm> = {}): OpForm =>
  form(
    29,
    name,
    { fd: FD.epoll, off: BigInt(FD.eventfd), len: op, addr: EPOLL_EVENT.in, ...fields },
    { ...epoll_eventfd, ...extra },
  );

export const EPOLL_CTL: OpSpec = {
  opcode: 29,
  name: 'EPOLL_CTL',
  prep: (c) => {
    if (anySet(c.sqe, 'buf_index', 'file_index')) return EINVAL;
    if ((c.sqe.len | 0) === CTL_DEL) return PREP_OK;
    const event = c.sandbox.memory.read(c.sqe.addr, 12);
    return event === 'fault' ? EFAULT : event === 'unknown' ? PREP_UNKNOWN : PREP_OK;
  },
  issue: issueEpollCtl,
  forms: [
    ctl('add', CTL_ADD),
    ctl('del', CTL_DEL),
    ctl('mod', CTL_MOD),
    ctl('unknown-op', 9),
    ctl('regular-file', CTL_ADD, { off: BigInt(FD.file) }, { fixtures: ['epoll', 'file'] }),
    ctl('not-epoll', CTL_ADD, { fd: FD.pipe_read }, { fixtures: ['pipe', 'eventfd'] }),
    ctl('itself', CTL_ADD, { off: BigInt(FD.epoll) }),
    ctl('bad-epfd', CTL_ADD, { fd: FD.closed }),
    ctl('bad-fd', CTL_ADD, { off: BigInt(FD.closed) }),
    ctl('null-event', CTL_ADD, { addr: 0n }, refused),
    ctl('buf-index-set', CTL_ADD, { buf_index: 1 }, refused),
    ctl('file-index-set', CTL_ADD, { file_index: 1 }, refused),
  ],
};

const EPOLL_MAX = Math.floor(0x7fff_ffff / 16);

export const EPOLL_WAIT: OpSpec = {
  opcode: 59,
  name: 'EPOLL_WAIT',
  prep: ({ sqe }) => (anySet(sqe, 'off', 'op_flags', 'buf_index', 'file_index') ? EINVAL : PREP_OK),
  issue: (c) =>
    withFile(c, false, (open) => {
      const max = c.sqe.len | 0;
      if (max <= 0 || max > EPOLL_MAX) return result(-E.INVAL);
      // A wait on an epoll instance may have to wait: not modelled.
      return open.kind === 'epoll' || open.kind === 'ring' ? ANY : result(-E.INVAL);
    }),
  forms: [
    form(59, 'no-room', { fd: FD.epoll, addr: data(DATA.epoll) }, epoll),
    form(59, 'negative', { fd: FD.epoll, addr: data(DATA.epoll), len: 0xffff_ffff }, epoll),
    form(59, 'not-epoll', { fd: FD.eventfd, addr: data(DATA.epoll), len: 1 }, eventfd),
    form(59, 'bad-fd', { fd: FD.closed, addr: data(DATA.epoll), len: 1 }),
    form(59, 'off-set', { fd: FD.epoll, len: 1, off: 1n }, { ...epoll, ...refused }),
    form(59, 'flags-set', { fd: FD.epoll, len: 1, op_flags: 1 }, { ...epoll, ...refused }),
  ],
};
