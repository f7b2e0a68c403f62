/** ring: io_uring_setup(2). */
import { createRing } from '../../model/tasks.ts';
import { RING_SLOTS } from '../../scenario/layout.ts';
import type { RingSlot } from '../../scenario/types.ts';
import { flags, flagText, u32 as u32Json, withDefault } from '../../schema/codec.ts';
import { plain } from '../../text/index.ts';
import { IORING_SETUP } from '../../uapi/constants.ts';
import { RING } from '../fields.ts';
import { bits, numberSize } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { checkSlot } from '../tracked.ts';
import { index, operation, u32 } from '../wire.ts';

/** io_uring_setup(entries, {flags, ...}); the descriptor is moved to RING_FD + ring, the ring mapped. */
export interface RingStep extends AnyStep {
  readonly do: 'ring';
  readonly ring: RingSlot;
  readonly entries: number;
  /** IORING_SETUP_* */
  readonly flags: number;
}

/** See RingStep. */
export const ring: StepSpec<RingStep> = {
  kind: 'ring',
  json: {
    ring: RING,
    entries: withDefault(u32Json, 8, 'Queue entries, u32'),
    flags: withDefault(flags(IORING_SETUP, u32Json, 'IORING_SETUP_'), 0, 'IORING_SETUP_*, u32'),
  },
  wire: operation<RingStep>(
    { number: 2, name: 'ring', answers: '0 or -errno' },
    {
      slot: index(RING_SLOTS, ({ ring: slot }) => slot),
      entries: u32(({ entries }) => entries),
      setup_flags: u32(({ flags: setup }) => setup),
    },
  ),
  predict: createRing,
  text: ({ ring: slot, entries, flags: setup }) =>
    `ring ${slot} = io_uring_setup(${plain(entries)}, {flags=${flagText(IORING_SETUP, setup)}})`,
  track: (tracked, task, { ring: slot, entries, flags: setup }) => {
    const inRange = checkSlot(slot);
    if (inRange !== true) return inRange;
    if (tracked.named.has(slot)) return `ring slot ${slot} is created twice`;
    if (!Number.isInteger(entries) || entries < 0 || entries > 0xffff_ffff) return 'entries is not a u32';
    tracked.named.add(slot);
    task.hasRing = true;
    task.files.add(slot);
    tracked.rings.set(slot, {
      slot,
      flags: setup,
      entries: entries < 1 ? 0 : 2 ** Math.ceil(Math.log2(entries)),
      creator: task,
      consumed: 0,
      hasBig: false,
    });
    return true;
  },
  size: ({ entries, flags: setup }) => 2 * bits(setup) + numberSize(entries),
  *shrink(step) {
    for (let bit = 1; bit !== 0 && bit <= 0x4000_0000; bit = (bit << 1) | 0)
      if ((step.flags & bit) !== 0) yield { ...step, flags: (step.flags & ~bit) >>> 0 };
    for (const entries of [1, 8]) if (entries < step.entries) yield { ...step, entries };
  },
  makes: ({ ring: slot }) => ({ ring: slot }),
};
