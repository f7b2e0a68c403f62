/** submit: a batch of SQEs. */
import { enter } from '../../model/enter.ts';
import { opSpec } from '../../opcodes/index.ts';
import { sqe as sqeJson, withoutZeros } from '../../json/parts.ts';
import { isRingFd, RING_SLOTS } from '../../scenario/layout.ts';
import type { RingSlot, Sqe } from '../../scenario/types.ts';
import { int, list, maybe, required, s32 as s32Json, yes } from '../../schema/codec.ts';
import { count } from '../../text/index.ts';
import { IORING_ENTER, IORING_SETUP } from '../../uapi/constants.ts';
import { RING } from '../fields.ts';
import { shrinkSqes } from '../shrink.ts';
import { sqeSize } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { checkSlot } from '../tracked.ts';
import type { TrackedRing } from '../tracked.ts';
import { index, operation, s32, u32 } from '../wire.ts';

/** Most SQEs that a case file may give one step. */
const SQES_MAX = 32768;
/** Most SQEs of one submit step. */
const MAX_BATCH = 256;

/** Writes SQEs and calls io_uring_enter until all are consumed or no progress is made; see PROTOCOL.md. */
export interface SubmitStep extends AnyStep {
  readonly do: 'submit';
  readonly ring: RingSlot;
  /** Enter through this registered-ring index instead of the descriptor. */
  readonly registered?: number;
  /** At most so many entries per call, from 1; absent: all that are there. */
  readonly each?: number;
  /** Before this one of them (or behind the last) stands an entry of the queue's array that names no SQE. */
  readonly dropped?: number;
  /** The last SQE, one of 128 bytes on a mixed ring, has one entry and no second half. */
  readonly halved?: true;
  readonly sqes: readonly Sqe[];
}

/** See SubmitStep. */
export const submit: StepSpec<SubmitStep> = {
  kind: 'submit',
  json: {
    ring: RING,
    registered: maybe(s32Json, 'Enter through this registered-ring index'),
    each: maybe(int(1, MAX_BATCH), 'At most so many entries per call'),
    dropped: maybe(int(0, MAX_BATCH), "Before this SQE stands an entry of the queue's array that names none"),
    halved: maybe(yes, 'The last SQE, one of 128 bytes on a mixed ring, has no second half'),
    sqes: required(list(sqeJson, SQES_MAX), 'One batch, in order'),
  },
  wire: operation<SubmitStep>(
    { number: 3, name: 'submit', answers: 'one value per io_uring_enter that submitted; CQEs' },
    {
      slot: index(RING_SLOTS, ({ ring }) => ring),
      enter_fd: s32(({ registered }) => registered ?? -1),
      enter_flags: u32(({ registered }) => (registered === undefined ? 0 : IORING_ENTER.REGISTERED_RING)),
      nsqes: u32(({ sqes }) => sqes.length),
      wait: u32((_step, { wait }) => wait),
      want: u32((_step, { want }) => want),
      own: u32((_step, { own }) => own),
      each: u32(({ each }) => each ?? 0),
      dropped: u32(({ dropped }) => (dropped === undefined ? 0 : dropped + 1)),
      halved: u32(({ halved }) => (halved === undefined ? 0 : 1)),
    },
    {
      name: 'sqes',
      type: 'u64',
      length: 8,
      encode: (writer, { sqes }) => {
        writer.room(64 * sqes.length);
        for (const sqe of sqes) writer.sqe(sqe);
      },
    },
  ),
  predict: enter,
  text: ({ ring, registered, each, dropped, halved, sqes }) => {
    const few = each === undefined ? '' : `, ${each} at a time`;
    const none = dropped === undefined ? '' : `, before #${dropped} an entry that names none`;
    const half = halved === undefined ? '' : ', the last one without its second half';
    return `io_uring_enter(${ringText(ring, registered)}, ${count(sqes.length, 'SQE')}${few}${none}${half})`;
  },
  track: (tracked, task, step) => {
    const inRange = checkSlot(step.ring);
    if (inRange !== true) return inRange;
    if (step.sqes.length > MAX_BATCH) return `more than ${MAX_BATCH} SQEs in a batch`;
    const ring = tracked.rings.get(step.ring);
    if (ring === undefined) return true;
    if (ring.unshared === true && ring.creator !== task) return "a ring without a descriptor is its creator's alone";
    // A 128-byte SQE must not be cut in two, and a polling thread takes what is there.
    if (step.each !== undefined && (ring.flags & (IORING_SETUP.SQE_MIXED | IORING_SETUP.SQPOLL)) !== 0)
      return 'a few entries at a time on a ring that is mixed, or polled by a thread';
    const fault = droppedFault(step, ring.flags);
    if (fault !== undefined) return fault;
    const slots = entriesOf(step, ring);
    if (slots > ring.entries) return `a batch of ${slots} entries on a ring of ${ring.entries}`;
    ring.consumed += slots;
    // Also on a ring that another task made: requests may start worker threads.
    task.hasRing = true;
    return true;
  },
  size: ({ registered, each, dropped, halved, sqes }) => {
    let size = (registered === undefined ? 0 : 3) + (each === undefined ? 0 : 2) + (dropped === undefined ? 0 : 2);
    if (halved !== undefined) size += 1;
    for (const sqe of sqes) size += sqeSize(sqe);
    return size;
  },
  *shrink(step) {
    const { halved, ...complete } = step;
    if (halved !== undefined) yield complete;
    const { dropped, ...undropped } = step;
    if (dropped !== undefined) {
      yield undropped;
      if (dropped > 0) yield { ...step, dropped: 0 };
    }
    for (const sqes of shrinkSqes(step.sqes)) yield { ...step, ...fewer(dropped, sqes.length), sqes };
    if (step.registered !== undefined) yield withoutRegistered(step);
    const { each, ...whole } = step;
    if (each !== undefined) yield whole;
  },
  canonical: (step) => ({ ...step, sqes: step.sqes.map(withoutZeros) }),
  refersTo: ({ sqes }) => ({
    rings: sqes.some(({ fd = 0 }) => isRingFd(fd)),
    data: sqes.some(
      ({ addr = 0n, off = 0n, addr3 = 0n, len = 0 }) => addr !== 0n || off !== 0n || addr3 !== 0n || len !== 0,
    ),
  }),
  direct: (step) => (step.registered === undefined ? undefined : withoutRegistered(step)),
  requests: ({ sqes }) => sqes,
  withRequests: (step, sqes) => ({ ...step, sqes }),
};

/** IORING_SETUP_* of rings whose entries all name an SQE: without an array, or where the calls are not one batch. */
export const NOT_DROPPING =
  IORING_SETUP.SQE_MIXED | IORING_SETUP.SQPOLL | IORING_SETUP.NO_SQARRAY | IORING_SETUP.SQ_REWIND;

function droppedFault({ dropped, each, sqes }: SubmitStep, setupFlags: number): string | undefined {
  if (dropped === undefined) return undefined;
  if (dropped > sqes.length) return 'an entry that names none stands behind the end of its batch';
  if (each !== undefined) return 'an entry that names none, and a few entries at a time';
  return (setupFlags & NOT_DROPPING) === 0 ? undefined : 'an entry that names none, on a ring that has no such entries';
}

/** Still inside of a batch that got shorter. */
function fewer(dropped: number | undefined, most: number): Pick<SubmitStep, 'dropped'> {
  return dropped === undefined ? {} : { dropped: Math.min(dropped, most) };
}

function ringText(ring: RingSlot, registered: number | undefined): string {
  return registered === undefined ? `ring ${ring}` : `registered ring ${registered}`;
}

/** Whether a step is one. */
export function isSubmit(step: AnyStep): step is SubmitStep {
  return step.do === submit.kind;
}

function withoutRegistered({ registered: _registered, ...step }: SubmitStep): SubmitStep {
  return step;
}

/** Entries of the submission queue that a batch takes. */
function entriesOf({ sqes, dropped, halved }: SubmitStep, ring: TrackedRing): number {
  let slots = dropped === undefined ? 0 : 1;
  const from = (ring.flags & IORING_SETUP.SQ_REWIND) !== 0 ? 0 : ring.consumed;
  for (const [i, sqe] of sqes.entries()) {
    // In the last entry of all it is refused, and takes no more than that.
    const alone = ((from + slots + 1) & (ring.entries - 1)) === 0 || (halved === true && i === sqes.length - 1);
    slots += alone ? 1 : slotsOf(sqe, ring.flags);
  }
  return slots;
}

/** Entries of the submission queue that an SQE takes on a ring with these flags. */
function slotsOf(sqe: Sqe, setupFlags: number): number {
  return (setupFlags & IORING_SETUP.SQE_MIXED) !== 0 && opSpec(sqe.opcode)?.takesTwoSlots === true ? 2 : 1;
}
