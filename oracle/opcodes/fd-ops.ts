/** Requests about descriptors: CLOSE, FILES_UPDATE, FIXED_FD_INSTALL, PIPE, EPOLL_CTL, EPOLL_WAIT. */
import { defineOpen, Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { ARENA, FD, isRingFd, RING_FD } from '../scenario/layout.ts';
import { DATA, data, EPOLL_EVENT, FD_LIST } from '../world/arena.ts';
import { E, FILE_INDEX_ALLOC, IORING_FIXED_FD_NO_CLOEXEC, IOSQE } from '../uapi/constants.ts';
import type { OpenFile } from '../world/files.ts';
import { memoryNames } from '../world/memory.ts';
import {
  anything,
  anySet,
  descriptor,
  EBADF,
  EFAULT,
  EINVAL,
  isFixed,
  onFile,
  requestFile,
  resultAmong,
  PREP_OK,
  prepOpen,
  prepError,
  result,
  withFile,
  form,
  unknownFile,
} from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec } from './types.ts';

const refused = { prep_error: true } as const;

const OPEN = defineOpen({
  'files-update.alloc': ['not-modelled', 'FILES_UPDATE that has slots allocated (IORING_FILE_INDEX_ALLOC).'],
  'pipe.notification': ['not-modelled', "O_NOTIFICATION_PIPE: up to the kernel's configuration."],
  'pipe.unmapped': ['not-modelled', 'A pipe of direct descriptors whose numbers cannot be written to memory.'],
  'pipe.second-end': [
    'not-modelled',
    'A pipe of direct descriptors whose second end may find no slot, with the first in place.',
  ],
  'pipe.direct': ['not-modelled', 'PIPE with O_DIRECT, whose bit is not the same on all architectures.'],
  'epoll.waits': ['timing', 'A wait on an epoll instance.', 'A watched file is or becomes ready.', 'None ever does.'],
});
const file = { fixtures: ['file'] } as const;
const eventfd = { fixtures: ['eventfd'] } as const;
const epoll = { fixtures: ['epoll'] } as const;
const epollAndEventfd = { fixtures: ['epoll', 'eventfd'] } as const;

/** IORING_OP_CLOSE: closes a descriptor, or empties a direct slot. */
export const CLOSE: OpSpec = {
  opcode: 19,
  since: '5.6',
  manual: 'close(2)',
  prep: (c) => {
    if (anySet(c.sqe, 'off', 'addr', 'len', 'op_flags', 'buf_index')) return EINVAL;
    if (isFixed(c)) return EBADF;
    return c.sqe.file_index !== 0 && c.sqe.fd !== 0 ? EINVAL : PREP_OK;
  },
  issue: (c) => {
    const { sqe, sandbox } = c;
    if (sqe.file_index !== 0) {
      const ring = sandbox.common.ring(c.ring);
      const touches = [`files:${c.ring}`];
      if (ring.unknown) return { ...anything(ring.unknown), touches };
      const slot = sqe.file_index - 1;
      const res =
        ring.files === undefined
          ? -E.NXIO
          : slot >= ring.files.length
            ? -E.INVAL
            : ring.files[slot] === undefined
              ? -E.BADF
              : 0;
      return res < 0 ? result(res, { touches }) : result(res, { touches, effect: () => void ring.remove(slot) });
    }
    const touches = [`fd:${sqe.fd}`];
    const open = descriptor(c, sqe.fd);
    if (open === 'unknown') return { ...anything(unknownFile(open)), touches };
    if (open === 'closed' || open.kind === 'ring') return result(-E.BADF, { touches, changes: [] });
    return result(0, { touches, effect: () => void sandbox.fds.delete(sqe.fd) });
  },
  forms: [
    form('file', { fd: FD.file }, { ...file, probe: { fd: FD.file } }),
    form('eventfd', { fd: FD.eventfd }, { ...eventfd, probe: { fd: FD.eventfd } }),
    form('epoll', { fd: FD.epoll }, { ...epoll, probe: { fd: FD.epoll } }),
    form('datagram', { fd: FD.datagram }, { fixtures: ['datagram'], probe: { fd: FD.datagram } }),
    form('closed', { fd: FD.closed }),
    form('ring', { fd: RING_FD }),
    form('negative', { fd: -1 }),
    form('direct', { file_index: 1 }),
    form('direct-far', { file_index: 0x1_0000 }),
    form('direct-alloc', { file_index: FILE_INDEX_ALLOC }),
    form('both', { fd: FD.file, file_index: 1 }, { ...file, ...refused }),
    form('fixed-file', { fd: FD.file, flags: IOSQE.FIXED_FILE }, { ...file, ...refused }),
    form('off-set', { fd: FD.file, off: 1n }, { ...file, ...refused }),
    form('addr-set', { fd: FD.file, addr: 1n }, { ...file, ...refused }),
    form('len-set', { fd: FD.file, len: 1 }, { ...file, ...refused }),
    form('flags-set', { fd: FD.file, op_flags: 1 }, { ...file, ...refused }),
    form('buf-index-set', { fd: FD.file, buf_index: 1 }, { ...file, ...refused }),
  ],
};

/** s32[] at an address, 'fault', or why nobody knows. */
function descriptors(c: OpContext, addr: bigint, count: number): readonly number[] | 'fault' | Open {
  const bytes = c.sandbox.memory.read(addr, count * 4);
  if (bytes === 'fault' || Open.is(bytes)) return bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: count }, (_, i) => view.getInt32(i * 4, c.abi.little_endian));
}

/**
 * Replaces direct descriptors from `offset` on, all inside a known table; the rules of IORING_REGISTER_FILES_UPDATE.
 * Returns how to do it and the answer.
 */
export function updateFiles(
  c: Pick<OpContext, 'ring' | 'sandbox' | 'ringAt'>,
  offset: number,
  fds: readonly number[],
): { readonly res: number | Open; readonly apply: (() => void) | undefined } {
  const ring = c.sandbox.common.ring(c.ring);
  const steps: (() => void)[] = [];
  let done = 0;
  let error = 0;
  for (const [i, fd] of fds.entries()) {
    const slot = offset + i;
    if (fd !== -2) {
      steps.push(() => void ring.remove(slot));
      if (fd !== -1) {
        const open = lookupPlain(c, fd);
        if (open === 'unknown')
          return {
            res: WORLD['descriptor.not-ours'],
            apply: () => {
              ring.unknown = WORLD['descriptor.not-ours'];
            },
          };
        if (open === undefined) {
          error = -E.BADF;
          break;
        }
        steps.push(() => void ring.install(open, slot + 1));
      }
    }
    done++;
  }
  // Where nothing was replaced, nothing was done: the slot of a descriptor that cannot be had is emptied all the same.
  if (steps.length === 0) return { res: done > 0 ? done : error, apply: undefined };
  return {
    res: done > 0 ? done : error,
    apply: () => {
      for (const step of steps) step();
    },
  };
}

/** A file that may become a direct descriptor: not a ring. */
export function lookupPlain(c: Pick<OpContext, 'sandbox' | 'ringAt'>, fd: number): OpenFile | undefined | 'unknown' {
  if (c.ringAt(fd) || isRingFd(fd)) return undefined;
  const open = c.sandbox.file(fd);
  return open === 'closed' || (open !== 'unknown' && open.kind === 'path') ? undefined : open;
}

/** IORING_OP_FILES_UPDATE: replaces direct descriptors. */
export const FILES_UPDATE: OpSpec = {
  opcode: 20,
  since: '5.6',
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
    const ring = c.sandbox.common.ring(c.ring);
    if (ring.unknown) return { ...anything(ring.unknown), touches };
    if (offset === FILE_INDEX_ALLOC) {
      if (ring.files === undefined) return result(-E.NXIO, { touches });
      return {
        ...anything(OPEN['files-update.alloc']),
        touches,
        effect: () => {
          ring.unknown = OPEN['files-update.alloc'];
        },
      };
    }
    if (offset + count > 0xffff_ffff) return result(-E.OVERFLOW, { touches });
    if (ring.files === undefined) return result(-E.NXIO, { touches });
    if (offset + count > ring.files.length) return result(-E.INVAL, { touches });
    const fds = descriptors(c, sqe.addr, count);
    if (Open.is(fds))
      return {
        ...anything(OPEN['files-update.alloc']),
        touches,
        effect: () => {
          ring.unknown = OPEN['files-update.alloc'];
        },
      };
    if (fds === 'fault') return result(-E.FAULT, { touches });
    const { res, apply } = updateFiles(c, offset, fds);
    const names = [...touches, ...fds.map((fd) => `fd:${fd}`)];
    if (Open.is(res)) return { ...anything(res), touches: names, ...(apply === undefined ? {} : { effect: apply }) };
    return result(res, { touches: names, changes: touches, ...(apply === undefined ? {} : { effect: apply }) });
  },
  forms: [
    form('clear', { addr: FD_LIST.minus_one, len: 1 }),
    form('pipe', { addr: FD_LIST.pipe, len: 2 }, { fixtures: ['pipe'] }),
    form('closed', { addr: FD_LIST.closed, len: 1 }),
    form('far', { addr: FD_LIST.minus_one, len: 1, off: 0x1_0000n }),
    form('wraps', { addr: FD_LIST.minus_one, len: 2, off: 0xffff_fffen }),
    form('alloc', { addr: data(DATA.update), len: 1, off: BigInt(FILE_INDEX_ALLOC) }),
    form('len-zero', { addr: FD_LIST.minus_one }, refused),
    form('flags-set', { addr: FD_LIST.minus_one, len: 1, op_flags: 1 }, refused),
    form('file-index-set', { addr: FD_LIST.minus_one, len: 1, file_index: 1 }, refused),
    form('fixed-file', { addr: FD_LIST.minus_one, len: 1, flags: IOSQE.FIXED_FILE }, refused),
  ],
};

/** IORING_OP_FIXED_FD_INSTALL: makes a descriptor of a direct one. */
export const FIXED_FD_INSTALL: OpSpec = {
  opcode: 54,
  since: '6.8',
  prep: (c) => {
    const { sqe } = c;
    if (anySet(sqe, 'off', 'addr', 'len', 'buf_index', 'file_index', 'addr3')) return EINVAL;
    if (!isFixed(c)) return EBADF;
    if ((sqe.op_flags & ~IORING_FIXED_FD_NO_CLOEXEC) !== 0) return EINVAL;
    return sqe.personality !== 0 ? prepError(E.PERM) : PREP_OK;
  },
  issue: (c) => {
    const made = resultAmong(WORLD['descriptor.number'].atLeast(0), false);
    const file = requestFile(c);
    // Of the new descriptor nobody knows the number.
    if (typeof file === 'object') c.sandbox.common.kept.add(file);
    // Also of one that was opened with O_PATH, which is no file to most others.
    if (typeof file === 'object' && file.kind === 'path') return { ...made, touches: [`files:${c.ring}`], changes: [] };
    // What is in the slot is handed on as it is.
    const outcome = withFile(c, false, () => made);
    return { ...outcome, blind: outcome.touches.slice(1) };
  },
  forms: [
    form('slot-0', { flags: IOSQE.FIXED_FILE }),
    form('slot-1-no-cloexec', { fd: 1, flags: IOSQE.FIXED_FILE, op_flags: IORING_FIXED_FD_NO_CLOEXEC }),
    form('slot-far', { fd: 0x1_0000, flags: IOSQE.FIXED_FILE }),
    form('not-fixed', { fd: FD.file }, { ...file, ...refused }),
    form('unknown-flag', { flags: IOSQE.FIXED_FILE, op_flags: 2 }, refused),
    form('len-set', { flags: IOSQE.FIXED_FILE, len: 1 }, refused),
    form('addr3-set', { flags: IOSQE.FIXED_FILE, addr3: 1n }, refused),
  ],
};

function issuePipe(c: OpContext): IssueOutcome {
  const { sqe, sandbox } = c;
  const { open } = c.abi;
  const flags = sqe.op_flags;
  // Packet mode depends on nothing here; a notification pipe is up to the kernel's configuration.
  if ((flags & open.O_EXCL) !== 0) return anything(OPEN['pipe.notification']);
  const nonblock = (flags & open.O_NONBLOCK) !== 0;
  const mapped = sandbox.memory.mapped(sqe.addr, 8);
  const memory = memoryNames(sqe.addr, 8);
  if (sqe.file_index === 0) {
    if (Open.is(mapped)) return anything(mapped);
    if (!mapped) return result(-E.FAULT);
    return result(0, { touches: memory, effect: () => sandbox.memory.forget(sqe.addr, 8) });
  }
  const ring = sandbox.common.ring(c.ring);
  const touches = [`files:${c.ring}`, ...memory];
  if ((flags & open.O_CLOEXEC) !== 0) return result(-E.INVAL, { touches });
  if (ring.unknown || mapped !== true) {
    const place = ring.unknown ?? OPEN['pipe.unmapped'];
    return {
      ...anything(place),
      touches,
      effect: () => {
        ring.unknown = place;
      },
    };
  }
  const pipe = { id: 'pipe:new', bytes: new Uint8Array(0) };
  const read: OpenFile = { kind: 'pipe', pipe, end: 'read', nonblock };
  const write: OpenFile = { kind: 'pipe', pipe, end: 'write', nonblock };
  const alloc = sqe.file_index === FILE_INDEX_ALLOC;
  const first = ring.tryInstall(read, sqe.file_index);
  if (first < 0) return result(first, { touches });
  const slot = alloc ? first : sqe.file_index - 1;
  if (alloc || slot + 1 >= ring.files!.length) {
    // The second end has its own way to fail, with the first already in place.
    return {
      ...anything(OPEN['pipe.second-end']),
      touches,
      effect: () => {
        ring.unknown = OPEN['pipe.second-end'];
      },
    };
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

const fdsAt = data(DATA.pipe_fds);
/** IORING_OP_PIPE: makes a pipe. */
export const PIPE: OpSpec = {
  opcode: 62,
  since: '6.16',
  manual: 'pipe2(2)',
  prep: (c) => {
    const { sqe } = c;
    if (anySet(sqe, 'fd', 'off', 'addr3')) return EINVAL;
    // O_CLOEXEC, O_NONBLOCK, O_DIRECT (either architecture's bit is not told apart here) and O_NOTIFICATION_PIPE
    // (O_EXCL).
    const { O_CLOEXEC, O_NONBLOCK, O_EXCL } = c.abi.open;
    const rest = sqe.op_flags & ~(O_CLOEXEC | O_NONBLOCK | O_EXCL);
    return rest === 0 ? PREP_OK : (rest & ~0x1_4000) === 0 ? prepOpen(OPEN['pipe.direct']) : EINVAL;
  },
  issue: issuePipe,
  forms: [
    form('plain', { addr: fdsAt }),
    form('cloexec-nonblock', { addr: fdsAt, op_flags: 0o2004000 }),
    form('null', { addr: 0n }),
    form(
      'direct',
      { addr: fdsAt, file_index: 1 },
      { probe: { memory: { at: ARENA.data + DATA.pipe_fds, length: 8 } } },
    ),
    form('direct-cloexec', { addr: fdsAt, op_flags: 0o2000000, file_index: 1 }),
    form('unknown-flag', { addr: fdsAt, op_flags: 1 }, refused),
    form('fd-set', { addr: fdsAt, fd: 1 }, refused),
    form('off-set', { addr: fdsAt, off: 1n }, refused),
    form('addr3-set', { addr: fdsAt, addr3: 1n }, refused),
  ],
};

const CTL_ADD = 1;
const CTL_DEL = 2;
const CTL_MOD = 3;

type Epoll = Extract<OpenFile, { kind: 'epoll' }>;

/** EPOLL_CTL_* on a descriptor that can be watched. */
function control(c: OpContext, set: Epoll, fd: number, file: OpenFile): IssueOutcome {
  const key = `${fd}`;
  const known = set.watches.get(key)?.file;
  const there = known === file || (known?.kind === 'ring' && file.kind === 'ring' && known.slot === file.slot);
  switch (c.sqe.len | 0) {
    case CTL_ADD:
      return there ? result(-E.EXIST) : result(0, { effect: () => void set.watches.set(key, { fd, file }) });
    case CTL_DEL:
      return there ? result(0, { effect: () => void set.watches.delete(key) }) : result(-E.NOENT);
    case CTL_MOD:
      return result(there ? 0 : -E.NOENT);
    default:
      return result(-E.INVAL);
  }
}

function issueEpollCtl(c: OpContext): IssueOutcome {
  const { sqe } = c;
  const targetFd = Number(BigInt.asIntN(32, sqe.off));
  const watched = descriptor(c, targetFd);
  return onFile(c, descriptor(c, sqe.fd), `fd:${sqe.fd}`, true, (set) =>
    onFile(c, watched, `fd:${targetFd}`, false, (open) => {
      if (open.kind === 'file' || open.kind === 'dir') return result(-E.PERM);
      return set.kind !== 'epoll' || open === set ? result(-E.INVAL) : control(c, set, targetFd, open);
    }),
  );
}

const ctl = (name: string, op: number, fields: SqeFields = {}, extra: Partial<FormSpec> = {}): FormSpec =>
  form(
    name,
    { fd: FD.epoll, off: BigInt(FD.eventfd), len: op, addr: EPOLL_EVENT.in, ...fields },
    { ...epollAndEventfd, ...extra },
  );

/** IORING_OP_EPOLL_CTL: changes what an epoll instance watches. */
export const EPOLL_CTL: OpSpec = {
  opcode: 29,
  since: '5.6',
  manual: 'epoll_ctl(2)',
  prep: (c) => {
    if (anySet(c.sqe, 'buf_index', 'file_index')) return EINVAL;
    if ((c.sqe.len | 0) === CTL_DEL) return PREP_OK;
    const event = c.sandbox.memory.read(c.sqe.addr, 12);
    return event === 'fault' ? EFAULT : Open.is(event) ? prepOpen(event) : PREP_OK;
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

/** IORING_OP_EPOLL_WAIT: waits for events of an epoll instance. */
export const EPOLL_WAIT: OpSpec = {
  opcode: 59,
  since: '6.15',
  manual: 'epoll_wait(2)',
  prep: ({ sqe }) => (anySet(sqe, 'off', 'op_flags', 'buf_index', 'file_index') ? EINVAL : PREP_OK),
  issue: (c) =>
    withFile(c, false, (open) => {
      const max = c.sqe.len | 0;
      if (max <= 0 || max > EPOLL_MAX) return result(-E.INVAL);
      // A wait on an epoll instance may have to wait: not modelled.
      return open.kind === 'epoll' || open.kind === 'ring' ? anything(OPEN['epoll.waits']) : result(-E.INVAL);
    }),
  forms: [
    form('no-room', { fd: FD.epoll, addr: data(DATA.epoll) }, epoll),
    form('negative', { fd: FD.epoll, addr: data(DATA.epoll), len: 0xffff_ffff }, epoll),
    form('not-epoll', { fd: FD.eventfd, addr: data(DATA.epoll), len: 1 }, eventfd),
    form('bad-fd', { fd: FD.closed, addr: data(DATA.epoll), len: 1 }),
    form('off-set', { fd: FD.epoll, len: 1, off: 1n }, { ...epoll, ...refused }),
    form('flags-set', { fd: FD.epoll, len: 1, op_flags: 1 }, { ...epoll, ...refused }),
  ],
};
