/** How many CQEs the runner should wait for at each step: liveness only, never part of the verdict. */
import type { Prediction } from '../oracle/prediction.ts';

/** Per step, the CQEs that must come. */
export function waitsOf(prediction: Prediction): number[] {
  return prediction.steps.map(({ cqes }) => cqes.reduce((sum, { optional }) => sum + (optional === true ? 0 : 1), 0));
}
