/** How many CQEs the runner should wait for at each step: liveness only, never part of the verdict. */
import { Open } from '../open-answer.ts';
import type { Prediction } from '../scenario/prediction.ts';

/**
 * Per step, the CQEs that must come (`waits`), all that may (`wants`), and how many of the first kind are of the
 * step's own requests, where others may come between (`owns`).
 */
export interface Waits {
  readonly waits: readonly number[];
  readonly wants: readonly number[];
  readonly owns: readonly number[];
}

/** What the runner is told with a scenario. */
export function waitsOf(prediction: Prediction): Waits {
  return {
    waits: prediction.steps.map(({ cqes }) =>
      Open.is(cqes) ? 0 : cqes.reduce((sum, { optional }) => sum + (optional === undefined ? 1 : 0), 0),
    ),
    owns: prediction.steps.map(({ cqes, most }) =>
      !Open.is(cqes) && (most !== undefined || cqes.some(({ sqe, optional }) => sqe < 0 || optional !== undefined))
        ? cqes.filter(({ sqe, optional }) => sqe >= 0 && optional === undefined).length
        : 0,
    ),
    wants: prediction.steps.map(({ cqes, most }) => most ?? (Open.is(cqes) ? 0 : cqes.length)),
  };
}
