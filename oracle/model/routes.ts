/**
 * Every route: by which other calls the effect of an opcode can be had that a rule denies, and whether the promise
 * covers it. Decided once, from the sources; the suite escape takes each of them on a real kernel.
 */
import { OP } from '../opcodes/table.ts';
import type { OpName } from '../opcodes/table.ts';
import { IORING_REGISTER } from '../register/index.ts';

/** Another way to an effect. */
export interface Route {
  /** The opcode that a rule denies. */
  readonly denied: OpName;
  /** Opcodes that do the same, or part of it. */
  readonly opcodes: readonly OpName[];
  /** Calls of io_uring_register(2) that do. */
  readonly registers: readonly (keyof typeof IORING_REGISTER)[];
  /**
   * Whether the sources promise that the denial holds there as well. "The filter is executed for each matching
   * operation": another opcode is another operation, and a register call is none, unless it takes the very SQE.
   */
  readonly covered: boolean;
  /** The rule that says so, or the note that tells of it. */
  readonly by: string;
}

const NONE = [] as const;
const route = (
  denied: OpName,
  opcodes: readonly OpName[],
  registers: Route['registers'],
  by: string,
  covered = false,
): Route => ({ denied, opcodes, registers, covered, by });

const READS: readonly OpName[] = ['READ', 'READV', 'READ_FIXED', 'READV_FIXED', 'READ_MULTISHOT', 'SPLICE'];
const WRITES: readonly OpName[] = ['WRITE', 'WRITEV', 'WRITE_FIXED', 'WRITEV_FIXED', 'SPLICE'];
const SENDS: readonly OpName[] = ['SEND', 'SENDMSG', 'SEND_ZC', 'SENDMSG_ZC', 'WRITE', 'WRITEV', 'SPLICE'];
const RECEIVES: readonly OpName[] = ['RECV', 'RECVMSG', 'READ', 'READV', 'READ_MULTISHOT', 'SPLICE'];

/** Each opcode of a family, and the others of it. */
function family(members: readonly OpName[], others: readonly OpName[], by: string): readonly Route[] {
  return members.map((denied) =>
    route(
      denied,
      others.filter((name) => name !== denied),
      NONE,
      by,
    ),
  );
}

/** Opcodes whose effect is had in no other way. */
const ALONE: readonly OpName[] = [
  'ACCEPT',
  'EPOLL_CTL',
  'EPOLL_WAIT',
  'FADVISE',
  'FIXED_FD_INSTALL',
  'FUTEX_WAKE',
  'LINK_TIMEOUT',
  'LISTEN',
  'MADVISE',
  'MKDIRAT',
  'PIPE',
  'POLL_ADD',
  'RECV_ZC',
  'STATX',
  'SYMLINKAT',
  'SYNC_FILE_RANGE',
  'WAITID',
];

/** All of them, one for each opcode that a rule can deny. */
export const ROUTES: readonly Route[] = [
  route('MSG_RING', NONE, ['REGISTER_SEND_MSG_RING'], 'escape.msg-ring-blind', true),
  ...family(['OPENAT', 'OPENAT2'], ['OPENAT', 'OPENAT2'], 'openat-by-openat2'),
  ...ALONE.map((denied) => route(denied, NONE, NONE, 'route.other-opcode')),
  ...family(['READ', 'READV', 'READ_FIXED', 'READV_FIXED', 'READ_MULTISHOT'], READS, 'read-by-sibling'),
  ...family(['RECV', 'RECVMSG'], RECEIVES, 'read-by-sibling'),
  ...family(['WRITE', 'WRITEV', 'WRITE_FIXED', 'WRITEV_FIXED'], WRITES, 'write-by-sibling'),
  ...family(['SEND', 'SENDMSG', 'SEND_ZC', 'SENDMSG_ZC'], SENDS, 'write-by-sibling'),
  // A datagram goes to the address it carries; a stream is opened by MSG_FASTOPEN.
  route('CONNECT', ['SEND', 'SENDMSG', 'SEND_ZC', 'SENDMSG_ZC'], NONE, 'route.other-opcode'),
  route('BIND', ['CONNECT', 'LISTEN', 'SEND', 'SENDMSG'], NONE, 'route.other-opcode'),
  route('SOCKET', ['ACCEPT'], NONE, 'route.other-opcode'),
  route(
    'FILES_UPDATE',
    ['OPENAT', 'OPENAT2', 'SOCKET', 'ACCEPT', 'CLOSE', 'PIPE'],
    ['REGISTER_FILES_UPDATE', 'REGISTER_FILES_UPDATE2', 'REGISTER_FILES', 'REGISTER_FILES2', 'UNREGISTER_FILES'],
    'files-update-by-register',
  ),
  route('CLOSE', ['FILES_UPDATE'], ['REGISTER_FILES_UPDATE', 'UNREGISTER_FILES'], 'files-update-by-register'),
  route('PROVIDE_BUFFERS', NONE, ['REGISTER_PBUF_RING'], 'provide-buffers-by-register'),
  route('REMOVE_BUFFERS', NONE, ['UNREGISTER_PBUF_RING'], 'provide-buffers-by-register'),
  route('ASYNC_CANCEL', ['POLL_REMOVE', 'TIMEOUT_REMOVE'], ['REGISTER_SYNC_CANCEL'], 'cancel-by-register'),
  route('POLL_REMOVE', ['ASYNC_CANCEL'], ['REGISTER_SYNC_CANCEL'], 'cancel-by-register'),
  route('TIMEOUT_REMOVE', ['ASYNC_CANCEL'], ['REGISTER_SYNC_CANCEL'], 'cancel-by-register'),
  route('TIMEOUT', ['LINK_TIMEOUT'], NONE, 'route.other-opcode'),
  route('FSYNC', ['SYNC_FILE_RANGE', 'WRITE', 'WRITEV'], NONE, 'route.other-opcode'),
  route('FTRUNCATE', ['OPENAT', 'OPENAT2', 'FALLOCATE', 'WRITE'], NONE, 'route.other-opcode'),
  route('FALLOCATE', ['WRITE', 'WRITEV', 'FTRUNCATE'], NONE, 'route.other-opcode'),
  route('SETXATTR', ['FSETXATTR'], NONE, 'route.other-opcode'),
  route('FSETXATTR', ['SETXATTR'], NONE, 'route.other-opcode'),
  route('GETXATTR', ['FGETXATTR'], NONE, 'route.other-opcode'),
  route('FGETXATTR', ['GETXATTR'], NONE, 'route.other-opcode'),
  route('UNLINKAT', ['RENAMEAT'], NONE, 'route.other-opcode'),
  route('RENAMEAT', ['LINKAT', 'UNLINKAT'], NONE, 'route.other-opcode'),
  route('LINKAT', ['RENAMEAT'], NONE, 'route.other-opcode'),
  route('SHUTDOWN', ['CLOSE'], NONE, 'route.other-opcode'),
  route('SPLICE', ['TEE', 'READ', 'WRITE'], NONE, 'route.other-opcode'),
  route('TEE', ['SPLICE'], NONE, 'route.other-opcode'),
  route('NOP', ['NOP128'], NONE, 'route.other-opcode'),
  route('NOP128', ['NOP'], NONE, 'route.other-opcode'),
  route('URING_CMD', ['URING_CMD128'], NONE, 'route.other-opcode'),
  route('URING_CMD128', ['URING_CMD'], NONE, 'route.other-opcode'),
  route('FUTEX_WAIT', ['FUTEX_WAITV'], NONE, 'route.other-opcode'),
  route('FUTEX_WAITV', ['FUTEX_WAIT'], NONE, 'route.other-opcode'),
];

/** Of an opcode that runs: those whose denial it gets round. */
const AROUND = new Map<number, Set<number>>();
/** Of a register call: the same. */
const AROUND_BY_REGISTER = new Map<number, Set<number>>();
for (const { denied, opcodes, registers, covered } of ROUTES) {
  if (covered) continue;
  const add = (map: Map<number, Set<number>>, key: number): void => {
    const known = map.get(key);
    if (known === undefined) map.set(key, new Set([OP[denied]]));
    else known.add(OP[denied]);
  };
  for (const name of opcodes) add(AROUND, OP[name]);
  for (const name of registers) add(AROUND_BY_REGISTER, IORING_REGISTER[name]);
}

/** Opcodes whose denial a request of this one gets round. */
export function gotRoundBy(opcode: number): ReadonlySet<number> | undefined {
  return AROUND.get(opcode);
}

/** Opcodes whose denial a register call gets round. */
export function gotRoundByRegister(opcode: number): ReadonlySet<number> | undefined {
  return AROUND_BY_REGISTER.get(opcode);
}
