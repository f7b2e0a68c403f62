/** Where the words of the protocol and of sessions become verdicts on cases. */
import type { Failure } from '../../oracle/judge/verdict.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import type { SessionEnd } from './session.ts';

/** Verdicts on cases that did not come to their end. */
export type Broken = Exclude<Failure, 'divergence'>;

/** The verdict on the case that ran when a session ended. */
export function verdictOfEnd({ reason }: Pick<SessionEnd, 'reason'>): Broken {
  switch (reason) {
    case 'crash':
      return 'kernel-crash';
    case 'silent':
      return 'hang';
    case 'garbage':
    case 'runner':
    case 'lost':
    case 'killed':
      return 'runner-error';
  }
}

/** The verdict that the runner's status for a case is; undefined for one that came to its end, and has to be judged. */
export function verdictOfStatus(status: number): Broken | undefined {
  if (status === STATUS.done) return undefined;
  return status === STATUS.deadline ? 'hang' : 'runner-error';
}
