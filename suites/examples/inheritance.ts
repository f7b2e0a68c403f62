/** What rings, children and new programs take over. */
import { OP } from '../../oracle/opcodes/index.ts';
import type { Step } from '../../oracle/steps/index.ts';
import type { RingStep } from '../../oracle/steps/kind/ring.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import { IORING_SETUP } from '../../oracle/uapi/constants.ts';
import {
  ALLOW,
  as,
  DENY,
  dropCap,
  example,
  exec,
  exit,
  filter,
  nop,
  onRing,
  restrictTask,
  ring,
  spawn,
  sqeOp,
  submit,
  suite,
  take,
  TASK,
} from './build.ts';

const odd = (slot: number, more: Partial<RingStep>): Step => ({ ...ring(slot), ...more }) as Step;
const both = [filter(TASK, OP.NOP, DENY), filter(TASK, OP.FSYNC, DENY)];
const tryBoth = (slot: number) => [submit(slot, nop()), submit(slot, { opcode: OP.FSYNC, fd: 99 })];
const child = (how: SpawnHow, task: number) => [
  spawn(how, task),
  ...[ring(task), ...tryBoth(task)].map((step) => as(task, step)),
  exit(task),
];

/** Examples of suite inheritance. */
export const inheritance = suite('inheritance', [
  example(
    'A ring has the rules of its creation',
    '"Rings that were created before the filter was registered are not affected."',
    [ring(0), filter(TASK, OP.NOP, DENY), ring(1), submit(0, nop()), submit(1, nop())],
  ),
  example("A child has all its parent's rules", 'By fork, vfork, thread, clone or clone3.', [
    ...both,
    ...(['fork', 'vfork', 'thread', 'clone_vm', 'clone3'] as const).flatMap((how, i) => child(how, i + 1)),
  ]),
  example('Task restrictions are inherited', 'By rings and by children, and cannot be set anew.', [
    restrictTask([sqeOp(OP.NOP)]),
    ring(0),
    ...tryBoth(0),
    ...child('fork', 1),
    spawn('fork', 2),
    as(2, restrictTask([sqeOp(OP.FSYNC)])),
    exit(2),
  ]),
  example("The parent's later rules stay the parent's", 'Each task goes its own way.', [
    spawn('fork', 1),
    filter(TASK, OP.NOP, DENY),
    as(1, ring(1)),
    as(1, submit(1, nop())),
    exit(1),
    ring(0),
    submit(0, nop()),
  ]),
  example(
    "The parent's later rules stay the parent's, though both had one",
    'The table a child was given is its own.',
    [
      filter(TASK, OP.FSYNC, ALLOW),
      spawn('fork', 1),
      filter(TASK, OP.NOP, DENY),
      as(1, ring(1)),
      as(1, submit(1, nop())),
      exit(1),
      ring(0),
      submit(0, nop()),
    ],
  ),
  example("The child's later rules stay the child's", 'A child cannot bind its parent.', [
    filter(TASK, OP.FSYNC, ALLOW),
    spawn('fork', 1),
    as(1, filter(TASK, OP.NOP, DENY)),
    as(1, ring(1)),
    as(1, submit(1, nop())),
    exit(1),
    ring(0),
    submit(0, nop()),
  ]),
  example('A ring is not touched by later rules of its task', 'Also where the task had rules when it made the ring.', [
    filter(TASK, OP.FSYNC, ALLOW),
    ring(0),
    filter(TASK, OP.NOP, DENY),
    submit(0, nop()),
  ]),
  example("A ring's own filters stay with it", 'Not the task, nor its other rings, nor its children.', [
    ring(0),
    filter(onRing(0), OP.NOP, DENY),
    ring(1),
    submit(0, nop()),
    submit(1, nop()),
    spawn('fork', 1),
    as(1, submit(0, nop())),
    as(1, ring(2)),
    as(1, submit(2, nop())),
    exit(1),
  ]),
  example(
    'A ring taken from another task keeps its rules',
    "They are the ring's, whoever holds a descriptor of it: those it was made under and those it got since.",
    [
      spawn('fork', 1),
      as(1, filter(TASK, OP.NOP, DENY)),
      as(1, ring(0)),
      take(1, 0),
      ...tryBoth(0),
      as(1, filter(onRing(0), OP.FSYNC, DENY)),
      ...tryBoth(0),
      exit(1),
      ...tryBoth(0),
    ],
  ),
  example(
    "A ring taken from another task gets none of the taker's rules",
    'Rings have the rules of the task that made them. Whoever hands a bound task a ring hands it what the ring may do.',
    [
      spawn('fork', 1),
      ring(0),
      as(1, filter(TASK, OP.NOP, DENY)),
      as(1, take(0, 0)),
      ...tryBoth(0).map((step) => as(1, step)),
      as(1, ring(1)),
      ...tryBoth(1).map((step) => as(1, step)),
      exit(1),
    ],
  ),
  example('Rules survive execve', 'A sandbox is set up to run another program in it.', [
    ...both,
    exec(),
    ring(0),
    ...tryBoth(0),
  ]),
  example(
    'Rules survive execve of a task that used io_uring',
    'The same promise; a task that has made a ring is no exception.',
    [...both, ring(1), exec(), ring(0), ...tryBoth(0)],
  ),
  example(
    'A ring that cannot be made after all leaves its maker as it was',
    'It had a hold on the rules when it failed: for want of a descriptor, of a file, of memory that can be written to.',
    [
      ...both,
      ...(['params', 'writable_params', 'descriptor', 'file'] as const).map((without, slot) => odd(slot, { without })),
      dropCap(),
      odd(4, { without: 'file' }),
      ring(5),
      ...tryBoth(5),
    ],
  ),
  example(
    "A ring without a descriptor has its maker's rules",
    'IORING_SETUP_REGISTERED_FD_ONLY is another way to a ring, and no way round a rule.',
    [
      ...both,
      odd(0, { flags: IORING_SETUP.NO_MMAP | IORING_SETUP.REGISTERED_FD_ONLY, memory: true }),
      ...tryBoth(0).map((step) => ({ ...step, registered: 0 })),
    ],
  ),
]);
