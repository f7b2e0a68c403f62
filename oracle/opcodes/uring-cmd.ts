/** URING_CMD and URING_CMD128: commands to sockets, and files that know no command. */
import { defineOpen, Open } from '../open-answer.ts';
import { FD } from '../scenario/layout.ts';
import { SOCKOPT_ONE } from '../world/arena.ts';
import { AF, E, IORING_SETUP, IORING_URING_CMD, IOSQE, SOCK, SOCKET_URING_OP } from '../uapi/constants.ts';
import type { SocketState } from '../world/files.ts';
import { anything, EINVAL, PREP_OK, result, withFile, unknownFile } from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec, PrepOutcome } from './types.ts';

const OPEN = defineOpen({
  'uring-cmd.socket': ['not-modelled', 'Bytes that wait in a socket other than a fresh TCP one.'],
  'uring-cmd.option': ['not-modelled', 'Socket options other than SO_REUSEADDR.'],
  'uring-cmd.command': ['not-modelled', 'Commands to sockets that later releases may have.'],
});

function prep({ sqe }: OpContext): PrepOutcome {
  // cmd_op is the low half of this field; the other half is reserved.
  if (sqe.off >> 32n !== 0n) return EINVAL;
  const flags = sqe.op_flags;
  if ((flags & ~(IORING_URING_CMD.FIXED | IORING_URING_CMD.MULTISHOT)) !== 0) return EINVAL;
  const multishot = (flags & IORING_URING_CMD.MULTISHOT) !== 0;
  if ((flags & IORING_URING_CMD.FIXED) !== 0 && multishot) return EINVAL;
  return multishot !== ((sqe.flags & IOSQE.BUFFER_SELECT) !== 0) ? EINVAL : PREP_OK;
}

const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const SO_TYPE = 3;

/** SIOCINQ and SIOCOUTQ: bytes that wait in a socket. */
function queued({ family, type, state }: SocketState): IssueOutcome {
  if (family === AF.UNIX) return result(-E.OPNOTSUPP);
  if (family !== AF.INET || type !== SOCK.STREAM) return anything(OPEN['uring-cmd.socket']);
  if (state === 'listening') return result(-E.INVAL);
  return state === 'fresh' ? result(0) : anything(OPEN['uring-cmd.socket']);
}

function setOption({ sqe, sandbox }: OpContext): IssueOutcome {
  const level = Number(BigInt.asUintN(32, sqe.addr));
  const name = Number(BigInt.asUintN(32, sqe.addr >> 32n));
  if (level !== SOL_SOCKET || name !== SO_REUSEADDR) return anything(OPEN['uring-cmd.option']);
  if ((sqe.file_index | 0) < 4) return result(-E.INVAL);
  const value = sandbox.memory.read(sqe.addr3, 4);
  if (Open.is(value)) return anything(value);
  return result(value === 'fault' ? -E.FAULT : 0);
}

function socketCommand(c: OpContext, socket: SocketState): IssueOutcome {
  const command = Number(BigInt.asUintN(32, c.sqe.off));
  switch (command) {
    case SOCKET_URING_OP.SIOCINQ:
    case SOCKET_URING_OP.SIOCOUTQ:
      return queued(socket);
    case SOCKET_URING_OP.SETSOCKOPT:
      return setOption(c);
    case SOCKET_URING_OP.GETSOCKOPT:
      return Number(BigInt.asUintN(32, c.sqe.addr)) === SOL_SOCKET
        ? anything(OPEN['uring-cmd.option'])
        : result(-E.OPNOTSUPP);
    default:
      return command > 1000 ? result(-E.OPNOTSUPP) : anything(OPEN['uring-cmd.command']);
  }
}

function issue(c: OpContext): IssueOutcome {
  return withFile(c, false, (file) => {
    switch (file.kind) {
      case 'file':
      case 'pipe':
      case 'eventfd':
      case 'epoll':
        return result(-E.OPNOTSUPP);
      case 'socket':
        return socketCommand(c, file.socket);
      default:
        return anything(unknownFile(file));
    }
  });
}

/** level and optname of a socket option, as the command carries them. */
function option(level: number, name: number): bigint {
  return BigInt(level) | (BigInt(name) << 32n);
}

function make(
  name: string,
  fd: number,
  fixtures: FormSpec['fixtures'],
  fields: SqeFields = {},
  refused = false,
): FormSpec {
  return { name, sqe: { fd, ...fields }, fixtures, ...(refused ? { prep_error: true } : {}) };
}

const set = { off: BigInt(SOCKET_URING_OP.SETSOCKOPT), file_index: 4, addr3: SOCKOPT_ONE };

const FORMS: readonly FormSpec[] = [
  make('file', FD.file, ['file']),
  make('pipe', FD.pipe_read, ['pipe']),
  make('eventfd', FD.eventfd, ['eventfd']),
  make('unix-inq', FD.stream, ['stream']),
  make('inet-inq', FD.inet, ['inet']),
  make('inet-listener-inq', FD.inet_listener, ['loopback']),
  make('setsockopt', FD.stream, ['stream'], { ...set, addr: option(SOL_SOCKET, SO_REUSEADDR) }),
  make('setsockopt-short', FD.stream, ['stream'], { ...set, addr: option(SOL_SOCKET, SO_REUSEADDR), file_index: 2 }),
  make('setsockopt-null', FD.inet, ['inet'], { ...set, addr: option(SOL_SOCKET, SO_REUSEADDR), addr3: 0n }),
  make('getsockopt-other-level', FD.inet, ['inet'], {
    off: BigInt(SOCKET_URING_OP.GETSOCKOPT),
    addr: option(6, SO_TYPE),
  }),
  make('unknown-command', FD.stream, ['stream'], { off: 0xffff_ffffn }),
  make('bad-fd', FD.closed, []),
  make('fixed-file', 0, [], { flags: IOSQE.FIXED_FILE }),
  make('reserved-set', FD.stream, ['stream'], { off: 1n << 32n }, true),
  make('unknown-flag', FD.stream, ['stream'], { op_flags: 4 }, true),
  make('multishot-no-select', FD.stream, ['stream'], { op_flags: IORING_URING_CMD.MULTISHOT }, true),
  make('select-no-multishot', FD.stream, ['stream'], { flags: IOSQE.BUFFER_SELECT }, true),
  make(
    'fixed-multishot',
    FD.stream,
    ['stream'],
    { op_flags: IORING_URING_CMD.MULTISHOT | IORING_URING_CMD.FIXED },
    true,
  ),
];

/** IORING_OP_URING_CMD: gives a file a command of its own. */
export const URING_CMD: OpSpec = {
  opcode: 46,
  since: '5.19',
  selectsBuffer: true,
  takesIopoll: true,
  prep,
  issue,
  forms: FORMS,
};

/** IORING_OP_URING_CMD128: URING_CMD with a 128-byte SQE. */
export const URING_CMD128: OpSpec = {
  opcode: 64,
  since: '6.19',
  takesTwoSlots: true,
  selectsBuffer: true,
  takesIopoll: true,
  prep,
  issue,
  forms: FORMS.map((form) => ({ ...form, need_setup: IORING_SETUP.SQE128 })),
};
