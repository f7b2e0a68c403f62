/** Things that come together: children of every kind, rings in other hands, rings that change. */
import { OP } from '../../oracle/opcodes/index.ts';
import { CLONE, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import {
  ALLOW,
  as,
  closeRing,
  DENY,
  dropCap,
  enable,
  example,
  exec,
  exit,
  filter,
  nop,
  onRing,
  register,
  ring,
  spawn,
  submit,
  suite,
  TASK,
} from './build.ts';

const { R_DISABLED, SINGLE_ISSUER, DEFER_TASKRUN, SUBMIT_ALL } = IORING_SETUP;
const RESIZE_RINGS = 33;
/** struct io_uring_params with room for 64 requests. */
const SIZES = (() => {
  const bytes = new Uint8Array(120);
  bytes[0] = 64;
  return bytes;
})();

/** Examples of suite combinations. */
export const combinations = suite('combinations', [
  example('A common table of descriptors is no common task', 'Rings are shared, what a task registers is not.', [
    spawn('fork', 1, CLONE.FILES),
    filter(TASK, OP.NOP, DENY),
    ring(0),
    as(1, ring(1)),
    as(1, submit(0, nop())),
    submit(1, nop()),
    as(1, exec()),
    closeRing(1),
    as(1, submit(1, nop())),
    submit(1, nop()),
  ]),
  example('A child in a user namespace of its own is bound all the same', 'And may bind itself further.', [
    filter(TASK, OP.NOP, DENY),
    dropCap(),
    spawn('clone3', 1, CLONE.NEWUSER | CLONE.PIDFD),
    as(1, filter(TASK, OP.NOP, ALLOW)),
    as(1, ring(0)),
    as(1, submit(0, nop(), { opcode: OP.FSYNC, fd: 99 })),
    filter(TASK, OP.FSYNC, DENY),
  ]),
  example('A ring keeps its rules when it is resized', 'Enabled by a child, which outlives its maker.', [
    ring(0, R_DISABLED | SINGLE_ISSUER | DEFER_TASKRUN | SUBMIT_ALL),
    filter(onRing(0), OP.NOP, DENY),
    spawn('fork', 1),
    as(1, enable(0)),
    exit(0),
    as(1, submit(0, nop(), { opcode: OP.FSYNC, fd: 99 })),
    as(1, register(onRing(0), RESIZE_RINGS, { bytes: SIZES, nr_args: 1 })),
    as(1, submit(0, nop(), { opcode: OP.FSYNC, fd: 99 })),
  ]),
]);
