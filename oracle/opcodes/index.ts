/** The table of opcodes. */
import { PROVIDE_BUFFERS, REMOVE_BUFFERS } from './buffers.ts';
import { AT_FDCWD, E } from '../uapi/constants.ts';
import { CLOSE, EPOLL_CTL, EPOLL_WAIT, FILES_UPDATE, FIXED_FD_INSTALL, PIPE } from './fd-ops.ts';
import { FADVISE, FALLOCATE, FSYNC, FTRUNCATE, MADVISE, STATX, SYNC_FILE_RANGE } from './file-ops.ts';
import { LINKAT, MKDIRAT, RENAMEAT, SYMLINKAT, UNLINKAT } from './fs.ts';
import { msgSpecs } from './msg.ts';
import { MSG_RING } from './msg-ring.ts';
import { OP, OP_NAMES, opName } from '../uapi/opcode-names.ts';
import { ACCEPT, BIND, CONNECT, LISTEN, SHUTDOWN } from './net.ts';
import { NOP, NOP128 } from './nop.ts';
import { OPENAT, OPENAT2 } from './open.ts';
import { rwSpecs } from './rw-ops.ts';
import { SOCKET } from './socket.ts';
import { SPLICE, TEE } from './splice.ts';
import { ANY, requestFile } from './support.ts';
import { ASYNC_CANCEL, LINK_TIMEOUT, POLL_ADD, POLL_REMOVE, TIMEOUT, TIMEOUT_REMOVE } from './time-ops.ts';
import type { IssueOutcome, OpContext, OpForm, OpSpec } from './types.ts';
import { URING_CMD, URING_CMD128 } from './uring-cmd.ts';
import { FUTEX_WAIT, FUTEX_WAITV, FUTEX_WAKE, WAITID } from './wait-ops.ts';
import { FGETXATTR, FSETXATTR, GETXATTR, SETXATTR } from './xattr.ts';

export { OP, OP_NAMES, opName };
export { opcodeRules } from './opcode-rules.ts';
export {
  initCheck,
  initCheckFlags,
  initCheckRest,
  isBigOpcode,
  supportsBufferSelect,
  type InitOutcome,
  type InitState,
} from './init.ts';
export { fullSqe } from './support.ts';
export { Sandbox, World } from '../world/sandbox.ts';
export { ARENA_IMAGE, arenaImage } from '../world/arena.ts';

const ALL: readonly OpSpec[] = [
  NOP,
  NOP128,
  SOCKET,
  OPENAT,
  OPENAT2,
  ...rwSpecs,
  ...msgSpecs,
  FSYNC,
  SYNC_FILE_RANGE,
  FALLOCATE,
  FTRUNCATE,
  FADVISE,
  MADVISE,
  STATX,
  POLL_ADD,
  POLL_REMOVE,
  TIMEOUT,
  TIMEOUT_REMOVE,
  LINK_TIMEOUT,
  ASYNC_CANCEL,
  ACCEPT,
  CONNECT,
  BIND,
  LISTEN,
  SHUTDOWN,
  CLOSE,
  FILES_UPDATE,
  FIXED_FD_INSTALL,
  PIPE,
  EPOLL_CTL,
  EPOLL_WAIT,
  SPLICE,
  TEE,
  PROVIDE_BUFFERS,
  REMOVE_BUFFERS,
  MKDIRAT,
  UNLINKAT,
  RENAMEAT,
  SYMLINKAT,
  LINKAT,
  FSETXATTR,
  SETXATTR,
  FGETXATTR,
  GETXATTR,
  FUTEX_WAIT,
  FUTEX_WAKE,
  FUTEX_WAITV,
  WAITID,
  MSG_RING,
  URING_CMD,
  URING_CMD128,
];

/** Opcodes whose handlers report an error of their own without failing the request (see IssueOutcome.quiet). */
const QUIET = new Set<number>([
  OP.FSYNC,
  OP.SYNC_FILE_RANGE,
  OP.FALLOCATE,
  OP.FTRUNCATE,
  OP.MADVISE,
  OP.STATX,
  OP.SHUTDOWN,
  OP.MKDIRAT,
  OP.UNLINKAT,
  OP.RENAMEAT,
  OP.SYMLINKAT,
  OP.LINKAT,
  OP.FSETXATTR,
  OP.SETXATTR,
  OP.FGETXATTR,
  OP.GETXATTR,
]);
/** Those of them that need a file: a bad descriptor is found before the handler runs, and fails the request. */
const QUIET_ON_FILE = new Set<number>([
  OP.FSYNC,
  OP.SYNC_FILE_RANGE,
  OP.FALLOCATE,
  OP.FTRUNCATE,
  OP.SHUTDOWN,
  OP.FSETXATTR,
  OP.FGETXATTR,
]);

function isQuiet(c: OpContext, outcome: IssueOutcome): boolean {
  if (typeof outcome.res !== 'number' || outcome.res >= 0) return false;
  const { opcode, file_index } = c.sqe;
  // A new socket that finds no direct slot.
  if (opcode === OP.SOCKET)
    return (
      file_index !== 0 &&
      (outcome.res === -E.NXIO ||
        outcome.res === -E.NFILE ||
        (outcome.res === -E.INVAL && outcome.touches !== undefined))
    );
  if (!QUIET.has(opcode)) return false;
  if (!QUIET_ON_FILE.has(opcode)) return true;
  const file = requestFile(c);
  if (file === 'closed' || file === 'unknown' || file.kind === 'path') return false;
  return opcode !== OP.SHUTDOWN || file.kind === 'socket';
}

/** After a request of unknown outcome: what it may have changed is not known either. */
function lost(c: OpContext, outcome: IssueOutcome, changes: readonly string[]): () => void {
  return () => {
    outcome.effect?.();
    changes.forEach((name) => c.sandbox.taint(name));
    c.sandbox.memory.forgetAll();
    if (requestFile(c) === 'unknown') c.sandbox.taintObjects();
  };
}

/** Opcodes whose paths start at a directory descriptor in `fd`, and those with a second one in `len`. */
const DIRECTORY_IN_FD = new Set<number>([
  OP.OPENAT,
  OP.OPENAT2,
  OP.STATX,
  OP.MKDIRAT,
  OP.UNLINKAT,
  OP.RENAMEAT,
  OP.SYMLINKAT,
  OP.LINKAT,
]);
const DIRECTORY_IN_LEN = new Set<number>([OP.RENAMEAT, OP.LINKAT]);

/** Such a request reads the descriptor: one that closes it races with it. */
function fromDirectories(c: OpContext, outcome: IssueOutcome): IssueOutcome {
  const { opcode, fd, len } = c.sqe;
  if (!DIRECTORY_IN_FD.has(opcode)) return outcome;
  const dirfds = (DIRECTORY_IN_LEN.has(opcode) ? [fd, len | 0] : [fd]).filter((dirfd) => dirfd !== AT_FDCWD);
  if (dirfds.length === 0) return outcome;
  const touches = outcome.touches ?? [];
  return {
    ...outcome,
    touches: [...touches, ...dirfds.map((dirfd) => `fd:${dirfd}`)],
    changes: outcome.changes ?? touches,
  };
}

/** Where requests raced over a resource, its state is not known, nor is what a later request makes of it. */
function guarded(spec: OpSpec): OpSpec {
  return {
    ...spec,
    issue: (c: OpContext): IssueOutcome => {
      const plain = fromDirectories(c, spec.issue(c));
      const outcome = isQuiet(c, plain) ? { ...plain, quiet: true as const } : plain;
      const touches = outcome.touches ?? [];
      const changes = outcome.changes ?? touches;
      if (!c.sandbox.isTainted(touches))
        return outcome.res === 'any' ? { ...outcome, effect: lost(c, outcome, changes) } : outcome;
      return {
        ...ANY,
        touches,
        changes,
        ...(outcome.extra ? { extra: outcome.extra } : {}),
        effect: lost(c, ANY, changes),
      };
    },
  };
}

const byOpcode: OpSpec[] = [];
for (const spec of ALL) byOpcode[spec.opcode] = guarded(spec);

/** What is known of an opcode; undefined for opcodes newer than the specification. */
export function opSpec(opcode: number): OpSpec | undefined {
  return byOpcode[opcode];
}

/** Every opcode's specification, by number. */
export const opSpecs: readonly OpSpec[] = byOpcode.filter((spec) => spec !== undefined);

/** Every ready-made request. */
export const opForms: readonly OpForm[] = opSpecs.flatMap((spec) => spec.forms);
