/**
 * The oracle's front door: for a scenario and an ABI profile, what every step may answer.
 * Pure and total: no input, however odd, makes it throw, and the same input gives the same answer.
 */
import type { Open } from './open-answer.ts';
import type { AbiProfile } from './uapi/abi.ts';
import { rulesOfSeen } from './bpf/seen-rules.ts';
import type { PredictedStep, Prediction } from './scenario/prediction.ts';
import type { Quirks } from './quirks/index.ts';
import { Looks } from './model/looks.ts';
import { World } from './model/world.ts';
import { requestsOf, specOf } from './steps/index.ts';
import type { Scenario, Step } from './steps/index.ts';
import type { TraceEvent, TraceSink } from './model/trace.ts';

const NO_QUIRKS: Quirks = new Set();

/** How to predict. */
export interface PredictOptions {
  /** Models of faulty kernels to apply; none: the specification. */
  readonly quirks?: Quirks;
  readonly trace?: TraceSink;
}

/** Predicts a whole scenario. */
export function predict(scenario: Scenario, abi: AbiProfile, options: PredictOptions = {}): Prediction {
  const world = new World(scenario.fixtures, abi, options.quirks ?? NO_QUIRKS, options.trace);
  if (scenario.steps.some((step) => step.do === 'probe_made')) world.looks = new Looks(sharing(scenario));
  const steps = scenario.steps.map((step, index) => {
    world.step = index;
    const { lost } = world;
    const predicted = predictStep(world, step);
    return lost === undefined ? predicted : unjudged(predicted, step, lost);
  });
  for (const rule of rulesOfSeen(world.seen)) world.hit(rule);
  return { steps, hits: world.hits, asked: world.asked };
}

/** A prediction, and what decided on the way. */
export interface TracedPrediction {
  readonly prediction: Prediction;
  readonly events: readonly TraceEvent[];
}

/** As predict, for those who tell why. */
export function predictTraced(
  scenario: Scenario,
  abi: AbiProfile,
  options: Omit<PredictOptions, 'trace'> = {},
): TracedPrediction {
  const events: TraceEvent[] = [];
  return { prediction: predict(scenario, abi, { ...options, trace: (event) => void events.push(event) }), events };
}

/** A step of which only is known whether its task is there. */
function unjudged({ reached, rule }: PredictedStep, step: Step, lost: Open): PredictedStep {
  const requests = specOf(step).requests?.(step);
  return {
    reached,
    returns: lost,
    cqes: lost,
    ...(requests === undefined ? {} : { most: 2 * requests.length }),
    memory: lost,
    rule,
  };
}

function predictStep(world: World, step: Step): PredictedStep {
  const task = world.tasks.get(step.task);
  if (task === undefined || !task.alive) return { reached: false, returns: [], cqes: [], rule: world.hit('task.gone') };
  return specOf(step).predict(world, task, step);
}

/** How many requests carry each user_data. */
function sharing({ steps }: Scenario): ReadonlyMap<bigint, number> {
  const shared = new Map<bigint, number>();
  for (const step of steps)
    for (const { user_data: data = 0n } of requestsOf(step)) shared.set(data, (shared.get(data) ?? 0) + 1);
  return shared;
}
