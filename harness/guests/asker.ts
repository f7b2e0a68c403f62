/** Asks a guest one thing after the other, before a run. */
import type { Waits } from '../../oracle/judge/waits.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import { observationOf, runAlone } from './guests.ts';
import type { Guests } from './guests.ts';
import { SessionEnded } from './session.ts';
import type { Session } from './session.ts';

/** A kernel that crashes, falls silent or does not end over a question gets the question as a case of the run. */
export class Asker {
  readonly #guests: Guests;
  session: Session;
  /** Questions that stopped the kernel. */
  readonly fatal: Scenario[] = [];
  #last: Scenario | undefined;

  constructor(guests: Guests, session: Session) {
    this.#guests = guests;
    this.session = session;
  }

  /**
   * The answer, or undefined when the kernel did not survive the question.
   * @throws SessionEnded when it was not the kernel's fault
   */
  async ask(scenario: Scenario, waits: readonly number[] | Waits): Promise<Observation | undefined> {
    const last = this.#last;
    this.#last = scenario;
    try {
      const observation = await this.#once(scenario, waits);
      if (observation === undefined) this.fatal.push(scenario);
      return observation;
    } catch (error) {
      const stopped = error instanceof SessionEnded && (error.end.reason === 'crash' || error.end.reason === 'silent');
      if (!stopped || this.#guests.plan.boot.signal?.aborted === true) throw error;
      // The kernel may have complained a moment after its last answer.
      if (error.end.running === undefined && last !== undefined) this.fatal.push(last);
      this.fatal.push(scenario);
      this.session = await this.#guests.open();
      return undefined;
    }
  }

  /** Undefined when it does not end, not even in twice its time: a busy machine may be too slow once. */
  async #once(scenario: Scenario, waits: readonly number[] | Waits): Promise<Observation | undefined> {
    const { deadline } = this.#guests.plan;
    for (const patience of [deadline, 2 * deadline]) {
      const result = await runAlone(this.session, scenario, waits, patience);
      if (result.status !== STATUS.deadline) return observationOf(result);
    }
    return undefined;
  }
}
