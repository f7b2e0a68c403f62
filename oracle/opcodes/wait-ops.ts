/** FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAITV and WAITID: only shapes that answer at once. */
import { defineOpen, Open } from '../open-answer.ts';
import { WORLD } from '../world/open.ts';
import { DATA, data, FUTEX, WAITV } from '../world/arena.ts';
import { E } from '../uapi/constants.ts';
import { memoryNames } from '../world/memory.ts';
import { anything, anySet, EFAULT, EINVAL, PREP_OK, prepOpen, result, form } from './support.ts';
import type { SqeFields, FormSpec, IssueOutcome, OpContext, OpSpec, PrepOutcome } from './types.ts';

const refused = { prep_error: true } as const;

const SIZE_MASK = 3;
const SIZE_U32 = 2;
const NUMA = 4;
const MPOL = 8;
const PRIVATE = 128;
const ALL_BITS = 0xffff_ffffn;

const OPEN = defineOpen({
  'futex.numa': ['not-modelled', "Futexes with FUTEX2_NUMA or FUTEX2_MPOL: up to the kernel's configuration."],
  'futex.waits': ['timing', 'A futex that holds the expected value.', 'Another request wakes it.', 'Nobody ever does.'],
  'futex.wake-unmapped': [
    'silent',
    'Waking a private futex at an address where nothing is mapped.',
    'io_uring_enter(2), IORING_OP_FUTEX_WAKE; futex(2), ERRORS',
  ],
  'futex.several': ['not-modelled', 'FUTEX_WAITV of more than one futex.'],
  'waitid.child': [
    'not-modelled',
    "WAITID for a child that may be there, or for any: tasks are the runner's children.",
  ],
});

function prepFutex(c: OpContext): PrepOutcome {
  const { sqe } = c;
  if (anySet(sqe, 'len', 'op_flags', 'buf_index', 'file_index')) return EINVAL;
  const flags = sqe.fd >>> 0;
  if ((flags & ~(SIZE_MASK | NUMA | MPOL | PRIVATE)) !== 0) return EINVAL;
  if ((flags & SIZE_MASK) !== SIZE_U32) return EINVAL;
  if ((flags & (NUMA | MPOL)) !== 0) return prepOpen(OPEN['futex.numa']);
  return sqe.off > ALL_BITS || sqe.addr3 > ALL_BITS ? EINVAL : PREP_OK;
}

/** The word a futex request looks at, or -errno. */
function word(c: OpContext, addr: bigint): { readonly value: number } | number | Open {
  if (addr % 4n !== 0n) return -E.INVAL;
  const bytes = c.sandbox.memory.read(addr, 4);
  if (bytes === 'fault') return -E.FAULT;
  if (Open.is(bytes)) return bytes;
  return { value: new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, c.abi.little_endian) };
}

function issueWait(c: OpContext): IssueOutcome {
  const { sqe } = c;
  if (sqe.addr3 === 0n) return result(-E.INVAL);
  const at = word(c, sqe.addr);
  const touch = { touches: memoryNames(sqe.addr, 4), changes: [] };
  if (Open.is(at)) return { ...anything(at), ...touch };
  if (typeof at === 'number') return result(at, touch);
  return BigInt(at.value) === sqe.off ? { ...anything(OPEN['futex.waits']), ...touch } : result(-E.AGAIN, touch);
}

function issueWake(c: OpContext): IssueOutcome {
  if (c.sqe.addr3 === 0n) return result(-E.INVAL);
  const at = word(c, c.sqe.addr);
  if (Open.is(at)) return anything(at);
  // A private futex that nobody waits for is not read at all.
  if (at === -E.FAULT) return anything(OPEN['futex.wake-unmapped']);
  return typeof at === 'number' ? result(at) : result(0);
}

const wait = (name: string, fields: SqeFields, extra: Partial<FormSpec> = {}): FormSpec =>
  form(name, { addr: FUTEX.seven, off: 8n, addr3: ALL_BITS, fd: SIZE_U32 | PRIVATE, ...fields }, extra);

/** IORING_OP_FUTEX_WAIT: waits on a futex. */
export const FUTEX_WAIT: OpSpec = {
  opcode: 51,
  since: '6.7',
  manual: 'futex(2)',
  prep: prepFutex,
  issue: issueWait,
  forms: [
    wait('mismatch', {}),
    wait('mismatch-shared', { fd: SIZE_U32 }),
    wait('no-mask', { addr3: 0n }),
    wait('unaligned', { addr: FUTEX.seven + 1n }),
    wait('null', { addr: 0n }),
    wait('size-u8', { fd: 0 }, refused),
    wait('size-u64', { fd: 3 }, refused),
    wait('unknown-flag', { fd: SIZE_U32 | 0x40 }, refused),
    wait('value-too-big', { off: 1n << 32n }, refused),
    wait('mask-too-big', { addr3: 1n << 32n }, refused),
    wait('len-set', { len: 1 }, refused),
    wait('flags-set', { op_flags: 1 }, refused),
    wait('file-index-set', { file_index: 1 }, refused),
  ],
};

const wake = (name: string, fields: SqeFields, extra: Partial<FormSpec> = {}): FormSpec =>
  form(name, { addr: FUTEX.seven, off: 1n, addr3: ALL_BITS, fd: SIZE_U32 | PRIVATE, ...fields }, extra);

/** IORING_OP_FUTEX_WAKE: wakes who waits on a futex. */
export const FUTEX_WAKE: OpSpec = {
  opcode: 52,
  since: '6.7',
  manual: 'futex(2)',
  prep: prepFutex,
  issue: issueWake,
  forms: [
    wake('nobody', {}),
    wake('nobody-shared', { fd: SIZE_U32 }),
    wake('none', { off: 0n }),
    wake('no-mask', { addr3: 0n }),
    wake('unaligned', { addr: FUTEX.seven + 2n }),
    wake('unknown-flag', { fd: SIZE_U32 | 0x100 }, refused),
    wake('value-too-big', { off: 1n << 40n }, refused),
    wake('buf-index-set', { buf_index: 1 }, refused),
  ],
};

/** struct futex_waitv[], or the prep outcome that refuses it. */
function readWaitv(c: OpContext): readonly { readonly value: bigint; readonly addr: bigint }[] | PrepOutcome {
  const count = c.sqe.len >>> 0;
  if (count === 0 || count > 128) return EINVAL;
  const bytes = c.sandbox.memory.read(c.sqe.addr, count * 24);
  if (bytes === 'fault') return EFAULT;
  if (Open.is(bytes)) return prepOpen(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const le = c.abi.little_endian;
  const waits: { value: bigint; addr: bigint }[] = [];
  for (let i = 0; i < count; i++) {
    const flags = view.getUint32(i * 24 + 16, le);
    if ((flags & ~(SIZE_MASK | NUMA | MPOL | PRIVATE)) !== 0 || view.getUint32(i * 24 + 20, le) !== 0) return EINVAL;
    if ((flags & SIZE_MASK) !== SIZE_U32) return EINVAL;
    if ((flags & (NUMA | MPOL)) !== 0) return prepOpen(OPEN['futex.numa']);
    const value = view.getBigUint64(i * 24, le);
    if (value > ALL_BITS) return EINVAL;
    waits.push({ value, addr: view.getBigUint64(i * 24 + 8, le) });
  }
  return waits;
}

const waitv = (
  name: string,
  addr: bigint,
  len: number,
  fields: SqeFields = {},
  extra: Partial<FormSpec> = {},
): FormSpec => form(name, { addr, len, ...fields }, extra);

/** IORING_OP_FUTEX_WAITV: waits on several futexes. */
export const FUTEX_WAITV: OpSpec = {
  opcode: 53,
  since: '6.7',
  prep: (c) => {
    if (anySet(c.sqe, 'fd', 'buf_index', 'file_index', 'off', 'op_flags', 'addr3')) return EINVAL;
    const waits = readWaitv(c);
    return 'ok' in waits ? waits : PREP_OK;
  },
  issue: (c) => {
    const waits = readWaitv(c);
    if ('ok' in waits) return anything(WORLD['memory.written-late']);
    if (waits.length !== 1) return anything(OPEN['futex.several']);
    const { addr, value } = waits[0]!;
    const at = word(c, addr);
    if (Open.is(at)) return anything(at);
    if (typeof at === 'number') return result(at);
    return BigInt(at.value) === value ? anything(OPEN['futex.waits']) : result(-E.AGAIN);
  },
  forms: [
    waitv('mismatch', WAITV.mismatch, 1),
    waitv('unknown-flag', WAITV.bad_flags, 1, {}, refused),
    waitv('none', WAITV.mismatch, 0, {}, refused),
    waitv('too-many', WAITV.mismatch, 129, {}, refused),
    waitv('null', 0n, 1, {}, refused),
    waitv('fd-set', WAITV.mismatch, 1, { fd: 1 }, refused),
    waitv('off-set', WAITV.mismatch, 1, { off: 1n }, refused),
    waitv('addr3-set', WAITV.mismatch, 1, { addr3: 1n }, refused),
  ],
};

const P_PID = 1;
const WNOHANG = 1;
const WSTOPPED = 2;
const WEXITED = 4;
const WCONTINUED = 8;
/** Larger than any process id (PID_MAX_LIMIT). */
const NO_SUCH_PID = 0x40_0001;
/** sizeof(siginfo_t). */
const SIGINFO_SIZE = 128;

const waitid = (name: string, fields: SqeFields, extra: Partial<FormSpec> = {}): FormSpec =>
  form(name, { fd: NO_SUCH_PID, len: P_PID, file_index: WEXITED, off: data(DATA.siginfo), ...fields }, extra);

/** IORING_OP_WAITID: waits for a child. */
export const WAITID: OpSpec = {
  opcode: 50,
  // io_uring_enter(2) has 6.5, but numbers are given in order, and 49 came with 6.7.
  since: '6.7',
  manual: 'waitid(2)',
  prep: ({ sqe }) => (anySet(sqe, 'addr', 'buf_index', 'addr3', 'op_flags') ? EINVAL : PREP_OK),
  issue: (c) => {
    const { sqe } = c;
    const options = sqe.file_index;
    if (
      (options &
        ~(WNOHANG | WSTOPPED | WEXITED | WCONTINUED | 0x0100_0000 | 0x2000_0000 | 0x4000_0000 | 0x8000_0000)) !==
      0
    )
      return result(-E.INVAL);
    if ((options & (WEXITED | WSTOPPED | WCONTINUED)) === 0) return result(-E.INVAL);
    if (sqe.len >>> 0 > 3) return result(-E.INVAL);
    if (sqe.len !== P_PID) return anything(OPEN['waitid.child']);
    if (sqe.fd <= 0) return result(-E.INVAL);
    if (sqe.fd !== NO_SUCH_PID) return anything(OPEN['waitid.child']);
    const memory = memoryNames(sqe.off, SIGINFO_SIZE);
    // Zeros are written there when nothing is found, and that may fail.
    const mapped = sqe.off === 0n || c.sandbox.memory.mapped(sqe.off, SIGINFO_SIZE);
    if (Open.is(mapped)) return anything(mapped);
    if (!mapped) return result(-E.FAULT);
    return result(-E.CHILD, { touches: memory, effect: () => c.sandbox.memory.forget(sqe.off, SIGINFO_SIZE) });
  },
  forms: [
    waitid('no-child', {}),
    waitid('no-child-nohang', { file_index: WEXITED | WNOHANG, off: 0n }),
    waitid('no-options', { file_index: 0 }),
    waitid('unknown-option', { file_index: WEXITED | 0x100 }),
    waitid('unknown-type', { len: 9 }),
    waitid('pid-zero', { fd: 0 }),
    waitid('addr-set', { addr: 1n }, refused),
    waitid('flags-set', { op_flags: 1 }, refused),
    waitid('addr3-set', { addr3: 1n }, refused),
    waitid('buf-index-set', { buf_index: 1 }, refused),
  ],
};
