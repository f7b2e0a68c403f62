/** spawn: a child, made in one of the ways there are. */
import { spawn as predictSpawn } from '../../model/tasks.ts';
import { defineRules } from '../../rule.ts';
import { MAX_TASKS } from '../../scenario/layout.ts';
import type { TaskId } from '../../scenario/types.ts';
import { cloneFlags } from '../../json/parts.ts';
import { flagText, int, maybe, required, word } from '../../schema/codec.ts';
import { CLONE } from '../../uapi/constants.ts';
import { bits } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import type { TrackedProcess } from '../tracked.ts';
import { index, operation, u32 } from '../wire.ts';

/** Ways to make a child, as the runner numbers them, and as they are called. */
const HOWS = { fork: 0, vfork: 1, thread: 2, clone_vm: 3, clone3: 4 } as const;
const CALLS = { fork: 'fork()', vfork: 'vfork()', thread: 'thread', clone_vm: 'clone(CLONE_VM)', clone3: 'clone3()' };

/** A way to make a child. */
export type SpawnHow = keyof typeof HOWS;

/** Ways in which parent and child have one memory. */
const SHARING: readonly SpawnHow[] = ['vfork', 'thread', 'clone_vm'];

/** Whether parent and child have one memory (CLONE_VM). */
function sharesMemory(how: SpawnHow): boolean {
  return SHARING.includes(how);
}

/** Makes a task. */
export interface SpawnStep extends AnyStep {
  readonly do: 'spawn';
  readonly how: SpawnHow;
  /** CLONE_* of `CLONE` beside those that `how` says; absent: none. */
  readonly flags?: number;
  readonly child: TaskId;
}

/** Whether parent and child have one table of descriptors (CLONE_FILES). */
export function sharesFiles({ how, flags = 0 }: Pick<SpawnStep, 'how' | 'flags'>): boolean {
  return how === 'thread' || (flags & CLONE.FILES) !== 0;
}

/**
 * Why clone(2) would refuse the flags, or the runner could not go on with them; undefined where they fit together.
 * A pidfd is closed by the parent as soon as it goes on, which it cannot while a vfork child lives.
 */
function flagsFault({ how, flags = 0 }: SpawnStep): string | undefined {
  const has = (mask: number): boolean => (flags & mask) !== 0;
  if ((flags & ~CLONE_ALL) !== 0) return `flags other than ${flagText(CLONE, CLONE_ALL)}`;
  if (how === 'thread' && has(~CLONE.PIDFD)) return 'a thread takes no flags but PIDFD';
  if (how === 'vfork' && has(CLONE.PIDFD | CLONE.NEWPID)) return 'a vfork child and PIDFD or NEWPID';
  if (has(CLONE.FS) && has(CLONE.NEWUSER | CLONE.NEWNS)) return 'FS together with NEWUSER or NEWNS';
  if (has(CLONE.SYSVSEM) && has(CLONE.NEWIPC)) return 'SYSVSEM together with NEWIPC';
  if (has(CLONE.SIGHAND) && !sharesMemory(how)) return 'SIGHAND without a common memory';
  return undefined;
}

const CLONE_ALL = Object.values(CLONE).reduce((all, flag) => (all | flag) >>> 0, 0);
/** Namespaces that only CAP_SYS_ADMIN may make. */
const NAMESPACES = CLONE.NEWNS | CLONE.NEWUTS | CLONE.NEWIPC | CLONE.NEWPID;

/** See SpawnStep. */
export const spawn: StepSpec<SpawnStep> = {
  kind: 'spawn',
  json: {
    how: required(word(...(Object.keys(HOWS) as SpawnHow[]))),
    flags: maybe(cloneFlags, 'CLONE_* beside those of `how`'),
    child: required(int(1, 15, 'a child task from 1 to 15'), 'The new task'),
  },
  wire: operation<SpawnStep>(
    { number: 4, name: 'spawn', answers: 'pid or -errno' },
    {
      how: u32(({ how }) => HOWS[how], HOWS),
      child: index(MAX_TASKS, ({ child }) => child),
      flags: u32(({ flags = 0 }) => flags),
    },
  ),
  rules: defineRules({
    'task.spawn': ['man', 'Creating a child succeeds and is not restricted by the feature.', 'clone(2)'],
    'task.spawn.files': [
      'man',
      'A child that shares the table of descriptors has every ring in it, also those that the other makes later.',
      'clone(2), CLONE_FILES',
    ],
    'task.spawn.namespace': [
      'man',
      'A mount, UTS, IPC or pid namespace takes CAP_SYS_ADMIN, or a user namespace with it: -EPERM otherwise.',
      'clone(2), ERRORS EPERM',
    ],
    'task.spawn.user': [
      'man',
      'A child in a user namespace of its own has all capabilities in it, whatever its parent gave up.',
      'clone(2), CLONE_NEWUSER; user_namespaces(7), "Capabilities"',
    ],
  }),
  predict: (world, task, step) =>
    predictSpawn(world, task, {
      thread: step.how === 'thread',
      memory: sharesMemory(step.how),
      files: sharesFiles(step),
      newUser: ((step.flags ?? 0) & CLONE.NEWUSER) !== 0,
      namespaces: ((step.flags ?? 0) & NAMESPACES) !== 0,
      child: step.child,
    }),
  text: ({ how, flags = 0, child }) =>
    `${CALLS[how]}${flags === 0 ? '' : ` with ${flagText(CLONE, flags)}`} -> task ${child}`,
  jsonFault: flagsFault,
  check: (step) => flagsFault(step) ?? true,
  track: (tracked, task, step) => {
    const { how, child } = step;
    if (task.process.initial && how !== 'thread') return 'the first process of a pid namespace makes no others';
    if (!Number.isInteger(child) || child < 1 || child >= MAX_TASKS) return `task number ${child} is out of range`;
    if (tracked.tasks.has(child)) return `task ${child} is created twice`;
    const thread = how === 'thread';
    const shares = sharesMemory(how);
    if (shares) task.process.shared = true;
    const process: TrackedProcess = thread
      ? task.process
      : {
          threads: new Set(),
          shared: shares,
          initial: ((step.flags ?? 0) & CLONE.NEWPID) !== 0,
        };
    const made = {
      id: child,
      parent: task,
      how,
      leads: !thread,
      process,
      alive: true,
      waitsFor: undefined,
      hasRing: thread && task.hasRing,
      files: sharesFiles(step) ? task.files : new Set(task.files),
    };
    process.threads.add(made);
    tracked.tasks.set(child, made);
    if (how === 'vfork') task.waitsFor = made;
    return true;
  },
  size: ({ how, flags = 0 }) => (how === 'fork' ? 0 : 1) + 2 * bits(flags),
  *shrink(step) {
    const { flags = 0, ...plain } = step;
    if (flags !== 0) yield plain;
    if (step.how !== 'fork') yield { ...plain, how: 'fork' };
    for (const flag of Object.values(CLONE)) if ((flags & flag) !== 0) yield { ...step, flags: flags & ~flag };
    if (step.how !== 'fork') yield { ...step, how: 'fork' };
  },
  makes: ({ child, how }) => ({ task: child, how }),
  tasks: ['task', 'child'],
  answersNumber: true,
};
