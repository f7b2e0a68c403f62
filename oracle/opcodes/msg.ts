/** Sends and receives: SEND, SENDMSG, RECV, RECVMSG, SEND_ZC, SENDMSG_ZC, RECV_ZC. */
import { defineOpen, Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { ARENA, FD } from '../scenario/layout.ts';
import { DATA, data, MSGHDR, PATTERN, SOCKADDR } from '../world/arena.ts';
import { EMPTY_GROUP } from './buffers.ts';
import { AF, CQE_F, E, IORING_RECVSEND as F, IOSQE, MSG, SOCK } from '../uapi/constants.ts';
import type { SocketState } from '../world/files.ts';
import { append } from '../world/files.ts';
import { addressRefusal, gather, isPrep, readIovecs, scatter, segmentNames, selects, total } from './segments.ts';
import type { Segment } from './segments.ts';
import { isRefused, readSockaddr } from './sockaddr.ts';
import { anything, EFAULT, EINVAL, PREP_OK, prepOpen, result, withFile } from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec, PrepOutcome, Refusal } from './types.ts';

const refused = { prep_error: true } as const;
const pair = ['socketpair'] as const;
const KNOWN_IOPRIO = 0x3f;

const OPEN = defineOpen({
  'msg.name-or-control': ['not-modelled', 'A struct msghdr with a name or control data.'],
  'msg.many-segments': ['not-modelled', 'A struct msghdr of more than 1,024 segments.'],
  'msg.ioprio': ['not-modelled', 'IORING_RECVSEND_* flags: multishot, bundles, fixed buffers.'],
  'socket.state': [
    'timing',
    'A socket after a connection was tried over it whose end nobody saw.',
    'The connection was made.',
    'It was not.',
  ],
  'msg.socket': ['not-modelled', 'Sends and receives on listening and on connected network sockets.'],
  'msg.partly-mapped': ['not-modelled', 'A message to or from memory of which only a part is mapped.'],
  'msg.socket-full': ['not-modelled', 'How much a socket takes that holds more than two pages, or has lost its peer.'],
  'msg.select': ['not-modelled', 'Messages with a selected buffer.'],
  'msg.flags': ['not-modelled', 'MSG_* flags other than MSG_DONTWAIT and MSG_NOSIGNAL.'],
  'msg.address': ['not-modelled', 'A send with an address.'],
  'msg.receive-nothing': ['not-modelled', 'A receive of no bytes.'],
  'msg.more-announced': [
    'silent',
    'Whether IORING_CQE_F_SOCK_NONEMPTY is set: it depends on what the release asks of local sockets.',
    'io_uring_enter(2), IORING_OP_RECV; linux/io_uring.h, IORING_CQE_F_SOCK_NONEMPTY',
  ],
  'msg.notification-data': [
    'silent',
    'addr3 of a zero-copy send: newer releases take the user_data of the notification from it.',
    'io_uring_enter(2), IORING_OP_SEND_ZC; linux/io_uring.h',
  ],
  'msg.zero-copy': ['not-modelled', 'A zero-copy send on a connected network socket.'],
  'msg.receive-zero-copy': ['not-modelled', 'A zero-copy receive: needs a queue of a network device.'],
});

/** The u16 halves of the field at offset 44: addr_len and padding. */
function addrLenField(c: OpContext): { readonly addr_len: number; readonly pad: number } {
  const low = c.sqe.file_index & 0xffff;
  const high = c.sqe.file_index >>> 16;
  return c.abi.little_endian ? { addr_len: low, pad: high } : { addr_len: high, pad: low };
}

/** struct msghdr: its segments, or the prep outcome that refuses it. Names and control data are not modelled. */
function readMsghdr(c: OpContext): readonly Segment[] | PrepOutcome {
  const bytes = c.sandbox.memory.read(c.sqe.addr, 56);
  if (bytes === 'fault') return EFAULT;
  if (Open.is(bytes)) return prepOpen(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const le = c.abi.little_endian;
  if (view.getBigUint64(0, le) !== 0n || view.getBigUint64(32, le) !== 0n) return prepOpen(OPEN['msg.name-or-control']);
  const count = view.getBigUint64(24, le);
  if (count > 1024n) return prepOpen(OPEN['msg.many-segments']);
  // With a selected buffer the segment says only how much of it may be used.
  if (selects(c) && count > 1n) return EINVAL;
  return readIovecs(c, view.getBigUint64(16, le), Number(count));
}

/** Where a request names its data: one buffer, or a struct msghdr. */
type Carrier = 'buffer' | 'msghdr';

/** The data argument, or the prep outcome that refuses it. */
function readSegments(c: OpContext, carrier: Carrier): readonly Segment[] | PrepOutcome {
  return carrier === 'buffer' ? [{ addr: c.sqe.addr, len: c.sqe.len >>> 0 }] : readMsghdr(c);
}

function ioprioError(c: OpContext): PrepOutcome | undefined {
  if ((c.sqe.ioprio & ~KNOWN_IOPRIO) !== 0) return EINVAL;
  return c.sqe.ioprio !== 0 ? prepOpen(OPEN['msg.ioprio']) : undefined;
}

function prepSendPlain(c: OpContext): PrepOutcome {
  const { addr_len, pad } = addrLenField(c);
  if (pad !== 0) return EINVAL;
  if (c.sqe.off !== 0n) {
    const address = readSockaddr(c, c.sqe.off, addr_len);
    if (isRefused(address)) return address;
  }
  return (selects(c) ? undefined : addressRefusal(c.sqe.addr)) ?? PREP_OK;
}

function prepSend(c: OpContext, carrier: Carrier): PrepOutcome {
  if ((c.sqe.len | 0) < 0) return EINVAL;
  const bad = ioprioError(c);
  if (bad) return bad;
  if (carrier === 'buffer') return prepSendPlain(c);
  if (c.sqe.off !== 0n || c.sqe.file_index !== 0) return EINVAL;
  const segments = readMsghdr(c);
  return isPrep(segments) ? segments : PREP_OK;
}

function prepRecv(c: OpContext, carrier: Carrier): PrepOutcome {
  if (c.sqe.off !== 0n || (c.sqe.len | 0) < 0) return EINVAL;
  const bad = ioprioError(c);
  if (bad) return bad;
  if (c.sqe.file_index !== 0) return EINVAL;
  if (carrier === 'buffer') return (selects(c) ? undefined : addressRefusal(c.sqe.addr)) ?? PREP_OK;
  const segments = readMsghdr(c);
  return isPrep(segments) ? segments : PREP_OK;
}

/** What a socket answers to a send without an address, or 0 when bytes may go. */
function sendError(socket: SocketState): number | Open {
  if (socket.state === 'unknown') return OPEN['socket.state'];
  if (socket.family === AF.UNIX) {
    if (socket.state !== 'connected') return socket.state === 'listening' ? OPEN['msg.socket'] : -E.NOTCONN;
    return socket.shut_write ? -E.PIPE : 0;
  }
  return socket.family === AF.INET && socket.type === SOCK.STREAM && socket.state === 'fresh'
    ? -E.PIPE
    : OPEN['msg.socket'];
}

/** A send of `segments` to a socket whose state is known. */
function send(c: OpContext, socket: SocketState, segments: readonly Segment[]): IssueOutcome {
  const bytes = gather(c, segments);
  const { peer } = socket;
  const [first] = segments;
  // What begins in memory that is there is sent as far as it goes.
  const whole = segments.length === 1 && c.sandbox.memory.mapped(first!.addr, 1) === false;
  if (bytes === 'fault') return whole ? result(-E.FAULT) : anything(OPEN['msg.partly-mapped']);
  if (segments.some(({ addr, len }) => c.sandbox.memory.mapped(addr, len) !== true))
    return anything(OPEN['msg.partly-mapped']);
  if (peer === undefined || peer.inbox.length > 0x2000) return anything(OPEN['msg.socket-full']);
  const wanted = total(segments);
  if (wanted > 0x1000) return anything(OPEN['msg.socket-full']);
  return result(wanted, {
    touches: segmentNames(segments),
    changes: [],
    effect: () => {
      if (Open.is(bytes)) c.sandbox.taint(socket.id, bytes);
      else peer.inbox = append(peer.inbox, bytes);
    },
  });
}

/** A send that selects a provided buffer. */
function sendSelected(c: OpContext, carrier: Carrier): IssueOutcome {
  return carrier === 'buffer' && c.sandbox.common.ring(c.ring).groups.get(c.sqe.buf_index) === undefined
    ? result(-E.NOENT)
    : anything(OPEN['msg.select']);
}

function issueSend(c: OpContext, carrier: Carrier): IssueOutcome {
  return withFile(c, true, (file) => {
    if (file.kind !== 'socket') return result(-E.NOTSOCK);
    if (selects(c)) return sendSelected(c, carrier);
    if ((c.sqe.op_flags & ~(MSG.DONTWAIT | MSG.NOSIGNAL)) !== 0) return anything(OPEN['msg.flags']);
    if (carrier === 'buffer' && c.sqe.off !== 0n) return anything(OPEN['msg.address']);
    const segments = readSegments(c, carrier);
    if (isPrep(segments)) return anything(WORLD['memory.written-late']);
    const bad = sendError(file.socket);
    if (Open.is(bad)) return anything(bad);
    // A datagram that is too long may be told so first.
    if (file.socket.type === SOCK.DGRAM && total(segments) > 0x1000) return anything(OPEN['msg.socket-full']);
    return bad === 0 ? send(c, file.socket, segments) : result(bad);
  });
}

/** The answer of a socket that has nothing to receive from, or undefined for one that may. */
function refusedReceive({ type, family, state, shut_read }: SocketState): IssueOutcome | undefined {
  if (state === 'unknown') return anything(OPEN['socket.state']);
  if (type === SOCK.DGRAM) return family === AF.UNIX && !shut_read ? result(-E.AGAIN) : anything(OPEN['msg.socket']);
  if (family !== AF.UNIX) return state !== 'fresh' ? anything(OPEN['msg.socket']) : result(shut_read ? 0 : -E.NOTCONN);
  return state !== 'connected' ? result(-E.INVAL) : undefined;
}

/** A receive into `segments` from a connected local socket. */
function receive(c: OpContext, socket: SocketState, segments: readonly Segment[]): IssueOutcome {
  const wanted = total(segments);
  if (wanted === 0) return anything(OPEN['msg.receive-nothing']);
  if (socket.inbox.length === 0) return socket.shut_read ? result(0) : result(-E.AGAIN);
  if (segments.some(({ addr, len }) => c.sandbox.memory.mapped(addr, len) !== true))
    return anything(OPEN['msg.partly-mapped']);
  const bytes = socket.inbox.slice(0, wanted);
  const names = segmentNames(segments);
  return result(bytes.length, {
    touches: names,
    blind: names,
    // Whether more is announced depends on what the release asks of local sockets.
    cflags: OPEN['msg.more-announced'].among(0, CQE_F.SOCK_NONEMPTY),
    effect: () => {
      socket.inbox = socket.inbox.slice(bytes.length);
      scatter(c, segments, bytes);
    },
  });
}

function issueRecv(c: OpContext, carrier: Carrier): IssueOutcome {
  return withFile(c, true, (file) => {
    if (file.kind !== 'socket') return result(-E.NOTSOCK);
    if (selects(c))
      return c.sandbox.common.ring(c.ring).groups.get(c.sqe.buf_index) === undefined
        ? result(-E.NOBUFS)
        : anything(OPEN['msg.select']);
    const segments = readSegments(c, carrier);
    if (isPrep(segments)) return anything(WORLD['memory.written-late']);
    if (c.sqe.op_flags !== MSG.DONTWAIT) return anything(OPEN['msg.flags']);
    return refusedReceive(file.socket) ?? receive(c, file.socket, segments);
  });
}

function form(
  name: string,
  fd: number,
  addr: bigint,
  len: number,
  fixtures: FormSpec['fixtures'],
  fields: SqeFields = {},
  extra: Partial<FormSpec> = {},
): FormSpec {
  return { name, sqe: { fd, addr, len, op_flags: MSG.DONTWAIT, ...fields }, fixtures, ...extra };
}

const NEGATIVE = 0x8000_0000;

function sendForms(addr: bigint, len: number): FormSpec[] {
  return [
    form('pair', FD.socketpair_a, addr, len, pair),
    form('pair-other', FD.socketpair_b, addr, len, pair),
    form('not-connected', FD.stream, addr, len, ['stream']),
    form('datagram', FD.datagram, addr, len, ['datagram']),
    form('inet-fresh', FD.inet, addr, len, ['inet']),
    form('file', FD.file, addr, len, ['file']),
    form('bad-fd', FD.closed, addr, len, []),
    form('fixed-file', 0, addr, len, [], { flags: IOSQE.FIXED_FILE }),
    form('negative-length', FD.socketpair_a, addr, NEGATIVE, pair, {}, refused),
    form('unknown-ioprio', FD.socketpair_a, addr, len, pair, { ioprio: 0x8000 }, refused),
  ];
}

function recvForms(addr: bigint, len: number, probe: Partial<FormSpec>): FormSpec[] {
  return [
    form('pair', FD.socketpair_b, addr, len, pair, {}, probe),
    form('pair-other', FD.socketpair_a, addr, len, pair, {}, probe),
    form('not-connected', FD.stream, addr, len, ['stream']),
    form('datagram', FD.datagram, addr, len, ['datagram']),
    form('inet-fresh', FD.inet, addr, len, ['inet']),
    form('file', FD.file, addr, len, ['file']),
    form('bad-fd', FD.closed, addr, len, []),
    form('negative-length', FD.socketpair_b, addr, NEGATIVE, pair, {}, refused),
    form('off-set', FD.socketpair_b, addr, len, pair, { off: 1n }, refused),
    form('unknown-ioprio', FD.socketpair_b, addr, len, pair, { ioprio: 0x8000 }, refused),
  ];
}

const sees = (at: number): Partial<FormSpec> => ({ probe: { memory: { at: ARENA.data + at, length: 16 } } });

/** A zero-copy send announces the end of its notification even when it never ran. */
function notified(): Refusal {
  return { cflags: CQE_F.MORE, extra: [{ res: 0, cflags: CQE_F.NOTIF }] };
}

function prepZeroCopy(c: OpContext, carrier: Carrier): PrepOutcome {
  if (c.sqe.pad2 !== 0n) return EINVAL;
  if ((c.sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0) return EINVAL;
  // Newer releases take the notification's user_data from here.
  if (c.sqe.addr3 !== 0n) return prepOpen(OPEN['msg.notification-data']);
  // From here on a notification exists.
  const bad =
    ioprioError(c) ??
    (carrier === 'buffer' ? prepSendPlain(c) : c.sqe.off !== 0n || c.sqe.file_index !== 0 ? EINVAL : undefined);
  if (bad !== undefined && bad.ok !== true) return bad.ok === false ? { ...bad, refused: notified() } : bad;
  if (carrier === 'buffer') return PREP_OK;
  const segments = readMsghdr(c);
  if (!isPrep(segments)) return PREP_OK;
  return segments.ok === false ? { ...segments, refused: notified() } : segments;
}

function issueZeroCopy(c: OpContext): IssueOutcome {
  return withFile(c, false, (file) => {
    if (file.kind !== 'socket') return result(-E.NOTSOCK);
    if (file.socket.family === AF.UNIX) return result(-E.OPNOTSUPP);
    // A send that connects as well: tcp(7), send(2).
    if ((c.sqe.op_flags & MSG.FASTOPEN) !== 0) return anything(OPEN['msg.flags']);
    return sendError(file.socket) === -E.PIPE ? result(-E.PIPE) : anything(OPEN['msg.zero-copy']);
  });
}

function zeroCopy(carrier: Carrier, addr: bigint, len: number): Pick<OpSpec, 'prep' | 'refused' | 'issue' | 'forms'> {
  return {
    prep: (c) => prepZeroCopy(c, carrier),
    refused: notified,
    issue: (c) => {
      const outcome = issueZeroCopy(c);
      const end = notified();
      return {
        ...outcome,
        cflags: typeof outcome.res === 'number' ? CQE_F.MORE : outcome.res.place.any,
        extra: end.extra,
      };
    },
    forms: [
      form('unix', FD.socketpair_a, addr, len, pair),
      form('inet-fresh', FD.inet, addr, len, ['inet']),
      form('file', FD.file, addr, len, ['file']),
      form('bad-fd', FD.closed, addr, len, []),
      form('padding-set', FD.socketpair_a, addr, len, pair, { pad2: 1n }, refused),
      form('unknown-ioprio', FD.socketpair_a, addr, len, pair, { ioprio: 0x8000 }, refused),
    ],
  };
}

/** IORING_OP_SENDMSG: sends what a struct msghdr names. */
export const SENDMSG: OpSpec = {
  opcode: 9,
  since: '5.3',
  manual: 'sendmsg(2)',

  takesIoprio: true,
  prep: (c) => prepSend(c, 'msghdr'),
  issue: (c) => issueSend(c, 'msghdr'),
  forms: [
    ...sendForms(MSGHDR.one, 1),
    form('nothing', FD.socketpair_a, MSGHDR.none, 1, pair),
    form('null', FD.socketpair_a, 0n, 1, pair, {}, refused),
    form('off-set', FD.socketpair_a, MSGHDR.one, 1, pair, { off: 1n }, refused),
  ],
};

/** IORING_OP_RECVMSG: receives into what a struct msghdr names. */
export const RECVMSG: OpSpec = {
  opcode: 10,
  since: '5.3',
  manual: 'recvmsg(2)',

  selectsBuffer: true,
  takesIoprio: true,
  prep: (c) => prepRecv(c, 'msghdr'),
  issue: (c) => issueRecv(c, 'msghdr'),
  forms: [...recvForms(MSGHDR.one, 1, sees(DATA.vector_a)), form('null', FD.socketpair_b, 0n, 1, pair, {}, refused)],
};

/** IORING_OP_SEND: sends one buffer. */
export const SEND: OpSpec = {
  opcode: 26,
  since: '5.6',
  manual: 'send(2)',

  selectsBuffer: true,
  takesIoprio: true,
  prep: (c) => prepSend(c, 'buffer'),
  issue: (c) => issueSend(c, 'buffer'),
  forms: [
    ...sendForms(PATTERN, 16),
    form('null', FD.socketpair_a, 0n, 8, pair),
    form('zero', FD.socketpair_a, PATTERN, 0, pair),
    form('select-empty', FD.socketpair_a, 0n, 8, pair, {
      flags: IOSQE.BUFFER_SELECT,
      buf_index: EMPTY_GROUP,
    }),
    form('address-too-long', FD.socketpair_a, PATTERN, 8, pair, { off: SOCKADDR.inet, file_index: 200 }, refused),
    form('address-null', FD.socketpair_a, PATTERN, 8, pair, { off: 1n, file_index: 16 }, refused),
    form('padding-set', FD.socketpair_a, PATTERN, 8, pair, { file_index: 0x1_0000 }, refused),
    form('kernel-address', FD.socketpair_a, 0xffff_8000_0000_0000n, 8, pair, {}, refused),
  ],
};

/** IORING_OP_RECV: receives into one buffer. */
export const RECV: OpSpec = {
  opcode: 27,
  since: '5.6',
  manual: 'recv(2)',

  selectsBuffer: true,
  takesIoprio: true,
  prep: (c) => prepRecv(c, 'buffer'),
  issue: (c) => issueRecv(c, 'buffer'),
  forms: [
    ...recvForms(data(DATA.recv), 16, sees(DATA.recv)),
    form('select-empty', FD.socketpair_b, 0n, 8, pair, {
      flags: IOSQE.BUFFER_SELECT,
      buf_index: EMPTY_GROUP,
    }),
    form('kernel-address', FD.socketpair_b, 0xffff_8000_0000_0000n, 8, pair, {}, refused),
  ],
};

/** IORING_OP_SEND_ZC: sends one buffer without copying it. */
export const SEND_ZC: OpSpec = {
  opcode: 47,
  since: '6.0',
  manual: 'send(2)',
  takesIoprio: true,
  ...zeroCopy('buffer', PATTERN, 16),
};

/** IORING_OP_SENDMSG_ZC: sends what a struct msghdr names without copying it. */
export const SENDMSG_ZC: OpSpec = {
  opcode: 48,
  since: '6.1',
  manual: 'sendmsg(2)',
  takesIoprio: true,
  ...zeroCopy('msghdr', MSGHDR.one, 1),
};

/** IORING_OP_RECV_ZC: receives without copying. */
export const RECV_ZC: OpSpec = {
  opcode: 58,
  since: '6.15',
  neverRuns:
    'an allowed RECV_ZC needs a zero-copy receive queue of a network device, which no guest has; ' +
    'its prep errors are reached',
  takesIoprio: true,
  prep: () => EINVAL,
  issue: () => anything(OPEN['msg.receive-zero-copy']),
  forms: [
    form('no-queue', FD.socketpair_b, 0n, 0, pair, { op_flags: 0, ioprio: F.RECV_MULTISHOT }, refused),
    form('addr-set', FD.socketpair_b, 1n, 0, pair, { op_flags: 0, ioprio: F.RECV_MULTISHOT }, refused),
  ],
};
