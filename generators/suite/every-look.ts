/** Each flag of what can be opened, in each way, and a second look at it; what memory held when it was asked for. */
import { OP } from '../../oracle/opcodes/index.ts';
import { ARENA_BASE, FD } from '../../oracle/scenario/layout.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import { AF, AT_FDCWD, FILE_INDEX_ALLOC, IORING_SETUP, IOSQE, RESOLVE, SOCK } from '../../oracle/uapi/constants.ts';
import { PATH } from '../../oracle/world/arena.ts';
import { onRing } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { exactly } from './exactly.ts';
import { AT, connectLate, HOW_SIZE, lookDirect, overwritten, request, shown, SLOTS, stageOn } from './looks.ts';
import type { Stage } from './looks.ts';

const HERE = BigInt(ARENA_BASE + AT);

/** How a request comes to its end, and where what it opens goes. */
const WAYS = ['plain', 'async', 'slot', 'async-slot', 'alloc'] as const;
type Way = (typeof WAYS)[number];

function begin(b: Builder): Stage | undefined {
  const ring = b.ring(0, IORING_SETUP.SUBMIT_ALL, 64);
  return ring === undefined ? undefined : stageOn(b, 0, ring, true);
}

/** Opens something in this way, and looks at it. */
function openAndLook(stage: Stage, aspect: 'socket' | 'file', sqe: Sqe, way: Way): void {
  const { b, task } = stage;
  const flags = way.startsWith('async') ? IOSQE.ASYNC : 0;
  if (way === 'plain' || way === 'async') {
    const data = request(stage, { ...sqe, flags });
    if (data !== undefined) b.push({ do: 'probe_made', task, aspect, user_data: data });
    return;
  }
  // The first slot is left free for those that the kernel picks.
  const slot = way === 'alloc' ? 0 : 1 + (stage.next % (SLOTS - 1));
  const data = request(stage, { ...sqe, flags, file_index: way === 'alloc' ? FILE_INDEX_ALLOC : slot + 1 });
  if (data !== undefined) lookDirect(stage, aspect, data, slot);
  if (way === 'alloc') request(stage, { opcode: OP.CLOSE, file_index: slot + 1 });
}

/** Sockets of every pair of flags beside the type, made in every way. */
export function everySocketLook(b: Builder): void {
  const stage = begin(b);
  if (stage === undefined) return;
  const kinds = [
    [AF.UNIX, SOCK.STREAM],
    [AF.INET, SOCK.DGRAM],
    [AF.INET6, SOCK.STREAM],
    [AF.NETLINK, SOCK.RAW],
  ] as const;
  const flags = [0, SOCK.NONBLOCK, SOCK.CLOEXEC, SOCK.NONBLOCK | SOCK.CLOEXEC];
  for (const way of WAYS)
    for (const [n, beside] of flags.entries()) {
      const [family, type] = kinds[(n + WAYS.indexOf(way)) % kinds.length]!;
      openAndLook(stage, 'socket', { opcode: OP.SOCKET, fd: family, off: BigInt(type | beside) }, way);
    }
}

/** What an open asks for. */
interface Asked {
  readonly path: bigint;
  readonly flags: number;
  readonly mode?: number;
  readonly resolve?: number;
}

/** Each flag of open(2) alone, on what it is about. */
function eachOpen({ abi: { open: o }, d }: Builder): readonly Asked[] {
  const plain = [o.O_APPEND | 1, o.O_NONBLOCK, o.O_CLOEXEC, o.O_DSYNC | 2, o.O_SYNC | 2, o.O_TRUNC | 2, o.O_LARGEFILE];
  // O_NOCTTY, FASYNC, O_NOATIME: the same everywhere.
  const beside = [0o400, 0o20000, 0o1000000];
  return [
    ...[0, 1, 2, 3, ...plain, ...beside].map((flags): Asked => ({ path: PATH.f0, flags })),
    { path: PATH.d0, flags: o.O_DIRECTORY },
    { path: PATH.f0, flags: o.O_DIRECTORY },
    { path: PATH.dot, flags: o.O_TMPFILE | 2, mode: d.below(0o1000) },
    { path: PATH.f0, flags: o.O_PATH },
    { path: PATH.n5, flags: 0 },
    { path: PATH.n5, flags: o.O_NOFOLLOW },
    { path: PATH.n5, flags: o.O_NOFOLLOW | o.O_PATH },
    { path: PATH.f0, flags: o.O_NOFOLLOW },
    { path: PATH.f0, flags: o.O_CREAT | o.O_EXCL | 2, mode: 0o600 },
  ];
}

/** Each RESOLVE_ bit, on a path that it forbids and on one that it does not. */
const RESOLVED: readonly Asked[] = [RESOLVE.NO_SYMLINKS, RESOLVE.NO_XDEV, RESOLVE.BENEATH, RESOLVE.IN_ROOT].flatMap(
  (resolve) => [PATH.n5, PATH.f0].map((path) => ({ path, flags: 0, resolve })),
);

/** Puts a struct open_how into memory. */
function writeHow({ b, task }: Stage, { flags, mode = 0, resolve = 0 }: Asked): Uint8Array {
  const bytes = new Uint8Array(HOW_SIZE);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of [flags >>> 0, mode, resolve].entries())
    view.setBigUint64(8 * i, BigInt(value), b.abi.little_endian);
  b.push({ do: 'write_memory', task, at: AT, bytes });
  return bytes;
}

/** The request that asks for it; for OPENAT2 its struct open_how is written first. */
function openRequest(stage: Stage, opcode: number, asked: Asked): Sqe {
  if (opcode === OP.OPENAT)
    return { opcode, fd: AT_FDCWD, addr: asked.path, op_flags: asked.flags >>> 0, len: asked.mode ?? 0 };
  writeHow(stage, asked);
  return { opcode, fd: AT_FDCWD, addr: asked.path, off: HERE, len: HOW_SIZE };
}

/** Files opened with each flag, in these ways; those that are new in any way. */
export function everyOpenLook(opcode: number, ways: readonly Way[]): (b: Builder) => void {
  return (b) => {
    const stage = begin(b);
    if (stage === undefined) return;
    b.fixtures.add('file').add('dir');
    request(stage, { opcode: OP.SYMLINKAT, fd: AT_FDCWD, addr: PATH.f0, off: PATH.n5 });
    const all = [...eachOpen(b), ...(opcode === OP.OPENAT2 ? RESOLVED : [])];
    for (const [n, asked] of all.entries())
      openAndLook(stage, 'file', openRequest(stage, opcode, asked), ways[n % ways.length]!);
    const fresh = [PATH.n0, PATH.n1, PATH.n2, PATH.n3];
    for (const [n, path] of fresh.entries()) {
      const asked = { path, flags: b.abi.open.O_CREAT | (n === 0 ? b.abi.open.O_EXCL : n), mode: b.d.below(0o1000) };
      openAndLook(stage, 'file', openRequest(stage, opcode, asked), WAYS[n]!);
    }
  };
}

/** Every flag in both ways that leave a descriptor: a flag that only one of them keeps is seen. */
export const OPEN_WAYS: readonly (readonly Way[])[] = [
  ['plain', 'slot'],
  ['slot', 'plain'],
  ['async', 'async-slot', 'alloc'],
];

/** Addresses of each kind: of this host, of nobody, mapped, compatible; every byte of some differs. */
function addresses({ d }: Builder): readonly (readonly number[])[] {
  const some = [127, d.int(1, 254), d.int(1, 254), d.int(1, 254)];
  const zeros = (count: number): number[] => new Array<number>(count).fill(0);
  return [
    [127, 0, 0, 1],
    [0, 0, 0, 0],
    some,
    [...zeros(15), 1],
    zeros(16),
    [...zeros(10), 0xff, 0xff, 127, 0, 0, 1],
    [...zeros(10), 0xff, 0xff, ...some],
    [...zeros(10), 0xff, 0xff, 0, 0, 0, 0],
    [...zeros(12), ...some],
    Array.from({ length: 16 }, (_, i) => (i === 0 ? 0x20 : d.int(1, 255))),
  ];
}

/** Peers of this host, looked at; then addresses of every kind under filters that deny just what each shows. */
export function everyPeerLook(b: Builder): void {
  const stage = begin(b);
  if (stage === undefined) return;
  const { task, ring } = stage;
  const asked: (readonly [Sqe, Uint8Array])[] = [];
  for (const [n, address] of addresses(b).entries()) {
    const v6 = address.length === 16;
    const family = v6 ? AF.INET6 : AF.INET;
    const bytes = new Uint8Array(v6 ? 28 : 16);
    const view = new DataView(bytes.buffer);
    view.setUint16(0, family, b.abi.little_endian);
    view.setUint16(2, b.d.int(1, 0xffff), false);
    bytes.set(address, v6 ? 8 : 4);
    const sqe = { opcode: OP.CONNECT, fd: FD.closed, addr: HERE, off: BigInt(bytes.length) };
    asked.push([sqe, bytes]);
    // Whether anybody else can be reached is up to the guest's network.
    if (v6 || address[0] !== 127) continue;
    const slot = n % SLOTS;
    request(stage, { opcode: OP.SOCKET, fd: family, off: BigInt(SOCK.DGRAM), file_index: slot + 1 });
    b.push({ do: 'write_memory', task, at: AT, bytes });
    const data = request(stage, { ...sqe, fd: slot, flags: IOSQE.FIXED_FILE });
    if (data !== undefined) lookDirect(stage, 'peer', data, slot);
  }
  if ((b.abi.pdu_size[OP.CONNECT] ?? 0) === 0) return;
  for (const [sqe, bytes] of asked) denyShown(stage, sqe, bytes);
  for (const [sqe, bytes] of asked) {
    b.push({ do: 'write_memory', task, at: AT, bytes });
    b.push({ do: 'submit', task, ring, sqes: [{ ...sqe, user_data: BigInt(stage.next++) }] });
  }
}

/** A filter that denies precisely what the request shows. */
function denyShown({ b, task, ring }: Stage, sqe: Sqe, memory: Uint8Array): void {
  const payload = shown(b, sqe, memory);
  if (payload === undefined) return;
  const context = new Uint32Array(Math.max(10, b.abi.ctx_size >>> 2));
  context.set(payload, 4);
  b.filter(task, onRing(ring), sqe.opcode, exactly(b.d, context, [4, 5, 6, 7, 8, 9], false));
}

/**
 * What a request was asked when it was submitted, and its filters judged, is what it does, whatever is written over its
 * address, its path or its struct open_how before it runs (IORING_FEAT_SUBMIT_STABLE).
 */
export function everyLateWrite(b: Builder): void {
  const stage = begin(b);
  if (stage === undefined) return;
  const { task } = stage;
  b.fixtures.add('file').add('dir');
  const late = (sqe: Sqe): void => {
    const data = overwritten(stage, sqe);
    stage.next++;
    b.push({ do: 'probe_made', task, aspect: 'file', user_data: data });
  };
  for (const asked of [
    { path: PATH.f0, flags: 0 },
    { path: PATH.n0, flags: b.abi.open.O_CREAT | 2, mode: 0o640 },
  ])
    late(openRequest(stage, OP.OPENAT2, asked));
  for (const text of ['f0', 'd0']) {
    b.push({ do: 'write_memory', task, at: AT, bytes: new TextEncoder().encode(`${text}\0`) });
    late({ opcode: OP.OPENAT, fd: AT_FDCWD, addr: HERE, op_flags: text === 'd0' ? b.abi.open.O_DIRECTORY : 0 });
  }
  connectLate(stage);
}
