/** The same requests and calls, free and bound. */
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_SETUP } from '../../oracle/uapi/constants.ts';
import {
  ALLOW,
  DENY,
  DENY_REST,
  enable,
  example,
  filter,
  nop,
  onRing,
  register,
  registerOp,
  restrictRing,
  ring,
  sqeOp,
  submit,
  suite,
} from './build.ts';

const fsync = { opcode: OP.FSYNC, fd: 99 };
const CLOCK = 29;
const PERSONALITY = 9;

/** Examples of suite sweep. */
export const sweep = suite('sweep', [
  example('The same requests denied, restricted and allowed', 'By a filter, by DENY_REST, by an allowlist.', [
    ring(0),
    filter(onRing(0), OP.NOP, DENY, { flags: DENY_REST }),
    ring(1, IORING_SETUP.R_DISABLED),
    restrictRing(1, sqeOp(OP.NOP), registerOp(12)),
    enable(1),
    ring(2),
    filter(onRing(2), OP.NOP, ALLOW),
    submit(0, nop(), fsync),
    submit(1, nop(), fsync),
    submit(2, nop(), fsync),
  ]),
  example('The same calls free and restricted', 'What is not listed is refused before its argument is looked at.', [
    ring(0),
    register(onRing(0), PERSONALITY),
    register(onRing(0), CLOCK),
    ring(1, IORING_SETUP.R_DISABLED),
    restrictRing(1, sqeOp(OP.NOP), registerOp(12), registerOp(PERSONALITY)),
    enable(1),
    register(onRing(1), PERSONALITY),
    register(onRing(1), CLOCK),
    submit(1, nop()),
  ]),
]);
