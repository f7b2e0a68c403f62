/**
 * Asks a kernel some scenarios again, one at a time: which answers are its own, and which vary from one time to the
 * next?
 */
import { predict } from '../../oracle/predict.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import { runAlone } from '../guests/guests.ts';
import type { Guests } from '../guests/guests.ts';
import type { PlannedCase } from '../run/plan.ts';
import { SessionEnded } from '../guests/session.ts';
import type { Session } from '../guests/session.ts';
import { waitsOf } from '../../oracle/judge/waits.ts';
import type { Waits } from '../../oracle/judge/waits.ts';
import { quirksOf } from '../known/findings.ts';
import { canonicalAnswers, digestOf } from './answers.ts';
import type { Model } from './causes.ts';

/** So often is a scenario asked again. */
const TRIES = 2;

/** What one kernel answers to one scenario. */
export interface Examined {
  /** Digests of all its answers, the first included. */
  readonly digests: ReadonlySet<string>;
  /** The distinct answers of the later times, in their canonicalAnswers form. */
  readonly observations: readonly Observation[];
}

/** Answers by number of the scenario; those that did not end are missing. Ends early when the signal aborts. */
export async function examine(
  guests: Guests,
  first: Session,
  model: Model,
  cases: readonly PlannedCase[],
  answers: ReadonlyMap<number, string>,
  signal: AbortSignal,
): Promise<Map<number, Examined>> {
  const out = new Map<number, Examined>();
  let session = first;
  const quirks = quirksOf(model.findings);
  for (const { index, scenario } of cases) {
    const waits = waitsOf(predict(scenario, model.abi, { quirks }));
    const digests = new Set([answers.get(index)!]);
    const observations = new Map<string, Observation>();
    let tries = 0;
    for (; tries < TRIES; tries++) {
      if (signal.aborted) return out;
      if (session.ended !== undefined) session = await guests.open();
      const observation = await answerOf(session, scenario, waits, guests.plan.deadline);
      if (observation === undefined) break;
      const digest = digestOf(scenario, observation);
      digests.add(digest);
      observations.set(digest, canonicalAnswers(scenario, observation));
    }
    if (tries === TRIES) out.set(index, { digests, observations: [...observations.values()] });
  }
  return out;
}

/** One answer; undefined where the scenario did not come to its end. */
async function answerOf(
  session: Session,
  scenario: Scenario,
  waits: Waits,
  deadline: number,
): Promise<Observation | undefined> {
  try {
    const { status, observation } = await runAlone(session, scenario, waits, deadline);
    return status === STATUS.done ? observation : undefined;
  } catch (error) {
    if (!(error instanceof SessionEnded)) throw error;
    return undefined;
  }
}
