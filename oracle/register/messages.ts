/** Requests without an SQE: cancellation, and a message from who has no ring. */
import { Open, OpenSet } from '../open-answer.ts';
import { REGISTER } from './open.ts';
import { argBytes, call, NULL, struct, task, UNMAPPED } from './ready-made.ts';
import { reply, anyAnswer, bad } from './spec.ts';
import { rule } from '../rule.ts';
import { E, IORING_ASYNC_CANCEL, IORING_MSG } from '../uapi/constants.ts';
import { messagePrep, sendData, MSG_RING } from '../opcodes/msg-ring.ts';
import { fullSqe } from '../opcodes/support.ts';
import { NOBODY } from '../opcodes/time-ops.ts';
import { decodeSqe } from '../scenario/sqe.ts';
import { FD, RING_FD, isRingFd } from '../scenario/layout.ts';
import type { Answer, BlindCall, RingCall, RegisterFamily } from './spec.ts';

const SYNC_CANCEL = rule(
  'register.sync-cancel',
  'man',
  'Cancelling a request that is not there answers -ENOENT.',
  'io_uring_register(2), IORING_REGISTER_SYNC_CANCEL',
);

const MESSAGE = rule(
  'register.send-msg-ring',
  'man',
  'Without a ring, a message posts a CQE on the target ring.',
  'io_uring_register(2), IORING_REGISTER_SEND_MSG_RING',
);

function syncCancel({ arg, nr_args, view }: RingCall): Answer {
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const reg = arg.read(0, 64);
  if (reg === 'fault') return bad(E.FAULT);
  if (Open.is(reg)) return anyAnswer(reg);
  const flags = reg.u32(12);
  if ((flags & ~0x3f) !== 0 || !reg.isZero(33, 64)) return bad(E.INVAL);
  if ((flags & (IORING_ASYNC_CANCEL.FD | IORING_ASYNC_CANCEL.FD_FIXED)) === IORING_ASYNC_CANCEL.FD) {
    const fd = reg.s32(8);
    const open = view.ringAt(fd) ? 0 : isRingFd(fd) ? -E.BADF : view.sandbox.probeFd(fd);
    if (open === -E.BADF) return reply(-E.BADF);
  }
  return flags === 0 && reg.u64(0) === NOBODY ? reply(-E.NOENT) : anyAnswer(REGISTER['register-call.sync-cancel']);
}

function sendMsgRing({ arg, nr_args, view }: BlindCall): Answer {
  if (arg.isNull || nr_args !== 1) return bad(E.INVAL);
  const bytes = arg.read(0, 64);
  if (bytes === 'fault') return bad(E.FAULT);
  if (Open.is(bytes)) return anyAnswer(bytes);
  const sqe = fullSqe(decodeSqe(bytes.bytes, view.abi.little_endian));
  if (sqe.flags !== 0 || sqe.opcode !== MSG_RING.opcode || messagePrep(sqe) !== 0) return bad(E.INVAL);
  if (Number(BigInt.asUintN(32, sqe.addr)) !== IORING_MSG.DATA) return bad(E.INVAL);
  const target = view.ringAt(sqe.fd);
  if (target === undefined) {
    const open = isRingFd(sqe.fd) ? -E.BADF : view.sandbox.probeFd(sqe.fd);
    if (OpenSet.is(open)) return { ret: REGISTER['register-call.message-fd'].among(-E.BADF, -E.BADFD) };
    return reply(open === 0 ? -E.BADFD : -E.BADF);
  }
  const sent = sendData(sqe, target);
  return { ret: sent.res, ...(sent.posts ? { posts: sent.posts } : {}) };
}

const cancel = (addr: bigint, fd: number, flags: number): Uint8Array =>
  struct([8, addr], [4, fd], [4, flags], [8, -1], [8, -1], [8, 0], [8, 0], [8, 0], [8, 0]).subarray(0, 64);

/** The SQE of a message to ring `slot`. */
function message(
  slot: number,
  fields: {
    readonly flags?: number;
    readonly opcode?: number;
    readonly command?: number;
    readonly buf_index?: number;
    readonly fd?: number;
    readonly personality?: number;
  } = {},
): Uint8Array {
  return struct(
    [1, fields.opcode ?? 40],
    [1, fields.flags ?? 0],
    [2, 0],
    [4, fields.fd ?? RING_FD + slot],
    [8, 0x626c_696e_6400 + slot],
    [8, fields.command ?? 0],
    [4, 0x51],
    [4, 0],
    [8, 0],
    [2, fields.buf_index ?? 0],
    [2, fields.personality ?? 0],
    [4, 0],
    [8, 0],
    [8, 0],
  );
}

const eventfd = { fixtures: ['eventfd'] } as const;

/** The opcodes of this family. */
export const messages = {
  /** IORING_REGISTER_SYNC_CANCEL: cancels requests and waits for their end. */
  REGISTER_SYNC_CANCEL: {
    opcode: 24,
    since: '6.0',
    rule: SYNC_CANCEL,
    onRing: syncCancel,
    forms: [
      call('missing', 1, argBytes(cancel(NOBODY, 0, 0))),
      call('bad-fd', 1, argBytes(cancel(0n, FD.closed, 2))),
      call('unknown-flag', 1, argBytes(cancel(NOBODY, 0, 0x100))),
      call('two', 2, argBytes(cancel(NOBODY, 0, 0))),
      call('null', 1, NULL),
    ],
  },

  /** IORING_REGISTER_SEND_MSG_RING: posts a message on a ring without having one. */
  REGISTER_SEND_MSG_RING: {
    opcode: 31,
    since: '6.13',
    rule: MESSAGE,
    argument: 'sqe',
    actsAs: MSG_RING.opcode,
    blind: sendMsgRing,
    forms: [
      call('on-ring', 1, argBytes(message(0))),
      call('to-ring-0', 1, { ...argBytes(message(0)), ...task, rings: [0] }),
      call('to-ring-1', 1, { ...argBytes(message(1)), ...task, rings: [1] }),
      call('not-a-ring', 1, { ...argBytes(message(0, { fd: FD.eventfd })), ...task, ...eventfd }),
      call('closed', 1, { ...argBytes(message(0, { fd: FD.closed })), ...task }),
      call('flags-set', 1, { ...argBytes(message(0, { flags: 0x10 })), ...task }),
      call('other-opcode', 1, { ...argBytes(message(0, { opcode: 0 })), ...task }),
      call('send-fd', 1, { ...argBytes(message(0, { command: 1 })), ...task }),
      call('buf-index-set', 1, { ...argBytes(message(0, { buf_index: 1 })), ...task }),
      call('personality-set', 1, { ...argBytes(message(0, { personality: 1 })), ...task, rings: [0] }),
      call('send-fd-closed', 1, { ...argBytes(message(0, { command: 1, fd: FD.closed })), ...task }),
      call('null', 1, { ...NULL, ...task }),
      call('unmapped', 1, { ...UNMAPPED, ...task }),
      call('two', 2, { ...argBytes(message(0)), ...task }),
    ],
  },
} satisfies RegisterFamily;
