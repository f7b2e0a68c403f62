/** OPENAT and OPENAT2: the filter sees the flags as the kernel will use them. */
import { defineOpen, Open, OpenSet } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import type { Sqe } from '../scenario/types.ts';
import { ARENA_BASE } from '../scenario/layout.ts';
import { hex, openFlagsText } from '../uapi/text.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { arenaImage, OPEN_HOW, OPEN_HOW_MIXED, openHowBit, PATH } from '../world/arena.ts';
import { AT_FDCWD, E, FILE_INDEX_ALLOC, IOSQE, RESOLVE } from '../uapi/constants.ts';
import type { Node, OpenFile } from '../world/files.ts';
import { walk } from './open-path.ts';
import { installNew, perhapsInstalled } from './socket.ts';
import {
  anything,
  directoryInFd,
  EBADF,
  EFAULT,
  EINVAL,
  isFixed,
  pathError,
  pathInAddr,
  pathText,
  payloadU64,
  prepOpen,
  prepError,
  result,
  SAMPLE_DATA,
} from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec, Payload, PrepOutcome } from './types.ts';

/** Every flag openat(2) keeps; the same bits on all architectures, though some swap places. */
const VALID_OPEN_FLAGS = 0x7f_ffc3n;
/** Taken by newer releases, dropped by older ones. */
const NEWER_OPEN_FLAG = 0x400_0000n;
/** Also OPENAT2_REGULAR, which older releases refuse. */
const NEWER_OPEN_FLAGS = NEWER_OPEN_FLAG | (1n << 32n);
const S_IALLUGO = 0o7777n;
const OPEN_HOW_SIZE = 24;
const O_ACCMODE = 3n;
const O_RDWR = 2n;
const RESOLVE_VALID = 0x3fn;

const OPEN = defineOpen({
  'open.newer-flag': ['not-modelled', 'An open flag that newer releases take.'],
  'open.link-target': ['not-modelled', "A symbolic link whose text has '.', '..' or empty names among others."],
  'open.cached': [
    'timing',
    'RESOLVE_CACHED: the open, or -EAGAIN.',
    'All of the path is in the cache of names.',
    'Some of it is not, or is being changed.',
  ],
});

interface How {
  readonly flags: bigint;
  readonly mode: bigint;
  readonly resolve: bigint;
}

/** The bits that need a worker, and the one bit of O_TMPFILE that is its own. */
function bits(abi: AbiProfile) {
  const o = abi.open;
  const tmpfile = BigInt(o.O_TMPFILE & ~o.O_DIRECTORY);
  const creat = BigInt(o.O_CREAT);
  return {
    tmpfile,
    creat,
    creates: creat | tmpfile,
    async: creat | tmpfile | BigInt(o.O_TRUNC),
    path: BigInt(o.O_PATH),
    directory: BigInt(o.O_DIRECTORY),
    path_flags: BigInt(o.O_PATH | o.O_DIRECTORY | o.O_NOFOLLOW | o.O_CLOEXEC),
    cloexec: BigInt(o.O_CLOEXEC),
  };
}

/**
 * What openat(2) makes of its flags and mode: unknown bits dropped, O_PATH alone in charge, no mode unless a file may
 * be created.
 */
function openatHow(c: OpContext): How {
  const b = bits(c.abi);
  let flags = BigInt(c.sqe.op_flags >>> 0) & VALID_OPEN_FLAGS;
  if ((flags & b.path) !== 0n) flags &= b.path_flags;
  const mode = (flags & b.creates) !== 0n ? BigInt(c.sqe.len >>> 0) & S_IALLUGO : 0n;
  return { flags, mode, resolve: 0n };
}

/** struct open_how as it stands in memory, the errno (positive) prep answers, or why nobody knows. */
function openat2How(c: OpContext): How | number | Open {
  if (c.held !== undefined) return howIn(c.held, c.abi.little_endian);
  const { memory } = c.sandbox;
  const size = c.sqe.len >>> 0;
  if (size < OPEN_HOW_SIZE) return E.INVAL;
  // What a larger structure has more must be zero, and is looked at first; there is no bound but memory's end.
  const more = restError(c, c.sqe.off + BigInt(OPEN_HOW_SIZE), size - OPEN_HOW_SIZE);
  if (more !== 0) return more;
  const bytes = memory.read(c.sqe.off, OPEN_HOW_SIZE);
  if (bytes === 'fault') return E.FAULT;
  if (Open.is(bytes)) return bytes;
  // linux/io_uring.h, IORING_FEAT_SUBMIT_STABLE: consumed when the SQE is.
  c.held = bytes;
  return howIn(bytes, c.abi.little_endian);
}

function howIn(bytes: Uint8Array, littleEndian: boolean): How {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [flags, mode, resolve] = howWords(view, littleEndian);
  return { flags, mode, resolve };
}

/** Bytes that are looked at in one go. */
const PIECE = 64;

/** 0 where all of the bytes are zero; else the errno of the first that is not, or is not there. */
function restError({ sandbox: { memory } }: OpContext, from: bigint, length: number): number | Open {
  for (let at = 0; at < length; at += PIECE) {
    const piece = memory.read(from + BigInt(at), Math.min(PIECE, length - at));
    if (piece instanceof Uint8Array) {
      if (piece.some((byte) => byte !== 0)) return E['2BIG'];
      continue;
    }
    for (let i = at; i < Math.min(length, at + PIECE); i++) {
      const byte = memory.read(from + BigInt(i), 1);
      if (byte === 'fault') return E.FAULT;
      if (Open.is(byte)) return byte;
      if (byte[0] !== 0) return E['2BIG'];
    }
  }
  return 0;
}

function how(c: OpContext): How | number | Open {
  return c.sqe.opcode === OPENAT.opcode ? openatHow(c) : openat2How(c);
}

function forced(c: OpContext, h: How): How {
  const b = bits(c.abi);
  return (h.flags & b.path) !== 0n ? h : { ...h, flags: h.flags | BigInt(c.abi.open_force_flags) };
}

function prep(c: OpContext): PrepOutcome {
  const asked = how(c);
  if (Open.is(asked)) return prepOpen(asked);
  if (typeof asked === 'number') return asked === E.FAULT ? EFAULT : prepError(asked);
  if (c.sqe.buf_index !== 0) return EINVAL;
  if (isFixed(c)) return EBADF;
  const h = forced(c, asked);
  if (c.sqe.opcode === OPENAT.opcode && (BigInt(c.sqe.op_flags >>> 0) & NEWER_OPEN_FLAG) !== 0n)
    return prepOpen(OPEN['open.newer-flag']);
  const bad = pathError(c, c.sqe.addr);
  if (bad) return bad;
  const b = bits(c.abi);
  if (c.sqe.file_index !== 0 && (h.flags & b.cloexec) !== 0n) return EINVAL;
  return {
    ok: true,
    adds_flags: (h.flags & b.async) !== 0n ? IOSQE.ASYNC : 0,
    payload: payloadU64(c.abi.little_endian, h.flags, h.mode, h.resolve),
  };
}

/** The checks open makes of its own arguments when it runs: -errno or 0. */
function flagError(c: OpContext, h: How): number {
  const b = bits(c.abi);
  if ((h.flags & ~VALID_OPEN_FLAGS) !== 0n || (h.resolve & ~RESOLVE_VALID) !== 0n) return -E.INVAL;
  if ((h.resolve & BigInt(RESOLVE.BENEATH)) !== 0n && (h.resolve & BigInt(RESOLVE.IN_ROOT)) !== 0n) return -E.INVAL;
  if ((h.flags & b.creates) !== 0n) {
    if ((h.mode & ~S_IALLUGO) !== 0n) return -E.INVAL;
  } else if (h.mode !== 0n) return -E.INVAL;
  if ((h.flags & b.directory) !== 0n && (h.flags & b.creat) !== 0n) return -E.INVAL;
  if ((h.flags & b.tmpfile) !== 0n && ((h.flags & b.directory) === 0n || (h.flags & O_ACCMODE) === 0n)) return -E.INVAL;
  if ((h.flags & b.path) !== 0n && (h.flags & ~b.path_flags) !== 0n) return -E.INVAL;
  if ((h.resolve & BigInt(RESOLVE.CACHED)) !== 0n && (h.flags & b.async) !== 0n) return -E.AGAIN;
  return 0;
}

function opened(c: OpContext, h: How, node: Node & { type: 'file' | 'dir' }): OpenFile {
  if (node.type === 'dir') return { kind: 'dir', node };
  const access = h.flags & O_ACCMODE;
  return {
    kind: 'file',
    node,
    // Access mode 3 asks for both permissions, and gives neither (open(2), NOTES).
    readable: access === 0n || access === O_RDWR,
    writable: access === 1n || access === O_RDWR,
    append: (h.flags & BigInt(c.abi.open.O_APPEND)) !== 0n,
    pos: 0,
  };
}

/** An open under way: what is asked, and the paths it touches. */
interface Opening {
  readonly c: OpContext;
  readonly how: How;
  readonly touches: readonly string[];
}

const has = ({ how: { flags } }: Opening, flag: number): boolean => (flags & BigInt(flag)) !== 0n;

/** A file that is not there yet, or never has a name. */
function blank(id: string): Node & { type: 'file' } {
  return { type: 'file', id: `node:${id}`, content: new Uint8Array(0), xattrs: new Map() };
}

/** An open of a path where nothing is. */
function openNew(opening: Opening, path: string): IssueOutcome {
  const { c, how: asked, touches } = opening;
  const { paths } = c.sandbox.common;
  const o = c.abi.open;
  if (!has(opening, o.O_CREAT) || has(opening, o.O_PATH)) return result(-E.NOENT, { touches });
  const made = blank(path);
  const effect = (): void => void paths.set(path, made);
  return installNew(c, opened(c, asked, made), c.sqe.file_index, { touches, effect });
}

/** Of x86-64, where the profile does not say. */
const O_DIRECT = 0o40000;

/** An open of a file or directory that is there, not for its path alone. */
function openNode(opening: Opening, node: Node & { type: 'file' | 'dir' }): IssueOutcome {
  const { c, how: asked, touches } = opening;
  const o = c.abi.open;
  const writes = (asked.flags & O_ACCMODE) !== 0n || has(opening, o.O_CREAT) || has(opening, o.O_TRUNC);
  if (node.type === 'dir' && writes) return result(-E.ISDIR, { touches });
  // The scenario's file system (tmpfs) takes it for files; no directory can be read past the cache.
  if (node.type === 'dir' && has(opening, o.O_DIRECT ?? O_DIRECT)) return result(-E.INVAL, { touches, changes: [] });
  const truncated = has(opening, o.O_TRUNC) && node.type === 'file' ? node : undefined;
  return installNew(c, opened(c, asked, node), c.sqe.file_index, {
    touches: truncated ? [...touches, truncated.id] : touches,
    changes: truncated ? [truncated.id] : [],
    effect: () => {
      if (truncated) truncated.content = new Uint8Array(0);
    },
  });
}

/** An open of a path that leads to something. */
function openExisting(opening: Opening, node: Node): IssueOutcome {
  const { c, how: asked, touches } = opening;
  const o = c.abi.open;
  const pathOnly = has(opening, o.O_PATH);
  if ((asked.flags & bits(c.abi).tmpfile) !== 0n) {
    if (node.type !== 'dir') return result(-E.NOTDIR, { touches });
    return installNew(c, opened(c, asked, blank('unnamed')), c.sqe.file_index, { touches, changes: [] });
  }
  if (has(opening, o.O_CREAT) && has(opening, o.O_EXCL) && !pathOnly) return result(-E.EXIST, { touches });
  if (has(opening, o.O_DIRECTORY) && node.type !== 'dir') return result(-E.NOTDIR, { touches });
  if (pathOnly) return installNew(c, { kind: 'path', node }, c.sqe.file_index, { touches, changes: [] });
  // Only reached with O_NOFOLLOW.
  if (node.type === 'symlink') return result(-E.LOOP, { touches });
  return node.type === 'socket' ? result(-E.NXIO, { touches }) : openNode(opening, node);
}

/** What an open that nobody knows may make or truncate. */
function mayChange(path: string, node: Node | undefined): readonly string[] {
  return node?.type === 'file' ? [`path:${path}`, node.id] : [`path:${path}`];
}

function issue(c: OpContext): IssueOutcome {
  const outcome = openedAs(c);
  return OpenSet.is(outcome.res) && outcome.res.values === 'any' ? perhapsInstalled(c, outcome) : outcome;
}

function openedAs(c: OpContext): IssueOutcome {
  const asked = how(c);
  const path = pathText(c, c.sqe.addr);
  if (Open.is(asked)) return anything(asked);
  if (typeof asked === 'number') return anything(WORLD['memory.written-late']);
  if (Open.is(path)) return anything(path);
  const used = forced(c, asked);
  const node = c.sandbox.common.paths.get(path);
  if ((used.flags & NEWER_OPEN_FLAGS) !== 0n)
    return { ...anything(OPEN['open.newer-flag']), touches: mayChange(path, node) };
  const invalid = flagError(c, used);
  if (invalid !== 0) return result(invalid);
  if ((used.resolve & BigInt(RESOLVE.CACHED)) !== 0n)
    return { ...anything(OPEN['open.cached']), touches: mayChange(path, node) };
  const o = c.abi.open;
  const exclusive = (used.flags & BigInt(o.O_CREAT)) !== 0n && (used.flags & BigInt(o.O_EXCL)) !== 0n;
  const follows = (used.flags & BigInt(o.O_NOFOLLOW)) === 0n && !exclusive;
  const at = walk(c, path, used.resolve, follows, OPEN['open.link-target']);
  const own = { touches: [`path:${path}`], changes: [] };
  if (typeof at === 'number') return result(at, own);
  if (Open.is(at)) return { ...anything(at), touches: mayChange(path, node) };
  const opening: Opening = { c, how: used, touches: at.seen.map((seen) => `path:${seen}`) };
  return at.node === undefined ? openNew(opening, at.path) : openExisting(opening, at.node);
}

function openat(
  name: string,
  path: bigint,
  flags: number,
  mode: number,
  rest: SqeFields = {},
  more: Partial<FormSpec> = {},
): FormSpec {
  return {
    name,
    sqe: { fd: AT_FDCWD, addr: path, op_flags: flags >>> 0, len: mode >>> 0, ...rest },
    fixtures: [],
    ...more,
  };
}

function openat2(
  name: string,
  path: bigint,
  address: bigint,
  rest: SqeFields = {},
  more: Partial<FormSpec> = {},
): FormSpec {
  return {
    name,
    sqe: { fd: AT_FDCWD, addr: path, off: address, len: OPEN_HOW_SIZE, ...rest },
    fixtures: [],
    ...more,
  };
}

const file = { fixtures: ['file'] } as const;
const makes = (path: string): Partial<FormSpec> => ({ probe: { path } });
const refused = { prep_error: true } as const;

/** `open` in struct io_uring_bpf_ctx. */
const PAYLOAD: Payload = {
  struct: 'open',
  since: '7.0',
  size: 24,
  members: [
    { name: 'flags', offset: 0, size: 8 },
    { name: 'mode', offset: 8, size: 8 },
    { name: 'resolve', offset: 16, size: 8 },
  ],
  fields: (view, abi) => {
    const [flags, mode, resolve] = howWords(view, abi.little_endian);
    return [
      ['flags', `${hex(flags)} (${openFlagsText(flags, abi)})`],
      ['mode', `0${mode.toString(8)}`],
      ['resolve', hex(resolve)],
    ];
  },
};

/** flags, mode and resolve, as struct open_how and the payload both have them. */
function howWords(view: DataView, littleEndian: boolean): readonly [bigint, bigint, bigint] {
  return [view.getBigUint64(0, littleEndian), view.getBigUint64(8, littleEndian), view.getBigUint64(16, littleEndian)];
}

function openatMeaning(sqe: Sqe, abi: AbiProfile): string {
  const flags = openFlagsText(BigInt(sqe.op_flags ?? 0), abi);
  return `openat(${pathInAddr(sqe, abi) ?? '?'}, ${flags}, 0${(sqe.len ?? 0).toString(8)})`;
}

function openat2Meaning(sqe: Sqe, abi: AbiProfile): string {
  return `openat2(${pathInAddr(sqe, abi) ?? '?'}, ${howText(sqe.off ?? 0n, abi) ?? '?'})`;
}

/** struct open_how at an address of the image. */
function howText(address: bigint, abi: AbiProfile): string | undefined {
  const image = arenaImage(abi.little_endian);
  const at = Number(address - BigInt(ARENA_BASE));
  if (!(at >= 0 && at + OPEN_HOW_SIZE <= image.length)) return undefined;
  const view = new DataView(image.buffer, image.byteOffset + at, OPEN_HOW_SIZE);
  const [flags, mode, resolve] = howWords(view, abi.little_endian);
  return `{flags=${openFlagsText(flags, abi)}, mode=0${mode.toString(8)}, resolve=${hex(resolve)}}`;
}

function openatSamples({ open: o }: AbiProfile): readonly SqeFields[] {
  const sample = (flags: number, len = 0): SqeFields => ({ fd: AT_FDCWD, addr: PATH.n0, op_flags: flags, len });
  return [
    sample(0),
    sample(1),
    sample(2),
    sample(o.O_CREAT | 1, 0o644),
    sample(o.O_CREAT | o.O_EXCL | 2, 0o600),
    sample(o.O_TRUNC | 1),
    sample(o.O_APPEND | 1),
    sample(o.O_DIRECTORY),
    sample(o.O_CLOEXEC),
    sample(o.O_PATH),
    sample(o.O_NOFOLLOW),
    { ...sample(0), user_data: SAMPLE_DATA },
  ];
}

const openat2Samples = (): readonly SqeFields[] =>
  [
    OPEN_HOW.rdonly,
    OPEN_HOW.rdwr,
    OPEN_HOW.create,
    OPEN_HOW.create_excl,
    OPEN_HOW.trunc,
    OPEN_HOW.cloexec,
    OPEN_HOW.path,
    OPEN_HOW.beneath,
    OPEN_HOW.in_root,
    OPEN_HOW.no_symlinks,
  ].map((off) => ({ fd: AT_FDCWD, addr: PATH.n0, off, len: OPEN_HOW_SIZE }));

/** IORING_OP_OPENAT: opens a file. */
export const OPENAT: OpSpec = {
  opcode: 18,
  since: '5.6',
  manual: 'openat(2)',
  directories: directoryInFd,
  payload: PAYLOAD,
  leaves: 'file',
  prep,
  issue,
  samples: openatSamples,
  meaning: openatMeaning,
  forms: [
    openat('rdonly', PATH.f0, 0, 0, {}, file),
    openat('rdwr', PATH.f0, 2, 0, {}, file),
    openat('mode-ignored', PATH.f0, 0, 0o7777, {}, file),
    openat('cloexec', PATH.f0, 0o2000000, 0, {}, file),
    openat('trunc', PATH.f0, 0o1001, 0, {}, file),
    openat('append-nonblock', PATH.f0, 0o6001, 0, {}, file),
    openat('sync', PATH.f0, 0o4010002, 0, {}, file),
    openat('largefile', PATH.f0, 0o100000, 0, {}, file),
    openat('path', PATH.f0, 0o10000000, 0, {}, file),
    openat('path-and-more', PATH.f0, 0o12006103, 0o777, {}, file),
    openat('unknown-flags-dropped', PATH.f0, 0xfb80_003c | 0, 0, {}, file),
    openat('directory', PATH.d0, 0o200000, 0, {}, { fixtures: ['dir'] }),
    openat('directory-on-file', PATH.f0, 0o200000, 0, {}, file),
    openat('dir-for-write', PATH.d0, 2, 0, {}, { fixtures: ['dir'] }),
    openat('missing', PATH.missing, 0, 0),
    openat('missing-write', PATH.missing, 1, 0o644),
    openat('missing-dir', PATH.missing_dir, 0o101, 0o644),
    openat('below-file', PATH.below_file, 0, 0, {}, file),
    openat('socket-file', PATH.sock, 2, 0, {}, { fixtures: ['listener'] }),
    openat('create', PATH.n0, 0o101, 0o644, {}, makes('n0')),
    openat('create-rdwr-cloexec', PATH.n1, 0o2000102, 0o600, {}, makes('n1')),
    openat('create-excl', PATH.n2, 0o301, 0o400, {}, makes('n2')),
    openat('create-odd-mode', PATH.n3, 0o101, 0xffff_f1ff | 0, {}, makes('n3')),
    openat('create-existing', PATH.f0, 0o101, 0o644, {}, file),
    openat('create-excl-existing', PATH.f0, 0o301, 0o644, {}, file),
    openat('create-directory', PATH.n0, 0o200101, 0o755, {}, makes('n0')),
    openat('create-in-dir', PATH.in_dir, 0o101, 0o644, {}, { fixtures: ['dir'], probe: { path: 'd0/x' } }),
    openat('direct', PATH.f0, 0, 0, { file_index: 1 }, file),
    openat('direct-alloc', PATH.f0, 2, 0, { file_index: FILE_INDEX_ALLOC }, file),
    openat('direct-create', PATH.n4, 0o101, 0o644, { file_index: 1 }, makes('n4')),
    openat('direct-cloexec', PATH.f0, 0o2000000, 0, { file_index: 1 }, { ...file, ...refused }),
    openat('buf-index-set', PATH.f0, 0, 0, { buf_index: 1 }, { ...file, ...refused }),
    openat('fixed-file', PATH.f0, 0, 0, { flags: IOSQE.FIXED_FILE }, { ...file, ...refused }),
    openat('null-path', 0n, 0, 0, {}, refused),
    openat('null-path-create', 0n, 0o101, 0o644, {}, refused),
    openat('empty-path', PATH.empty, 0, 0, {}, refused),
  ],
};

/** struct open_how with one bit in one member, and with every byte in use. */
function openat2Wide(): readonly FormSpec[] {
  const members = ['flags', 'mode', 'resolve'] as const;
  const bitForms = members.flatMap((name, member) =>
    Array.from({ length: 64 }, (_, bit) =>
      openat2(`${name}-bit-${bit}`, PATH.f0, openHowBit(member as 0 | 1 | 2, bit), {}, file),
    ),
  );
  return [...bitForms, ...OPEN_HOW_MIXED.map((at, n) => openat2(`mixed-${n}`, PATH.f0, at, {}, file))];
}

/** IORING_OP_OPENAT2: opens a file as a struct open_how in memory says. */
export const OPENAT2: OpSpec = {
  opcode: 28,
  since: '5.6',
  manual: 'openat2(2)',
  directories: directoryInFd,
  payload: PAYLOAD,
  leaves: 'file',
  prep,
  issue,
  samples: openat2Samples,
  meaning: openat2Meaning,
  wide: openat2Wide(),
  forms: [
    openat2('rdonly', PATH.f0, OPEN_HOW.rdonly, {}, file),
    openat2('rdwr', PATH.f0, OPEN_HOW.rdwr, {}, file),
    openat2('trunc', PATH.f0, OPEN_HOW.trunc, {}, file),
    openat2('append-nonblock', PATH.f0, OPEN_HOW.append_nonblock, {}, file),
    openat2('cloexec', PATH.f0, OPEN_HOW.cloexec, {}, file),
    openat2('path', PATH.f0, OPEN_HOW.path, {}, file),
    openat2('path-cloexec', PATH.f0, OPEN_HOW.path_cloexec, {}, file),
    openat2('create', PATH.n0, OPEN_HOW.create, {}, makes('n0')),
    openat2('create-excl', PATH.n1, OPEN_HOW.create_excl, {}, makes('n1')),
    openat2('create-beneath', PATH.n2, OPEN_HOW.create_beneath, {}, makes('n2')),
    openat2('create-all-modes', PATH.n3, OPEN_HOW.all_modes, {}, makes('n3')),
    openat2('beneath', PATH.f0, OPEN_HOW.beneath, {}, file),
    openat2('in-root', PATH.f0, OPEN_HOW.in_root, {}, file),
    openat2('no-symlinks', PATH.f0, OPEN_HOW.no_symlinks, {}, file),
    openat2('no-magiclinks', PATH.f0, OPEN_HOW.no_magiclinks, {}, file),
    openat2('no-xdev', PATH.f0, OPEN_HOW.no_xdev, {}, file),
    openat2('missing', PATH.missing, OPEN_HOW.rdonly),
    openat2('mode-without-create', PATH.f0, OPEN_HOW.mode_without_create, {}, file),
    openat2('bad-mode', PATH.n0, OPEN_HOW.bad_mode, {}, makes('n0')),
    openat2('bad-flags', PATH.f0, OPEN_HOW.bad_flags, {}, file),
    openat2('bad-resolve', PATH.f0, OPEN_HOW.bad_resolve, {}, file),
    openat2('beneath-in-root', PATH.f0, OPEN_HOW.beneath_in_root, {}, file),
    openat2('create-cached', PATH.n0, OPEN_HOW.create_cached, {}, makes('n0')),
    openat2('long-zero', PATH.f0, OPEN_HOW.long_zero, { len: 32 }, file),
    openat2('direct', PATH.f0, OPEN_HOW.rdonly, { file_index: 1 }, file),
    openat2('direct-create', PATH.n4, OPEN_HOW.create, { file_index: FILE_INDEX_ALLOC }, makes('n4')),
    openat2('direct-cloexec', PATH.f0, OPEN_HOW.cloexec, { file_index: 1 }, { ...file, ...refused }),
    openat2('long-set', PATH.f0, OPEN_HOW.long_set, { len: 32 }, { ...file, ...refused }),
    openat2('short', PATH.f0, OPEN_HOW.rdonly, { len: 23 }, { ...file, ...refused }),
    openat2('size-zero', PATH.f0, OPEN_HOW.rdonly, { len: 0 }, { ...file, ...refused }),
    openat2('null-how', PATH.f0, 0n, {}, { ...file, ...refused }),
    openat2('null-path', 0n, OPEN_HOW.create, {}, refused),
    openat2('empty-path', PATH.empty, OPEN_HOW.rdonly, {}, refused),
    openat2('buf-index-set', PATH.f0, OPEN_HOW.rdonly, { buf_index: 1 }, { ...file, ...refused }),
    openat2('fixed-file', PATH.f0, OPEN_HOW.rdonly, { flags: IOSQE.FIXED_FILE }, { ...file, ...refused }),
  ],
};
