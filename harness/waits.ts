/** How many CQEs the runner should wait for at each step: liveness only, never part of the verdict. */
import type { Prediction } from '../oracle/prediction.ts';

/** Per step, the CQEs that must come, and those that may. */
export interface Waits {
  readonly waits: readonly number[];
  readonly wants: readonly number[];
}

export function waitsOf(prediction: Prediction): Waits {
  return {
    waits: prediction.steps.map(({ cqes }) => (cqes === 'any' ? 0 : cqes.reduce((sum, { optional }) => sum + (optional === true ? 0 : 1), 0))),
    wants: prediction.steps.map(({ cqes, most }) => most ?? (cqes === 'any' ? 0 : cqes.length)),
  };
}
