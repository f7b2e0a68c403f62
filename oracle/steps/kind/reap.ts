/** reap: the CQEs that are there now. */
import { reap as predictReap } from '../../model/enter.ts';
import { RING_SLOTS } from '../../scenario/layout.ts';
import type { RingSlot } from '../../scenario/types.ts';
import { RING } from '../fields.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { checkSlot } from '../tracked.ts';
import { index, operation, u32 } from '../wire.ts';

/** Reaps the CQEs that are in the ring now (for messages from other rings). */
export interface ReapStep extends AnyStep {
  readonly do: 'reap';
  readonly ring: RingSlot;
}

/** See ReapStep. */
export const reap: StepSpec<ReapStep> = {
  kind: 'reap',
  json: { ring: RING },
  wire: operation<ReapStep>(
    { number: 10, name: 'reap', answers: 'CQEs that are there now' },
    { slot: index(RING_SLOTS, ({ ring }) => ring), wait: u32((_step, { wait }) => wait) },
  ),
  predict: (world, task, { ring }) => predictReap(world, task, ring),
  text: ({ ring }) => `reap the CQEs of ring ${ring}`,
  track: (_tracked, _task, { ring }) => checkSlot(ring),
};
