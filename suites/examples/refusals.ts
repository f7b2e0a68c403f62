/** A refused registration between good ones, seen by everyone near. */
import { OP } from '../../oracle/opcodes/index.ts';
import {
  ALLOW,
  as,
  DENY,
  DENY_REST,
  example,
  filter,
  nop,
  ring,
  spawn,
  sqeOp,
  restrictTask,
  submit,
  suite,
  TASK,
} from './build.ts';

const fsync = { opcode: OP.FSYNC, fd: 99 };

/** Examples of suite refusals. */
export const refusals = suite('refusals', [
  example('A refusal on rules that a child shares touches neither', 'The next registration binds one of them.', [
    filter(TASK, OP.NOP, DENY),
    ring(0),
    spawn('fork', 1),
    filter(TASK, OP.FSYNC, DENY, { flags: DENY_REST, resv: 1 }),
    filter(TASK, OP.FSYNC, DENY),
    ring(1),
    as(1, ring(2)),
    submit(0, nop(), fsync),
    submit(1, nop(), fsync),
    as(1, submit(2, nop(), fsync)),
  ]),
  example('Refused restrictions of a task that inherited filters', 'They change nothing, and filters are taken.', [
    filter(TASK, OP.NOP, ALLOW),
    spawn('fork', 1),
    as(1, restrictTask([sqeOp(OP.FSYNC)])),
    as(1, filter(TASK, OP.NOP, DENY)),
    as(1, ring(0)),
    as(1, submit(0, nop(), fsync)),
    ring(1),
    submit(1, nop(), fsync),
  ]),
]);
