/** What a result means to whoever called: the exit code of a run and of a matrix. */
import type { MatrixResult } from '../../reports/data/matrix.ts';
import type { RunResult, Verdict } from '../../reports/data/result.ts';
import { EXIT } from '../../vm/index.ts';

const CODE_OF: Readonly<Record<Verdict, number>> = {
  conformant: EXIT.ok,
  divergent: EXIT.divergent,
  interrupted: EXIT.interrupted,
  untestable: EXIT.untestable,
};

/** Exit code of a run, or of shards that were joined. */
export function runExit({ verdict }: Pick<RunResult, 'verdict'>, interrupted: boolean): number {
  return interrupted ? EXIT.interrupted : CODE_OF[verdict];
}

/** Exit code of a matrix: the worst wins, in the order that `ringfence help matrix` tells. */
export function matrixExit(
  { verdict, kernels }: Pick<MatrixResult, 'verdict' | 'kernels'>,
  interrupted: boolean,
): number {
  if (interrupted) return EXIT.interrupted;
  if (verdict !== 'untestable') return CODE_OF[verdict];
  const onlyMissing =
    kernels.some(({ state }) => state === 'unavailable') && kernels.every(({ state }) => state !== 'untestable');
  return onlyMissing ? EXIT.usage : EXIT.untestable;
}
