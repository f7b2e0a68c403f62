/** Requests that change the directory: MKDIRAT, UNLINKAT, RENAMEAT, SYMLINKAT, LINKAT. All go to a worker. */
import { defineOpen, Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { FD } from '../scenario/layout.ts';
import { PATH } from '../world/arena.ts';
import { AT_FDCWD, AT_REMOVEDIR, E, IOSQE } from '../uapi/constants.ts';
import type { Node } from '../world/files.ts';
import {
  anything,
  anySet,
  EBADF,
  EINVAL,
  isFixed,
  pathError,
  pathText,
  PREP_ASYNC,
  prepOpen,
  result,
  quietAlways,
  directoryInFd,
  directoriesInFdAndLen,
  pathInAddr,
} from './support.ts';
import type { SqeFields, FormSpec, FullSqe, IssueOutcome, OpContext, OpSpec, PrepOutcome } from './types.ts';

const OPEN = defineOpen({
  'path.odd': [
    'not-modelled',
    "'/', '.', '..', absolute paths and paths that end in '/', where something is made, moved or removed.",
  ],
  'path.directory': ['not-modelled', 'A path from a directory other than the working directory.'],
  'unlink.padding': [
    'silent',
    'An UNLINKAT with addr3 or padding set: newer releases refuse it, older ones do not look.',
    'io_uring_enter(2), IORING_OP_UNLINKAT; linux/io_uring.h',
  ],
  'path.symlink': ['not-modelled', 'A path that leads through a symbolic link.'],
  'rename.directory': ['not-modelled', 'A directory that is moved or exchanged together with what is in it.'],
  'rename.both-refused': [
    'silent',
    'Which errno a rename or link gets both of whose paths are refused.',
    'rename(2) and link(2), ERRORS (no order is given); io_uring_enter(2), IORING_OP_RENAMEAT and IORING_OP_LINKAT',
  ],
  'rename.flags': ['not-modelled', 'RENAME_WHITEOUT, and two flags of renameat2(2) at once.'],
  'link.flags': ['not-modelled', 'AT_EMPTY_PATH and AT_SYMLINK_FOLLOW of linkat(2).'],
});

/** Prep of a request that names paths: reserved fields, no direct descriptor, extra checks, then the paths. */
function prepPaths(
  c: OpContext,
  reserved: readonly (keyof FullSqe)[],
  paths: readonly bigint[],
  extra?: () => PrepOutcome | undefined,
): PrepOutcome {
  if (anySet(c.sqe, ...reserved)) return EINVAL;
  if (isFixed(c)) return EBADF;
  const refused = extra?.();
  if (refused) return refused;
  for (const path of paths) {
    const bad = pathError(c, path);
    if (bad) return bad;
  }
  return PREP_ASYNC;
}

/** Where a path leads: its node (undefined = nothing there yet, but it could be made), -errno, or why nobody knows. */
export function lookup(c: OpContext, dirfd: number, path: string): { readonly node: Node | undefined } | number | Open {
  if (path.startsWith('/') || path === '.' || path === '..' || path.endsWith('/')) return OPEN['path.odd'];
  if (dirfd !== AT_FDCWD) {
    if (dirfd < 0) return -E.BADF;
    const at = c.sandbox.file(dirfd);
    if (at === 'closed') return -E.BADF;
    if (at === 'unknown') return WORLD['descriptor.not-ours'];
    return at.kind === 'dir' || at.kind === 'path' || at.kind === 'other' ? OPEN['path.directory'] : -E.NOTDIR;
  }
  const { paths } = c.sandbox.common;
  const slash = path.indexOf('/');
  if (slash >= 0) {
    const parent = paths.get(path.slice(0, slash));
    if (parent === undefined) return -E.NOENT;
    if (parent.type === 'symlink') return OPEN['path.symlink'];
    if (parent.type !== 'dir') return -E.NOTDIR;
  }
  return { node: paths.get(path) };
}

function touched(...paths: readonly string[]): { readonly touches: string[] } {
  return { touches: paths.map((path) => `path:${path}`) };
}

/** True when a directory has entries. */
function occupied(c: OpContext, path: string): boolean {
  return [...c.sandbox.common.paths.keys()].some((name) => name.startsWith(`${path}/`));
}

const file = { fixtures: ['file'] } as const;
const dir = { fixtures: ['dir'] } as const;
const refused = { prep_error: true } as const;
const makes = (path: string): Partial<FormSpec> => ({ probe: { path } });

function form(name: string, fields: SqeFields, extra: Partial<FormSpec> = {}): FormSpec {
  return { name, sqe: { fd: AT_FDCWD, ...fields }, fixtures: [], ...extra };
}

/** IORING_OP_MKDIRAT: makes a directory. */
export const MKDIRAT: OpSpec = {
  opcode: 37,
  since: '5.15',
  manual: 'mkdirat(2)',
  directories: directoryInFd,
  quiet: quietAlways,
  prep: (c) => prepPaths(c, ['off', 'op_flags', 'buf_index', 'file_index'], [c.sqe.addr]),
  issue: (c) => {
    const path = pathText(c, c.sqe.addr);
    if (Open.is(path)) return anything(path);
    const at = lookup(c, c.sqe.fd, path);
    const touch = touched(path);
    if (Open.is(at)) return { ...anything(at), ...touch };
    if (typeof at === 'number') return result(at, touch);
    if (at.node !== undefined) return result(-E.EXIST, touch);
    return result(0, {
      ...touch,
      effect: () => void c.sandbox.common.paths.set(path, { type: 'dir', id: `node:${path}`, xattrs: new Map() }),
    });
  },
  meaning: pathInAddr,
  forms: [
    form('new', { addr: PATH.n0, len: 0o755 }, makes('n0')),
    form('new-no-mode', { addr: PATH.n1, len: 0 }, makes('n1')),
    form('exists', { addr: PATH.d0, len: 0o755 }, dir),
    form('file-exists', { addr: PATH.f0, len: 0o755 }, file),
    form('in-dir', { addr: PATH.in_dir, len: 0o700 }, { ...dir, ...makes('d0/x') }),
    form('missing-parent', { addr: PATH.missing_dir, len: 0o755 }),
    form('below-file', { addr: PATH.below_file, len: 0o755 }, file),
    form('bad-dirfd', { addr: PATH.n0, len: 0o755, fd: FD.closed }, makes('n0')),
    form('dirfd-is-file', { addr: PATH.n0, len: 0o755, fd: FD.file }, file),
    form('off-set', { addr: PATH.n0, off: 1n }, refused),
    form('flags-set', { addr: PATH.n0, op_flags: 1 }, refused),
    form('buf-index-set', { addr: PATH.n0, buf_index: 1 }, refused),
    form('file-index-set', { addr: PATH.n0, file_index: 1 }, refused),
    form('fixed-file', { addr: PATH.n0, flags: IOSQE.FIXED_FILE }, refused),
    form('null', { addr: 0n }, refused),
    form('empty', { addr: PATH.empty }, refused),
  ],
};

/** IORING_OP_UNLINKAT: removes a file or a directory. */
export const UNLINKAT: OpSpec = {
  opcode: 36,
  since: '5.11',
  manual: 'unlinkat(2)',
  directories: directoryInFd,
  quiet: quietAlways,
  prep: (c) =>
    anySet(c.sqe, 'addr3', 'pad2')
      ? prepOpen(OPEN['unlink.padding'])
      : prepPaths(c, ['off', 'len', 'buf_index', 'file_index'], [c.sqe.addr], () =>
          (c.sqe.op_flags & ~AT_REMOVEDIR) !== 0 ? EINVAL : undefined,
        ),
  issue: (c) => {
    const path = pathText(c, c.sqe.addr);
    if (Open.is(path)) return anything(path);
    const at = lookup(c, c.sqe.fd, path);
    const touch = touched(path);
    if (Open.is(at)) return { ...anything(at), ...touch };
    if (typeof at === 'number') return result(at, touch);
    if (at.node === undefined) return result(-E.NOENT, touch);
    const rmdir = c.sqe.op_flags !== 0;
    if (rmdir && at.node.type !== 'dir') return result(-E.NOTDIR, touch);
    if (!rmdir && at.node.type === 'dir') return result(-E.ISDIR, touch);
    if (rmdir && occupied(c, path)) return result(-E.NOTEMPTY, touch);
    return result(0, { ...touch, effect: () => void c.sandbox.common.paths.delete(path) });
  },
  meaning: pathInAddr,
  forms: [
    form('file', { addr: PATH.f0 }, { ...file, ...makes('f0') }),
    form('dir', { addr: PATH.d0, op_flags: AT_REMOVEDIR }, { ...dir, ...makes('d0') }),
    form('socket', { addr: PATH.sock }, { fixtures: ['listener'], probe: { path: 'sock' } }),
    form('dir-as-file', { addr: PATH.d0 }, dir),
    form('file-as-dir', { addr: PATH.f0, op_flags: AT_REMOVEDIR }, file),
    form('missing', { addr: PATH.missing }),
    form('missing-parent', { addr: PATH.missing_dir }),
    form('bad-dirfd', { addr: PATH.f0, fd: FD.closed }, file),
    form('unknown-flag', { addr: PATH.f0, op_flags: 1 }, { ...file, ...refused }),
    form('off-set', { addr: PATH.f0, off: 1n }, { ...file, ...refused }),
    form('len-set', { addr: PATH.f0, len: 1 }, { ...file, ...refused }),
    form('fixed-file', { addr: PATH.f0, flags: IOSQE.FIXED_FILE }, { ...file, ...refused }),
    form('null', { addr: 0n }, refused),
  ],
};

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

type Touch = ReturnType<typeof touched>;

/** The two ends of a rename or link as `lookup` finds them; -errno, or a place where there is no saying. */
type End = ReturnType<typeof lookup>;

/** RENAME_EXCHANGE of a node that is there. */
function exchange(c: OpContext, first: Node, from: string, second: Node | undefined, to: string): IssueOutcome {
  const touch = touched(from, to);
  if (second === undefined) return result(-E.NOENT, touch);
  // What is below an exchanged directory moves with it: not modelled.
  if (first.type === 'dir' || second.type === 'dir') return { ...anything(OPEN['rename.directory']), ...touch };
  const { paths } = c.sandbox.common;
  return result(0, {
    ...touch,
    effect: () => {
      paths.set(to, first);
      paths.set(from, second);
    },
  });
}

/** What a node in the way of a rename makes of it, or undefined where it is replaced. */
function inTheWay(moved: Node, there: Node, flags: number, touch: Touch): IssueOutcome | undefined {
  if (flags === RENAME_NOREPLACE) return result(-E.EXIST, touch);
  if (moved === there) return result(0, touch);
  if (moved.type === 'dir')
    return there.type === 'dir' ? { ...anything(OPEN['rename.directory']), ...touch } : result(-E.NOTDIR, touch);
  return there.type === 'dir' ? result(-E.ISDIR, touch) : undefined;
}

/** Why nobody can say what becomes of the two ends, or undefined. */
function undecided(a: End, b: End): Open | undefined {
  if (Open.is(a)) return a;
  if (Open.is(b)) return b;
  return typeof a === 'number' && typeof b === 'number' && a !== b ? OPEN['rename.both-refused'] : undefined;
}

function issueRename(c: OpContext): IssueOutcome {
  const from = pathText(c, c.sqe.addr);
  const to = pathText(c, c.sqe.off);
  if (Open.is(from)) return anything(from);
  if (Open.is(to)) return anything(to);
  const touch = touched(from, to);
  const flags = c.sqe.op_flags;
  if ((flags & ~7) !== 0) return result(-E.INVAL, touch);
  if (flags > RENAME_EXCHANGE) return { ...anything(OPEN['rename.flags']), ...touch };
  const a = lookup(c, c.sqe.fd, from);
  const b = lookup(c, c.sqe.len | 0, to);
  const open = undecided(a, b);
  if (open !== undefined || Open.is(a) || Open.is(b)) return { ...anything(open!), ...touch };
  if (typeof a === 'number') return result(a, touch);
  if (typeof b === 'number') return result(b, touch);
  const { node } = a;
  if (node === undefined) return result(-E.NOENT, touch);
  if (flags === RENAME_EXCHANGE) return exchange(c, node, from, b.node, to);
  const stopped = b.node === undefined ? undefined : inTheWay(node, b.node, flags, touch);
  if (stopped !== undefined) return stopped;
  if (node.type === 'dir' && (occupied(c, from) || to.startsWith(`${from}/`)))
    return { ...anything(OPEN['rename.directory']), ...touch };
  const { paths } = c.sandbox.common;
  return result(0, {
    ...touch,
    effect: () => {
      paths.delete(from);
      paths.set(to, node);
    },
  });
}

const rename = (
  name: string,
  from: bigint,
  to: bigint,
  fields: SqeFields = {},
  extra: Partial<FormSpec> = {},
): FormSpec => form(name, { addr: from, off: to, len: AT_FDCWD >>> 0, ...fields }, extra);
/** IORING_OP_RENAMEAT: renames a file. */
export const RENAMEAT: OpSpec = {
  opcode: 35,
  since: '5.11',
  manual: 'renameat2(2)',
  directories: directoriesInFdAndLen,
  quiet: quietAlways,
  prep: (c) => prepPaths(c, ['buf_index', 'file_index'], [c.sqe.addr, c.sqe.off]),
  issue: issueRename,
  meaning: pathInAddr,
  forms: [
    rename('file', PATH.f0, PATH.n2, {}, { ...file, ...makes('n2') }),
    rename('dir', PATH.d0, PATH.n3, {}, { ...dir, ...makes('n3') }),
    rename('no-replace', PATH.f0, PATH.n4, { op_flags: RENAME_NOREPLACE }, { ...file, ...makes('f0') }),
    rename('no-replace-exists', PATH.f0, PATH.sock, { op_flags: RENAME_NOREPLACE }, { fixtures: ['file', 'listener'] }),
    rename('over', PATH.f0, PATH.sock, {}, { fixtures: ['file', 'listener'], ...makes('f0') }),
    rename('exchange', PATH.f0, PATH.sock, { op_flags: RENAME_EXCHANGE }, { fixtures: ['file', 'listener'] }),
    rename('exchange-missing', PATH.f0, PATH.missing, { op_flags: RENAME_EXCHANGE }, file),
    rename('file-over-dir', PATH.f0, PATH.d0, {}, { fixtures: ['file', 'dir'] }),
    rename('dir-over-file', PATH.d0, PATH.f0, {}, { fixtures: ['file', 'dir'] }),
    rename('same', PATH.f0, PATH.f0, {}, file),
    rename('missing', PATH.missing, PATH.n2, {}, makes('n2')),
    rename('unknown-flag', PATH.f0, PATH.n2, { op_flags: 8 }, file),
    rename('buf-index-set', PATH.f0, PATH.n2, { buf_index: 1 }, { ...file, ...refused }),
    rename('file-index-set', PATH.f0, PATH.n2, { file_index: 1 }, { ...file, ...refused }),
    rename('fixed-file', PATH.f0, PATH.n2, { flags: IOSQE.FIXED_FILE }, { ...file, ...refused }),
    rename('null-old', 0n, PATH.n2, {}, refused),
    rename('null-new', PATH.f0, 0n, {}, { ...file, ...refused }),
  ],
};

/** IORING_OP_SYMLINKAT: makes a symbolic link. */
export const SYMLINKAT: OpSpec = {
  opcode: 38,
  since: '5.15',
  manual: 'symlinkat(2)',
  directories: directoryInFd,
  quiet: quietAlways,
  prep: (c) => prepPaths(c, ['len', 'op_flags', 'buf_index', 'file_index'], [c.sqe.addr, c.sqe.off]),
  issue: (c) => {
    const target = pathText(c, c.sqe.addr);
    const path = pathText(c, c.sqe.off);
    if (Open.is(target)) return anything(target);
    if (Open.is(path)) return anything(path);
    const touch = touched(path);
    const at = lookup(c, c.sqe.fd, path);
    if (Open.is(at)) return { ...anything(at), ...touch };
    if (typeof at === 'number') return result(at, touch);
    if (at.node !== undefined) return result(-E.EXIST, touch);
    return result(0, { ...touch, effect: () => void c.sandbox.common.paths.set(path, { type: 'symlink', target }) });
  },
  forms: [
    form('to-file', { addr: PATH.f0, off: PATH.n5 }, { ...file, ...makes('n5') }),
    form('exists', { addr: PATH.missing, off: PATH.f0 }, file),
    form('missing-parent', { addr: PATH.f0, off: PATH.missing_dir }),
    form('bad-dirfd', { addr: PATH.f0, off: PATH.n5, fd: FD.closed }, makes('n5')),
    form('len-set', { addr: PATH.f0, off: PATH.n5, len: 1 }, refused),
    form('flags-set', { addr: PATH.f0, off: PATH.n5, op_flags: 1 }, refused),
    form('null', { addr: PATH.f0, off: 0n }, refused),
    form('fixed-file', { addr: PATH.f0, off: PATH.n5, flags: IOSQE.FIXED_FILE }, refused),
  ],
};

const link = (
  name: string,
  from: bigint,
  to: bigint,
  fields: SqeFields = {},
  extra: Partial<FormSpec> = {},
): FormSpec => form(name, { addr: from, off: to, len: AT_FDCWD >>> 0, ...fields }, extra);
/** IORING_OP_LINKAT: gives a file a second name. */
export const LINKAT: OpSpec = {
  opcode: 39,
  since: '5.15',
  manual: 'linkat(2)',
  directories: directoriesInFdAndLen,
  quiet: quietAlways,
  prep: (c) => prepPaths(c, ['buf_index', 'file_index'], [c.sqe.addr, c.sqe.off]),
  issue: (c) => {
    const from = pathText(c, c.sqe.addr);
    const to = pathText(c, c.sqe.off);
    if (Open.is(from)) return anything(from);
    if (Open.is(to)) return anything(to);
    const touch = touched(from, to);
    if ((c.sqe.op_flags & ~0x1400) !== 0) return result(-E.INVAL, touch);
    if (c.sqe.op_flags !== 0) return { ...anything(OPEN['link.flags']), ...touch };
    const a = lookup(c, c.sqe.fd, from);
    const b = lookup(c, c.sqe.len | 0, to);
    const open = undecided(a, b);
    if (open !== undefined || Open.is(a) || Open.is(b)) return { ...anything(open!), ...touch };
    if (typeof a === 'number') return result(a, touch);
    if (a.node === undefined) return result(-E.NOENT, touch);
    if (typeof b === 'number') return result(b, touch);
    if (b.node !== undefined) return result(-E.EXIST, touch);
    if (a.node.type === 'dir') return result(-E.PERM, touch);
    const node = a.node;
    return result(0, { ...touch, changes: [`path:${to}`], effect: () => void c.sandbox.common.paths.set(to, node) });
  },
  forms: [
    link('file', PATH.f0, PATH.n7, {}, { ...file, ...makes('n7') }),
    link('socket', PATH.sock, PATH.n7, {}, { fixtures: ['listener'], ...makes('n7') }),
    link('dir', PATH.d0, PATH.n7, {}, dir),
    link('exists', PATH.f0, PATH.sock, {}, { fixtures: ['file', 'listener'] }),
    link('missing', PATH.missing, PATH.n7, {}, makes('n7')),
    link('unknown-flag', PATH.f0, PATH.n7, { op_flags: 1 }, file),
    link('bad-dirfd', PATH.f0, PATH.n7, { fd: FD.closed }, file),
    link('buf-index-set', PATH.f0, PATH.n7, { buf_index: 1 }, { ...file, ...refused }),
    link('file-index-set', PATH.f0, PATH.n7, { file_index: 1 }, { ...file, ...refused }),
    link('fixed-file', PATH.f0, PATH.n7, { flags: IOSQE.FIXED_FILE }, { ...file, ...refused }),
    link('null', 0n, PATH.n7, {}, refused),
  ],
};
