/** Asks a guest one thing after the other, before a run. Each question is a case with a number. */
import { encodeScenario } from '../../oracle/case/frame.ts';
import type { Waits } from '../../oracle/judge/waits.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import { deadlineFor } from './guests.ts';
import type { Guests } from './guests.ts';
import { inWarmUp, isKernelsFault, SessionEnded } from './session.ts';
import type { Session, SessionEnd } from './session.ts';
import { detailOfStatus, verdictOfEnd, verdictOfStatus } from './verdicts.ts';
import type { Broken } from './verdicts.ts';

/** Number of the first question; cases of a run are numbered from 0, and those that run alone from 0x4000_0000. */
export const FIRST_QUESTION = 0x6000_0000;

/** A question, by its number. */
export interface Question {
  readonly index: number;
  readonly scenario: Scenario;
}

/** A question that the kernel did not survive, or that did not end. */
export interface Stop extends Question {
  /** Those before it, the last one first: the kernel may have failed a moment after an answer. */
  readonly others: readonly Question[];
  /** How the guest ended; absent when it went on. */
  readonly end?: SessionEnd;
  readonly verdict: Broken;
  readonly detail: string;
}

/** A scenario that does nothing: what happens to it happens to all. */
export const NOTHING: Scenario = { version: 1, fixtures: [], jit: true, steps: [] };

let next = FIRST_QUESTION;

/** The kernel's words before ours. */
const wordsOf = ({ reports, detail }: SessionEnd): string => reports[0]?.title ?? detail;

/** A guest that failed before it could be asked anything, which any scenario shows; undefined: not so. */
export function warmUpStop(error: unknown): Stop | undefined {
  if (!(error instanceof SessionEnded) || !inWarmUp(error.end)) return undefined;
  const { end } = error;
  return { index: next++, scenario: NOTHING, others: [], end, verdict: verdictOfEnd(end), detail: wordsOf(end) };
}

/** A kernel that crashes, stands still or does not end over a question gets the question as a case of the run. */
export class Asker {
  readonly #guests: Guests;
  session: Session;
  /** Questions that stopped the kernel. */
  readonly stops: Stop[] = [];
  /** All that was asked, by number. */
  readonly asked = new Map<number, Question>();

  constructor(guests: Guests, session: Session) {
    this.#guests = guests;
    this.session = session;
  }

  /**
   * The answer, or undefined when the kernel did not survive the question or did not come to its end.
   * @throws SessionEnded when it was not the kernel's fault, or when no other guest comes up
   * @throws Error when the runner could not do its part
   */
  async ask(scenario: Scenario, waits: readonly number[] | Waits): Promise<Observation | undefined> {
    const question = { index: next++, scenario };
    this.asked.set(question.index, question);
    try {
      const result = await this.#run(question, waits);
      const verdict = verdictOfStatus(result);
      if (verdict === undefined) return result.observation;
      const detail = detailOfStatus(result);
      if (verdict === 'runner-error') throw new Error(detail);
      this.stops.push({ ...question, others: [], verdict, detail });
    } catch (error) {
      if (!(error instanceof SessionEnded) || !isKernelsFault(error.end)) throw error;
      if (this.#guests.plan.boot.signal?.aborted === true) throw error;
      this.stopped(error.end, question);
      this.session = await this.#guests.open();
    }
    return undefined;
  }

  /** Takes note of how a guest ended. @param question what it was asked; absent: nothing */
  stopped(end: SessionEnd, question?: Question): void {
    const before = end.recent.flatMap((id) => this.asked.get(id) ?? []);
    const running = end.running === undefined ? undefined : this.asked.get(end.running);
    // One that ended between two questions may have done so over either.
    const all = [...(running === undefined ? [] : [running]), ...before, ...(question === undefined ? [] : [question])];
    const [first, ...others] = [...new Set(all)];
    if (first !== undefined)
      this.stops.push({ ...first, others, end, verdict: verdictOfEnd(end), detail: wordsOf(end) });
  }

  /** What does not end gets twice the time once: a busy machine may be too slow. */
  async #run({ index, scenario }: Question, waits: readonly number[] | Waits): Promise<RunnerResult> {
    const { deadline } = this.#guests.plan;
    const once = async (patience: number): Promise<RunnerResult> => {
      const options = {
        id: index,
        deadline_ms: deadlineFor(scenario, patience),
        ...('waits' in waits ? waits : { waits }),
      };
      return await this.session.submit(index, encodeScenario(scenario, options)).result;
    };
    const first = await once(deadline);
    return verdictOfStatus(first) === 'hang' ? await once(2 * deadline) : first;
  }
}
