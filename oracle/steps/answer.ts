/** Predictions of steps that return one value. */
import type { Allowed, PredictedStep } from '../scenario/prediction.ts';

/** The step runs, returns one of `ret` and posts nothing. */
export function answer(ret: Allowed, rule: string): PredictedStep {
  return { reached: true, returns: [ret], cqes: [], rule };
}
