/** Where the words of the protocol and of sessions become verdicts on cases. */
import type { Failure } from '../../oracle/judge/verdict.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import type { SessionEnd } from './session.ts';

/** Verdicts on cases that did not come to their end. */
export type Broken = Exclude<Failure, 'divergence'>;

/** The verdict on the case that ran when a session ended. A task that hangs is a hang, though the console tells it. */
export function verdictOfEnd({ reason, reports }: Pick<SessionEnd, 'reason' | 'reports'>): Broken {
  switch (reason) {
    case 'crash':
      return reports[0]?.kind === 'hung-task' ? 'hang' : 'kernel-crash';
    case 'silent':
    case 'stuck':
      return 'hang';
    case 'garbage':
    case 'runner':
    case 'lost':
    case 'killed':
      return 'runner-error';
  }
}

/** The verdict that the runner's status for a case is; undefined for one that came to its end, and has to be judged. */
export function verdictOfStatus({ status }: Pick<RunnerResult, 'status'>): Broken | undefined {
  switch (status) {
    case STATUS.done:
      return undefined;
    case STATUS.deadline:
      return 'hang';
    case STATUS.signal:
      // Nothing that a scenario does ends a task of it by a signal.
      return 'kernel-crash';
    default:
      return 'runner-error';
  }
}

/** What the runner's status for a case says, where it did not come to its end. */
export function detailOfStatus({ status, detail }: Pick<RunnerResult, 'status' | 'detail'>): string {
  switch (status) {
    case STATUS.deadline:
      return 'the scenario did not end in time';
    case STATUS.signal:
      return `a task of the scenario was killed by signal ${detail}`;
    default:
      return `runner status ${status}, detail ${detail}`;
  }
}
