/** send_ring: a ring is not passed by SCM_RIGHTS. */
import { defineRules } from '../../rule.ts';
import { RING_SLOTS } from '../../scenario/layout.ts';
import type { RingSlot } from '../../scenario/types.ts';
import { E } from '../../uapi/constants.ts';
import { answer } from '../answer.ts';
import { RING } from '../fields.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { checkSlot } from '../tracked.ts';
import { index, operation } from '../wire.ts';

/** Sends the ring's descriptor by SCM_RIGHTS into the scenario's mailbox (a queue). */
export interface SendRingStep extends AnyStep {
  readonly do: 'send_ring';
  readonly ring: RingSlot;
}

/** See SendRingStep. */
export const sendRing: StepSpec<SendRingStep> = {
  kind: 'send_ring',
  json: { ring: RING },
  wire: operation<SendRingStep>(
    { number: 7, name: 'send', answers: '0 or -errno' },
    { slot: index(RING_SLOTS, ({ ring }) => ring) },
  ),
  rules: defineRules({
    'task.ring-passing': ['observed', 'A ring descriptor cannot be sent by SCM_RIGHTS: -EINVAL.', 'observed on 7.0.13'],
    'task.ring-passing-bad': [
      'man',
      'Sending a descriptor that is not open gives -EBADF; receiving from an empty mailbox gives -EAGAIN.',
      'unix(7), recv(2)',
    ],
  }),
  predict: (world, task, { ring }) =>
    task.files.rings.has(ring)
      ? answer(-E.INVAL, world.hit('task.ring-passing'))
      : answer(-E.BADF, world.hit('task.ring-passing-bad')),
  text: ({ ring }) => `send ring ${ring} by SCM_RIGHTS`,
  track: (_tracked, _task, { ring }) => checkSlot(ring),
};
