/** The table of opcodes: one row per specification, and what follows from it for every opcode alike. */
import type { Open } from '../open-answer.ts';
import { contextOffsets } from '../bpf/context.ts';
import { PROVIDE_BUFFERS, REMOVE_BUFFERS } from './buffers.ts';
import { AT_FDCWD } from '../uapi/constants.ts';
import { CLOSE, EPOLL_CTL, EPOLL_WAIT, FILES_UPDATE, FIXED_FD_INSTALL, PIPE } from './fd-ops.ts';
import { FADVISE, FALLOCATE, FSYNC, FTRUNCATE, MADVISE, STATX, SYNC_FILE_RANGE } from './file-ops.ts';
import { LINKAT, MKDIRAT, RENAMEAT, SYMLINKAT, UNLINKAT } from './fs.ts';
import { SENDMSG, RECVMSG, SEND, RECV, SEND_ZC, SENDMSG_ZC, RECV_ZC } from './msg.ts';
import { MSG_RING } from './msg-ring.ts';
import { ACCEPT, BIND, CONNECT, LISTEN, SHUTDOWN } from './net.ts';
import { NOP, NOP128 } from './nop.ts';
import { OPENAT, OPENAT2 } from './open.ts';
import {
  READV,
  WRITEV,
  READ_FIXED,
  WRITE_FIXED,
  READ,
  WRITE,
  READ_MULTISHOT,
  READV_FIXED,
  WRITEV_FIXED,
} from './rw-ops.ts';
import { SOCKET } from './socket.ts';
import { SPLICE, TEE } from './splice.ts';
import { anything, requestFile } from './support.ts';
import { ASYNC_CANCEL, LINK_TIMEOUT, POLL_ADD, POLL_REMOVE, TIMEOUT, TIMEOUT_REMOVE } from './time-ops.ts';
import type { FormSpec, IssueOutcome, OpContext, OpForm, OpRow, OpSpec } from './types.ts';
import { URING_CMD, URING_CMD128 } from './uring-cmd.ts';
import { FUTEX_WAIT, FUTEX_WAITV, FUTEX_WAKE, WAITID } from './wait-ops.ts';
import { FGETXATTR, FSETXATTR, GETXATTR, SETXATTR } from './xattr.ts';

/** The specifications by name, in the order of the header. */
const SPECS = {
  NOP,
  READV,
  WRITEV,
  FSYNC,
  READ_FIXED,
  WRITE_FIXED,
  POLL_ADD,
  POLL_REMOVE,
  SYNC_FILE_RANGE,
  SENDMSG,
  RECVMSG,
  TIMEOUT,
  TIMEOUT_REMOVE,
  ACCEPT,
  ASYNC_CANCEL,
  LINK_TIMEOUT,
  CONNECT,
  FALLOCATE,
  OPENAT,
  CLOSE,
  FILES_UPDATE,
  STATX,
  READ,
  WRITE,
  FADVISE,
  MADVISE,
  SEND,
  RECV,
  OPENAT2,
  EPOLL_CTL,
  SPLICE,
  PROVIDE_BUFFERS,
  REMOVE_BUFFERS,
  TEE,
  SHUTDOWN,
  RENAMEAT,
  UNLINKAT,
  MKDIRAT,
  SYMLINKAT,
  LINKAT,
  MSG_RING,
  FSETXATTR,
  SETXATTR,
  FGETXATTR,
  GETXATTR,
  SOCKET,
  URING_CMD,
  SEND_ZC,
  SENDMSG_ZC,
  READ_MULTISHOT,
  WAITID,
  FUTEX_WAIT,
  FUTEX_WAKE,
  FUTEX_WAITV,
  FIXED_FD_INSTALL,
  FTRUNCATE,
  BIND,
  LISTEN,
  RECV_ZC,
  EPOLL_WAIT,
  READV_FIXED,
  WRITEV_FIXED,
  PIPE,
  NOP128,
  URING_CMD128,
} satisfies Readonly<Record<string, OpSpec>>;

function isQuiet(spec: OpSpec, c: OpContext, outcome: IssueOutcome): boolean {
  return typeof outcome.res === 'number' && outcome.res < 0 && spec.quiet?.(c, outcome) === true;
}

/** After a request of unknown outcome: what it may have changed is not known either. */
function lost(c: OpContext, outcome: IssueOutcome, place: Open, changes: readonly string[]): () => void {
  return () => {
    outcome.effect?.();
    for (const name of changes) c.sandbox.taint(name, place);
    c.sandbox.memory.forgetAll();
    if (requestFile(c) === 'unknown') c.sandbox.taintObjects(place);
  };
}

/** A request that names a directory reads its descriptor: one that closes it races with it. */
function fromDirectories(spec: OpSpec, c: OpContext, outcome: IssueOutcome): IssueOutcome {
  const dirfds = spec.directories?.(c.sqe).filter((dirfd) => dirfd !== AT_FDCWD) ?? [];
  if (dirfds.length === 0) return outcome;
  const touches = outcome.touches ?? [];
  return {
    ...outcome,
    touches: [...touches, ...dirfds.map((dirfd) => `fd:${dirfd}`)],
    changes: outcome.changes ?? touches,
  };
}

const NOTHING: readonly string[] = [];

/** A request whose answer is known and that does nothing, such as one that is refused, changes nothing. */
function settled(outcome: IssueOutcome): IssueOutcome {
  const { res, effect, touches, changes = touches } = outcome;
  return typeof res !== 'number' || effect !== undefined || changes === undefined || changes.length === 0
    ? outcome
    : { ...outcome, changes: NOTHING };
}

/** Where requests raced over a resource, its state is not known, nor is what a later request makes of it. */
function guarded(spec: OpSpec): OpSpec['issue'] {
  return (c) => {
    const plain = spec.directories === undefined ? spec.issue(c) : fromDirectories(spec, c, spec.issue(c));
    const outcome = settled(isQuiet(spec, c, plain) ? { ...plain, quiet: true as const } : plain);
    const touches = outcome.touches ?? [];
    const changes = outcome.changes ?? touches;
    const { blind } = outcome;
    const matters = blind === undefined ? touches : touches.filter((name) => !blind.includes(name));
    const tainted = c.sandbox.tainted(matters);
    if (tainted === undefined) {
      const { res } = outcome;
      return typeof res !== 'number' && res.values === 'any'
        ? { ...outcome, effect: lost(c, outcome, res.place, changes) }
        : outcome;
    }
    const unknown = anything(tainted);
    return {
      ...unknown,
      touches,
      changes,
      ...(outcome.extra ? { extra: outcome.extra } : {}),
      ...(outcome.posts ? { posts: { ...outcome.posts, res: tainted.any, cflags: tainted.any } } : {}),
      effect: lost(c, unknown, tainted, changes),
    };
  };
}

function row(name: string, spec: OpSpec): OpRow {
  const whole = (form: FormSpec): OpForm => ({ ...form, sqe: { opcode: spec.opcode, ...form.sqe } });
  const rule = `op.${name.toLowerCase()}`;
  return {
    takesTwoSlots: false,
    selectsBuffer: false,
    takesIoprio: false,
    takesIopoll: false,
    limitsPrevious: false,
    cancelsOthers: false,
    ...spec,
    name,
    issue: guarded(spec),
    forms: spec.forms.map(whole),
    wide: (spec.wide ?? []).map(whole),
    rule,
    prepRule: `${rule}.prep`,
  };
}

const byOpcode: OpRow[] = [];
for (const [name, spec] of Object.entries<OpSpec>(SPECS)) byOpcode[spec.opcode] = row(name, spec);

/** Name of an opcode without the IORING_OP_ prefix. */
export type OpName = keyof typeof SPECS;

/** IORING_OP_* numbers by name. */
export const OP = Object.fromEntries(Object.entries<OpSpec>(SPECS).map(([name, { opcode }]) => [name, opcode])) as {
  readonly [K in OpName]: number;
};

/** Name of an opcode without the IORING_OP_ prefix; "OP_n" for one that the table does not have. */
export function opName(opcode: number): string {
  return byOpcode[opcode]?.name ?? `OP_${opcode}`;
}

/** What is known of an opcode; undefined for opcodes newer than the specification. */
export function opSpec(opcode: number): OpRow | undefined {
  return byOpcode[opcode];
}

/** Every opcode's specification, by number. */
export const opSpecs: readonly OpRow[] = byOpcode.filter((spec) => spec !== undefined);

/** Every ready-made request. */
export const opForms: readonly OpForm[] = opSpecs.flatMap((spec) => spec.forms);

/** Byte offset of each member of struct io_uring_bpf_ctx, by the name `offsetof` takes. */
export const CONTEXT_OFFSETS = contextOffsets(
  opSpecs.map(({ payload }) => payload).filter((payload) => payload !== undefined),
);
