/**
 * Every rule of the specification, joined: programs, the feature itself, the
 * opcodes and io_uring_register. Ids are unique; every rule a prediction counts is here.
 */
import { bpfRules } from './bpf/bpf-rules.ts';
import { featureRules } from './model/feature-rules.ts';
import { opcodeRules, opSpecs } from './opcodes/index.ts';
import type { OpRow } from './opcodes/types.ts';
import { registerRules } from './register/index.ts';
import type { Rule } from './rule.ts';

/** Manual pages of the calls that opcodes stand for, for citations; opcodes without one are described in io_uring_enter(2) alone. */
const MANUAL_OF: Readonly<Record<string, string>> = {
  READV: 'preadv2(2)',
  WRITEV: 'pwritev2(2)',
  FSYNC: 'fsync(2)',
  READ_FIXED: 'preadv2(2)',
  WRITE_FIXED: 'pwritev2(2)',
  POLL_ADD: 'poll(2)',
  SYNC_FILE_RANGE: 'sync_file_range(2)',
  SENDMSG: 'sendmsg(2)',
  RECVMSG: 'recvmsg(2)',
  ACCEPT: 'accept4(2)',
  CONNECT: 'connect(2)',
  FALLOCATE: 'fallocate(2)',
  OPENAT: 'openat(2)',
  CLOSE: 'close(2)',
  STATX: 'statx(2)',
  READ: 'pread(2)',
  WRITE: 'pwrite(2)',
  FADVISE: 'posix_fadvise(2)',
  MADVISE: 'madvise(2)',
  SEND: 'send(2)',
  RECV: 'recv(2)',
  OPENAT2: 'openat2(2)',
  EPOLL_CTL: 'epoll_ctl(2)',
  SPLICE: 'splice(2)',
  TEE: 'tee(2)',
  SHUTDOWN: 'shutdown(2)',
  RENAMEAT: 'renameat2(2)',
  UNLINKAT: 'unlinkat(2)',
  MKDIRAT: 'mkdirat(2)',
  SYMLINKAT: 'symlinkat(2)',
  LINKAT: 'linkat(2)',
  FSETXATTR: 'fsetxattr(2)',
  SETXATTR: 'setxattr(2)',
  FGETXATTR: 'fgetxattr(2)',
  GETXATTR: 'getxattr(2)',
  SOCKET: 'socket(2)',
  SEND_ZC: 'send(2)',
  SENDMSG_ZC: 'sendmsg(2)',
  WAITID: 'waitid(2)',
  FUTEX_WAIT: 'futex(2)',
  FUTEX_WAKE: 'futex(2)',
  FTRUNCATE: 'ftruncate(2)',
  BIND: 'bind(2)',
  LISTEN: 'listen(2)',
  EPOLL_WAIT: 'epoll_wait(2)',
  READV_FIXED: 'preadv2(2)',
  WRITEV_FIXED: 'pwritev2(2)',
  PIPE: 'pipe2(2)',
};

/** `op.<name>`: what an allowed request answers; `op.<name>.prep`: what prep refuses. */
function rulesOfOpcode({ name, rule, prepRule }: OpRow): Rule[] {
  const manual = MANUAL_OF[name];
  const page = `io_uring_enter(2), IORING_OP_${name}`;
  return [
    {
      id: rule,
      statement:
        manual === undefined
          ? `An allowed ${name} completes with the result its description gives.`
          : `An allowed ${name} completes with the result ${manual} would give.`,
      kind: 'man',
      source: manual === undefined ? page : `${page}; ${manual}`,
    },
    {
      id: prepRule,
      statement: `${name} with fields that its prep step refuses completes with the errno of that check, and no filter sees it.`,
      kind: 'man',
      source: `io_uring_enter(2), IORING_OP_${name} and ERRORS (CQE); patch series v6, 1/7, io_submit_sqe (filters run after prep)`,
    },
  ];
}

/** These two say in general what the rules of each opcode say of one. */
const GENERAL: readonly string[] = ['op.prep-error', 'op.issue'];

function join(): Readonly<Record<string, Rule>> {
  const all: Record<string, Rule> = {};
  const tables: readonly (readonly Rule[])[] = [
    Object.values(bpfRules),
    Object.values(featureRules),
    Object.values<Rule>(opcodeRules).filter(({ id }) => !GENERAL.includes(id)),
    opSpecs.flatMap(rulesOfOpcode),
    Object.values<Rule>(registerRules),
  ];
  for (const rule of tables.flat()) {
    /* v8 ignore next -- only a mistake in a table gets here */
    if (Object.hasOwn(all, rule.id)) throw new Error(`two rules have the id ${rule.id}`);
    all[rule.id] = rule;
  }
  return all;
}

/** Every rule by id, in the order of the specification. */
export const RULES: Readonly<Record<string, Rule>> = join();

/** The rule of an id, or undefined. */
export function ruleById(id: string): Rule | undefined {
  return Object.hasOwn(RULES, id) ? RULES[id] : undefined;
}
