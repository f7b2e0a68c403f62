/** What a task's rules forbid, tried by another route. */
import { OP } from '../../oracle/opcodes/index.ts';
import {
  ALLOW,
  as,
  DENY,
  DENY_REST,
  enable,
  example,
  exec,
  exists,
  exit,
  filter,
  made,
  nop,
  onRing,
  openat,
  reap,
  register,
  registerOp,
  restrictTask,
  ring,
  socket,
  spawn,
  sqeOp,
  submit,
  suite,
  take,
  TASK,
  unshareUser,
} from './build.ts';
import { PATH } from '../../oracle/world/arena.ts';
import { CLONE } from '../../oracle/uapi/constants.ts';

const CREATE = 0o101;
const DISABLED = 1 << 6;
const UNREGISTER_EVENTFD = 5;
/** IORING_REGISTER_SEND_MSG_RING: an SQE of IORING_OP_MSG_RING for ring `slot`. */
const message = (slot: number): Uint8Array => {
  const bytes = new Uint8Array(64);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, OP.MSG_RING);
  view.setInt32(4, 100 + slot, true);
  view.setBigUint64(8, 0x77n, true);
  view.setUint32(24, 5, true);
  return bytes;
};

/** Examples of suite escape. */
export const escapeSuite = suite('escape', [
  example('A ring comes up from a user namespace, and does not come back down', 'It keeps its rules on the way.', [
    spawn('clone3', 1, CLONE.NEWUSER),
    as(1, ring(0)),
    as(1, filter(onRing(0), OP.NOP, DENY)),
    take(1, 0),
    submit(0, nop()),
    ring(1),
    as(1, take(0, 1)),
  ]),
  example('A new ring, a child and a thread cannot create the file', 'The rule binds whatever the task makes.', [
    filter(TASK, OP.OPENAT, DENY),
    ring(0),
    submit(0, openat(PATH.n0, CREATE, 0o600)),
    spawn('fork', 1),
    as(1, ring(1)),
    as(1, submit(1, openat(PATH.n0, CREATE, 0o600))),
    exit(1),
    spawn('thread', 2),
    as(2, ring(2)),
    as(2, submit(2, openat(PATH.n0, CREATE, 0o600))),
    exit(2),
    exists('n0'),
  ]),
  example('A disabled ring is bound by what it inherited', 'Being disabled is no way round.', [
    restrictTask([sqeOp(OP.NOP), registerOp(12)]),
    ring(0, DISABLED),
    register(onRing(0), UNREGISTER_EVENTFD),
    enable(0),
    register(onRing(0), UNREGISTER_EVENTFD),
    submit(0, nop()),
  ]),
  example('Calls without a ring are bound too', 'register_op holds for fd = -1.', [
    restrictTask([sqeOp(OP.NOP), registerOp(12)]),
    filter(TASK, OP.NOP, DENY),
    ring(0),
    submit(0, nop()),
  ]),
  example('A message without a ring', 'IORING_REGISTER_SEND_MSG_RING must not do what IORING_OP_MSG_RING may not.', [
    ring(0),
    filter(TASK, OP.MSG_RING, DENY),
    register(TASK, 31, { nr_args: 1, bytes: message(0) }),
    reap(0),
  ]),
  example('execve does not shed the rules', 'Not even for a task with a ring.', [
    ring(0),
    filter(TASK, OP.OPENAT, DENY),
    ring(1),
    exec(),
    ring(2),
    submit(2, openat(PATH.n0, CREATE, 0o600)),
    exists('n0'),
    submit(1, openat(PATH.n1, CREATE, 0o600)),
    exists('n1'),
  ]),
  example(
    'A ring fetched from a child cannot create the file',
    'Neither the child nor its ring is freer than who made them, also when the child is gone.',
    [
      filter(TASK, OP.OPENAT, DENY),
      spawn('fork', 1),
      as(1, filter(TASK, OP.OPENAT, ALLOW)),
      as(1, ring(0)),
      as(1, filter(onRing(0), OP.OPENAT, ALLOW)),
      take(1, 0),
      exit(1),
      submit(0, openat(PATH.n0, CREATE, 0o600)),
      exists('n0'),
    ],
  ),
  example(
    'A task in a user namespace fetches no ring from outside',
    'All its capabilities are good inside only: -EPERM, and no descriptor.',
    [
      ring(0),
      spawn('fork', 1),
      as(1, unshareUser()),
      as(1, filter(TASK, OP.OPENAT, DENY)),
      ring(1),
      as(1, take(0, 1)),
      as(1, submit(1, openat(PATH.n0, CREATE, 0o600))),
      exit(1),
      exists('n0'),
    ],
  ),
  example("A child uses its parent's bound ring", 'The ring keeps its rules in other hands.', [
    ring(0),
    filter(onRing(0), OP.OPENAT, DENY),
    spawn('fork', 1),
    as(1, submit(0, openat(PATH.n0, CREATE, 0o600))),
    exit(1),
    exists('n0'),
  ]),
  example(
    'As in the manual page: allow only AF_INET sockets',
    'Not even by a type or a protocol that leads elsewhere.',
    [
      filter(TASK, OP.SOCKET, 'ld [16]\njeq #2, yes, no\nyes: ret #1\nno: ret #0'),
      ring(0),
      submit(
        0,
        socket(2, 1, 0, { user_data: 1n }),
        socket(1, 1, 0, { user_data: 2n }),
        socket(10, 1, 0, { user_data: 3n }),
        socket(16, 3, 0, { user_data: 4n }),
        socket(17, 3, 0x300, { user_data: 5n }),
        socket(-1, 1, 0, { user_data: 6n }),
      ),
      made('socket', 1n),
      made('socket', 2n),
      made('socket', 3n),
      made('socket', 4n),
      made('socket', 5n),
      made('socket', 6n),
    ],
  ),
  example('As in the manual page: allow only NOP', 'DENY_REST denies all others, whatever they are asked.', [
    filter(TASK, OP.NOP, ALLOW, { flags: DENY_REST }),
    ring(0),
    submit(0, nop(), openat(PATH.n0, CREATE, 0o600), socket(2, 1, 0), { opcode: OP.CLOSE, fd: 99 }),
    exists('n0'),
  ]),
  example('As in the manual page: deny all NOPs', 'In every form.', [
    filter(TASK, OP.NOP, DENY),
    ring(0),
    submit(0, nop(), nop({ op_flags: 1, len: 5 }), nop({ flags: 4 }), nop({ flags: 16 }), nop({ personality: 0 })),
  ]),
]);
