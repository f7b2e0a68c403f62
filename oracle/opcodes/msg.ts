/** Sends and receives: SEND, SENDMSG, RECV, RECVMSG, SEND_ZC, SENDMSG_ZC, RECV_ZC. */
import { ARENA, FD } from '../scenario/layout.ts';
import { DATA, data, MSGHDR, PATTERN, SOCKADDR } from '../world/arena.ts';
import { EMPTY_GROUP } from './buffers.ts';
import { AF, CQE_F, E, IORING_RECVSEND as F, IOSQE, MSG, SOCK } from '../uapi/constants.ts';
import type { SocketState } from '../world/files.ts';
import { append } from '../world/files.ts';
import type { Segment } from './rw.ts';
import { gather, isPrep, readIovecs, scatter, segmentNames, selects } from './rw.ts';
import { isRefused, readSockaddr } from './sockaddr.ts';
import { ANY, EFAULT, EINVAL, PREP_OK, PREP_UNKNOWN, result, withFile } from './support.ts';
import type { IssueOutcome, OpContext, OpForm, OpSpec, PrepOutcome, Refusal } from './types.ts';

type Fields = Partial<OpForm['sqe']>;
const refused = { prep_error: true } as const;
const pair = ['socketpair'] as const;
const SENDMSG_OP = 9;
const RECVMSG_OP = 10;
const SEND_OP = 26;
const RECV_OP = 27;
const SEND_ZC_OP = 47;
const SENDMSG_ZC_OP = 48;
const RECV_ZC_OP = 58;
const KERNEL_HALF = 1n << 63n;
const KNOWN_IOPRIO = 0x3f;

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
  if (bytes === 'unknown') return PREP_UNKNOWN;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const le = c.abi.little_endian;
  if (view.getBigUint64(0, le) !== 0n || view.getBigUint64(32, le) !== 0n) return PREP_UNKNOWN;
  const count = view.getBigUint64(24, le);
  if (count > 1024n) return PREP_UNKNOWN;
  if (selects(c)) return count === 0n ? [] : PREP_UNKNOWN;
  return readIovecs(c, view.getBigUint64(16, le), Number(count));
}

/** The data argument of a plain send or receive. */
function plain(c: OpContext): readonly Segment[] {
  return [{ addr: c.sqe.addr, len: c.sqe.len >>> 0 }];
}

function ioprioError(c: OpContext): PrepOutcome | undefined {
  if ((c.sqe.ioprio & ~KNOWN_IOPRIO) !== 0) return EINVAL;
  return c.sqe.ioprio !== 0 ? PREP_UNKNOWN : undefined;
}

function prepSendPlain(c: OpContext): PrepOutcome {
  const { addr_len, pad } = addrLenField(c);
  if (pad !== 0) return EINVAL;
  if (c.sqe.off !== 0n) {
    const address = readSockaddr(c, c.sqe.off, addr_len);
    if (isRefused(address)) return address;
  }
  return !selects(c) && c.sqe.addr >= KERNEL_HALF ? EFAULT : PREP_OK;
}

function prepSend(c: OpContext): PrepOutcome {
  if ((c.sqe.len | 0) < 0) return EINVAL;
  const bad = ioprioError(c);
  if (bad) return bad;
  if (c.sqe.opcode === SEND_OP) return prepSendPlain(c);
  if (c.sqe.off !== 0n || c.sqe.file_index !== 0) return EINVAL;
  const segments = readMsghdr(c);
  return isPrep(segments) ? segments : PREP_OK;
}

function prepRecv(c: OpContext): PrepOutcome {
  if (c.sqe.off !== 0n || (c.sqe.len | 0) < 0) return EINVAL;
  const bad = ioprioError(c);
  if (bad) return bad;
  if (c.sqe.file_index !== 0) return EINVAL;
  if (c.sqe.opcode === RECV_OP) return !selects(c) && c.sqe.addr >= KERNEL_HALF ? EFAULT : PREP_OK;
  const segments = readMsghdr(c);
  return isPrep(segments) ? segments : PREP_OK;
}

/** What a socket answers to a send without an address, or 0 when bytes may go. */
function sendError(socket: SocketState): number | 'unknown' {
  if (socket.state === 'unknown') return 'unknown';
  if (socket.family === AF.UNIX) {
    if (socket.state !== 'connected') return socket.state === 'listening' ? 'unknown' : -E.NOTCONN;
    return socket.shut_write ? -E.PIPE : 0;
  }
  return socket.family === AF.INET && socket.type === SOCK.STREAM && socket.state === 'fresh' ? -E.PIPE : 'unknown';
}

function issueSend(c: OpContext): IssueOutcome {
  return withFile(c, true, (file) => {
    if (file.kind !== 'socket') return result(-E.NOTSOCK);
    const { socket } = file;
    if (selects(c))
      return c.sqe.opcode === SEND_OP && c.sandbox.world.ring(c.ring).groups.get(c.sqe.buf_index) === undefined
        ? result(-E.NOENT)
        : ANY;
    if ((c.sqe.op_flags & ~(MSG.DONTWAIT | MSG.NOSIGNAL)) !== 0) return ANY;
    if (c.sqe.opcode === SEND_OP && c.sqe.off !== 0n) return ANY;
    const segments = c.sqe.opcode === SEND_OP ? plain(c) : readMsghdr(c);
    if (isPrep(segments)) return ANY;
    const bad = sendError(socket);
    if (bad === 'unknown') return ANY;
    if (bad !== 0) return result(bad);
    const bytes = gather(c, segments);
    const memory = { touches: segmentNames(segments), changes: [] };
    const { peer } = socket;
    if (bytes === 'fault') return segments.length === 1 ? result(-E.FAULT) : ANY;
    if (peer === undefined || peer.inbox.length > 0x2000) return ANY;
    const wanted = segments.reduce((sum, { len }) => sum + len, 0);
    if (wanted > 0x1000) return ANY;
    return result(wanted, {
      ...memory,
      effect: () => {
        if (bytes === 'unknown') c.sandbox.taint(socket.id);
        else peer.inbox = append(peer.inbox, bytes);
      },
    });
  });
}

function issueRecv(c: OpContext): IssueOutcome {
  return withFile(c, true, (file) => {
    if (file.kind !== 'socket') return result(-E.NOTSOCK);
    const { socket } = file;
    if (selects(c)) {
      return c.sandbox.world.ring(c.ring).groups.get(c.sqe.buf_index) === undefined ? result(-E.NOBUFS) : ANY;
    }
    const segments = c.sqe.opcode === RECV_OP ? plain(c) : readMsghdr(c);
    if (isPrep(segments) || c.sqe.op_flags !== MSG.DONTWAIT || socket.state === 'unknown') return ANY;
    if (socket.type === SOCK.DGRAM) return socket.family === AF.UNIX && !socket.shut_read ? result(-E.AGAIN) : ANY;
    if (socket.family !== AF.UNIX) return socket.state !== 'fresh' ? ANY : result(socket.shut_read ? 0 : -E.NOTCONN);
    if (socket.state !== 'connected') return result(-E.INVAL);
    const wanted = segments.reduce((sum, { len }) => sum + len, 0);
    if (wanted === 0) return ANY;
    if (socket.inbox.length === 0) return socket.shut_read ? result(0) : result(-E.AGAIN);
    if (segments.some(({ addr, len }) => c.sandbox.memory.mapped(addr, len) !== true)) return ANY;
    const bytes = socket.inbox.slice(0, wanted);
    return result(bytes.length, {
      touches: segmentNames(segments),
      // Whether more is announced depends on what the release asks of local sockets.
      cflags: [0, CQE_F.SOCK_NONEMPTY],
      effect: () => {
        socket.inbox = socket.inbox.slice(bytes.length);
        scatter(c, segments, bytes);
      },
    });
  });
}

function form(
  opcode: number,
  name: string,
  fd: number,
  addr: bigint,
  len: number,
  fixtures: OpForm['fixtures'],
  fields: Fields = {},
  extra: Partial<OpForm> = {},
): OpForm {
  return { name, sqe: { opcode, fd, addr, len, op_flags: MSG.DONTWAIT, ...fields }, fixtures, ...extra };
}

const NEGATIVE = 0x8000_0000;

function sendForms(opcode: number, addr: bigint, len: number): OpForm[] {
  return [
    form(opcode, 'pair', FD.socketpair_a, addr, len, pair),
    form(opcode, 'pair-other', FD.socketpair_b, addr, len, pair),
    form(opcode, 'not-connected', FD.stream, addr, len, ['stream']),
    form(opcode, 'datagram', FD.datagram, addr, len, ['datagram']),
    form(opcode, 'inet-fresh', FD.inet, addr, len, ['inet']),
    form(opcode, 'file', FD.file, addr, len, ['file']),
    form(opcode, 'bad-fd', FD.closed, addr, len, []),
    form(opcode, 'fixed-file', 0, addr, len, [], { flags: IOSQE.FIXED_FILE }),
    form(opcode, 'negative-length', FD.socketpair_a, addr, NEGATIVE, pair, {}, refused),
    form(opcode, 'unknown-ioprio', FD.socketpair_a, addr, len, pair, { ioprio: 0x8000 }, refused),
  ];
}

function recvForms(opcode: number, addr: bigint, len: number, probe: Partial<OpForm>): OpForm[] {
  return [
    form(opcode, 'pair', FD.socketpair_b, addr, len, pair, {}, probe),
    form(opcode, 'pair-other', FD.socketpair_a, addr, len, pair, {}, probe),
    form(opcode, 'not-connected', FD.stream, addr, len, ['stream']),
    form(opcode, 'datagram', FD.datagram, addr, len, ['datagram']),
    form(opcode, 'inet-fresh', FD.inet, addr, len, ['inet']),
    form(opcode, 'file', FD.file, addr, len, ['file']),
    form(opcode, 'bad-fd', FD.closed, addr, len, []),
    form(opcode, 'negative-length', FD.socketpair_b, addr, NEGATIVE, pair, {}, refused),
    form(opcode, 'off-set', FD.socketpair_b, addr, len, pair, { off: 1n }, refused),
    form(opcode, 'unknown-ioprio', FD.socketpair_b, addr, len, pair, { ioprio: 0x8000 }, refused),
  ];
}

const sees = (at: number): Partial<OpForm> => ({ probe: { memory: { at: ARENA.data + at, length: 16 } } });

/** A zero-copy send announces the end of its notification even when it never ran; the flag that says so is missing when a link broke. */
function notified(): Refusal {
  return { cflags: [0, CQE_F.MORE], extra: [{ res: 0, cflags: CQE_F.NOTIF }] };
}

function prepZeroCopy(c: OpContext): PrepOutcome {
  if (c.sqe.pad2 !== 0n) return EINVAL;
  if ((c.sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0) return EINVAL;
  // Newer releases take the notification's user_data from here.
  if (c.sqe.addr3 !== 0n) return PREP_UNKNOWN;
  // From here on a notification exists.
  const bad =
    ioprioError(c) ??
    (c.sqe.opcode === SEND_ZC_OP ? prepSendPlain(c) : c.sqe.off !== 0n || c.sqe.file_index !== 0 ? EINVAL : undefined);
  if (bad !== undefined && bad.ok !== true) return bad.ok === false ? { ...bad, refused: notified() } : bad;
  if (c.sqe.opcode === SEND_ZC_OP) return PREP_OK;
  const segments = readMsghdr(c);
  if (!isPrep(segments)) return PREP_OK;
  return segments.ok === false ? { ...segments, refused: notified() } : segments;
}

function issueZeroCopy(c: OpContext): IssueOutcome {
  return withFile(c, false, (file) => {
    if (file.kind !== 'socket') return result(-E.NOTSOCK);
    return file.socket.family === AF.UNIX
      ? result(-E.OPNOTSUPP)
      : sendError(file.socket) === -E.PIPE
        ? result(-E.PIPE)
        : ANY;
  });
}

function zeroCopy(opcode: number, name: string, addr: bigint, len: number): OpSpec {
  return {
    opcode,
    name,
    takesIoprio: true,
    prep: prepZeroCopy,
    refused: notified,
    issue: (c) => {
      const outcome = issueZeroCopy(c);
      const end = notified();
      return { ...outcome, cflags: outcome.res === 'any' ? 'any' : CQE_F.MORE, extra: end.extra };
    },
    forms: [
      form(opcode, 'unix', FD.socketpair_a, addr, len, pair),
      form(opcode, 'inet-fresh', FD.inet, addr, len, ['inet']),
      form(opcode, 'file', FD.file, addr, len, ['file']),
      form(opcode, 'bad-fd', FD.closed, addr, len, []),
      form(opcode, 'padding-set', FD.socketpair_a, addr, len, pair, { pad2: 1n }, refused),
      form(opcode, 'unknown-ioprio', FD.socketpair_a, addr, len, pair, { ioprio: 0x8000 }, refused),
    ],
  };
}

export const msgSpecs: readonly OpSpec[] = [
  {
    opcode: SENDMSG_OP,
    name: 'SENDMSG',
    takesIoprio: true,
    prep: prepSend,
    issue: issueSend,
    forms: [
      ...sendForms(SENDMSG_OP, MSGHDR.one, 1),
      form(SENDMSG_OP, 'nothing', FD.socketpair_a, MSGHDR.none, 1, pair),
      form(SENDMSG_OP, 'null', FD.socketpair_a, 0n, 1, pair, {}, refused),
      form(SENDMSG_OP, 'off-set', FD.socketpair_a, MSGHDR.one, 1, pair, { off: 1n }, refused),
    ],
  },
  {
    opcode: RECVMSG_OP,
    name: 'RECVMSG',
    selectsBuffer: true,
    takesIoprio: true,
    prep: prepRecv,
    issue: issueRecv,
    forms: [
      ...recvForms(RECVMSG_OP, MSGHDR.one, 1, sees(DATA.vector_a)),
      form(RECVMSG_OP, 'null', FD.socketpair_b, 0n, 1, pair, {}, refused),
    ],
  },
  {
    opcode: SEND_OP,
    name: 'SEND',
    selectsBuffer: true,
    takesIoprio: true,
    prep: prepSend,
    issue: issueSend,
    forms: [
      ...sendForms(SEND_OP, PATTERN, 16),
      form(SEND_OP, 'null', FD.socketpair_a, 0n, 8, pair),
      form(SEND_OP, 'zero', FD.socketpair_a, PATTERN, 0, pair),
      form(SEND_OP, 'select-empty', FD.socketpair_a, 0n, 8, pair, {
        flags: IOSQE.BUFFER_SELECT,
        buf_index: EMPTY_GROUP,
      }),
      form(
        SEND_OP,
        'address-too-long',
        FD.socketpair_a,
        PATTERN,
        8,
        pair,
        { off: SOCKADDR.inet, file_index: 200 },
        refused,
      ),
      form(SEND_OP, 'address-null', FD.socketpair_a, PATTERN, 8, pair, { off: 1n, file_index: 16 }, refused),
      form(SEND_OP, 'padding-set', FD.socketpair_a, PATTERN, 8, pair, { file_index: 0x1_0000 }, refused),
      form(SEND_OP, 'kernel-address', FD.socketpair_a, 0xffff_8000_0000_0000n, 8, pair, {}, refused),
    ],
  },
  {
    opcode: RECV_OP,
    name: 'RECV',
    selectsBuffer: true,
    takesIoprio: true,
    prep: prepRecv,
    issue: issueRecv,
    forms: [
      ...recvForms(RECV_OP, data(DATA.recv), 16, sees(DATA.recv)),
      form(RECV_OP, 'select-empty', FD.socketpair_b, 0n, 8, pair, {
        flags: IOSQE.BUFFER_SELECT,
        buf_index: EMPTY_GROUP,
      }),
      form(RECV_OP, 'kernel-address', FD.socketpair_b, 0xffff_8000_0000_0000n, 8, pair, {}, refused),
    ],
  },
  zeroCopy(SEND_ZC_OP, 'SEND_ZC', PATTERN, 16),
  zeroCopy(SENDMSG_ZC_OP, 'SENDMSG_ZC', MSGHDR.one, 1),
  {
    opcode: RECV_ZC_OP,
    name: 'RECV_ZC',
    takesIoprio: true,
    // Without a network queue registered for zero-copy receive, which no virtual machine here has, prep refuses everything.
    prep: () => EINVAL,
    issue: () => ANY,
    forms: [
      form(RECV_ZC_OP, 'no-queue', FD.socketpair_b, 0n, 0, pair, { op_flags: 0, ioprio: F.RECV_MULTISHOT }, refused),
      form(RECV_ZC_OP, 'addr-set', FD.socketpair_b, 1n, 0, pair, { op_flags: 0, ioprio: F.RECV_MULTISHOT }, refused),
    ],
  },
];
