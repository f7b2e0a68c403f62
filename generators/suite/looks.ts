/** Requests whose arguments filters are shown, of any arguments, and a second look at what an allowed one made. */
import { SPECIFIED } from '../../oracle/quirks/index.ts';
import { OP, opSpec } from '../../oracle/opcodes/index.ts';
import { fullSqe } from '../../oracle/opcodes/support.ts';
import type { Aspect } from '../../oracle/opcodes/types.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { ARENA, ARENA_BASE, FD } from '../../oracle/scenario/layout.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import { AF, AT_FDCWD, FILE_INDEX_ALLOC, IOSQE, RESOLVE, SOCK } from '../../oracle/uapi/constants.ts';
import { PATH } from '../../oracle/world/arena.ts';
import { Sandbox } from '../../oracle/world/sandbox.ts';
import type { Builder } from '../builder.ts';
import { onRing } from '../builder.ts';
import type { Draw, Weighted } from '../draw.ts';
import { exactly } from './exactly.ts';

/** user_data of requests that are looked at: of nobody else's. */
const OWN = 0x1eaf_0000_0000_0000n;
/** Offset in the arena of what a request points at; other requests leave it alone. */
export const AT = ARENA.data + 0xf00;
/** sizeof(struct open_how). */
export const HOW_SIZE = 24;
/** Direct slots of a ring on which things are opened there. */
export const SLOTS = 8;

/** Where a drawn request is submitted. */
export interface Stage {
  readonly b: Builder;
  readonly task: number;
  readonly ring: number;
  /** The ring has a table of direct descriptors. */
  readonly direct: boolean;
  next: number;
  /** Nothing comes behind it that a filter on its words could deny. */
  last: boolean;
}

const FAMILIES: Weighted<number> = [
  [4, AF.UNIX],
  [6, AF.INET],
  [6, AF.INET6],
  [3, AF.NETLINK],
  [2, AF.PACKET],
];
const PROTOCOLS: readonly number[] = [1, 2, 6, 17, 33, 41, 47, 50, 58, 132, 136, 255, 256, 262, 263, 0x300];

/** Sockets that most kernels make: family, type, protocol. */
const MADE: readonly (readonly [number, number, number])[] = [
  [AF.UNIX, SOCK.STREAM, 0],
  [AF.UNIX, SOCK.DGRAM, 1],
  [AF.UNIX, SOCK.RAW, 0],
  [AF.UNIX, SOCK.SEQPACKET, 1],
  ...[AF.INET, AF.INET6].flatMap(
    (family) =>
      [
        [family, SOCK.STREAM, 0],
        [family, SOCK.STREAM, 6],
        [family, SOCK.DGRAM, 0],
        [family, SOCK.DGRAM, 17],
        [family, SOCK.RAW, 255],
      ] as const,
  ),
  [AF.INET, SOCK.PACKET, 0x300],
  [AF.NETLINK, SOCK.RAW, 0],
  [AF.NETLINK, SOCK.DGRAM, 16],
  [AF.PACKET, SOCK.RAW, 0x300],
];

function drawSocket(d: Draw): Sqe {
  if (d.chance(0.5)) {
    const [made, kind, number] = d.pick(MADE);
    const beside = d.pick([0, SOCK.NONBLOCK, SOCK.CLOEXEC, SOCK.NONBLOCK | SOCK.CLOEXEC]);
    const raw = kind === SOCK.RAW && made !== AF.UNIX && made !== AF.NETLINK && d.chance(0.5);
    return { opcode: OP.SOCKET, fd: made, off: BigInt(kind | beside), len: raw ? d.int(1, 255) : number };
  }
  const family = d.chance(0.8) ? d.weighted(FAMILIES) : d.chance(0.8) ? d.below(AF.MAX + 2) : d.edge32() | 0;
  const type = d.chance(0.8) ? d.int(1, 5) : d.below(16);
  const flags = d.pick([0, 0, 0, SOCK.NONBLOCK, SOCK.CLOEXEC, SOCK.NONBLOCK | SOCK.CLOEXEC]);
  const odd = d.chance(0.04) ? 1 << d.int(4, 31) : 0;
  const protocol = d.chance(0.55) ? 0 : d.chance(0.8) ? d.pick(PROTOCOLS) : d.chance(0.7) ? d.below(300) : d.edge32();
  const high = d.chance(0.05) ? BigInt(d.edge32()) << 32n : 0n;
  return { opcode: OP.SOCKET, fd: family, off: BigInt((type | flags | odd) >>> 0) | high, len: protocol >>> 0 };
}

/** Flags of open(2), each now and then; how often the first one of a pair of bits is drawn. */
function drawOpenFlags(b: Builder): number {
  const { d, abi } = b;
  const o = abi.open;
  let flags = d.weighted<number>([
    [5, 0],
    [5, 1],
    [5, 2],
    [1, 3],
  ]);
  if (d.chance(0.45)) flags |= o.O_CREAT;
  for (const flag of [o.O_EXCL, o.O_TRUNC, o.O_APPEND, o.O_NONBLOCK, o.O_CLOEXEC, o.O_NOFOLLOW])
    if (d.chance(0.2)) flags |= flag;
  for (const flag of [o.O_DSYNC, o.O_SYNC, o.O_DIRECTORY, o.O_LARGEFILE, 0o400, 0o20000, 0o1000000, 0o40000])
    if (d.chance(0.08)) flags |= flag;
  if (d.chance(0.08)) flags |= o.O_PATH;
  if (d.chance(0.05)) flags |= o.O_TMPFILE;
  if (d.chance(0.05)) flags |= 1 << d.int(3, 31);
  return flags >>> 0;
}

const drawMode = (d: Draw): number => (d.chance(0.9) ? d.below(0o10000) : d.edge32());
const PATHS = [PATH.f0, PATH.f0, PATH.f0, PATH.n0, PATH.n1, PATH.n2, PATH.n3, PATH.d0, PATH.in_dir, PATH.dot] as const;

function drawOpenat({ b }: Stage): Sqe {
  const { d } = b;
  return { opcode: OP.OPENAT, fd: AT_FDCWD, addr: d.pick(PATHS), op_flags: drawOpenFlags(b), len: drawMode(d) };
}

/** A struct open_how of its own in memory. */
function drawOpenat2({ b, task }: Stage): Sqe {
  const { d, abi } = b;
  const bytes = new Uint8Array(HOW_SIZE);
  const view = new DataView(bytes.buffer);
  const flags = drawOpenFlags(b);
  const creates = (flags & (abi.open.O_CREAT | 0o20000000)) !== 0;
  const highFlags = d.chance(0.04) ? BigInt(d.edge32()) << 32n : 0n;
  view.setBigUint64(0, BigInt(flags) | highFlags, abi.little_endian);
  view.setBigUint64(8, BigInt(creates || d.chance(0.1) ? drawMode(d) : 0), abi.little_endian);
  let resolve = 0;
  for (const bit of Object.values(RESOLVE)) if (d.chance(0.12)) resolve |= bit;
  view.setBigUint64(16, d.chance(0.05) ? d.edge64() : BigInt(resolve), abi.little_endian);
  b.push({ do: 'write_memory', task, at: AT, bytes });
  return { opcode: OP.OPENAT2, fd: AT_FDCWD, addr: d.pick(PATHS), off: BigInt(ARENA_BASE + AT), len: HOW_SIZE };
}

/** An IPv4 address: most of this host. */
function drawIpv4(d: Draw): readonly number[] {
  const any = [0, 1, 2, 3].map(() => d.below(256));
  if (d.chance(0.6)) return [127, ...any.slice(1)];
  return d.chance(0.5) ? [0, 0, 0, 0] : any;
}

function drawIpv6(d: Draw): readonly number[] {
  const zeros = Array.from({ length: 10 }, () => 0);
  switch (d.below(4)) {
    case 0:
      return [...zeros, 0, 0, 0, 0, 0, 1];
    case 1:
      return [...zeros, 0, 0, 0, 0, 0, 0];
    case 2:
      return [...zeros, 0xff, 0xff, ...drawIpv4(d)];
    default:
      return Array.from({ length: 16 }, () => d.below(256));
  }
}

/** struct sockaddr_in or sockaddr_in6, and how much of it is passed. */
function drawAddress(b: Builder): { readonly bytes: Uint8Array; readonly length: number } {
  const { d, abi } = b;
  const family = d.weighted<number>([
    [10, AF.INET],
    [10, AF.INET6],
    [1, AF.UNSPEC],
    [1, d.below(AF.MAX + 2)],
  ]);
  const bytes = Uint8Array.from({ length: 32 }, () => (d.chance(0.2) ? d.below(256) : 0));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, family, abi.little_endian);
  view.setUint16(2, d.chance(0.3) ? d.pick([0, 1, 0x100, 7000, 0xffff]) : d.below(0x1_0000), false);
  if (family === AF.INET) bytes.set(drawIpv4(d), 4);
  else bytes.set(drawIpv6(d), 8);
  // A scope matters to link-local addresses alone.
  if (family === AF.INET6 && d.chance(0.8)) bytes.fill(0, 24);
  const length = d.chance(0.75)
    ? family === AF.INET
      ? 16
      : d.pick([24, 28])
    : d.pick([2, 8, 15, 16, 23, 24, 27, 28, 32]);
  return { bytes, length };
}

/** Connects a socket that was made for it, by its direct descriptor. */
function lookAtPeer(stage: Stage): void {
  const { b, task } = stage;
  const { d } = b;
  const family = d.pick([AF.INET, AF.INET6]);
  const slot = d.below(SLOTS);
  request(stage, { opcode: OP.SOCKET, fd: family, off: BigInt(SOCK.DGRAM), file_index: slot + 1 });
  const { bytes, length } = drawAddress(b);
  b.push({ do: 'write_memory', task, at: AT, bytes });
  const sqe = {
    opcode: OP.CONNECT,
    fd: slot,
    addr: BigInt(ARENA_BASE + AT),
    off: BigInt(length),
    flags: IOSQE.FIXED_FILE,
  };
  const connected = request(stage, sqe, stage.last && d.chance(0.7), bytes);
  if (connected !== undefined) lookDirect(stage, 'peer', connected, slot);
}

/** Connects the TCP socket that the scenario finds ready. */
function lookAtReadyPeer(stage: Stage): void {
  const { b, task } = stage;
  b.fixtures.add('inet').add('loopback');
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF.INET, b.abi.little_endian);
  view.setUint16(2, 7000, false);
  bytes.set(b.d.chance(0.7) ? [127, 0, 0, 1] : [0, 0, 0, 0], 4);
  b.push({ do: 'write_memory', task, at: AT, bytes });
  const sqe = { opcode: OP.CONNECT, fd: FD.inet, addr: BigInt(ARENA_BASE + AT), off: 16n };
  const data = request(stage, sqe, stage.last && b.d.chance(0.7), bytes);
  if (data !== undefined) b.push({ do: 'probe_made', task, aspect: 'peer', user_data: data, fd: FD.inet });
}

/**
 * Connects to the address that was there when the request was submitted, and that filters saw: the request before it in
 * its chain writes over it.
 */
export function connectLate(stage: Stage): void {
  const { b, task, ring } = stage;
  const { d } = b;
  b.fixtures.add('inet').add('loopback').add('file');
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, AF.INET, b.abi.little_endian);
  view.setUint16(2, 7001, false);
  bytes.set([127, 0, 0, 1], 4);
  b.push({ do: 'write_memory', task, at: AT, bytes });
  const connect = { opcode: OP.CONNECT, fd: FD.inet, addr: BigInt(ARENA_BASE + AT), off: 16n };
  const words = d.chance(0.6) ? shown(b, connect, bytes) : undefined;
  if (words !== undefined && (b.abi.pdu_size[OP.CONNECT] ?? 0) > 0) {
    const context = new Uint32Array(Math.max(10, b.abi.ctx_size >>> 2));
    context.set(words, 4);
    b.filter(task, onRing(ring), OP.CONNECT, exactly(d, context, [4, 5, 6], true));
  }
  overwritten(stage, connect);
}

/** Submits a request behind one that writes over what it points at; its user_data. */
export function overwritten({ b, task, ring, next: n }: Stage, sqe: Sqe): bigint {
  const data = OWN + BigInt(n) + (2n << 32n);
  b.fixtures.add('file');
  const read = { opcode: OP.READ, fd: FD.file, addr: BigInt(ARENA_BASE + AT), len: 16, flags: IOSQE.IO_LINK };
  const sqes = [
    { ...read, user_data: OWN + BigInt(n) + (1n << 32n) },
    { ...sqe, user_data: data },
  ];
  b.push({ do: 'submit', task, ring, sqes });
  return data;
}

/** The words that filters of the request see, or undefined where it does not come to them. */
export function shown(b: Builder, sqe: Sqe, memory: Uint8Array | undefined): Uint32Array | undefined {
  const sandbox = new Sandbox([...b.fixtures], b.abi);
  if (memory !== undefined) sandbox.memory.write(BigInt(ARENA_BASE + AT), memory);
  const prep = opSpec(sqe.opcode)!.prep({
    abi: b.abi,
    decisions: SPECIFIED,
    sqe: fullSqe(sqe),
    setup_flags: 0,
    ring: 0,
    linked: false,
    sandbox,
    ringAt: () => undefined,
  });
  return prep.ok === true ? prep.payload : undefined;
}

/** Submits a request alone; now and then under a filter that is about precisely what it shows. Its user_data. */
export function request(stage: Stage, sqe: Sqe, filtered = false, memory?: Uint8Array): bigint | undefined {
  const { b, task, ring } = stage;
  const size = b.abi.pdu_size[sqe.opcode] ?? 0;
  const payload = filtered && size > 0 ? shown(b, sqe, memory) : undefined;
  if (payload !== undefined) {
    const context = new Uint32Array(Math.max(10, b.abi.ctx_size >>> 2));
    context.set(payload, 4);
    const words = Array.from({ length: size >>> 2 }, (_, i) => 4 + i);
    b.filter(task, onRing(ring), sqe.opcode, exactly(b.d, context, words, b.d.chance(0.85)));
  }
  const data = OWN + BigInt(stage.next++);
  return b.push({ do: 'submit', task, ring, sqes: [{ ...sqe, user_data: data }] }) ? data : undefined;
}

/** Makes a descriptor of a direct one, and asks with it. */
export function lookDirect(stage: Stage, aspect: Aspect, data: bigint, slot: number): void {
  const { b, task } = stage;
  const flags = b.d.chance(0.5) ? 1 : 0;
  const sqe = { opcode: OP.FIXED_FD_INSTALL, fd: slot, flags: IOSQE.FIXED_FILE, op_flags: flags };
  const at = request(stage, sqe);
  if (at !== undefined) b.push({ do: 'probe_made', task, aspect, user_data: data, at });
}

/** A request that opens something, as a descriptor or in a direct slot. */
function lookAtNew(stage: Stage, aspect: Aspect, sqe: Sqe, memory?: Uint8Array): void {
  const { b, task, direct } = stage;
  const { d } = b;
  const slot = direct && d.chance(0.4) ? d.below(SLOTS) : undefined;
  const filtered = stage.last && d.chance(0.7);
  if (slot === undefined) {
    const data = request(stage, sqe, filtered, memory);
    if (data !== undefined) b.push({ do: 'probe_made', task, aspect, user_data: data });
    return;
  }
  const alloc = d.chance(0.2);
  const data = request(stage, { ...sqe, file_index: alloc ? FILE_INDEX_ALLOC : slot + 1 }, filtered, memory);
  if (data !== undefined) lookDirect(stage, aspect, data, alloc ? 0 : slot);
}

function lookAtHow(stage: Stage): void {
  const sqe = drawOpenat2(stage);
  const written = stage.b.steps.at(-1);
  lookAtNew(stage, 'file', sqe, written?.do === 'write_memory' ? written.bytes : undefined);
}

const KINDS: Weighted<(stage: Stage) => void> = [
  [5, (stage) => lookAtNew(stage, 'socket', drawSocket(stage.b.d))],
  [3, (stage) => lookAtNew(stage, 'file', drawOpenat(stage))],
  [3, lookAtHow],
  [2, (stage) => (stage.direct ? lookAtPeer(stage) : lookAtNew(stage, 'socket', drawSocket(stage.b.d)))],
  [0.5, lookAtReadyPeer],
  [0.4, connectLate],
];

/** Sockets of any arguments, each with a second look. */
export function drawSocketLooks(b: Builder, task: number, ring: number, count: number): void {
  const stage: Stage = { b, task, ring, direct: false, next: 1, last: false };
  for (let n = count; n > 0; n--) lookAtNew(stage, 'socket', drawSocket(b.d));
}

/** A few requests one by one, each with a second look at what it made. */
export function drawLooks(b: Builder, task: number, ring: number): void {
  const { d } = b;
  b.fixtures.add('file').add('dir');
  const direct = d.chance(0.5);
  const stage = stageOn(b, task, ring, direct);
  for (let n = d.int(1, 6); n > 0; n--) {
    stage.last = n === 1;
    d.weighted(KINDS)(stage);
  }
}

/** A stage, with an empty table of direct descriptors where that is asked for. */
export function stageOn(b: Builder, task: number, ring: number, direct: boolean): Stage {
  if (direct) b.register(task, onRing(ring), IORING_REGISTER.REGISTER_FILES, SLOTS, sparse(SLOTS));
  return { b, task, ring, direct, next: 1, last: false };
}

/** Descriptors -1: an empty table. */
function sparse(count: number): Uint8Array {
  return new Uint8Array(count * 4).fill(0xff);
}
