/** take_ring: a ring out of another task, by pidfd_getfd(2). */
import { MODEL } from '../../model/open.ts';
import { mayAttach } from '../../model/attach.ts';
import { taskId } from '../../json/parts.ts';
import { defineRules } from '../../rule.ts';
import { MAX_TASKS, RING_SLOTS } from '../../scenario/layout.ts';
import type { RingSlot, TaskId } from '../../scenario/types.ts';
import { required } from '../../schema/codec.ts';
import { E } from '../../uapi/constants.ts';
import { answer } from '../answer.ts';
import { RING } from '../fields.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { checkSlot } from '../tracked.ts';
import { index, operation } from '../wire.ts';

/** Takes the ring at RING_FD + ring of another task by pidfd_getfd(2) and puts it in the same place of its own. */
export interface TakeRingStep extends AnyStep {
  readonly do: 'take_ring';
  /** The task it is taken from; its thread group's first thread must be there. */
  readonly from: TaskId;
  readonly ring: RingSlot;
}

/** See TakeRingStep. */
export const takeRing: StepSpec<TakeRingStep> = {
  kind: 'take_ring',
  json: { from: required(taskId, 'Task it is taken from'), ring: RING },
  wire: operation<TakeRingStep>(
    { number: 13, name: 'take', answers: '0 or -errno' },
    {
      slot: index(RING_SLOTS, ({ ring }) => ring),
      from_task: index(MAX_TASKS, ({ from }) => from),
      from_slot: index(RING_SLOTS, ({ ring }) => ring),
    },
  ),
  rules: defineRules({
    'task.take-ring': [
      'man',
      "pidfd_getfd gives a task a descriptor of another task's ring.",
      'pidfd_getfd(2), DESCRIPTION',
    ],
    'task.take-ring.denied': [
      'man',
      "pidfd_getfd from a task in a user namespace that is neither the caller's nor below it is refused with -EPERM, " +
        'before the descriptor is looked at.',
      'pidfd_getfd(2), ERRORS EPERM; ptrace(2), "Ptrace access mode checking" (CAP_SYS_PTRACE in the user namespace ' +
        'of the target); order observed on 7.0.13',
    ],
    'task.take-ring.bad-fd': [
      'man',
      'pidfd_getfd of a descriptor that is not open in the other task gives -EBADF.',
      'pidfd_getfd(2), ERRORS EBADF',
    ],
  }),
  predict: (world, task, step) => {
    const from = world.tasks.get(step.from);
    // The runner's own answer: there is nobody to ask.
    if (from === undefined || !from.alive) return answer(-E.NOENT, world.hit('task.gone'));
    // A thread group without its first thread can be in the middle of ending; no well-formed scenario asks.
    if (![...from.process.threads].some(({ leads }) => leads))
      return { reached: true, returns: MODEL['task.first-thread-ended'], cqes: [], rule: world.hit('task.gone') };
    if (from.process !== task.process && !mayAttach(task, from))
      return answer(-E.PERM, world.hit('task.take-ring.denied'));
    const ring = from.files.rings.get(step.ring);
    if (ring === undefined) return answer(-E.BADF, world.hit('task.take-ring.bad-fd'));
    task.files.rings.set(step.ring, ring);
    ring.taken = true;
    return answer(0, world.hit('task.take-ring'));
  },
  text: ({ ring, from }) => `take ring ${ring} of task ${from} by pidfd_getfd(2)`,
  track: (tracked, task, step) => {
    const inRange = checkSlot(step.ring);
    if (inRange !== true) return inRange;
    if (task.process.initial) return 'a task of another pid namespace does not know whom to take from';
    const from = tracked.tasks.get(step.from);
    if (from === undefined) return `task ${step.from} does not exist here`;
    if (!from.alive) return `task ${step.from} has ended`;
    // The process is looked up by its first thread, which may be in the middle of ending.
    if (![...from.process.threads].some(({ leads }) => leads))
      return `the first thread of task ${step.from}'s process has ended`;
    if (from.files.has(step.ring)) task.files.add(step.ring);
    return true;
  },
  size: ({ from }) => (from === 0 ? 0 : 2),
  *shrink(step) {
    if (step.from !== 0) yield { ...step, from: 0 };
  },
  tasks: ['from', 'task'],
  // From itself.
  idle: ({ task, from }) => task === from,
};
