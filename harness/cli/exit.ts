/** Exit codes of the command line. */
import type { RunResult } from '../../reports/data/result.ts';

export const EXIT = {
  /** Conformant. */
  ok: 0,
  /** A divergence, crash or hang. */
  divergent: 1,
  /** Usage or set-up. */
  usage: 2,
  /** This kernel cannot be tested; `git bisect run` skips it. */
  untestable: 125,
  /** Interrupted; what was found is on disk. */
  interrupted: 130,
} as const;

/** Bad usage: exit code 2. */
export class Usage extends Error {}

export function exitCode(result: RunResult, interrupted: boolean): number {
  if (interrupted) return EXIT.interrupted;
  switch (result.verdict) {
    case 'conformant':
      return EXIT.ok;
    case 'divergent':
      return EXIT.divergent;
    case 'interrupted':
      return EXIT.interrupted;
    case 'untestable':
      return EXIT.untestable;
  }
}
