/** Timeouts, polls and cancellation. */
import { defineOpen, Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { FD } from '../scenario/layout.ts';
import { TIMESPEC } from '../world/arena.ts';
import {
  CQE_F,
  E,
  IORING_ASYNC_CANCEL as CANCEL,
  IORING_POLL,
  IORING_TIMEOUT as T,
  IOSQE,
  POLL,
} from '../uapi/constants.ts';
import type { OpenFile } from '../world/files.ts';
import {
  anything,
  anySet,
  descriptor,
  direct,
  EFAULT,
  EINVAL,
  isFixed,
  PREP_OK,
  prepOpen,
  result,
  slotName,
  withFile,
  form,
  resultAmong,
} from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec, PrepOutcome } from './types.ts';

const refused = { prep_error: true } as const;
const file = { fixtures: ['file'] } as const;

/** user_data that no generated request carries. */
export const NOBODY = 0xfeed_feed_feed_feedn;

const OPEN = defineOpen({
  'timeout.padding': [
    'silent',
    'A timeout with addr3 or padding set: newer releases refuse it, older ones do not look.',
    'io_uring_enter(2), IORING_OP_TIMEOUT; linux/io_uring.h',
  ],
  'timeout.immediate': [
    'silent',
    'IORING_TIMEOUT_IMMEDIATE_ARG, and clocks in an update: taken or refused, by release.',
    'io_uring_enter(2), IORING_OP_TIMEOUT and IORING_OP_TIMEOUT_REMOVE; linux/io_uring.h',
  ],
  'timeout.long': [
    'timing',
    'A timeout further away than a millisecond.',
    'The scenario still runs when it ends.',
    'It has ended.',
  ],
  'timeout.multishot': ['not-modelled', 'A multishot timeout that ends never, or more than four times.'],
  'timeout.count': [
    'timing',
    'A timeout that so many completions satisfy: 0 or -ETIME.',
    'The completions come first.',
    'The time is over first.',
  ],
  'link-timeout.short': [
    'timing',
    'A link timeout of less than a minute.',
    'The request that it guards ends first.',
    'The time is over first.',
  ],
  'poll.level': ['not-modelled', 'POLL_ADD with IORING_POLL_ADD_LEVEL.'],
  'poll.multishot': [
    'not-modelled',
    'A multishot poll; and any on big-endian machines, where the halves of the mask are swapped.',
  ],
  'poll.waits': [
    'timing',
    'A poll of a file that has none of the events now.',
    'Another request makes it ready.',
    'Nobody ever does.',
  ],
  'cancel.other': [
    'timing',
    'A request that cancels or changes others, of which some may be under way.',
    'They have ended.',
    'They have not, and are cancelled.',
  ],
  'cancel.opcode': [
    'silent',
    'IORING_ASYNC_CANCEL_OP with an opcode that does not exist: newer releases check it.',
    'io_uring_enter(2), IORING_OP_ASYNC_CANCEL',
  ],
});
const MEMORY_CHANGED = WORLD['memory.written-late'];

interface Timespec {
  readonly sec: bigint;
  readonly nsec: bigint;
}

function timespec(c: OpContext, addr: bigint): Timespec | PrepOutcome {
  const bytes = c.sandbox.memory.read(addr, 16);
  if (bytes === 'fault') return EFAULT;
  if (Open.is(bytes)) return prepOpen(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const time = { sec: view.getBigInt64(0, c.abi.little_endian), nsec: view.getBigInt64(8, c.abi.little_endian) };
  return time.sec < 0n || time.nsec < 0n ? EINVAL : time;
}

function isTime(value: Timespec | PrepOutcome): value is Timespec {
  return 'sec' in value;
}

const CLOCKS = T.BOOTTIME | T.REALTIME;
const KNOWN = T.ABS | CLOCKS | T.ETIME_SUCCESS | T.MULTISHOT;

function prepTimeout(c: OpContext, linked: boolean): PrepOutcome {
  const { sqe } = c;
  // Newer releases also look at addr3 and the padding.
  if (sqe.addr3 !== 0n || sqe.pad2 !== 0n) return prepOpen(OPEN['timeout.padding']);
  if (sqe.buf_index !== 0 || sqe.len !== 1 || sqe.file_index !== 0) return EINVAL;
  if (linked && BigInt.asUintN(32, sqe.off) !== 0n) return EINVAL;
  const flags = sqe.op_flags;
  if ((flags & ~(KNOWN | T.IMMEDIATE_ARG)) !== 0) return EINVAL;
  // Taken as an argument by newer releases, refused by older ones.
  if ((flags & T.IMMEDIATE_ARG) !== 0) return prepOpen(OPEN['timeout.immediate']);
  if ((flags & CLOCKS) === CLOCKS) return EINVAL;
  if ((flags & T.MULTISHOT) !== 0 && (flags & T.ABS) !== 0) return EINVAL;
  const time = timespec(c, sqe.addr);
  if (!isTime(time)) return time;
  // A link timeout guards the request before it, which cannot be another link timeout.
  return linked && (!c.linked || c.previous === LINK_TIMEOUT.opcode) ? EINVAL : PREP_OK;
}

function issueTimeout(c: OpContext): IssueOutcome {
  const { sqe } = c;
  const time = timespec(c, sqe.addr);
  const count = Number(BigInt.asUintN(32, sqe.off));
  const flags = sqe.op_flags;
  if (!isTime(time)) return anything(MEMORY_CHANGED);
  const soon =
    (flags & T.ABS) !== 0 ? time.sec === 0n && (flags & T.REALTIME) !== 0 : time.sec === 0n && time.nsec <= 1_000_000n;
  const fails = (flags & T.ETIME_SUCCESS) === 0;
  if (!soon) return anything(OPEN['timeout.long']);
  if ((flags & T.MULTISHOT) !== 0) {
    if (count === 0 || count > 4) return anything(OPEN['timeout.multishot']);
    return result(-E.TIME, {
      fails,
      cflags: count === 1 ? 0 : CQE_F.MORE,
      extra: Array.from({ length: count - 1 }, (_, i) => ({ res: -E.TIME, cflags: i === count - 2 ? 0 : CQE_F.MORE })),
    });
  }
  // With a count the request may be satisfied by other completions instead.
  return count === 0
    ? result(-E.TIME, { fails })
    : resultAmong(OPEN['timeout.count'].among(0, -E.TIME), OPEN['timeout.count']);
}

const timeout = (name: string, addr: bigint, fields: SqeFields = {}, extra: Partial<FormSpec> = {}): FormSpec =>
  form(name, { addr, len: 1, ...fields }, extra);

/** IORING_OP_TIMEOUT: ends after a time, or after so many completions. */
export const TIMEOUT: OpSpec = {
  opcode: 11,
  since: '5.4',
  prep: (c) => prepTimeout(c, false),
  issue: issueTimeout,
  forms: [
    timeout('tiny', TIMESPEC.tiny),
    timeout('zero', TIMESPEC.zero),
    timeout('boottime', TIMESPEC.tiny, { op_flags: T.BOOTTIME }),
    timeout('realtime-past', TIMESPEC.zero, { op_flags: T.REALTIME | T.ABS }),
    timeout('etime-success', TIMESPEC.tiny, { op_flags: T.ETIME_SUCCESS }),
    timeout('multishot', TIMESPEC.tiny, { op_flags: T.MULTISHOT, off: 2n }),
    timeout('two-clocks', TIMESPEC.tiny, { op_flags: CLOCKS }, refused),
    timeout('multishot-absolute', TIMESPEC.tiny, { op_flags: T.MULTISHOT | T.ABS }, refused),
    timeout('unknown-flag', TIMESPEC.tiny, { op_flags: 0x100 }, refused),
    timeout('update-flag', TIMESPEC.tiny, { op_flags: T.UPDATE }, refused),
    timeout('negative', TIMESPEC.negative, {}, refused),
    timeout('null', 0n, {}, refused),
    timeout('no-timespec', TIMESPEC.tiny, { len: 0 }, refused),
    timeout('buf-index-set', TIMESPEC.tiny, { buf_index: 1 }, refused),
    timeout('file-index-set', TIMESPEC.tiny, { file_index: 1 }, refused),
  ],
};

/** IORING_OP_LINK_TIMEOUT: limits the time of the request before it in a chain. */
export const LINK_TIMEOUT: OpSpec = {
  opcode: 15,
  since: '5.5',
  limitsPrevious: true,
  prep: (c) => prepTimeout(c, true),
  // The request it guards ends first, which takes the timeout out of the chain without breaking it.
  issue: (c) => {
    const time = timespec(c, c.sqe.addr);
    return isTime(time) && time.sec >= 60n
      ? result(-E.CANCELED, { fails: false })
      : anything(OPEN['link-timeout.short']);
  },
  forms: [
    form('hour', { addr: TIMESPEC.hour, len: 1 }, { linked: true }),
    form('hour-boottime', { addr: TIMESPEC.hour, len: 1, op_flags: T.BOOTTIME }, { linked: true }),
    form('no-timespec', { addr: TIMESPEC.hour }, { linked: true, ...refused }),
    form('count-set', { addr: TIMESPEC.hour, len: 1, off: 1n }, { linked: true, ...refused }),
    form('null', { len: 1 }, { linked: true, ...refused }),
  ],
};

/** IORING_OP_TIMEOUT_REMOVE: ends or changes a TIMEOUT. */
export const TIMEOUT_REMOVE: OpSpec = {
  opcode: 12,
  since: '5.5',
  prep: (c) => {
    const { sqe } = c;
    if (isFixed(c)) return EINVAL;
    if (sqe.addr3 !== 0n || sqe.pad2 !== 0n) return prepOpen(OPEN['timeout.padding']);
    if (anySet(sqe, 'buf_index', 'len', 'file_index')) return EINVAL;
    const flags = sqe.op_flags;
    const update = T.UPDATE | T.LINK_TIMEOUT_UPDATE;
    if ((flags & update) === 0) return flags !== 0 ? EINVAL : PREP_OK;
    if ((flags & CLOCKS) === CLOCKS) return EINVAL;
    if ((flags & T.IMMEDIATE_ARG) !== 0 || (flags & CLOCKS) !== 0) return prepOpen(OPEN['timeout.immediate']);
    if ((flags & ~(update | T.ABS)) !== 0) return EINVAL;
    const time = timespec(c, sqe.off);
    return isTime(time) ? PREP_OK : time;
  },
  issue: (c) => (c.sqe.addr === NOBODY ? result(-E.NOENT) : anything(OPEN['cancel.other'])),
  forms: [
    form('missing', { addr: NOBODY }),
    form('update-missing', { addr: NOBODY, off: TIMESPEC.tiny, op_flags: T.UPDATE }),
    form('update-link-missing', { addr: NOBODY, off: TIMESPEC.tiny, op_flags: T.UPDATE | T.LINK_TIMEOUT_UPDATE }),
    form('update-null', { addr: NOBODY, op_flags: T.UPDATE }, refused),
    form('update-negative', { addr: NOBODY, off: TIMESPEC.negative, op_flags: T.UPDATE }, refused),
    form('remove-with-flag', { addr: NOBODY, op_flags: T.ABS }, refused),
    form('two-clocks', { addr: NOBODY, off: TIMESPEC.tiny, op_flags: T.UPDATE | CLOCKS }, refused),
    form('len-set', { addr: NOBODY, len: 1 }, refused),
    form('fixed-file', { addr: NOBODY, flags: IOSQE.FIXED_FILE }, refused),
  ],
};

/** The events a file has now; none where that is not modelled. */
function ready(file: OpenFile): number {
  switch (file.kind) {
    case 'file':
      return POLL.IN | POLL.OUT | POLL.RDNORM | POLL.WRNORM;
    case 'pipe':
      if (file.end === 'write') return file.pipe.bytes.length < 0x1000 ? POLL.OUT | POLL.WRNORM : 0;
      return file.pipe.bytes.length > 0 ? POLL.IN | POLL.RDNORM : 0;
    case 'eventfd':
      return (file.counter > 0n ? POLL.IN : 0) | POLL.OUT;
    default:
      return 0;
  }
}

const poll = (
  name: string,
  fd: number,
  events: number,
  fixtures: FormSpec['fixtures'],
  fields: SqeFields = {},
  extra: Partial<FormSpec> = {},
): FormSpec => form(name, { fd, op_flags: events, ...fields }, { fixtures, ...extra });

/** IORING_OP_POLL_ADD: waits for events of a file. */
export const POLL_ADD: OpSpec = {
  opcode: 6,
  since: '5.1',
  manual: 'poll(2)',
  prep: ({ sqe }) => {
    if (anySet(sqe, 'buf_index', 'off', 'addr')) return EINVAL;
    if ((sqe.len & ~(IORING_POLL.ADD_MULTI | IORING_POLL.ADD_LEVEL)) !== 0) return EINVAL;
    if ((sqe.len & IORING_POLL.ADD_LEVEL) !== 0) return prepOpen(OPEN['poll.level']);
    return (sqe.len & IORING_POLL.ADD_MULTI) !== 0 && (sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0 ? EINVAL : PREP_OK;
  },
  issue: (c) =>
    withFile(c, false, (file) => {
      // The 16-bit halves of the mask are swapped on big-endian machines: not modelled there.
      if (c.sqe.len !== 0 || !c.abi.little_endian) return anything(OPEN['poll.multishot']);
      const mask = ready(file) & c.sqe.op_flags & 0xffff;
      return mask === 0 ? anything(OPEN['poll.waits']) : result(mask);
    }),
  forms: [
    poll('file-in', FD.file, POLL.IN, ['file']),
    poll('file-all', FD.file, POLL.IN | POLL.OUT | POLL.RDNORM | POLL.WRNORM, ['file']),
    poll('pipe-out', FD.pipe_write, POLL.OUT, ['pipe']),
    poll('eventfd-out', FD.eventfd, POLL.OUT, ['eventfd']),
    poll('bad-fd', FD.closed, POLL.IN, []),
    poll('fixed-file', 0, POLL.IN, [], { flags: IOSQE.FIXED_FILE }),
    poll('off-set', FD.file, POLL.IN, ['file'], { off: 1n }, refused),
    poll('addr-set', FD.file, POLL.IN, ['file'], { addr: 1n }, refused),
    poll('buf-index-set', FD.file, POLL.IN, ['file'], { buf_index: 1 }, refused),
    poll('unknown-flag', FD.file, POLL.IN, ['file'], { len: 0x100 }, refused),
    poll('update-flag', FD.file, POLL.IN, ['file'], { len: IORING_POLL.UPDATE_EVENTS }, refused),
  ],
};

/** IORING_OP_POLL_REMOVE: ends or changes a POLL_ADD. */
export const POLL_REMOVE: OpSpec = {
  opcode: 7,
  since: '5.1',
  prep: ({ sqe }) => {
    if (anySet(sqe, 'buf_index', 'file_index')) return EINVAL;
    const flags = sqe.len >>> 0;
    if ((flags & ~(IORING_POLL.UPDATE_EVENTS | IORING_POLL.UPDATE_USER_DATA | IORING_POLL.ADD_MULTI)) !== 0)
      return EINVAL;
    if (flags === IORING_POLL.ADD_MULTI) return EINVAL;
    if ((flags & IORING_POLL.UPDATE_USER_DATA) === 0 && sqe.off !== 0n) return EINVAL;
    return (flags & IORING_POLL.UPDATE_EVENTS) === 0 && sqe.op_flags !== 0 ? EINVAL : PREP_OK;
  },
  issue: (c) => (c.sqe.addr === NOBODY ? result(-E.NOENT) : anything(OPEN['cancel.other'])),
  forms: [
    form('missing', { addr: NOBODY }),
    form('update-missing', { addr: NOBODY, len: IORING_POLL.UPDATE_EVENTS, op_flags: POLL.IN }),
    form('update-data-missing', { addr: NOBODY, len: IORING_POLL.UPDATE_USER_DATA, off: 5n }),
    form('only-multi', { addr: NOBODY, len: IORING_POLL.ADD_MULTI }, refused),
    form('unknown-flag', { addr: NOBODY, len: 0x10 }, refused),
    form('off-set', { addr: NOBODY, off: 1n }, refused),
    form('events-set', { addr: NOBODY, op_flags: 1 }, refused),
    form('buf-index-set', { addr: NOBODY, buf_index: 1 }, refused),
    form('file-index-set', { addr: NOBODY, file_index: 1 }, refused),
  ],
};

const CANCEL_FLAGS = CANCEL.ALL | CANCEL.FD | CANCEL.ANY | CANCEL.FD_FIXED | CANCEL.USERDATA | CANCEL.OP;

function issueCancel(c: OpContext): IssueOutcome {
  const { sqe } = c;
  const flags = sqe.op_flags;
  if ((flags & CANCEL.FD) !== 0) {
    const fixed = isFixed(c) || (flags & CANCEL.FD_FIXED) !== 0;
    const open = fixed ? direct(c, sqe.fd) : descriptor(c, sqe.fd);
    const slot = { touches: [slotName(c, fixed, sqe.fd)], changes: [] };
    return open === 'closed' ? result(-E.BADF, slot) : { ...anything(OPEN['cancel.other']), ...slot };
  }
  if ((flags & (CANCEL.ANY | CANCEL.OP)) !== 0 || sqe.addr !== NOBODY) return anything(OPEN['cancel.other']);
  return (flags & CANCEL.ALL) !== 0 ? result(0) : result(-E.NOENT);
}

/** IORING_OP_ASYNC_CANCEL: cancels requests. */
export const ASYNC_CANCEL: OpSpec = {
  opcode: 14,
  since: '5.5',
  cancelsOthers: true,
  prep: (c) => {
    const { sqe } = c;
    if (sqe.off !== 0n || sqe.file_index !== 0) return EINVAL;
    const flags = sqe.op_flags;
    if ((flags & ~CANCEL_FLAGS) !== 0) return EINVAL;
    const any = (flags & CANCEL.ANY) !== 0;
    if (any && (flags & (CANCEL.FD | CANCEL.OP)) !== 0) return EINVAL;
    // Newer releases check the opcode here.
    return (flags & CANCEL.OP) !== 0 && sqe.len >>> 0 >= c.abi.op_last ? prepOpen(OPEN['cancel.opcode']) : PREP_OK;
  },
  issue: issueCancel,
  forms: [
    form('missing', { addr: NOBODY }),
    form('all-missing', { addr: NOBODY, op_flags: CANCEL.ALL }),
    form('userdata-missing', { addr: NOBODY, op_flags: CANCEL.USERDATA }),
    form('bad-fd', { addr: NOBODY, fd: FD.closed, op_flags: CANCEL.FD }),
    form('bad-fixed', { addr: NOBODY, fd: 0, op_flags: CANCEL.FD | CANCEL.FD_FIXED }),
    form('any-and-fd', { fd: FD.file, op_flags: CANCEL.ANY | CANCEL.FD }, { ...file, ...refused }),
    form('any-and-op', { op_flags: CANCEL.ANY | CANCEL.OP }, refused),
    form('unknown-flag', { addr: NOBODY, op_flags: 0x100 }, refused),
    form('off-set', { addr: NOBODY, off: 1n }, refused),
    form('file-index-set', { addr: NOBODY, file_index: 1 }, refused),
  ],
};
