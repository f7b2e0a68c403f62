/** The older kind of rules, and how they meet the new ones. */
import { IOSQE } from '../../oracle/uapi/constants.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import {
  ALLOW,
  DENY,
  enable,
  example,
  filter,
  flagsAllowed,
  flagsRequired,
  nop,
  onRing,
  register,
  registerOp,
  restrictRing,
  restrictTask,
  ring,
  socket,
  sqeOp,
  submit,
  suite,
} from './build.ts';

const DISABLED = 1 << 6;
const SUBMIT_ALL = 1 << 7;
const PROBE_EVENTFD = 5;

/** Examples of suite classic-restrictions. */
export const classicRestrictions = suite('classic-restrictions', [
  example('Opcodes and flags', 'Required flags must be there, and no others than allowed ones.', [
    ring(0, DISABLED | SUBMIT_ALL),
    restrictRing(0, sqeOp(OP.NOP), flagsAllowed(IOSQE.IO_LINK), flagsRequired(IOSQE.ASYNC), registerOp(12)),
    enable(0),
    submit(0, nop({ flags: IOSQE.ASYNC })),
    submit(0, nop()),
    submit(0, nop({ flags: IOSQE.ASYNC | IOSQE.IO_LINK })),
    submit(0, nop({ flags: IOSQE.ASYNC | IOSQE.IO_DRAIN })),
    submit(0, { opcode: OP.FSYNC, fd: 99, flags: IOSQE.ASYNC }),
  ]),
  example(
    'Only on a disabled ring, and only once',
    'Restrictions cannot be slipped under a ring at work, nor replaced.',
    [
      ring(0),
      restrictRing(0, sqeOp(OP.NOP)),
      ring(1, DISABLED),
      restrictRing(1, sqeOp(OP.NOP)),
      restrictRing(1, sqeOp(OP.READ)),
      enable(1),
      enable(1),
      submit(1, nop()),
      submit(1, { opcode: OP.READ, fd: 99 }),
    ],
  ),
  example('They come before prep and before filters', 'A request that may not be made is not looked at any further.', [
    ring(0, DISABLED),
    restrictRing(0, sqeOp(OP.NOP), registerOp(12), registerOp(37)),
    enable(0),
    filter(onRing(0), OP.NOP, DENY),
    filter(onRing(0), OP.SOCKET, ALLOW),
    submit(0, nop()),
    submit(0, nop({ op_flags: 0x8000_0000 })),
    submit(0, socket(1, 1, 0, { addr: 1n })),
  ]),
  example('register_op counts from the moment the ring is enabled', 'Before, the ring can still be set up.', [
    ring(0, DISABLED),
    restrictRing(0, sqeOp(OP.NOP), registerOp(12)),
    register(onRing(0), PROBE_EVENTFD),
    filter(onRing(0), OP.NOP, ALLOW),
    enable(0),
    register(onRing(0), PROBE_EVENTFD),
    filter(onRing(0), OP.NOP, DENY),
    submit(0, nop()),
  ]),
  example('A kind that is not named is not allowed', 'The manual page calls the whole an allowlist.', [
    ring(0, DISABLED),
    restrictRing(0, registerOp(12)),
    enable(0),
    submit(0, nop()),
    ring(1, DISABLED),
    restrictRing(1, sqeOp(OP.NOP)),
    enable(1),
    register(onRing(1), PROBE_EVENTFD),
    submit(1, nop()),
  ]),
  example('Entries out of range', 'An entry that names nothing is a mistake of the caller.', [
    ring(0, DISABLED),
    restrictRing(0, sqeOp(65)),
    restrictRing(0, registerOp(38)),
    restrictRing(0, { ...sqeOp(0), opcode: 4 }),
    restrictRing(0, sqeOp(64), registerOp(37)),
    restrictTask([sqeOp(0)], { flags: 1 }),
    restrictTask([sqeOp(0)], { resv: [0, 0, 1] }),
    restrictTask([sqeOp(0)], { nr_args: 2 }),
    restrictTask([sqeOp(0)], { placement: { raw: 0n } }),
    restrictTask([sqeOp(0)]),
    restrictTask([sqeOp(0)]),
  ]),
]);
