/** MSG_RING: a completion, or a direct descriptor, for another ring. */
import { defineOpen } from '../open-answer.ts';
import type { Open } from '../open-answer.ts';
import { FD, RING_FD } from '../scenario/layout.ts';
import {
  CQE_F,
  E,
  FILE_INDEX_ALLOC,
  IORING_MSG,
  IORING_MSG_RING,
  IORING_SETUP,
  IOSQE,
  asS32,
} from '../uapi/constants.ts';
import { anything, EINVAL, isFixed, PREP_OK, result, withFile } from './support.ts';
import type { SqeFields, FormSpec, FullSqe, IssueOutcome, OpContext, OpSpec } from './types.ts';

const OPEN = defineOpen({
  'msg-ring.cqe32': [
    'silent',
    'A message with IORING_MSG_RING_FLAGS_PASS and IORING_CQE_F_32: whether the target ring has such a CQE.',
    'io_uring_enter(2), IORING_OP_MSG_RING; linux/io_uring.h, IORING_CQE_F_32',
  ],
  'msg-ring.deferred-file': [
    'timing',
    'A direct descriptor sent to a ring whose own task has to install it.',
    'The task gets to it in time.',
    'It does not: its table stays as it was, or -EOWNERDEAD.',
  ],
});

/** The ring that a message goes to. */
export type MessageTarget = { readonly slot: number; readonly setup_flags: number; readonly disabled: boolean };

/** Prep of a message, wherever it comes from: 0 or an errno. */
export function messagePrep(sqe: FullSqe): number {
  if (sqe.buf_index !== 0 || sqe.personality !== 0) return E.INVAL;
  return (sqe.op_flags & ~(IORING_MSG_RING.CQE_SKIP | IORING_MSG_RING.FLAGS_PASS)) !== 0 ? E.INVAL : 0;
}

/** IORING_MSG_DATA to `target`: what the sender gets and what is posted. */
export function sendData(sqe: FullSqe, target: MessageTarget): IssueOutcome {
  const flags = sqe.op_flags;
  const pass = (flags & IORING_MSG_RING.FLAGS_PASS) !== 0;
  if (BigInt.asUintN(32, sqe.addr3) !== 0n || (flags & ~IORING_MSG_RING.FLAGS_PASS) !== 0) return result(-E.INVAL);
  if (!pass && sqe.file_index !== 0) return result(-E.INVAL);
  if (target.disabled) return result(-E.BADFD);
  // Telling a 32-byte CQE apart is up to the release.
  if (pass && (sqe.file_index & CQE_F.F_32) !== 0) return anything(OPEN['msg-ring.cqe32']);
  // linux/io_uring.h, IORING_CQE_F_SKIP: whoever reads a mixed queue takes no notice of such a CQE.
  if (pass && (sqe.file_index & CQE_F.SKIP) !== 0 && (target.setup_flags & IORING_SETUP.CQE_MIXED) !== 0)
    return result(0);
  return result(0, {
    posts: { ring: target.slot, user_data: sqe.off, res: asS32(sqe.len), cflags: pass ? sqe.file_index : 0 },
  });
}

function sendFd(c: OpContext, target: MessageTarget): IssueOutcome {
  const { sqe } = c;
  const { common } = c.sandbox;
  if (sqe.len !== 0 || target.slot === c.ring) return result(-E.INVAL);
  if (target.disabled) return result(-E.BADFD);
  const from = common.ring(c.ring);
  const to = common.ring(target.slot);
  const touches = [`files:${c.ring}`, `files:${target.slot}`];
  const changes = [`files:${target.slot}`];
  const silent = (sqe.op_flags & IORING_MSG_RING.CQE_SKIP) !== 0;
  /** The message of a descriptor of which it is open whether it arrives. */
  const maybe = (place: Open): Pick<IssueOutcome, 'posts'> =>
    silent ? {} : { posts: { ring: target.slot, user_data: sqe.off, res: place.any, cflags: place.any } };
  const lost = from.unknown ?? to.unknown;
  if (lost !== undefined)
    return {
      ...anything(lost),
      ...maybe(lost),
      touches,
      effect: () => {
        to.unknown = lost;
      },
    };
  const file = from.files?.[Number(BigInt.asUintN(32, sqe.addr3))];
  if (file === undefined) return result(-E.BADF, { touches, changes: [] });
  // The owner of such a ring installs the file itself, when it gets to it.
  if ((target.setup_flags & (IORING_SETUP.DEFER_TASKRUN | IORING_SETUP.SINGLE_ISSUER)) !== 0)
    return {
      ...anything(OPEN['msg-ring.deferred-file']),
      ...maybe(OPEN['msg-ring.deferred-file']),
      touches,
      effect: () => {
        to.unknown = OPEN['msg-ring.deferred-file'];
      },
    };
  const res = to.tryInstall(file, sqe.file_index);
  if (res < 0) return result(res, { touches, changes: [] });
  return result(res, {
    touches,
    changes,
    effect: () => void to.install(file, sqe.file_index),
    ...(silent ? {} : { posts: { ring: target.slot, user_data: sqe.off, res, cflags: 0 } }),
  });
}

function issue(c: OpContext): IssueOutcome {
  return withFile(c, false, () => {
    // No ring can be a direct descriptor.
    const target = isFixed(c) ? undefined : c.ringAt(c.sqe.fd);
    if (target === undefined) return result(-E.BADFD);
    switch (Number(BigInt.asUintN(32, c.sqe.addr))) {
      case IORING_MSG.DATA:
        return sendData(c.sqe, target);
      case IORING_MSG.SEND_FD:
        return sendFd(c, target);
      default:
        return result(-E.INVAL);
    }
  });
}

function form(name: string, slot: number, fields: SqeFields, extra: Partial<FormSpec> = {}): FormSpec {
  return {
    name,
    sqe: { fd: RING_FD + slot, off: 0x6d73_6700n + BigInt(slot), ...fields },
    fixtures: [],
    ...extra,
  };
}

const refused = { prep_error: true } as const;
const sendFdCommand = BigInt(IORING_MSG.SEND_FD);

/** IORING_OP_MSG_RING: posts a completion on another ring, or hands it a direct descriptor. */
export const MSG_RING: OpSpec = {
  opcode: 40,
  since: '5.18',
  takesIopoll: true,
  prep: (c) => (messagePrep(c.sqe) !== 0 ? EINVAL : PREP_OK),
  issue,
  forms: [
    form('data-0', 0, { len: 77 }),
    form('data-1', 1, { len: 0xffff_fff3 }),
    form('data-2', 2, { len: 0 }),
    form('data-wide', 1, { len: 78, off: 0x8000_0001_4d53_4701n }),
    form('flags-pass', 0, { len: 5, op_flags: IORING_MSG_RING.FLAGS_PASS, file_index: 0x1234_0001 }),
    form('data-skip', 0, { op_flags: IORING_MSG_RING.CQE_SKIP }),
    form('data-flags-unasked', 0, { file_index: 1 }),
    form('data-source', 0, { addr3: 1n }),
    form('unknown-command', 0, { addr: 9n }),
    form('send-fd-0', 0, { addr: sendFdCommand, file_index: 1 }),
    form('send-fd-1', 1, { addr: sendFdCommand, file_index: FILE_INDEX_ALLOC }),
    form('send-fd-silent', 1, { addr: sendFdCommand, file_index: 2, op_flags: IORING_MSG_RING.CQE_SKIP }),
    form('send-fd-len', 1, { addr: sendFdCommand, len: 1 }),
    form('not-a-ring', 0, { fd: FD.eventfd }, { fixtures: ['eventfd'] }),
    form('bad-fd', 0, { fd: FD.closed }),
    form('fixed-file', 0, { fd: 0, flags: IOSQE.FIXED_FILE }),
    form('unknown-flag', 0, { op_flags: 4 }, refused),
    form('buf-index-set', 0, { buf_index: 1 }, refused),
  ],
};
