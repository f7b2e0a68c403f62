/** A submit step: its requests one by one, in chains, and what the call returns. */
import { IORING_SETUP, IOSQE } from '../uapi/constants.ts';
import { opSpec } from '../opcodes/index.ts';
import { fullSqe } from '../opcodes/support.ts';
import type { PredictedStep } from '../scenario/prediction.ts';
import type { Sqe } from '../scenario/types.ts';
import { admit } from './admission.ts';
import { finish } from './chain.ts';
import { Drains } from './drains.ts';
import { MODEL } from './open.ts';
import { Races } from './races.ts';
import { Submission } from './submission.ts';
import type { Request } from './submission.ts';
import type { Ring, Task, World } from './world.ts';

/** Entries that a polling thread takes of one ring after the other, where it serves several. */
const TURN = 8;
const LINKS = IOSQE.IO_LINK | IOSQE.IO_HARDLINK;

/** What is submitted, and in how many calls. */
interface Entries {
  readonly sqes: readonly Sqe[];
  /** Most entries per call; absent: all. */
  readonly each?: number;
  /** Before this one of them (or behind the last) stands an entry that names no SQE. */
  readonly dropped?: number;
  /** The last one, of 128 bytes, has one entry and no second half. */
  readonly halved?: true;
}

/** Predicts the step in which `task` submits on a ring that it may submit on. */
export function submit(world: World, ring: Ring, task: Task, entries: Entries): PredictedStep {
  const { sqes, each = Number.POSITIVE_INFINITY, dropped } = entries;
  const submission = new Submission(world, ring, task);
  const submitAll = (ring.flags & IORING_SETUP.SUBMIT_ALL) !== 0;
  const batch = new Batch(submission, submitAll);
  const notifications = lookAhead(submission, sqes);
  for (let i = 0; i < sqes.length; i++) {
    if (i === dropped) batch.drop();
    const sqe = fullSqe(sqes[i]!);
    // Without its second half a 128-byte SQE is refused, alone; and its halves do not go round the end.
    const whole = slotsOf(submission, sqe.opcode);
    const cut = whole === 2 && batch.endsTurn() && !world.decide('sharedThreadTakesWhole');
    const last = whole === 2 && (cut || atEnd(ring, batch.total) || isHalved(entries, i));
    const slots = last ? 1 : whole;
    if (batch.consumed + slots > each) batch.endCall();
    const room = { left: slots === 2 ? 2 : sqes.length - i, last_slot: last };
    const request = admit(submission, sqe, i, batch.previous, room);
    const { admission } = request;
    // A request that fails ends the batch, unless the ring goes on: then only its own chain is open.
    if (admission.verdict === 'unknown' && !submitAll) submission.imprecise = admission.place;
    batch.take(request, slots, i + 1 < sqes.length || dropped === sqes.length);
    if (cut && !isHalved(entries, i)) {
      // What should be its second half is a request of its own: all zeros, a NOP.
      batch.endCall();
      batch.take(admit(submission, fullSqe({ opcode: 0 }), i, undefined, { left: 1, last_slot: false }), 1, true);
    }
  }
  batch.end(entries);
  ring.consumed += dropped === undefined ? batch.total : batch.total + 1;
  return told(submission, batch, sqes, notifications);
}

/** What the step shows in the end. */
function told(submission: Submission, batch: Batch, sqes: readonly Sqe[], notifications: number): PredictedStep {
  const { world, ring, imprecise } = submission;
  const { races, drains, returns, total } = batch;
  const rule = world.hit('enter.count');
  // Nobody knows which of them run, nor how many CQEs come: at most one each and the notifications.
  if (imprecise !== undefined) {
    world.looks?.forgetAll(sqes);
    return { reached: true, returns: imprecise, cqes: imprecise, most: sqes.length + notifications, rule };
  }
  const polled = (ring.flags & IORING_SETUP.SQPOLL) !== 0;
  const predicted = { reached: true, returns: polled ? [total] : returns, cqes: races.settle(submission.cqes), rule };
  return ordered(world, predicted, drains);
}

/** Chains and calls of a step as they come. */
class Batch {
  readonly races: Races;
  readonly drains = new Drains();
  /** What the calls that are over returned. */
  readonly returns: number[] = [];
  /** Queue entries that the call under way has consumed, and all of the step. */
  consumed = 0;
  total = 0;
  readonly #submission: Submission;
  readonly #submitAll: boolean;
  #chain: Request[] = [];

  constructor(submission: Submission, submitAll: boolean) {
    this.#submission = submission;
    this.#submitAll = submitAll;
    this.races = new Races(submission);
  }

  /** Whether only one entry is left of this turn of a thread that takes eight of each ring that it serves. */
  endsTurn(): boolean {
    const { thread } = this.#submission.ring;
    return thread !== undefined && thread.rings > 1 && this.consumed % TURN === TURN - 1;
  }

  /** Opcode of the request that the next one is linked to. */
  get previous(): number | undefined {
    return this.#chain.at(-1)?.sqe.opcode;
  }

  /** A request that was submitted; `more`: others are to come. */
  take(request: Request, slots: number, more: boolean): void {
    const { world } = this.#submission;
    this.consumed += slots;
    this.total += slots;
    this.#chain.push(request);
    if ((request.sqe.flags & LINKS) !== 0) return;
    this.#endChain();
    if (request.admission.verdict !== 'failed') return;
    if (this.#submitAll) world.hit('enter.submit-all');
    else if (more) {
      world.hit('enter.stops-at-error');
      this.endCall();
    }
  }

  /** The call is over: so is a chain that would go on. */
  endCall(): void {
    if (this.#chain.length > 0) this.#submission.world.hit('link.ends-with-batch');
    this.#endChain();
    if (this.consumed > 0) this.returns.push(this.consumed);
    this.consumed = 0;
  }

  /** The step is over. */
  end({ sqes, dropped }: Entries): void {
    if (dropped === sqes.length) this.drop();
    else this.endCall();
    // The runner tells how many were counted as dropped.
    if (dropped !== undefined) this.returns.push(1);
    else if (sqes.length === 0) this.returns.push(0);
  }

  /** An entry that names no SQE: the call ends there, and tells how many requests came before it. */
  drop(): void {
    this.#submission.world.hit('enter.dropped');
    const none = this.consumed === 0;
    this.endCall();
    if (none) this.returns.push(0);
  }

  #endChain(): void {
    if (this.#chain.length === 0) return;
    finish(this.#submission, this.races, this.#chain);
    this.drains.note(this.#chain);
    this.#chain = [];
  }
}

function ordered(world: World, predicted: PredictedStep, { order }: Drains): PredictedStep {
  if (order === undefined) return predicted;
  world.hit('drain.order');
  return { ...predicted, order };
}

/**
 * What the step as a whole does to its ring, before any of its requests. A zero-copy send has its notification from
 * prep on. On faulty kernels a drain waits for the notification of the very request that it holds back: nothing that
 * comes later on the ring is started any more.
 * @returns how many notifications may come
 */
function lookAhead(submission: Submission, sqes: readonly Sqe[]): number {
  const { ring, world } = submission;
  let notifications = 0;
  let drained = ring.drain_seen;
  let held = false;
  let chain: Sqe[] = [];
  for (const sqe of sqes) {
    chain.push(sqe);
    if (((sqe.flags ?? 0) & LINKS) !== 0) continue;
    drained ||= chain.some(({ flags = 0 }) => (flags & IOSQE.IO_DRAIN) !== 0);
    held ||= drained && chain.some(sendsZeroCopy);
    notifications += chain.filter(sendsZeroCopy).length;
    chain = [];
  }
  held ||= drained && chain.some(sendsZeroCopy);
  notifications += chain.filter(sendsZeroCopy).length;
  ring.held ||= held;
  if (ring.held && !world.decide('drainedZeroCopyStarts')) submission.imprecise = MODEL['drain.zero-copy'];
  return notifications;
}

function sendsZeroCopy({ opcode }: Sqe): boolean {
  return opSpec(opcode)?.refused !== undefined;
}

/** Whether the next entry, behind so many of this step, is the last of the queue's array. */
function atEnd({ flags, entries, consumed }: Ring, behind: number): boolean {
  const from = (flags & IORING_SETUP.SQ_REWIND) !== 0 ? 0 : consumed;
  return ((from + behind) & (entries - 1)) === entries - 1;
}

/** Whether the second half of an SQE is not there. */
const isHalved = ({ sqes, halved }: Entries, i: number): boolean => halved === true && i === sqes.length - 1;

/** Queue entries that a request takes. */
function slotsOf({ ring, world }: Submission, opcode: number): 1 | 2 {
  const mixed = (ring.flags & IORING_SETUP.SQE_MIXED) !== 0;
  return mixed && opSpec(opcode)?.takesTwoSlots === true && opcode < world.abi.op_last ? 2 : 1;
}
