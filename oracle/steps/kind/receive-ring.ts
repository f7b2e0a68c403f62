/** receive_ring: what was not sent does not arrive. */
import { RING_SLOTS } from '../../scenario/layout.ts';
import type { RingSlot } from '../../scenario/types.ts';
import { E } from '../../uapi/constants.ts';
import { answer } from '../answer.ts';
import { RING } from '../fields.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { checkSlot } from '../tracked.ts';
import { index, operation } from '../wire.ts';

/** Receives the oldest descriptor of the mailbox and puts it at RING_FD + ring. */
export interface ReceiveRingStep extends AnyStep {
  readonly do: 'receive_ring';
  readonly ring: RingSlot;
}

/** See ReceiveRingStep. */
export const receiveRing: StepSpec<ReceiveRingStep> = {
  kind: 'receive_ring',
  json: { ring: RING },
  wire: operation<ReceiveRingStep>(
    { number: 8, name: 'receive', answers: '0 or -errno' },
    { slot: index(RING_SLOTS, ({ ring }) => ring) },
  ),
  predict: (world) => answer(-E.AGAIN, world.hit('task.ring-passing-bad')),
  text: ({ ring }) => `receive ring ${ring} by SCM_RIGHTS`,
  track: (_tracked, _task, { ring }) => checkSlot(ring),
};
