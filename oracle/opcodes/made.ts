/**
 * What filters are shown is what then happens: what an allowed request must have made, told from the words of its
 * payload. It is compared with what the kernel says of the new thing when it is asked by other calls (probe_made).
 */
import { defineOpen } from '../open-answer.ts';
import type { Open } from '../open-answer.ts';
import type { DecisionPoint } from '../quirks/index.ts';
import type { Allowed } from '../scenario/prediction.ts';
import { AF, E, SOCK } from '../uapi/constants.ts';
import type { Node } from '../world/files.ts';
import type { Aspect, OpContext } from './types.ts';

/** What is asked about: each is a set of questions of its own. */
export const ASPECTS = { socket: 0, file: 1, peer: 2 } as const satisfies Readonly<Record<Aspect, number>>;

/** FD_CLOEXEC of fcntl(2). */
const FD_CLOEXEC = 1;
const O_RDWR = 2;
const IPPROTO_TCP = 6;
const IPPROTO_UDP = 17;

/** See CONTRIBUTING.md, "An open answer". */
export const MADE = defineOpen({
  'made.protocol': [
    'silent',
    'SO_PROTOCOL of a socket whose family has protocols of its own.',
    'socket(7), SO_PROTOCOL; packet(7), vsock(7), raw(7); linux/socket.h',
  ],
  'made.place': ['not-modelled', 'The place of an open file whose path leads elsewhere, or has changed since.'],
  'made.newer-flags': ['not-modelled', 'The flags of a file that was opened with flags that only newer releases have.'],
  'made.mode': ['not-modelled', 'The mode of a file that was there before.'],
  'made.peer': [
    'silent',
    'The name of a peer of a family whose address filters are not shown.',
    'linux/io_uring/bpf_filter.h',
  ],
  'made.at-all': ['not-modelled', 'What a request made of which it is open whether it succeeded.'],
  'made.by-whom': [
    'not-modelled',
    "A look at another task's descriptor, or at one of several requests with one user_data.",
  ],
});

/** What must be answered where the request did what it was asked. */
export interface Made {
  /** socket: SO_DOMAIN, SO_TYPE, SO_PROTOCOL, F_GETFD, F_GETFL; file: st_mode, F_GETFD, F_GETFL; peer: 0. */
  readonly returns: readonly Allowed[];
  /** file: its place below the scenario's directory, as text; peer: its address. */
  readonly memory?: Uint8Array | Open;
  /** The decision with another answer to which it would be another thing; absent: none. */
  readonly hinges_on?: DecisionPoint;
}

/** A request that was shown to filters, and the words that they saw: the payload, from word 4 of the context on. */
export interface Shown {
  readonly context: OpContext;
  readonly payload: Uint32Array;
  /** What its path led to when it had run; undefined: nothing that is known. */
  readonly node?: Node | undefined;
  /** Whether nothing stood there before. */
  readonly fresh?: boolean;
}

/** SO_PROTOCOL of a socket; a set where no source says what a family makes of it. */
function protocolOf(family: number, type: number, protocol: number): Allowed {
  if (family === AF.INET || family === AF.INET6) {
    if (protocol !== 0) return protocol | 0;
    return type === SOCK.STREAM ? IPPROTO_TCP : type === SOCK.DGRAM ? IPPROTO_UDP : MADE['made.protocol'].any;
  }
  if (family === AF.NETLINK) return protocol | 0;
  return family === AF.UNIX ? 0 : MADE['made.protocol'].any;
}

/** A socket of the family, type and protocol that were shown; its descriptor as the flags beside the type say. */
export function socketMade({ context, payload }: Shown): Made {
  const family = payload[0]!;
  const type = payload[1]! & SOCK.TYPE_MASK;
  const asked = Number(BigInt.asUintN(32, context.sqe.off));
  const packet = family === AF.INET && type === SOCK.PACKET;
  // Unix domain sockets know no raw ones: they make a datagram socket of it.
  const made = family === AF.UNIX && type === SOCK.RAW ? SOCK.DGRAM : type;
  return {
    returns: [
      packet ? context.decisions.inetPacketFamily : family,
      made,
      packet ? MADE['made.protocol'].any : protocolOf(family, type, payload[2]!),
      (asked & SOCK.CLOEXEC) === 0 ? 0 : FD_CLOEXEC,
      O_RDWR | (asked & SOCK.NONBLOCK),
    ],
    ...(packet ? { hinges_on: 'inetPacketFamily' as const } : {}),
  };
}

/** S_IFREG and S_IFDIR of inode(7), and the mask of both. */
const S_IFREG = 0o100000;
const S_IFDIR = 0o040000;
/** umask(2) of every task of a scenario: that of a kernel's first process. */
const UMASK = 0o022;

/** Modes of the files that a scenario finds ready. */
const READY: Readonly<Record<string, number>> = { 'node:f0': S_IFREG | 0o644, 'node:d0': S_IFDIR | 0o755 };

/** O_EMPTYPATH and OPENAT2_REGULAR. */
const NEWER_FLAGS = 0x1_0400_0000n;

/** A u64 of the payload: `at` is its first word. */
function wide({ payload, context }: Shown, at: number): bigint {
  const [low, high] = context.abi.little_endian ? [at, at + 1] : [at + 1, at];
  return BigInt(payload[low]!) | (BigInt(payload[high]!) << 32n);
}

/** An open file of the flags, and where it is new the mode, that were shown. */
export function fileMade(shown: Shown, place: string | undefined): Made {
  const o = shown.context.abi.open;
  const flags = wide(shown, 0);
  const mode = wide(shown, 2);
  // File creation flags are no part of the status flags (open(2)); F_GETFL shows the two that the file keeps.
  const creation = BigInt(o.O_CREAT | o.O_EXCL | o.O_TRUNC | o.O_CLOEXEC) | 0o400n;
  const sync = BigInt(o.O_SYNC & ~o.O_DSYNC);
  // Whoever asks for O_SYNC gets O_DSYNC with it.
  const kept = (flags & ~creation) | ((flags & sync) === 0n ? 0n : BigInt(o.O_DSYNC));
  // A file without a name is new, and stands nowhere.
  const nameless = (flags & BigInt(o.O_TMPFILE & ~o.O_DIRECTORY)) !== 0n;
  const { node, fresh = false } = shown;
  const known = node !== undefined && (node.type === 'file' || node.type === 'dir') ? READY[node.id] : undefined;
  return {
    returns: [
      fresh || nameless ? S_IFREG | (Number(mode) & ~UMASK) : (known ?? MADE['made.mode'].any),
      (flags & BigInt(o.O_CLOEXEC)) === 0n ? 0 : FD_CLOEXEC,
      (flags & NEWER_FLAGS) === 0n ? Number(kept) : MADE['made.newer-flags'].any,
    ],
    memory: place === undefined || nameless ? MADE['made.place'] : new TextEncoder().encode(place),
  };
}

const SOCKADDR_IN = 16;
const SOCKADDR_IN6 = 28;
const LOOPBACK = [127, 0, 0, 1];

/**
 * The peer whose family, port and address were shown.
 * @param own the family of the socket: one of IPv6 calls an IPv4 peer by its mapped address
 */
export function peerMade({ context, payload }: Shown, own: number | undefined): Made {
  const le = context.abi.little_endian;
  const seen = new DataView(new ArrayBuffer(24));
  for (const [i, word] of payload.entries()) seen.setUint32(i * 4, word, le);
  const family = payload[0]!;
  // The peer was let go of.
  if (family === AF.UNSPEC) return { returns: [-E.NOTCONN] };
  if (family !== AF.INET && family !== AF.INET6) return { returns: [0], memory: MADE['made.peer'] };
  const size = family === AF.INET ? 4 : 16;
  const bytes = new Uint8Array(family === AF.INET ? SOCKADDR_IN : SOCKADDR_IN6);
  new DataView(bytes.buffer).setUint16(0, family, le);
  bytes.set(new Uint8Array(seen.buffer, 4, 2), 2);
  bytes.set(loopbackForAny(new Uint8Array(seen.buffer, 8, size)), family === AF.INET ? 4 : 8);
  return { returns: [0], memory: family === AF.INET && own === AF.INET6 ? mapped(bytes, le) : bytes };
}

/** An IPv4 address as struct sockaddr_in6. */
function mapped(ipv4: Uint8Array, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(SOCKADDR_IN6);
  new DataView(bytes.buffer).setUint16(0, AF.INET6, littleEndian);
  bytes.set(ipv4.subarray(2, 4), 2);
  bytes.set([0xff, 0xff, ...ipv4.subarray(4, 8)], 18);
  return bytes;
}

/** Who connects to "any address" is connected to this host: 127.0.0.1, ::1, ::ffff:127.0.0.1. */
function loopbackForAny(address: Uint8Array): Uint8Array {
  const isMapped = address.length === 16 && address.subarray(0, 10).every((byte) => byte === 0) && address[10] === 0xff;
  if (address.subarray(isMapped ? 12 : 0).some((byte) => byte !== 0)) return address;
  const out = address.slice();
  if (address.length === 16 && !isMapped) out[15] = 1;
  else out.set(LOOPBACK, address.length - 4);
  return out;
}
