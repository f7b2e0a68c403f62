/**
 * The oracle's front door: for a scenario and an ABI profile, what every step may answer.
 * Pure and total: no input, however odd, makes it throw, and the same input gives the same answer.
 */
import type { AbiProfile } from './uapi/abi.ts';
import { rulesOfSeen } from './bpf/bpf-rules.ts';
import { E, IORING_SETUP } from './uapi/constants.ts';
import type { PredictedCqe, PredictedStep, Prediction } from './scenario/prediction.ts';
import type { Quirks } from './quirks/index.ts';
import { predictRegister } from './model/register.ts';
import { Submission } from './model/submit.ts';
import { takeRing } from './model/take.ts';
import { createRing, exec, exit, reap, simpleStep, spawn, unshareUser } from './model/tasks.ts';
import { World } from './model/world.ts';
import type { Task } from './model/world.ts';
import type { Scenario, Step, SubmitStep } from './scenario/types.ts';
import type { TraceSink } from './model/trace.ts';

const NO_QUIRKS: Quirks = new Set();

export interface PredictOptions {
  /** Models of faulty kernels to apply; none: the specification. */
  readonly quirks?: Quirks;
  readonly trace?: TraceSink;
}

/** Predicts a whole scenario. */
export function predict(scenario: Scenario, abi: AbiProfile, options: PredictOptions = {}): Prediction {
  const world = new World(scenario, abi, options.quirks ?? NO_QUIRKS, options.trace);
  const steps = scenario.steps.map((step, index) => {
    world.step = index;
    const { lost } = world;
    const predicted = predictStep(world, step);
    return lost ? unjudged(predicted, step) : predicted;
  });
  for (const rule of rulesOfSeen(world.seen)) world.hit(rule);
  return { steps, hits: world.hits, asked: world.asked };
}

/** A step of which only is known whether its task is there. */
function unjudged({ reached, rule }: PredictedStep, step: Step): PredictedStep {
  return {
    reached,
    returns: 'any',
    cqes: 'any',
    ...(step.do === 'submit' ? { most: 2 * step.sqes.length } : {}),
    memory: 'any',
    rule,
  };
}

function predictStep(world: World, step: Step): PredictedStep {
  const task = world.tasks.get(step.task);
  if (task === undefined || !task.alive) return { reached: false, returns: [], cqes: [], rule: world.hit('task.gone') };
  switch (step.do) {
    case 'ring':
      return createRing(world, task, step);
    case 'register_bpf_filter':
    case 'register_restrictions':
    case 'register_task_restrictions':
    case 'register':
      return predictRegister(world, task, step);
    case 'submit':
      return submit(world, task, step);
    case 'spawn':
      return spawn(world, task, step);
    case 'exec':
      return exec(world, task);
    case 'exit':
      return exit(world, task);
    case 'take_ring':
      return takeRing(world, task, step);
    case 'unshare_user':
      return unshareUser(world, task);
    case 'reap':
      return reap(world, task, step);
    default:
      return simpleStep(world, task, step);
  }
}

function submit(world: World, task: Task, step: SubmitStep): PredictedStep {
  const refuse = (errno: number, rule: Parameters<World['hit']>[0]): PredictedStep => ({
    reached: true,
    returns: [-errno],
    cqes: [],
    rule: world.hit(rule),
  });
  let ring = task.files.rings.get(step.ring);
  if (step.registered !== undefined) {
    if (step.registered < 0 || step.registered >= 16) return refuse(E.INVAL, 'register.registered-index');
    const slot = task.registered.get(step.registered);
    if (slot === undefined) return refuse(task.used_io_uring ? E.BADF : E.INVAL, 'register.registered-index');
    ring = world.rings.get(slot);
  }
  if (ring === undefined)
    return task.files.sandbox.crowded
      ? { reached: true, returns: 'any', cqes: [], rule: 'enter.bad-fd' }
      : refuse(E.BADF, 'enter.bad-fd');
  const { pending, strays } = ring;
  // Messages to a DEFER_TASKRUN ring arrive when its own task enters it.
  if ((ring.flags & IORING_SETUP.DEFER_TASKRUN) !== 0 && ring.submitter !== task) {
    for (const cqe of pending) ring.strays.push({ ...cqe, optional: true });
    pending.length = 0;
    ring.pending = [];
  }
  const take = (cqes: PredictedStep['cqes']): PredictedStep['cqes'] => {
    ring.pending = [];
    if (cqes === 'any') return 'any';
    if (strays.length > 0) return [...pending, ...cqes, ...strays];
    return pending.length === 0 ? cqes : [...pending, ...cqes];
  };
  if (ring.disabled) return { ...refuse(E.BADFD, 'enter.disabled'), cqes: take([]) };
  const polled = (ring.flags & IORING_SETUP.SQPOLL) !== 0;
  if (!polled && ring.submitter !== undefined && ring.submitter !== task)
    return { ...refuse(E.EXIST, 'enter.single-issuer'), cqes: take([]) };
  if (!polled) task.used_io_uring = true;
  if (ring.creator !== task && !ring.rules.empty) world.hit('inherit.ring-shared');
  if (ring.taken && ring.creator !== task && !task.rules.empty) world.hit('inherit.ring-taken');
  if (polled && (!ring.creator.alive || ring.creator_files !== ring.creator.files)) {
    // The polling thread ends with its process, at a time of its own.
    return {
      reached: true,
      returns: 'any',
      cqes: take(
        step.sqes.map((sqe, i) => ({
          user_data: sqe.user_data ?? 0n,
          res: 'any',
          flags: 'any',
          sqe: i,
          rule: 'enter.count',
          optional: true,
        })),
      ),
      rule: 'enter.count',
    };
  }
  if (ring.slot !== step.ring) {
    // The queue that was filled is another ring's: this one has nothing to submit.
    const filled = task.files.rings.get(step.ring);
    const waiting = filled?.pending ?? [];
    if (filled !== undefined) filled.pending = [];
    return { reached: true, returns: polled ? 'any' : [0], cqes: waiting, rule: world.hit('enter.count') };
  }
  const predicted = new Submission(world, ring, task).run(step.sqes);
  const cqes = take(predicted.cqes);
  if (strays.length === 0 || predicted.cqes === 'any') return { ...predicted, cqes };
  return { ...predicted, cqes, most: predicted.cqes.length + pending.length };
}
