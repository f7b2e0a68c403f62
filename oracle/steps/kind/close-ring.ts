/** close_ring: a descriptor less; the ring lives on where others have it. */
import { defineRules } from '../../rule.ts';
import { RING_SLOTS } from '../../scenario/layout.ts';
import type { RingSlot } from '../../scenario/types.ts';
import { E } from '../../uapi/constants.ts';
import { answer } from '../answer.ts';
import { RING } from '../fields.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { checkSlot } from '../tracked.ts';
import { index, operation, u32 } from '../wire.ts';
import { isSubmit } from './submit.ts';

/** close(RING_FD + ring). */
export interface CloseRingStep extends AnyStep {
  readonly do: 'close_ring';
  readonly ring: RingSlot;
}

/** See CloseRingStep. */
export const closeRing: StepSpec<CloseRingStep> = {
  kind: 'close_ring',
  json: { ring: RING },
  wire: operation<CloseRingStep>(
    { number: 9, name: 'close', answers: '0 or -errno' },
    {
      slot: index(RING_SLOTS, ({ ring }) => ring),
      // A program that goes on through a registered descriptor keeps its mapping.
      keep: u32(({ ring }, { steps }) => (usesRegistered(steps, ring) ? 1 : 0)),
    },
  ),
  rules: defineRules({
    'task.close': ['man', 'close succeeds on an open descriptor and gives -EBADF on another.', 'close(2)'],
  }),
  predict: (world, task, { ring }) => {
    const rule = world.hit('task.close');
    return task.files.rings.delete(ring) ? answer(0, rule) : answer(-E.BADF, rule);
  },
  text: ({ ring }) => `close(ring ${ring})`,
  track: (_tracked, task, { ring }) => {
    const inRange = checkSlot(ring);
    if (inRange === true) task.files.delete(ring);
    return inRange;
  },
};

function usesRegistered(steps: readonly AnyStep[], ring: RingSlot): boolean {
  return steps.some((step) => isSubmit(step) && step.ring === ring && step.registered !== undefined);
}
