/** A registration that fails changes nothing. */
import { OP } from '../../oracle/opcodes/index.ts';
import {
  ALLOW,
  DENY,
  DENY_REST,
  enable,
  example,
  filter,
  nop,
  onRing,
  registerOp,
  restrictRing,
  restrictTask,
  ring,
  sqeOp,
  submit,
  suite,
  TASK,
} from './build.ts';

const on = onRing(0);

/** Examples of suite atomicity. */
export const atomicity = suite('atomicity', [
  example('A refused program denies nothing', 'Not even through its DENY_REST.', [
    ring(0),
    filter(on, OP.FSYNC, 'mod #3\nret #0', { flags: DENY_REST }),
    submit(0, nop()),
    submit(0, { opcode: OP.FSYNC, fd: 99 }),
  ]),
  example('A refused size registers nothing', 'Though the size is written back.', [
    ring(0),
    filter(on, OP.NOP, DENY, { pdu_size: 1 }),
    submit(0, nop()),
    filter(on, OP.NOP, DENY, { pdu_size: 4, flags: 2 | DENY_REST }),
    submit(0, nop()),
  ]),
  example('Refused restrictions leave room for good ones', 'A failed attempt is not "once".', [
    ring(0, 1 << 6),
    restrictRing(0, sqeOp(OP.NOP), sqeOp(200)),
    restrictRing(0, sqeOp(OP.FSYNC), registerOp(12)),
    enable(0),
    submit(0, nop()),
    submit(0, { opcode: OP.FSYNC, fd: 99 }),
  ]),
  example('Refused task rules leave the task free', 'Filters and restrictions alike.', [
    filter(TASK, OP.NOP, DENY, { resv: 1 }),
    restrictTask([sqeOp(200)]),
    restrictTask([sqeOp(OP.NOP)]),
    ring(0),
    submit(0, nop()),
    submit(0, { opcode: OP.FSYNC, fd: 99 }),
  ]),
  example('A refused registration leaves earlier rules in force', 'And adds nothing to them.', [
    ring(0),
    filter(on, OP.FSYNC, DENY),
    filter(on, OP.FSYNC, ALLOW, { filter_len: 0 }),
    filter(on, OP.NOP, DENY, { program_placement: { raw: 1n } }),
    submit(0, nop()),
    submit(0, { opcode: OP.FSYNC, fd: 99 }),
  ]),
]);
