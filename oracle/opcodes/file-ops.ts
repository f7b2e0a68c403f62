/** FSYNC, SYNC_FILE_RANGE, FALLOCATE, FTRUNCATE, FADVISE, MADVISE, STATX. */
import { defineOpen, Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { FILE_OPEN } from './open-answers.ts';
import { ARENA, ARENA_BASE, ARENA_END, FD } from '../scenario/layout.ts';
import { DATA, data, PATH } from '../world/arena.ts';
import { AT_FDCWD, E, IORING_FSYNC_DATASYNC, IOSQE } from '../uapi/constants.ts';
import type { OpenFile } from '../world/files.ts';
import { lookup } from './fs.ts';
import { memoryNames } from '../world/memory.ts';
import {
  anything,
  anySet,
  EBADF,
  EINVAL,
  isFixed,
  pathError,
  pathText,
  PREP_ASYNC,
  PREP_OK,
  prepOpen,
  result,
  withFile,
  quietAlways,
  quietOnFile,
  directoryInFd,
  form,
  pathInAddr,
  unknownFile,
} from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec } from './types.ts';

const file = { fixtures: ['file'] } as const;
const pipe = { fixtures: ['pipe'] } as const;
const refused = { prep_error: true } as const;

const SIGN = 1n << 63n;

const OPEN = defineOpen({
  'fsync.negative': [
    'silent',
    'Whether a negative offset of FSYNC is refused by prep or when it runs: released kernels differ.',
    'io_uring_enter(2), IORING_OP_FSYNC; fsync(2)',
  ],
  'fallocate.mode': ['not-modelled', 'Modes of fallocate(2) beyond FALLOC_FL_KEEP_SIZE: up to the file system.'],
  'madvise.advice': ['not-modelled', 'Advice beyond MADV_SEQUENTIAL, which may change what memory holds.'],
  'madvise.long': ['not-modelled', 'A range of madvise(2) that wraps.'],
  'statx.symlink': ['not-modelled', 'STATX of a symbolic link.'],
  'statx.empty-path': ['not-modelled', 'STATX with AT_EMPTY_PATH.'],
});

/** IORING_OP_FSYNC: writes a file back. */
export const FSYNC: OpSpec = {
  opcode: 3,
  since: '5.1',
  manual: 'fsync(2)',
  quiet: quietOnFile,
  prep: ({ sqe }) => {
    if (anySet(sqe, 'addr', 'buf_index', 'file_index')) return EINVAL;
    if ((sqe.op_flags & ~IORING_FSYNC_DATASYNC) !== 0) return EINVAL;
    // Whether a negative offset is seen by prep depends on the release.
    return sqe.off >= SIGN ? prepOpen(OPEN['fsync.negative']) : PREP_ASYNC;
  },
  issue: (c) =>
    withFile(c, false, (open) => {
      if (open.kind === 'file') return result(0);
      return open.kind === 'pipe' || open.kind === 'eventfd' || open.kind === 'socket' || open.kind === 'epoll'
        ? result(-E.INVAL)
        : anything(unknownFile(open));
    }),
  forms: [
    form('file', { fd: FD.file }, file),
    form('data', { fd: FD.file, op_flags: IORING_FSYNC_DATASYNC }, file),
    form('range', { fd: FD.file, off: 4n, len: 8 }, file),
    form('pipe', { fd: FD.pipe_read }, pipe),
    form('eventfd', { fd: FD.eventfd }, { fixtures: ['eventfd'] }),
    form('bad-fd', { fd: FD.closed }),
    form('fixed-file', { fd: 0, flags: IOSQE.FIXED_FILE }),
    form('unknown-flag', { fd: FD.file, op_flags: 2 }, { ...file, ...refused }),
    form('addr-set', { fd: FD.file, addr: 1n }, { ...file, ...refused }),
    form('buf-index-set', { fd: FD.file, buf_index: 1 }, { ...file, ...refused }),
    form('file-index-set', { fd: FD.file, file_index: 1 }, { ...file, ...refused }),
  ],
};

/** IORING_OP_SYNC_FILE_RANGE: writes a part of a file back. */
export const SYNC_FILE_RANGE: OpSpec = {
  opcode: 8,
  since: '5.2',
  manual: 'sync_file_range(2)',
  quiet: quietOnFile,
  prep: ({ sqe }) => (anySet(sqe, 'addr', 'buf_index', 'file_index') ? EINVAL : PREP_ASYNC),
  issue: (c) =>
    withFile(c, false, (open) => {
      if ((c.sqe.op_flags & ~7) !== 0 || c.sqe.off >= SIGN) return result(-E.INVAL);
      if (open.kind === 'file') return result(0);
      return open.kind === 'pipe' || open.kind === 'socket' || open.kind === 'eventfd'
        ? result(-E.SPIPE)
        : anything(unknownFile(open));
    }),
  forms: [
    form('file', { fd: FD.file, len: 64 }, file),
    form('write', { fd: FD.file, len: 16, off: 8n, op_flags: 2 }, file),
    form('unknown-flag', { fd: FD.file, op_flags: 8 }, file),
    form('negative', { fd: FD.file, off: SIGN }, file),
    form('pipe', { fd: FD.pipe_write }, pipe),
    form('bad-fd', { fd: FD.closed }),
    form('addr-set', { fd: FD.file, addr: 1n }, { ...file, ...refused }),
    form('file-index-set', { fd: FD.file, file_index: 1 }, { ...file, ...refused }),
  ],
};

/** -errno, or 0 when space may be reserved in this file, or why nobody knows. */
function fallocateError(c: OpContext, open: OpenFile): number | Open {
  const { sqe } = c;
  if (sqe.off >= SIGN || sqe.addr >= SIGN || sqe.addr === 0n) return -E.INVAL;
  const mode = sqe.len >>> 0;
  if ((mode & 0xffff_ff00) !== 0) return -E.OPNOTSUPP;
  if (mode > 1) return OPEN['fallocate.mode'];
  switch (open.kind) {
    case 'file':
      return open.writable ? 0 : -E.BADF;
    case 'pipe':
      return open.end === 'write' ? -E.SPIPE : -E.BADF;
    case 'eventfd':
    case 'socket':
      return -E.NODEV;
    default:
      return unknownFile(open);
  }
}

/** IORING_OP_FALLOCATE: reserves space in a file. */
export const FALLOCATE: OpSpec = {
  opcode: 17,
  since: '5.6',
  manual: 'fallocate(2)',
  quiet: quietOnFile,
  prep: ({ sqe }) => (anySet(sqe, 'buf_index', 'op_flags', 'file_index') ? EINVAL : PREP_ASYNC),
  issue: (c) =>
    withFile(c, true, (open) => {
      const bad = fallocateError(c, open);
      if (Open.is(bad)) return anything(bad);
      if (bad !== 0) return result(bad);
      const end = c.sqe.off + c.sqe.addr;
      if (open.kind !== 'file' || end > 0x1_0000n) return anything(FILE_OPEN['file.large']);
      const keep = c.sqe.len === 1;
      return result(0, {
        effect: () => void (keep || resize(open.node, Math.max(open.node.content.length, Number(end)))),
      });
    }),
  forms: [
    form('file', { fd: FD.file, addr: 128n }, file),
    form('keep-size', { fd: FD.file, off: 64n, addr: 64n, len: 1 }, file),
    form('zero', { fd: FD.file, addr: 0n }, file),
    form('negative', { fd: FD.file, addr: 8n, off: SIGN }, file),
    form('unknown-mode', { fd: FD.file, addr: 8n, len: 0x8000_0000 }, file),
    form('pipe', { fd: FD.pipe_write, addr: 8n }, pipe),
    form('bad-fd', { fd: FD.closed, addr: 8n }),
    form('flags-set', { fd: FD.file, addr: 8n, op_flags: 1 }, { ...file, ...refused }),
    form('buf-index-set', { fd: FD.file, addr: 8n, buf_index: 1 }, { ...file, ...refused }),
  ],
};

function resize(node: { content: Uint8Array }, size: number): void {
  const content = new Uint8Array(size);
  content.set(node.content.subarray(0, size));
  node.content = content;
}

/** IORING_OP_FTRUNCATE: sets the size of a file. */
export const FTRUNCATE: OpSpec = {
  opcode: 55,
  since: '6.9',
  manual: 'ftruncate(2)',
  quiet: quietOnFile,
  prep: ({ sqe }) => (anySet(sqe, 'op_flags', 'addr', 'len', 'buf_index', 'file_index', 'addr3') ? EINVAL : PREP_ASYNC),
  issue: (c) =>
    withFile(c, true, (open) => {
      if (c.sqe.off >= SIGN) return result(-E.INVAL);
      if (open.kind !== 'file')
        return open.kind === 'pipe' || open.kind === 'eventfd' || open.kind === 'socket'
          ? result(-E.INVAL)
          : anything(unknownFile(open));
      if (!open.writable) return result(-E.INVAL);
      const size = c.sqe.off;
      if (size > 0x1_0000n) return anything(FILE_OPEN['file.large']);
      return result(0, { effect: () => resize(open.node, Number(size)) });
    }),
  forms: [
    form('shrink', { fd: FD.file, off: 10n }, file),
    form('empty', { fd: FD.file }, file),
    form('grow', { fd: FD.file, off: 100n }, file),
    form('negative', { fd: FD.file, off: SIGN }, file),
    form('pipe', { fd: FD.pipe_write, off: 8n }, pipe),
    form('bad-fd', { fd: FD.closed }),
    form('len-set', { fd: FD.file, len: 1 }, { ...file, ...refused }),
    form('addr3-set', { fd: FD.file, addr3: 1n }, { ...file, ...refused }),
  ],
};

/** Advice that is given at once; the rest goes to a worker. */
const INLINE_ADVICE = new Set([0, 1, 2]);

/** IORING_OP_FADVISE: tells how a file will be used. */
export const FADVISE: OpSpec = {
  opcode: 24,
  since: '5.6',
  manual: 'posix_fadvise(2)',
  prep: ({ sqe }) => {
    if (anySet(sqe, 'buf_index', 'file_index')) return EINVAL;
    return INLINE_ADVICE.has(sqe.op_flags) ? PREP_OK : PREP_ASYNC;
  },
  issue: (c) =>
    withFile(c, false, (open) => {
      if (open.kind === 'pipe') return result(-E.SPIPE);
      const length = c.sqe.addr !== 0n ? c.sqe.addr : BigInt(c.sqe.len >>> 0);
      if (open.kind !== 'file') return anything(unknownFile(open));
      if (length >= SIGN || c.sqe.op_flags > 5) return result(-E.INVAL);
      return result(0);
    }),
  forms: [
    form('normal', { fd: FD.file }, file),
    form('sequential', { fd: FD.file, len: 16, op_flags: 2 }, file),
    form('willneed', { fd: FD.file, addr: 16n, op_flags: 3 }, file),
    form('dontneed', { fd: FD.file, op_flags: 4 }, file),
    form('unknown-advice', { fd: FD.file, op_flags: 77 }, file),
    form('pipe', { fd: FD.pipe_read }, pipe),
    form('bad-fd', { fd: FD.closed }),
    form('buf-index-set', { fd: FD.file, buf_index: 1 }, { ...file, ...refused }),
    form('file-index-set', { fd: FD.file, file_index: 1 }, { ...file, ...refused }),
  ],
};

const PAGE = 4096n;
const dataPage = BigInt(ARENA_BASE + ARENA.data);

/** IORING_OP_MADVISE: tells how memory will be used. */
export const MADVISE: OpSpec = {
  opcode: 25,
  since: '5.6',
  manual: 'madvise(2)',
  quiet: quietAlways,
  prep: ({ sqe }) => (anySet(sqe, 'buf_index', 'file_index') ? EINVAL : PREP_ASYNC),
  issue: (c) => {
    const { sqe } = c;
    const length = sqe.off !== 0n ? sqe.off : BigInt(sqe.len >>> 0);
    // Advice beyond RANDOM and SEQUENTIAL may change what memory holds: not modelled.
    if (sqe.op_flags > 2) return sqe.op_flags >= 0x1000 ? result(-E.INVAL) : anything(OPEN['madvise.advice']);
    if (sqe.addr % PAGE !== 0n) return result(-E.INVAL);
    const end = sqe.addr + ((length + PAGE - 1n) / PAGE) * PAGE;
    if (length >= SIGN || end >= SIGN) return anything(OPEN['madvise.long']);
    if (length === 0n) return result(0);
    if (sqe.addr >= BigInt(ARENA_BASE) && end <= BigInt(ARENA_END)) return result(0);
    return sqe.addr === BigInt(ARENA_END) || end <= PAGE ? result(-E.NOMEM) : anything(WORLD['memory.outside']);
  },
  forms: [
    form('normal', { addr: dataPage, len: 4096 }),
    form('random', { addr: dataPage, off: 4096n, op_flags: 1 }),
    form('zero', { addr: dataPage }),
    form('unaligned', { addr: dataPage + 1n, len: 1 }),
    form('unknown-advice', { addr: dataPage, len: 4096, op_flags: 0x1000 }),
    form('unmapped', { addr: BigInt(ARENA_END), len: 4096 }),
    form('buf-index-set', { addr: dataPage, buf_index: 1 }, refused),
    form('file-index-set', { addr: dataPage, file_index: 1 }, refused),
  ],
};

const STATX_SIZE = 256;
/** Offset of stx_size in struct statx. */
const STX_SIZE = 40;
const AT_STATX_SYNC_TYPE = 0x6000;
const STATX_FLAGS = 0x100 | 0x800 | 0x1000 | AT_STATX_SYNC_TYPE;

function issueStatx(c: OpContext): IssueOutcome {
  const { sqe } = c;
  const path = pathText(c, sqe.addr);
  if (Open.is(path)) return anything(path);
  if (((sqe.len >>> 31) & 1) === 1 || (sqe.op_flags & AT_STATX_SYNC_TYPE) === AT_STATX_SYNC_TYPE)
    return result(-E.INVAL);
  if ((sqe.op_flags & ~STATX_FLAGS) !== 0) return result(-E.INVAL);
  const touches = [`path:${path}`];
  const at = lookup(c, sqe.fd, path);
  if (Open.is(at)) return { ...anything(at), touches };
  if (typeof at === 'number') return result(at, { touches, changes: [] });
  if (at.node === undefined) return result(-E.NOENT, { touches, changes: [] });
  const { node } = at;
  if (node.type === 'symlink') return { ...anything(OPEN['statx.symlink']), touches };
  const mapped = c.sandbox.memory.mapped(sqe.off, STATX_SIZE);
  if (Open.is(mapped)) return { ...anything(mapped), touches };
  if (!mapped) return result(-E.FAULT, { touches, changes: [] });
  const memory = memoryNames(sqe.off, STATX_SIZE);
  const size = node.type === 'file' ? [node.id] : [];
  return result(0, {
    touches: [...touches, ...size, ...memory],
    changes: memory,
    blind: memory,
    effect: () => {
      c.sandbox.memory.forget(sqe.off, STATX_SIZE);
      if (node.type !== 'file') return;
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(node.content.length), c.abi.little_endian);
      c.sandbox.memory.write(sqe.off + BigInt(STX_SIZE), bytes);
    },
  });
}

const statx = (name: string, path: bigint, fields: SqeFields = {}, extra: Partial<FormSpec> = {}): FormSpec =>
  form(name, { fd: AT_FDCWD, addr: path, len: 0x7ff, off: data(DATA.statx), ...fields }, extra);

/** IORING_OP_STATX: asks what a path leads to. */
export const STATX: OpSpec = {
  opcode: 21,
  since: '5.6',
  manual: 'statx(2)',
  directories: directoryInFd,
  quiet: quietAlways,
  prep: (c) => {
    if (anySet(c.sqe, 'buf_index', 'file_index')) return EINVAL;
    if (isFixed(c)) return EBADF;
    if ((c.sqe.op_flags & 0x1000) !== 0) return prepOpen(OPEN['statx.empty-path']);
    return pathError(c, c.sqe.addr) ?? PREP_ASYNC;
  },
  issue: issueStatx,
  meaning: pathInAddr,
  forms: [
    statx('file', PATH.f0, {}, { ...file, probe: { memory: { at: ARENA.data + DATA.statx + STX_SIZE, length: 8 } } }),
    statx('dir', PATH.d0, {}, { fixtures: ['dir'] }),
    statx('no-mask', PATH.f0, { len: 0 }, file),
    statx('missing', PATH.missing),
    statx('bad-buffer', PATH.f0, { off: 0n }, file),
    statx('bad-mask', PATH.f0, { len: 0x8000_0000 }, file),
    statx('bad-flags', PATH.f0, { op_flags: 1 }, file),
    statx('bad-sync', PATH.f0, { op_flags: AT_STATX_SYNC_TYPE }, file),
    statx('bad-dirfd', PATH.f0, { fd: FD.closed }, file),
    statx('null', 0n, {}, refused),
    statx('empty', PATH.empty, {}, refused),
    statx('buf-index-set', PATH.f0, { buf_index: 1 }, { ...file, ...refused }),
    statx('fixed-file', PATH.f0, { flags: IOSQE.FIXED_FILE }, { ...file, ...refused }),
  ],
};
