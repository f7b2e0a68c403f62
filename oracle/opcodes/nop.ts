/** NOP and NOP128: the request that does nothing, or answers what it is told to. */
import { defineOpen, Open } from '../open-answer.ts';
import type { OpenFile } from '../world/files.ts';
import type { Fixture } from '../scenario/layout.ts';
import { FD } from '../scenario/layout.ts';
import { CQE_F, E, IORING_NOP, IORING_SETUP, IOSQE, asS32 } from '../uapi/constants.ts';
import { descriptor, direct, EINVAL, isFixed, resultAmong, result, unknownFile } from './support.ts';
import type { SqeFields, FormSpec, FullSqe, IssueOutcome, OpContext, OpSpec, PrepOutcome } from './types.ts';

const KNOWN =
  IORING_NOP.INJECT_RESULT |
  IORING_NOP.FILE |
  IORING_NOP.FIXED_FILE |
  IORING_NOP.FIXED_BUFFER |
  IORING_NOP.TW |
  IORING_NOP.CQE32;
const OPEN = defineOpen({
  'nop.fixed-file': [
    'not-modelled',
    'A NOP with IORING_NOP_FIXED_FILE on a kernel that was not probed for when it takes effect.',
  ],
});
const BIG_CQE = IORING_SETUP.CQE32 | IORING_SETUP.CQE_MIXED;

function prep(c: OpContext): PrepOutcome {
  const flags = c.sqe.op_flags;
  if ((flags & ~KNOWN) !== 0) return EINVAL;
  if ((flags & IORING_NOP.CQE32) !== 0 && (c.setup_flags & BIG_CQE) === 0) return EINVAL;
  const fixed = (flags & IORING_NOP.FIXED_FILE) !== 0 ? IOSQE.FIXED_FILE : 0;
  const shown = c.abi.nop_shows_fixed_file;
  return shown === undefined
    ? { ok: true, adds_flags: 0, ...(fixed === 0 ? {} : { may_add: { flags: fixed, place: OPEN['nop.fixed-file'] } }) }
    : { ok: true, adds_flags: shown ? fixed : 0 };
}

/** IORING_NOP_FIXED_FILE asks for a direct descriptor as the request flag does. */
function looksUpDirect({ op_flags }: FullSqe): boolean {
  return (op_flags & IORING_NOP.FIXED_FILE) !== 0;
}

function issue(c: OpContext): IssueOutcome {
  const outcome = answer(c);
  // The file is looked up when the request runs: one that closes the descriptor races with it.
  return (c.sqe.op_flags & IORING_NOP.FILE) === 0 ? outcome : { ...outcome, touches: [`fd:${c.sqe.fd}`], changes: [] };
}

/** The file that it asks for, or why nobody knows. */
function fileOf(c: OpContext): OpenFile | 'closed' | Open {
  const asked = (c.sqe.op_flags & IORING_NOP.FIXED_FILE) !== 0;
  const shown = c.abi.nop_shows_fixed_file;
  if (shown === undefined && isFixed(c) && !asked) return OPEN['nop.fixed-file'];
  // Kernels that turn the NOP's own flag into IOSQE_FIXED_FILE also take IOSQE_FIXED_FILE for it.
  const file = asked || (shown === true && isFixed(c)) ? direct(c, c.sqe.fd) : descriptor(c, c.sqe.fd);
  return file === 'unknown' ? unknownFile(file) : file;
}

function answer(c: OpContext): IssueOutcome {
  const flags = c.sqe.op_flags;
  const cflags = (flags & IORING_NOP.CQE32) !== 0 && (c.setup_flags & IORING_SETUP.CQE_MIXED) !== 0 ? CQE_F.F_32 : 0;
  const res = (flags & IORING_NOP.INJECT_RESULT) !== 0 ? asS32(c.sqe.len) : 0;
  const failed = (errno: number): IssueOutcome => {
    const hinges = res === -errno ? {} : { hinges_on: 'nopShowsFailure' as const };
    return resultAmong(c.decisions.nopShowsFailure ? -errno : res, true, { cflags, ...hinges });
  };
  if ((flags & IORING_NOP.FILE) !== 0) {
    const file = fileOf(c);
    if (Open.is(file)) return resultAmong(file.among(res, -E.BADF, -E.FAULT), file, { cflags });
    if (file === 'closed') return failed(E.BADF);
  }
  if ((flags & IORING_NOP.FIXED_BUFFER) !== 0) {
    const ring = c.sandbox.common.ring(c.ring);
    if (ring.unknown) return resultAmong(ring.unknown.among(res, -E.FAULT), ring.unknown, { cflags });
    if (ring.buffers?.[c.sqe.buf_index] === undefined) return failed(E.FAULT);
  }
  return result(res, { cflags });
}

const none: readonly Fixture[] = [];

function inject(name: string, value: number): FormSpec {
  return { name, sqe: { len: value >>> 0, op_flags: IORING_NOP.INJECT_RESULT }, fixtures: none };
}

function nop(name: string, flags: number, rest: SqeFields = {}, more: Partial<FormSpec> = {}): FormSpec {
  return { name, sqe: { op_flags: flags, ...rest }, fixtures: none, ...more };
}

const FORMS: readonly FormSpec[] = [
  nop('plain', 0),
  inject('inject-0', 0),
  inject('inject-5', 5),
  inject('inject-canceled', -E.CANCELED),
  inject('inject-eio', -E.IO),
  inject('inject-eacces', -E.ACCES),
  inject('inject-min', -0x8000_0000),
  inject('inject-max', 0x7fff_ffff),
  nop('file-bad', IORING_NOP.FILE, { fd: FD.closed }),
  nop('file-negative', IORING_NOP.FILE, { fd: -1 }),
  nop('file', IORING_NOP.FILE, { fd: FD.file }, { fixtures: ['file'] }),
  nop('fixed-file-bad', IORING_NOP.FILE | IORING_NOP.FIXED_FILE, { fd: 0 }),
  nop('fixed-file-unused', IORING_NOP.FIXED_FILE),
  nop('fixed-buffer', IORING_NOP.FIXED_BUFFER),
  nop('fixed-buffer-inject', IORING_NOP.FIXED_BUFFER | IORING_NOP.INJECT_RESULT, { len: 9, buf_index: 3 }),
  nop('task-work', IORING_NOP.TW),
  nop('task-work-inject', IORING_NOP.TW | IORING_NOP.INJECT_RESULT, { len: E.BUSY }),
  nop('cqe32', IORING_NOP.CQE32, { off: 1n, addr: 2n }, { need_setup: IORING_SETUP.CQE32 }),
  nop('cqe32-small', IORING_NOP.CQE32, {}, { prep_error: true, avoid_setup: BIG_CQE }),
  nop('unknown-flag', 0x8000_0000, {}, { prep_error: true }),
  nop('unknown-flag-low', 0x40, {}, { prep_error: true }),
  nop('ignored-fields', 0, {
    fd: -7,
    off: 9n,
    addr: 0xdead_beefn,
    len: 3,
    buf_index: 5,
    file_index: 6,
    addr3: 7n,
    pad2: 8n,
  }),
];

/** IORING_OP_NOP: does nothing; its flags choose the result. */
export const NOP: OpSpec = { opcode: 0, since: '5.1', takesIopoll: true, looksUpDirect, prep, issue, forms: FORMS };

/** IORING_OP_NOP128: NOP with a 128-byte SQE. */
export const NOP128: OpSpec = {
  opcode: 63,
  since: '6.19',
  takesTwoSlots: true,
  takesIopoll: true,
  looksUpDirect,
  prep,
  issue,
  forms: FORMS.map((form) => ({ ...form, need_setup: (form.need_setup ?? 0) | IORING_SETUP.SQE128 })),
};
