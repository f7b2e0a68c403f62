/** Connections: CONNECT, ACCEPT, BIND, LISTEN, SHUTDOWN. */
import { defineOpen } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { FD } from '../scenario/layout.ts';
import { SOCKADDR, SOCKADDR_LEN, SOCKADDR_MIXED } from '../world/arena.ts';
import { AF, E, FILE_INDEX_ALLOC, IORING_ACCEPT, IOSQE, SOCK } from '../uapi/constants.ts';
import type { OpenFile, SocketState } from '../world/files.ts';
import { newSocket } from '../world/files.ts';
import {
  connectPayload,
  family,
  isRefused,
  namesFile,
  readSockaddr,
  SIN6_LEN,
  unixAddressError,
  unixPath,
} from './sockaddr.ts';
import { installNew } from './socket.ts';
import {
  anything,
  anySet,
  EINVAL,
  PREP_ASYNC,
  PREP_OK,
  requestFile,
  result,
  withFile,
  resultAmong,
} from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec, Payload, PrepOutcome } from './types.ts';

const OPEN = defineOpen({
  'connect.datagram': [
    'not-modelled',
    'CONNECT of a socket that is neither of IPv4 (TCP, UDP) nor local; of a local datagram socket to another.',
  ],
  'unix.odd-path': ['not-modelled', 'A local address that is abstract, in another directory, or a symbolic link.'],
  'connect.backlog': [
    'not-modelled',
    'CONNECT to a local socket that does not listen, or has four connections waiting.',
  ],
  'connect.again': ['not-modelled', 'CONNECT of a socket that was bound, connected or listens.'],
  'connect.network': [
    'not-modelled',
    'CONNECT to an address that is not local, and of TCP to other ports than the fixture has.',
  ],
  'connect.state': [
    'timing',
    'A socket after a connection was tried over it whose end nobody saw.',
    'The connection was made.',
    'It was not.',
  ],
  'connect.under-way': [
    'timing',
    'A connection that a worker finds under way.',
    'It is made or refused at once.',
    'A worker looks again while it is being made, or when it is there.',
  ],
  'accept.form': ['not-modelled', 'ACCEPT that may wait, or asks for the address of the peer.'],
  'accept.waits': [
    'timing',
    'ACCEPT on a listener that nobody is connected to.',
    'Somebody connects.',
    'Nobody ever does.',
  ],
  'accept.more-announced': [
    'silent',
    'Whether IORING_CQE_F_SOCK_NONEMPTY is set on an ACCEPT.',
    'io_uring_enter(2), IORING_OP_ACCEPT; linux/io_uring.h, IORING_CQE_F_SOCK_NONEMPTY',
  ],
  'bind.network': ['not-modelled', 'BIND of network sockets, which may meet ports in use.'],
  'bind.autobind': ['not-modelled', 'BIND of a local socket to an address the kernel picks.'],
  'bind.again': ['not-modelled', 'BIND of a local socket that has a name already.'],
  'listen.network': ['not-modelled', 'LISTEN on network sockets.'],
  'shutdown.network': ['not-modelled', 'SHUTDOWN of network sockets that are not fresh.'],
});

const refused = { prep_error: true } as const;

function form(
  name: string,
  fields: SqeFields,
  fixtures: FormSpec['fixtures'],
  extra: Partial<FormSpec> = {},
): FormSpec {
  return { name, sqe: { ...fields }, fixtures, ...extra };
}

/** Length argument of an address: an int in the low half of the field. */
function addrLen(c: OpContext): number {
  return Number(BigInt.asIntN(32, c.sqe.off));
}

function withSocket(c: OpContext, changes: boolean, body: (socket: SocketState) => IssueOutcome): IssueOutcome {
  return withFile(c, changes, (open: OpenFile) => (open.kind === 'socket' ? body(open.socket) : result(-E.NOTSOCK)));
}

/** `connect` in struct io_uring_bpf_ctx. */
const PAYLOAD: Payload = {
  struct: 'connect',
  since: '7.2',
  size: 24,
  members: [
    { name: 'family', offset: 0, size: 4 },
    { name: 'port', offset: 4, size: 2 },
    { name: 'v4_addr', offset: 8, size: 4 },
    { name: 'v6_addr', offset: 8, size: 16 },
  ],
  fields: (view, { little_endian }) => {
    const kind = view.getUint32(0, little_endian);
    return [
      ['family', String(kind)],
      ['port', String(view.getUint16(4, false))],
      ['address', addressText(view, kind)],
    ];
  },
};

/** Dotted for AF_INET, else 16 bytes in groups as IPv6 writes them. */
function addressText(view: DataView, kind: number): string {
  if (kind === AF.INET) return [8, 9, 10, 11].map((at) => view.getUint8(at)).join('.');
  return Array.from({ length: 8 }, (_, i) => view.getUint16(8 + 2 * i, false).toString(16)).join(':');
}

function prepConnect(c: OpContext): PrepOutcome {
  if (anySet(c.sqe, 'len', 'buf_index', 'op_flags', 'file_index')) return EINVAL;
  const bytes = c.held ?? readSockaddr(c, c.sqe.addr, addrLen(c));
  if (isRefused(bytes)) return bytes;
  // linux/io_uring.h, IORING_FEAT_SUBMIT_STABLE: consumed when the SQE is.
  c.held = bytes;
  if (c.abi.pdu_size[c.sqe.opcode] !== PAYLOAD.size) return PREP_OK;
  const payload = connectPayload(bytes, c.abi.little_endian, c.decisions.connectInet6Length);
  return family(bytes, c.abi.little_endian) === AF.INET6 && bytes.length < SIN6_LEN
    ? { ok: true, adds_flags: 0, payload, hinges_on: 'connectInet6Length' }
    : { ok: true, adds_flags: 0, payload };
}

function connectUnix(c: OpContext, socket: SocketState, bytes: Uint8Array): IssueOutcome {
  if (socket.type !== SOCK.STREAM && socket.type !== SOCK.DGRAM) return anything(OPEN['connect.datagram']);
  // A datagram socket lets go of its peer (connect(2), DESCRIPTION).
  if (socket.type === SOCK.DGRAM && family(bytes, c.abi.little_endian) === AF.UNSPEC) return result(0);
  const bad = unixAddressError(bytes, c.abi.little_endian);
  if (bad !== 0) return result(bad);
  const path = unixPath(bytes);
  if (path === '' || path.includes('/')) return anything(OPEN['unix.odd-path']);
  const touches = [`path:${path}`];
  const node = c.sandbox.common.paths.get(path);
  if (node === undefined) return result(-E.NOENT, { touches, changes: [] });
  if (node.type === 'symlink') return { ...anything(OPEN['unix.odd-path']), touches };
  if (node.type !== 'socket') return result(-E.CONNREFUSED, { touches, changes: [] });
  const peer = node.socket;
  const both = { touches: [...touches, peer.id], changes: [peer.id] };
  // connect(2), EPROTOTYPE: as with a datagram socket and the name of a stream socket.
  if (peer.type !== socket.type) return result(-E.PROTOTYPE, both);
  if (socket.type === SOCK.DGRAM) return { ...anything(OPEN['connect.datagram']), ...both };
  if (peer.state !== 'listening' || peer.backlog.length >= 4) return { ...anything(OPEN['connect.backlog']), ...both };
  if (socket.state === 'connected') return result(-E.ISCONN, both);
  if (socket.state === 'listening') return result(-E.INVAL, both);
  return result(0, {
    ...both,
    effect: () => {
      const accepted = newSocket(AF.UNIX, SOCK.STREAM, false, 'socket:accepted');
      accepted.state = 'connected';
      accepted.peer = socket;
      socket.peer = accepted;
      socket.state = 'connected';
      peer.backlog.push(accepted);
    },
  });
}

/** 127.0.0.1 in bytes. */
const LOOPBACK = [127, 0, 0, 1];

/** A UDP socket takes or drops a default address; nothing is sent (udp(7), connect(2)). */
function connectUdp(c: OpContext, bytes: Uint8Array): IssueOutcome {
  const kind = family(bytes, c.abi.little_endian);
  if (kind === undefined) return result(-E.INVAL);
  if (kind === AF.UNSPEC) return result(0);
  if (bytes.length < 16) return result(-E.INVAL);
  if (kind !== AF.INET) return result(-E.AFNOSUPPORT);
  return bytes[4] === LOOPBACK[0] ? result(0) : anything(OPEN['connect.network']);
}

function connectInet(c: OpContext, socket: SocketState, bytes: Uint8Array): IssueOutcome {
  if (socket.family === AF.INET && socket.type === SOCK.DGRAM) return connectUdp(c, bytes);
  if (socket.family !== AF.INET || socket.type !== SOCK.STREAM) return anything(OPEN['connect.datagram']);
  const kind = family(bytes, c.abi.little_endian);
  if (kind === undefined) return result(-E.INVAL);
  if (socket.state === 'unknown') return anything(OPEN['connect.state']);
  if (kind === AF.UNSPEC)
    return socket.state === 'fresh'
      ? result(0)
      : {
          ...anything(OPEN['connect.again']),
          effect: () => {
            socket.state = 'unknown';
          },
        };
  if (socket.state !== 'fresh') return anything(OPEN['connect.again']);
  if (bytes.length < 16) return result(-E.INVAL);
  if (kind !== AF.INET) return result(-E.AFNOSUPPORT);
  const port = new DataView(bytes.buffer, bytes.byteOffset).getUint16(2, false);
  if (!LOOPBACK.every((byte, i) => bytes[4 + i] === byte)) return anything(OPEN['connect.network']);
  // A worker that finds the connection still being made answers so; what becomes of it is not known then.
  const lost = (peer?: SocketState): Pick<IssueOutcome, 'touches' | 'effect'> => ({
    touches: peer === undefined ? [] : [peer.id],
    effect: () => {
      socket.state = 'unknown';
      if (peer !== undefined) peer.state = 'unknown';
    },
  });
  if (port === 7001)
    return resultAmong(OPEN['connect.under-way'].among(-E.CONNREFUSED, -E.INPROGRESS, -E.ALREADY), true, lost());
  const listening = c.sandbox.file(FD.inet_listener);
  if (
    port !== 7000 ||
    listening === 'closed' ||
    listening === 'unknown' ||
    listening.kind !== 'socket' ||
    listening.socket.state !== 'listening'
  )
    return { ...anything(OPEN['connect.network']), ...lost() };
  const place = OPEN['connect.under-way'];
  return resultAmong(place.among(0, -E.INPROGRESS, -E.ALREADY, -E.ISCONN), place, lost(listening.socket));
}

function issueConnect(c: OpContext): IssueOutcome {
  return withSocket(c, true, (socket) => {
    const bytes = c.held ?? readSockaddr(c, c.sqe.addr, addrLen(c));
    if (isRefused(bytes)) return anything(WORLD['memory.written-late']);
    return socket.family === AF.UNIX ? connectUnix(c, socket, bytes) : connectInet(c, socket, bytes);
  });
}

type AddressName = keyof typeof SOCKADDR;

const connect = (
  name: string,
  fd: number,
  to: AddressName,
  fixtures: FormSpec['fixtures'],
  fields: SqeFields = {},
  extra: Partial<FormSpec> = {},
): FormSpec => form(name, { fd, addr: SOCKADDR[to], off: BigInt(SOCKADDR_LEN[to]), ...fields }, fixtures, extra);

/** Connects through a descriptor that is not open: the answer is known whatever the address. */
const nowhere = (name: string, addr: bigint, length: number, fd: number = FD.closed): FormSpec =>
  form(name, { fd, addr, off: BigInt(length) }, fd === FD.inet ? ['inet'] : []);

/** Addresses that show a filter every bit of family, port and address. */
const WIDE: readonly FormSpec[] = [
  ...SOCKADDR_MIXED.inet.map((addr, n) => nowhere(`inet-bits-${n}`, addr, 16)),
  ...SOCKADDR_MIXED.inet6.map((addr, n) => nowhere(`inet6-bits-${n}`, addr, 28)),
  ...SOCKADDR_MIXED.inet6.map((addr, n) => nowhere(`inet6-bits-refused-${n}`, addr, 28, FD.inet)),
  ...SOCKADDR_MIXED.other.map((addr, n) => nowhere(`family-bit-${n}`, addr, 28)),
  ...SOCKADDR_MIXED.inet6.slice(0, 3).map((addr, n) => nowhere(`inet6-long-${n}`, addr, [29, 64, 128][n]!)),
];

const streams = ['stream', 'listener'] as const;

/** IORING_OP_CONNECT: connects a socket. */
export const CONNECT: OpSpec = {
  opcode: 16,
  since: '5.5',
  manual: 'connect(2)',
  payload: PAYLOAD,
  leaves: 'peer',
  prep: prepConnect,
  issue: issueConnect,
  wide: WIDE,
  forms: [
    connect('unix', FD.stream, 'unix', streams),
    connect('unix-missing', FD.stream, 'unix_missing', ['stream']),
    connect('unix-no-listener', FD.stream, 'unix', ['stream']),
    connect('unix-inet-address', FD.stream, 'inet', ['stream']),
    connect('unix-short', FD.stream, 'unix', streams, { off: 2n }),
    connect('unix-empty', FD.stream, 'unix', streams, { off: 0n }),
    connect('inet', FD.inet, 'inet', ['inet', 'loopback']),
    connect('inet-refused', FD.inet, 'inet_refused', ['inet', 'loopback']),
    connect('inet-unspec', FD.inet, 'unspec', ['inet']),
    connect('inet-short', FD.inet, 'inet', ['inet'], { off: 8n }),
    connect('inet-family-only', FD.inet, 'inet', ['inet'], { off: 2n }),
    connect('inet-one-byte', FD.inet, 'inet', ['inet'], { off: 1n }),
    connect('inet-no-address', FD.inet, 'inet', ['inet'], { off: 0n }),
    connect('inet-null-no-address', FD.inet, 'inet', ['inet'], { addr: 0n, off: 0n }),
    connect('inet-inet6', FD.inet, 'inet6', ['inet']),
    connect('inet-inet6-rfc2133', FD.inet, 'inet6', ['inet'], { off: 24n }),
    connect('inet-inet6-short', FD.inet, 'inet6', ['inet'], { off: 23n }),
    connect('inet-unknown-family', FD.inet, 'unknown', ['inet']),
    connect('inet-len-high-bits', FD.inet, 'inet6', ['inet'], { off: 0x5_0000_001cn }),
    connect('file', FD.file, 'inet', ['file']),
    connect('bad-fd', FD.closed, 'inet', []),
    connect('bad-fd-inet6', FD.closed, 'inet6', []),
    connect('fixed-file', 0, 'inet', [], { flags: IOSQE.FIXED_FILE }),
    connect('too-long', FD.inet, 'inet', ['inet'], { off: 129n }, refused),
    connect('negative-length', FD.inet, 'inet', ['inet'], { off: 0xffff_ffffn }, refused),
    connect('null', FD.inet, 'inet', ['inet'], { addr: 0n }, refused),
    connect('len-set', FD.inet, 'inet', ['inet'], { len: 1 }, refused),
    connect('flags-set', FD.inet, 'inet', ['inet'], { op_flags: 1 }, refused),
    connect('buf-index-set', FD.inet, 'inet', ['inet'], { buf_index: 1 }, refused),
    connect('file-index-set', FD.inet, 'inet', ['inet'], { file_index: 1 }, refused),
  ],
};

function prepAccept(c: OpContext): PrepOutcome {
  const { sqe } = c;
  if (anySet(sqe, 'len', 'buf_index')) return EINVAL;
  if ((sqe.ioprio & ~(IORING_ACCEPT.MULTISHOT | IORING_ACCEPT.DONTWAIT | IORING_ACCEPT.POLL_FIRST)) !== 0)
    return EINVAL;
  const flags = sqe.op_flags;
  if (sqe.file_index !== 0) {
    if ((flags & SOCK.CLOEXEC) !== 0) return EINVAL;
    if ((sqe.ioprio & IORING_ACCEPT.MULTISHOT) !== 0 && sqe.file_index !== FILE_INDEX_ALLOC) return EINVAL;
  }
  return (flags & ~(SOCK.CLOEXEC | SOCK.NONBLOCK)) !== 0 ? EINVAL : PREP_OK;
}

function issueAccept(c: OpContext): IssueOutcome {
  return withSocket(c, true, (socket) => {
    const { sqe } = c;
    if (socket.type === SOCK.DGRAM) return result(-E.OPNOTSUPP);
    if (socket.state === 'unknown') return anything(OPEN['connect.state']);
    if (socket.state !== 'listening') return result(-E.INVAL);
    // Only the shape that never waits and returns no address is modelled.
    if (sqe.ioprio !== IORING_ACCEPT.DONTWAIT || sqe.addr !== 0n || sqe.off !== 0n)
      return anything(OPEN['accept.form']);
    const first = socket.backlog[0];
    // A worker waits all the same when the listener itself is blocking.
    if (first === undefined) return anything(OPEN['accept.waits']);
    const outcome = installNew(c, { kind: 'socket', socket: first }, sqe.file_index, {
      effect: () => void socket.backlog.shift(),
    });
    return { ...outcome, cflags: OPEN['accept.more-announced'].any };
  });
}

const accept = (
  name: string,
  fd: number,
  fixtures: FormSpec['fixtures'],
  fields: SqeFields = {},
  extra: Partial<FormSpec> = {},
): FormSpec => form(name, { fd, ioprio: IORING_ACCEPT.DONTWAIT, ...fields }, fixtures, extra);

/** IORING_OP_ACCEPT: takes a connection from a listening socket. */
export const ACCEPT: OpSpec = {
  opcode: 13,
  since: '5.5',
  manual: 'accept4(2)',
  takesIoprio: true,
  prep: prepAccept,
  issue: issueAccept,
  forms: [
    accept('not-listening', FD.stream, ['stream']),
    accept('not-listening-cloexec', FD.stream, ['stream'], { op_flags: SOCK.CLOEXEC | SOCK.NONBLOCK }),
    accept('not-listening-direct', FD.stream, ['stream'], { file_index: 1 }),
    accept('not-listening-inet', FD.inet, ['inet']),
    accept('datagram', FD.datagram, ['datagram']),
    accept('file', FD.file, ['file']),
    accept('bad-fd', FD.closed, []),
    accept('len-set', FD.listener, ['listener'], { len: 1 }, refused),
    accept('buf-index-set', FD.listener, ['listener'], { buf_index: 1 }, refused),
    accept('unknown-ioprio', FD.listener, ['listener'], { ioprio: 8 }, refused),
    accept('unknown-flag', FD.listener, ['listener'], { op_flags: 1 }, refused),
    accept('direct-cloexec', FD.listener, ['listener'], { op_flags: SOCK.CLOEXEC, file_index: 1 }, refused),
    accept(
      'multishot-one-slot',
      FD.listener,
      ['listener'],
      { ioprio: IORING_ACCEPT.MULTISHOT, file_index: 1 },
      refused,
    ),
  ],
};

function prepBind(c: OpContext): PrepOutcome {
  if (anySet(c.sqe, 'len', 'buf_index', 'op_flags', 'file_index')) return EINVAL;
  const bytes = readSockaddr(c, c.sqe.addr, addrLen(c));
  if (isRefused(bytes)) return bytes;
  return c.abi.bind_shows_async !== false && namesFile(bytes, c.abi.little_endian) ? PREP_ASYNC : PREP_OK;
}

/** A bind of a socket that is not a local one. */
function bindInet(c: OpContext, { family: own, state }: SocketState, bytes: Uint8Array): IssueOutcome {
  if (own !== AF.INET) return anything(OPEN['bind.network']);
  if (bytes.length < 16) return result(-E.INVAL);
  return family(bytes, c.abi.little_endian) === 200 && state === 'fresh'
    ? result(-E.AFNOSUPPORT)
    : anything(OPEN['bind.network']);
}

function bindUnix(c: OpContext, socket: SocketState, bytes: Uint8Array): IssueOutcome {
  const bad = unixAddressError(bytes, c.abi.little_endian);
  if (bad !== 0) return bytes.length === 2 ? anything(OPEN['bind.autobind']) : result(bad);
  const path = unixPath(bytes);
  if (path === '' || path.includes('/')) return anything(OPEN['unix.odd-path']);
  const touches = [`path:${path}`];
  // A socket that has a name already: refused, but the file may have been made and taken away again.
  if (socket.state !== 'fresh') return { ...anything(OPEN['bind.again']), touches };
  if (c.sandbox.common.paths.has(path)) return result(-E.ADDRINUSE, { touches, changes: [] });
  return result(0, {
    touches,
    effect: () => {
      socket.state = 'bound';
      c.sandbox.common.paths.set(path, { type: 'socket', socket });
    },
  });
}

function issueBind(c: OpContext): IssueOutcome {
  return withSocket(c, true, (socket) => {
    const bytes = readSockaddr(c, c.sqe.addr, addrLen(c));
    if (isRefused(bytes)) return anything(WORLD['memory.written-late']);
    return socket.family === AF.UNIX ? bindUnix(c, socket, bytes) : bindInet(c, socket, bytes);
  });
}

const bind = (
  name: string,
  fd: number,
  to: AddressName,
  fixtures: FormSpec['fixtures'],
  fields: SqeFields = {},
  extra: Partial<FormSpec> = {},
): FormSpec => form(name, { fd, addr: SOCKADDR[to], off: BigInt(SOCKADDR_LEN[to]), ...fields }, fixtures, extra);

/** IORING_OP_BIND: gives a socket an address. */
export const BIND: OpSpec = {
  opcode: 56,
  since: '6.11',
  manual: 'bind(2)',
  prep: prepBind,
  issue: issueBind,
  forms: [
    bind('unix', FD.stream, 'unix_new', ['stream'], {}, { probe: { path: 'n6' } }),
    bind('unix-datagram', FD.datagram, 'unix_new', ['datagram'], {}, { probe: { path: 'n6' } }),
    bind('unix-exists', FD.stream, 'unix', streams),
    bind('unix-inet-address', FD.stream, 'inet', ['stream']),
    bind('inet-unknown-family', FD.inet, 'unknown', ['inet']),
    bind('inet-short', FD.inet, 'inet', ['inet'], { off: 8n }),
    bind('file', FD.file, 'inet', ['file']),
    bind('bad-fd', FD.closed, 'inet', []),
    bind('too-long', FD.stream, 'unix_new', ['stream'], { off: 200n }, refused),
    bind('null', FD.stream, 'unix_new', ['stream'], { addr: 0n }, refused),
    bind('len-set', FD.stream, 'unix_new', ['stream'], { len: 1 }, refused),
    bind('file-index-set', FD.stream, 'unix_new', ['stream'], { file_index: 1 }, refused),
  ],
};

/** IORING_OP_LISTEN: lets a socket take connections. */
export const LISTEN: OpSpec = {
  opcode: 57,
  since: '6.11',
  manual: 'listen(2)',
  prep: ({ sqe }) => (anySet(sqe, 'addr', 'buf_index', 'op_flags', 'file_index', 'off') ? EINVAL : PREP_OK),
  issue: (c) =>
    withSocket(c, true, (socket) => {
      if (socket.type === SOCK.DGRAM) return result(-E.OPNOTSUPP);
      if (socket.state === 'unknown' || socket.family !== AF.UNIX)
        return {
          ...anything(OPEN['listen.network']),
          effect: () => {
            socket.state = 'unknown';
          },
        };
      if (socket.state === 'fresh' || socket.state === 'connected') return result(-E.INVAL);
      return result(0, {
        effect: () => {
          socket.state = 'listening';
        },
      });
    }),
  forms: [
    form('again', { fd: FD.listener, len: 16 }, ['listener']),
    form('not-bound', { fd: FD.stream, len: 4 }, ['stream']),
    form('datagram', { fd: FD.datagram, len: 4 }, ['datagram']),
    form('file', { fd: FD.file, len: 4 }, ['file']),
    form('bad-fd', { fd: FD.closed }, []),
    form('addr-set', { fd: FD.listener, addr: 1n }, ['listener'], refused),
    form('off-set', { fd: FD.listener, off: 1n }, ['listener'], refused),
    form('flags-set', { fd: FD.listener, op_flags: 1 }, ['listener'], refused),
  ],
};

/** What a socket makes of its argument is quiet; that there is no socket is not. */
function quietShutdown(c: OpContext): boolean {
  const file = requestFile(c);
  return typeof file === 'object' && file.kind === 'socket';
}

/** IORING_OP_SHUTDOWN: closes one or both directions of a socket. */
export const SHUTDOWN: OpSpec = {
  opcode: 34,
  since: '5.11',
  manual: 'shutdown(2)',
  quiet: quietShutdown,
  prep: ({ sqe }) => (anySet(sqe, 'off', 'addr', 'op_flags', 'buf_index', 'file_index') ? EINVAL : PREP_ASYNC),
  issue: (c) =>
    withSocket(c, true, (socket) => {
      const how = c.sqe.len >>> 0;
      if (how > 2) return result(-E.INVAL);
      if (socket.state === 'unknown') return anything(OPEN['connect.state']);
      const close = (): void => {
        if (how !== 1) socket.shut_read = true;
        if (how !== 0) socket.shut_write = true;
      };
      // Refused, and yet the directions are closed.
      if (socket.family !== AF.UNIX)
        return socket.state === 'fresh'
          ? result(-E.NOTCONN, { effect: close })
          : {
              ...anything(OPEN['shutdown.network']),
              effect: () => {
                socket.state = 'unknown';
              },
            };
      return result(0, {
        effect: () => {
          close();
          if (socket.peer !== undefined) {
            if (how !== 1) socket.peer.shut_write = true;
            if (how !== 0) socket.peer.shut_read = true;
          }
        },
      });
    }),
  forms: [
    form('write', { fd: FD.socketpair_a, len: 1 }, ['socketpair']),
    form('read', { fd: FD.socketpair_b, len: 0 }, ['socketpair']),
    form('fresh', { fd: FD.stream, len: 2 }, ['stream']),
    form('inet-fresh', { fd: FD.inet, len: 2 }, ['inet']),
    form('unknown-how', { fd: FD.socketpair_a, len: 3 }, ['socketpair']),
    form('file', { fd: FD.file, len: 2 }, ['file']),
    form('bad-fd', { fd: FD.closed, len: 2 }, []),
    form('off-set', { fd: FD.socketpair_a, off: 1n }, ['socketpair'], refused),
    form('addr-set', { fd: FD.socketpair_a, addr: 1n }, ['socketpair'], refused),
    form('flags-set', { fd: FD.socketpair_a, op_flags: 1 }, ['socketpair'], refused),
  ],
};
