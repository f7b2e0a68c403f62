/** Who may bind a task. */
import { OP } from '../../oracle/opcodes/names.ts';
import { ALLOW, as, DENY, dropCap, example, exit, filter, nop, noNewPrivs, onRing, restrictTask, ring, spawn, sqeOp, submit, suite, TASK, unshareUser } from './build.ts';

export const privilege = suite('privilege', [
  example('CAP_SYS_ADMIN or no_new_privs', 'Otherwise a set-uid program could be started with its calls cut off.', [dropCap(), filter(TASK, OP.NOP, ALLOW), restrictTask([sqeOp(OP.NOP)]), noNewPrivs(), filter(TASK, OP.NOP, DENY), ring(0), submit(0, nop())]),
  example('The capability is enough', 'No need for no_new_privs.', [filter(TASK, OP.NOP, DENY), ring(0), submit(0, nop())]),
  example('The capability inside a user namespace is enough', 'Containers use this.', [dropCap(), unshareUser(), filter(TASK, OP.NOP, DENY), ring(0), submit(0, nop())]),
  example('A process of several threads cannot enter a user namespace', 'So no capability comes from there while threads share the process.', [dropCap(), spawn('thread', 1), unshareUser(), as(1, unshareUser()), filter(TASK, OP.NOP, ALLOW), exit(1), spawn('fork', 2), as(2, unshareUser()), as(2, filter(TASK, OP.NOP, ALLOW)), exit(2)]),
  example('A ring\'s own filters need no privilege', 'Whoever has the ring may tie its hands.', [ring(0), dropCap(), filter(onRing(0), OP.NOP, DENY), submit(0, nop())]),
  example('Privilege is asked before the argument is read', 'An unprivileged caller learns nothing about it.', [dropCap(), filter(TASK, OP.NOP, ALLOW, { nr_args: 0 }), filter(TASK, OP.NOP, ALLOW, { placement: { raw: 0n } }), restrictTask([sqeOp(0)], { flags: 1 })]),
  example('"Once" is told before "not allowed"', 'Task restrictions on a bound task are -EPERM, whatever the privilege.', [filter(TASK, OP.NOP, ALLOW), dropCap(), restrictTask([sqeOp(OP.NOP)]), filter(TASK, OP.NOP, ALLOW)]),
  example('A child has its parent\'s privilege and no more', 'no_new_privs is inherited, and so is its absence.', [dropCap(), spawn('fork', 1), noNewPrivs(), as(1, filter(TASK, OP.NOP, ALLOW)), exit(1), spawn('fork', 2), as(2, filter(TASK, OP.NOP, ALLOW)), exit(2)]),
]);
