/**
 * Which tasks, rings and descriptor tables exist at each point of a scenario: what the
 * generators, the shrinker and the check of case files all go by. It knows nothing of
 * what the kernel will answer.
 */
import { specOf } from '../oracle/steps/index.ts';
import type { Scenario, Step } from '../oracle/steps/index.ts';
import { Tracked } from '../oracle/steps/tracked.ts';
import type { TrackedTask } from '../oracle/steps/tracked.ts';

/** Most steps of a scenario. */
const MAX_STEPS = 512;

/** Takes steps one by one as long as they fit. */
export class Tracker extends Tracked {
  steps = 0;

  /** The task when it exists, lives and is not suspended. */
  runnable(id: number): TrackedTask | undefined {
    const task = this.tasks.get(id);
    return task?.alive === true && task.waitsFor === undefined ? task : undefined;
  }

  /** Takes the step into account; a sentence when it does not fit the scenario so far (nothing changes then). */
  take(step: Step): true | string {
    if (this.steps >= MAX_STEPS) return `more than ${MAX_STEPS} steps`;
    const task = this.tasks.get(step.task);
    if (task === undefined) return `task ${step.task} does not exist here`;
    if (!task.alive) return `task ${step.task} has ended`;
    if (task.waitsFor !== undefined) return `task ${step.task} waits for its vfork child ${task.waitsFor.id}`;
    const verdict = specOf(step).track?.(this, task, step) ?? true;
    if (verdict === true) this.steps++;
    return verdict;
  }
}

/** The steps of a scenario with those left out that no longer fit (their task or its parent is gone). */
export function repair(scenario: Scenario): Scenario {
  const tracker = new Tracker();
  const steps = scenario.steps.filter((step) => tracker.take(step) === true);
  return steps.length === scenario.steps.length ? scenario : { ...scenario, steps };
}
