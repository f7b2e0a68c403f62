/** SOCKET: one of the opcodes whose arguments a filter sees. */
import { defineOpen } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { AF, E, FILE_INDEX_ALLOC, SOCK, asU32 } from '../uapi/constants.ts';
import { flagText } from '../schema/codec.ts';
import type { Sqe } from '../scenario/types.ts';
import type { OpenFile } from '../world/files.ts';
import { newSocket } from '../world/files.ts';
import { anything, anySet, EINVAL, resultAmong, result, SAMPLE_DATA } from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec, Payload, PrepOutcome } from './types.ts';

function prep(c: OpContext): PrepOutcome {
  const { sqe } = c;
  if (anySet(sqe, 'addr', 'op_flags', 'buf_index')) return EINVAL;
  const type = Number(BigInt.asUintN(32, sqe.off));
  const flags = asU32(type & ~SOCK.TYPE_MASK);
  if (sqe.file_index !== 0 && (flags & SOCK.CLOEXEC) !== 0) return EINVAL;
  if ((flags & ~(SOCK.CLOEXEC | SOCK.NONBLOCK)) !== 0) return EINVAL;
  const { socketTypeMask: mask } = c.decisions;
  const payload = Uint32Array.of(asU32(sqe.fd), asU32(type & mask), asU32(sqe.len), 0, 0, 0);
  return sqe.off > BigInt(SOCK.TYPE_MASK)
    ? { ok: true, adds_flags: 0, payload, hinges_on: 'socketTypeMask' }
    : { ok: true, adds_flags: 0, payload };
}

const OPEN = defineOpen({
  'socket.configuration': [
    'not-modelled',
    "Families, types and protocols of socket(2) that are up to the kernel's configuration.",
  ],
});

/** 0, -errno, or undefined where the answer depends on what the kernel was built with. */
type Made = number | undefined;

function createUnix(type: number, protocol: number): Made {
  if (protocol !== 0 && protocol !== AF.UNIX) return -E.PROTONOSUPPORT;
  return type === SOCK.STREAM || type === SOCK.DGRAM || type === SOCK.RAW || type === SOCK.SEQPACKET
    ? 0
    : -E.SOCKTNOSUPPORT;
}

const IPPROTO = {
  ICMP: 1,
  TCP: 6,
  UDP: 17,
  ICMPV6: 58,
  SCTP: 132,
  UDPLITE: 136,
  SMC: 256,
  MPTCP: 262,
  MAX: 263,
} as const;
/** Protocols that a stream or datagram socket has beside its own where the kernel was built with them. */
const CONFIGURED: ReadonlySet<number> = new Set([IPPROTO.SCTP, IPPROTO.UDPLITE, IPPROTO.SMC, IPPROTO.MPTCP]);

/** A type that has a protocol of its own. */
function ofProtocol(protocol: number, own: number): Made {
  if (protocol === 0 || protocol === own) return 0;
  return CONFIGURED.has(protocol) ? undefined : -E.PROTONOSUPPORT;
}

/** ip(7), tcp(7), udp(7), icmp(7), raw(7): which protocols a type has. `echo`: the protocol of ping. */
function createInet(c: OpContext, type: number, protocol: number, echo: number): Made {
  if (protocol < 0 || protocol >= IPPROTO.MAX) return -E.INVAL;
  switch (type) {
    case SOCK.STREAM:
      return ofProtocol(protocol, IPPROTO.TCP);
    case SOCK.DGRAM:
      // Ping without privilege: ping_group_range lets nobody, where nobody changed it (icmp(7)).
      return protocol === echo ? -E.ACCES : ofProtocol(protocol, IPPROTO.UDP);
    case SOCK.RAW:
      // raw(7): a protocol is needed, and CAP_NET_RAW.
      if (protocol === 0) return -E.PROTONOSUPPORT;
      if (c.netRaw === undefined || protocol > 255) return undefined;
      return c.netRaw ? 0 : -E.PERM;
    case SOCK.SEQPACKET:
      // SCTP alone has it.
      return protocol === 0 ? -E.SOCKTNOSUPPORT : undefined;
    default:
      return -E.SOCKTNOSUPPORT;
  }
}

function createNetlink(type: number, protocol: number): Made {
  if (type !== SOCK.RAW && type !== SOCK.DGRAM) return -E.SOCKTNOSUPPORT;
  if (protocol < 0 || protocol >= 32) return -E.PROTONOSUPPORT;
  return protocol === 0 ? 0 : undefined;
}

function create(c: OpContext, family: number, type: number, protocol: number): Made {
  if (family < 0 || family >= AF.MAX) return -E.AFNOSUPPORT;
  if (type > SOCK.PACKET) return -E.INVAL;
  // The compatibility of packet(7): whether there are packet sockets is up to the configuration.
  if (family === AF.INET && type === SOCK.PACKET) return undefined;
  switch (family) {
    case AF.UNIX:
      return createUnix(type, protocol);
    case AF.INET:
      return createInet(c, type, protocol, IPPROTO.ICMP);
    case AF.INET6:
      return createInet(c, type, protocol, IPPROTO.ICMPV6);
    case AF.NETLINK:
      return createNetlink(type, protocol);
    case AF.UNSPEC:
      return -E.AFNOSUPPORT;
    default:
      return undefined;
  }
}

/** How installing a file affects the rest: what else is touched, changed and done. */
export interface InstallExtras {
  readonly touches?: readonly string[];
  readonly changes?: readonly string[];
  readonly effect?: () => void;
}

/** Installs a new file as a descriptor or in a direct slot; the answer of every request that opens one. */
export function installNew(c: OpContext, file: OpenFile, fileIndex: number, extras: InstallExtras = {}): IssueOutcome {
  const touches = extras.touches ?? [];
  const changes = extras.changes ?? touches;
  const effect = extras.effect ?? (() => undefined);
  if (fileIndex === 0) c.sandbox.common.opened++;
  if (fileIndex === 0) return resultAmong(WORLD['descriptor.number'].atLeast(0), false, { touches, changes, effect });
  const ring = c.sandbox.common.ring(c.ring);
  const table = `files:${c.ring}`;
  const all = { touches: [...touches, table], changes: [...changes, table] };
  if (ring.unknown) return { ...anything(ring.unknown), ...all, effect };
  const res = ring.tryInstall(file, fileIndex);
  // What was opened is closed again, but what opening it did is done.
  if (res < 0)
    return result(res, { touches: all.touches, changes, ...(extras.effect === undefined ? {} : { effect }) });
  return result(res, {
    ...all,
    effect: () => {
      ring.install(file, fileIndex);
      effect();
    },
  });
}

/** A new socket that finds no direct slot. */
function quietSlot(c: OpContext, { res, touches }: IssueOutcome): boolean {
  return c.sqe.file_index !== 0 && (res === -E.NXIO || res === -E.NFILE || (res === -E.INVAL && touches !== undefined));
}

/** A file that there may be: where it goes into a direct slot, nobody knows what is in the table then. */
export function perhapsInstalled(c: OpContext, outcome: IssueOutcome): IssueOutcome {
  if (c.sqe.file_index === 0) return outcome;
  const effect = (): void => {
    outcome.effect?.();
    c.sandbox.common.ring(c.ring).unknown = WORLD['resources.lost'];
  };
  return { ...outcome, touches: [...(outcome.touches ?? []), `files:${c.ring}`], effect };
}

function issue(c: OpContext): IssueOutcome {
  const { sqe } = c;
  const raw = Number(BigInt.asUintN(32, sqe.off));
  const type = raw & SOCK.TYPE_MASK;
  const res = create(c, sqe.fd, type, sqe.len | 0);
  if (res === undefined) return perhapsInstalled(c, anything(OPEN['socket.configuration']));
  if (res < 0) return result(res);
  return installNew(
    c,
    { kind: 'socket', socket: newSocket(sqe.fd, type, (raw & SOCK.NONBLOCK) !== 0) },
    sqe.file_index,
  );
}

function form(
  name: string,
  family: number,
  type: number,
  protocol: number,
  rest: SqeFields = {},
  refused = false,
): FormSpec {
  return {
    name,
    sqe: { fd: family, off: BigInt(type), len: asU32(protocol), ...rest },
    fixtures: [],
    ...(refused ? { prep_error: true } : {}),
  };
}

/** `socket` in struct io_uring_bpf_ctx. */
const PAYLOAD: Payload = {
  struct: 'socket',
  since: '7.0',
  size: 12,
  members: [
    { name: 'family', offset: 0, size: 4 },
    { name: 'type', offset: 4, size: 4 },
    { name: 'protocol', offset: 8, size: 4 },
  ],
  fields: (view, { little_endian }) =>
    PAYLOAD.members.map(({ name, offset }) => [name, String(view.getUint32(offset, little_endian))]),
};

function sample(family: number, type: number, protocol = 0): SqeFields {
  return { fd: family, off: BigInt(type), len: protocol };
}

const samples = (): readonly SqeFields[] => [
  sample(AF.UNIX, SOCK.STREAM),
  sample(AF.INET, SOCK.STREAM),
  sample(AF.INET, SOCK.DGRAM),
  sample(AF.INET, SOCK.RAW, 1),
  sample(AF.INET6, SOCK.STREAM),
  sample(AF.INET6, SOCK.DGRAM),
  sample(AF.NETLINK, SOCK.RAW),
  sample(AF.PACKET, SOCK.RAW, 0x300),
  { ...sample(AF.INET, SOCK.STREAM | SOCK.NONBLOCK), user_data: SAMPLE_DATA },
];

const FAMILIES = new Map(Object.entries(AF).map(([name, value]) => [value as number, `AF_${name}`]));
const TYPES = new Map(
  Object.entries(SOCK)
    .filter(([, value]) => value < SOCK.TYPE_MASK)
    .map(([name, value]) => [value as number, `SOCK_${name}`]),
);

/** `socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0)`. */
function meaning({ fd = 0, off = 0n, len = 0 }: Sqe): string {
  const raw = Number(BigInt.asUintN(32, off));
  const type = raw & SOCK.TYPE_MASK;
  const flags = flagText({ SOCK_NONBLOCK: SOCK.NONBLOCK, SOCK_CLOEXEC: SOCK.CLOEXEC }, raw & ~SOCK.TYPE_MASK);
  return `socket(${FAMILIES.get(fd) ?? fd}, ${TYPES.get(type) ?? type}${flags === '0' ? '' : `|${flags}`}, ${len})`;
}

/** IORING_OP_SOCKET: makes a socket. */
export const SOCKET: OpSpec = {
  opcode: 45,
  since: '5.19',
  manual: 'socket(2)',
  quiet: quietSlot,
  payload: PAYLOAD,
  leaves: 'socket',
  prep,
  issue,
  samples,
  meaning,
  forms: [
    form('inet-stream', AF.INET, SOCK.STREAM, 0),
    form('inet-stream-tcp', AF.INET, SOCK.STREAM, 6),
    form('inet-dgram', AF.INET, SOCK.DGRAM, 17),
    form('inet-stream-udp', AF.INET, SOCK.STREAM, 17),
    form('inet-seqpacket', AF.INET, SOCK.SEQPACKET, 0),
    form('inet6-stream', AF.INET6, SOCK.STREAM, 0),
    form('inet6-dgram', AF.INET6, SOCK.DGRAM, 0),
    form('unix-stream', AF.UNIX, SOCK.STREAM, 0),
    form('unix-dgram', AF.UNIX, SOCK.DGRAM, 0),
    form('unix-seqpacket', AF.UNIX, SOCK.SEQPACKET, 1),
    form('unix-raw', AF.UNIX, SOCK.RAW, 0),
    form('unix-rdm', AF.UNIX, SOCK.RDM, 0),
    form('unix-protocol', AF.UNIX, SOCK.STREAM, 7),
    form('netlink', AF.NETLINK, SOCK.RAW, 0),
    form('netlink-stream', AF.NETLINK, SOCK.STREAM, 0),
    form('cloexec', AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0),
    form('nonblock', AF.INET, SOCK.STREAM | SOCK.NONBLOCK, 0),
    form('cloexec-nonblock', AF.UNIX, SOCK.DGRAM | SOCK.CLOEXEC | SOCK.NONBLOCK, 0),
    form('family-unspec', AF.UNSPEC, SOCK.STREAM, 0),
    form('family-high', 200, SOCK.STREAM, 0),
    form('family-negative', -1, SOCK.STREAM, -1),
    form('type-high', AF.UNIX, 15, 0),
    form('type-zero', AF.UNIX, 0, 0),
    form('protocol-negative', AF.INET, SOCK.STREAM, -1),
    form('off-high-bits', AF.UNIX, SOCK.STREAM, 0, { off: 0xffff_ffff_0000_0001n }),
    form('direct', AF.UNIX, SOCK.STREAM, 0, { file_index: 1 }),
    form('direct-alloc', AF.INET, SOCK.STREAM, 0, { file_index: FILE_INDEX_ALLOC }),
    form('direct-nonblock', AF.INET, SOCK.STREAM | SOCK.NONBLOCK, 0, { file_index: 2 }),
    form('direct-cloexec', AF.UNIX, SOCK.STREAM | SOCK.CLOEXEC, 0, { file_index: 1 }, true),
    form('bad-type-flag', AF.UNIX, SOCK.STREAM | 0x10, 0, {}, true),
    form('bad-type-flag-high', AF.UNIX, SOCK.STREAM, 0, { off: 0x8000_0001n }, true),
    form('addr-set', AF.UNIX, SOCK.STREAM, 0, { addr: 1n }, true),
    form('flags-set', AF.UNIX, SOCK.STREAM, 0, { op_flags: 1 }, true),
    form('buf-index-set', AF.UNIX, SOCK.STREAM, 0, { buf_index: 1 }, true),
  ],
};
