/** spawn: a child, made in one of the ways there are. */
import { spawn as predictSpawn } from '../../model/tasks.ts';
import { defineRules } from '../../rule.ts';
import { MAX_TASKS } from '../../scenario/layout.ts';
import type { TaskId } from '../../scenario/types.ts';
import { int, required, word } from '../../schema/codec.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import type { TrackedProcess } from '../tracked.ts';
import { index, operation, u32 } from '../wire.ts';

/** Ways to make a child, as the runner numbers them, and as they are called. */
const HOWS = { fork: 0, vfork: 1, thread: 2, clone_vm: 3, clone3: 4 } as const;
const CALLS = { fork: 'fork()', vfork: 'vfork()', thread: 'thread', clone_vm: 'clone(CLONE_VM)', clone3: 'clone3()' };

/** A way to make a child. */
export type SpawnHow = keyof typeof HOWS;

/** Makes a task. */
export interface SpawnStep extends AnyStep {
  readonly do: 'spawn';
  readonly how: SpawnHow;
  readonly child: TaskId;
}

/** See SpawnStep. */
export const spawn: StepSpec<SpawnStep> = {
  kind: 'spawn',
  json: {
    how: required(word(...(Object.keys(HOWS) as SpawnHow[]))),
    child: required(int(1, 15, 'a child task from 1 to 15'), 'The new task'),
  },
  wire: operation<SpawnStep>(
    { number: 4, name: 'spawn', answers: 'pid or -errno' },
    { how: u32(({ how }) => HOWS[how], HOWS), child: index(MAX_TASKS, ({ child }) => child) },
  ),
  rules: defineRules({
    'task.spawn': ['man', 'Creating a child succeeds and is not restricted by the feature.', 'clone(2)'],
  }),
  predict: predictSpawn,
  text: ({ how, child }) => `${CALLS[how]} -> task ${child}`,
  track: (tracked, task, { how, child }) => {
    if (!Number.isInteger(child) || child < 1 || child >= MAX_TASKS) return `task number ${child} is out of range`;
    if (tracked.tasks.has(child)) return `task ${child} is created twice`;
    const thread = how === 'thread';
    const shares = thread || how === 'vfork' || how === 'clone_vm';
    if (shares) task.process.shared = true;
    const process: TrackedProcess = thread ? task.process : { threads: new Set(), shared: shares };
    const made = {
      id: child,
      parent: task,
      how,
      leads: !thread,
      process,
      alive: true,
      waitsFor: undefined,
      hasRing: thread && task.hasRing,
      files: thread ? task.files : new Set(task.files),
    };
    process.threads.add(made);
    tracked.tasks.set(child, made);
    if (how === 'vfork') task.waitsFor = made;
    return true;
  },
  size: ({ how }) => (how === 'fork' ? 0 : 1),
  *shrink(step) {
    if (step.how !== 'fork') yield { ...step, how: 'fork' };
  },
  makes: ({ child, how }) => ({ task: child, how }),
  tasks: ['task', 'child'],
  answersNumber: true,
};
