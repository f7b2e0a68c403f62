/** A ring that goes from task to task. */
import { OP } from '../../oracle/opcodes/index.ts';
import {
  ALLOW,
  as,
  closeRing,
  DENY,
  dropCap,
  example,
  exec,
  filter,
  hasNoNewPrivs,
  nop,
  noNewPrivs,
  onRing,
  ring,
  spawn,
  submit,
  suite,
  take,
  TASK,
} from './build.ts';

/** Examples of suite ring-passing. */
export const ringPassing = suite('ring-passing', [
  example('A ring keeps its rules in whatever hands', "Neither its taker's rules nor its own additions change hands.", [
    ring(0),
    filter(onRing(0), OP.NOP, DENY),
    spawn('fork', 1),
    as(1, closeRing(0)),
    as(1, take(0, 0)),
    as(1, filter(TASK, OP.NOP, ALLOW)),
    as(1, submit(0, nop())),
    submit(0, nop()),
  ]),
  example("A taker's rules do not reach the ring", 'It was made by a task that had none.', [
    ring(0),
    spawn('fork', 1),
    as(1, filter(TASK, OP.NOP, DENY)),
    as(1, submit(0, nop())),
    as(1, ring(1)),
    as(1, submit(1, nop())),
  ]),
  example(
    'no_new_privs goes to every kind of child and stays',
    'With it a task without CAP_SYS_ADMIN may bind itself.',
    [
      hasNoNewPrivs(),
      dropCap(),
      noNewPrivs(),
      hasNoNewPrivs(),
      ...(['fork', 'thread', 'clone_vm', 'clone3'] as const).flatMap((how, i) => [
        spawn(how, i + 1),
        as(i + 1, hasNoNewPrivs()),
      ]),
      as(1, exec()),
      as(1, hasNoNewPrivs()),
      as(1, filter(TASK, OP.NOP, DENY)),
    ],
  ),
  example('What a child sets is its own', 'Its parent stays unbound, and may not register.', [
    dropCap(),
    spawn('fork', 1),
    as(1, noNewPrivs()),
    as(1, hasNoNewPrivs()),
    hasNoNewPrivs(),
    filter(TASK, OP.NOP, DENY),
  ]),
]);
