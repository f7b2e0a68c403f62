/** A guest of its own, where suspects run alone. */
import { waitsOf } from '../../oracle/judge/waits.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import { runAlone } from '../guests/guests.ts';
import type { Guests } from '../guests/guests.ts';
import { SessionEnded } from '../guests/session.ts';
import type { Session, SessionEnd } from '../guests/session.ts';
import { verdictOfEnd, verdictOfStatus } from '../guests/verdicts.ts';
import type { Predictions } from '../known/predictions.ts';

/** A machine may be too slow for anything. */
const SLOW_ADVICE = '; where a machine is so slow that every case does this, give it less to do, or --jobs 1';

/** What one scenario does when it runs alone. */
export type Outcome =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'known' }
  | { readonly verdict: 'divergence'; readonly difference: Difference; readonly observation: Observation }
  | { readonly verdict: 'hang'; readonly detail: string }
  | { readonly verdict: 'kernel-crash'; readonly end: SessionEnd }
  | { readonly verdict: 'runner-error'; readonly detail: string };

/** A guest that is booted again whenever a case ends it. */
export class Laboratory {
  readonly #guests: Guests;
  readonly #settle: boolean;
  #session: Session | undefined;
  /** @param settle wait after each case for what the console may still say: for crashes */
  constructor(guests: Guests, settle = false) {
    this.#guests = guests;
    this.#settle = settle;
  }

  /** Throws the guest away; the next case gets a fresh one. */
  async fresh(): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
  }

  /** Runs one scenario alone and judges it. A QEMU that someone kills is booted again, once. */
  async try(predictions: Predictions): Promise<Outcome> {
    return (
      (await this.#once(predictions)) ??
      (await this.#once(predictions)) ?? {
        verdict: 'runner-error',
        detail: 'QEMU ended twice without a word from the kernel',
      }
    );
  }

  /** Undefined when QEMU was killed from outside. */
  async #once(predictions: Predictions): Promise<Outcome | undefined> {
    if (this.#session === undefined || this.#session.ended !== undefined) this.#session = await this.#guests.open();
    const session = this.#session;
    // Alone a case may take its time: a slow machine must not look like a hang.
    const deadline = this.#guests.plan.deadline * 2;
    let result: RunnerResult;
    try {
      result = await runAlone(session, predictions.scenario, waitsOf(predictions.known), deadline);
      const ended = this.#settle ? await session.settle() : session.ended;
      if (ended !== undefined) throw new SessionEnded(ended);
    } catch (error) {
      if (!(error instanceof SessionEnded)) throw error;
      await session.guest.kill();
      this.#session = undefined;
      return error.end.reason === 'lost' ? undefined : endedBy(error.end);
    }
    const verdict = verdictOfStatus(result.status);
    if (verdict === undefined) return judged(predictions, result.observation);
    return verdict === 'hang'
      ? { verdict, detail: `the scenario did not end within ${deadline / 1000} s${SLOW_ADVICE}` }
      : { verdict: 'runner-error', detail: `runner status ${result.status}, detail ${result.detail}` };
  }
}

function endedBy(end: SessionEnd): Outcome {
  const verdict = verdictOfEnd(end);
  return verdict === 'kernel-crash' ? { verdict, end } : { verdict, detail: end.detail };
}

function judged(predictions: Predictions, observation: Observation): Outcome {
  const one = predictions.judge(observation);
  return one.verdict === 'divergence'
    ? { verdict: 'divergence', difference: one.difference, observation }
    : { verdict: one.verdict };
}
