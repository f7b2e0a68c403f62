/** io_uring_enter(2) and the completion queue: which ring a call reaches, whether it submits, what can be reaped. */
import { Open } from '../open-answer.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';
import { WORLD } from '../world/open.ts';
import type { PredictedStep } from '../scenario/prediction.ts';
import type { RingSlot, Sqe } from '../scenario/types.ts';
import type { FeatureRuleId } from './feature-rules.ts';
import { MODEL } from './open.ts';
import { submit } from './submit.ts';
import { Ring } from './world.ts';
import type { Task, World } from './world.ts';

/** A batch of SQEs and the ring whose queue they are written to. */
export interface Batch {
  readonly ring: RingSlot;
  /** Enter through this registered-ring index instead of the descriptor. */
  readonly registered?: number;
  /** Most entries per call; absent: all. */
  readonly each?: number;
  /** Before this one of them (or behind the last) stands an entry that names no SQE. */
  readonly dropped?: number;
  /** The last SQE has no second half. */
  readonly halved?: true;
  readonly sqes: readonly Sqe[];
}

/** Submits a batch and reaps. */
export function enter(world: World, task: Task, batch: Batch): PredictedStep {
  const found = ringOf(world, task, batch);
  if (!(found instanceof Ring)) return found;
  const ring = found;
  const { pending, strays } = ring;
  deferMessages(ring, task);
  const take = (cqes: PredictedStep['cqes']): PredictedStep['cqes'] => {
    ring.pending = [];
    if (Open.is(cqes)) return cqes;
    if (strays.length > 0) return [...pending, ...cqes, ...strays];
    return pending.length === 0 ? cqes : [...pending, ...cqes];
  };
  if (ring.disabled) return { ...refuse(world, E.BADFD, 'enter.disabled'), cqes: take([]) };
  const polled = (ring.flags & IORING_SETUP.SQPOLL) !== 0;
  if (!polled && ring.submitter !== undefined && ring.submitter !== task)
    return { ...refuse(world, E.EXIST, 'enter.single-issuer'), cqes: take([]) };
  if (!polled) task.used_io_uring = true;
  if (ring.creator !== task && !ring.rules.empty) world.hit('inherit.ring-shared');
  if (ring.taken && ring.creator !== task && !task.rules.empty) world.hit('inherit.ring-taken');
  if (polled && ring.process.ended)
    return { ...refuse(world, E.OWNERDEAD, 'enter.owner-dead'), cqes: takeWaiting(task, batch) };
  if (ring.slot !== batch.ring) return elsewhere(world, task, batch, polled);
  const predicted = submit(world, ring, task, batch);
  const cqes = take(predicted.cqes);
  if (strays.length === 0 || Open.is(predicted.cqes)) return { ...predicted, cqes };
  return { ...predicted, cqes, most: predicted.cqes.length + pending.length };
}

/** Reaps what is there now, without a call. */
export function reap(world: World, task: Task, slot: RingSlot): PredictedStep {
  const ring = task.files.rings.get(slot);
  if (ring === undefined) return { reached: true, returns: [], cqes: [], rule: world.hit('enter.bad-fd') };
  deferMessages(ring, task);
  const cqes = [...ring.pending, ...ring.strays];
  const most = ring.pending.length;
  ring.pending = [];
  return {
    reached: true,
    returns: [],
    cqes,
    ...(ring.strays.length > 0 ? { most } : {}),
    rule: world.hit('enter.count'),
  };
}

function refuse(world: World, errno: number, rule: FeatureRuleId): PredictedStep {
  return { reached: true, returns: [-errno], cqes: [], rule: world.hit(rule) };
}

/** The ring that is entered, or what is answered where there is none. */
function ringOf(world: World, task: Task, batch: Batch): Ring | PredictedStep {
  let ring = task.files.rings.get(batch.ring);
  if (batch.registered !== undefined) {
    const slot = task.registered.get(batch.registered);
    if (slot === undefined) return refuseRegistered(world, task, batch, batch.registered);
    ring = world.rings.get(slot);
  }
  if (ring !== undefined) return ring;
  return task.files.sandbox.crowded
    ? { reached: true, returns: WORLD['descriptor.not-ours'], cqes: [], rule: 'enter.bad-fd' }
    : refuse(world, E.BADF, 'enter.bad-fd');
}

/** No ring is registered there. What waits in the queue that was filled is taken all the same. */
function refuseRegistered(world: World, task: Task, batch: Batch, index: number): PredictedStep {
  const outside = index < 0 || index >= 16 || !task.used_io_uring;
  const refused = refuse(world, outside ? E.INVAL : E.BADF, 'register.registered-index');
  return { ...refused, cqes: takeWaiting(task, batch) };
}

/** Messages to a DEFER_TASKRUN ring arrive when its own task enters it. */
function deferMessages(ring: Ring, task: Task): void {
  if ((ring.flags & IORING_SETUP.DEFER_TASKRUN) === 0 || ring.submitter === task) return;
  const { pending } = ring;
  for (const cqe of pending) ring.strays.push({ ...cqe, optional: MODEL['defer.messages'] });
  pending.length = 0;
  ring.pending = [];
}

/** The CQEs that wait in the queue that was filled. */
function takeWaiting(task: Task, batch: Batch): PredictedStep['cqes'] {
  const filled = task.files.rings.get(batch.ring);
  const waiting = filled?.pending ?? [];
  if (filled !== undefined) filled.pending = [];
  return waiting;
}

/** The queue that was filled is another ring's: the one that is entered has nothing to submit. */
function elsewhere(world: World, task: Task, batch: Batch, polled: boolean): PredictedStep {
  return {
    reached: true,
    returns: polled ? MODEL['sqpoll.elsewhere'] : [0],
    cqes: takeWaiting(task, batch),
    rule: world.hit('enter.count'),
  };
}
