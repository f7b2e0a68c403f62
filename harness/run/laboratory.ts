/** A guest of its own, where suspects run alone. */
import { waitsOf } from '../../oracle/judge/waits.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import { runAlone } from '../guests/guests.ts';
import type { Guests } from '../guests/guests.ts';
import { SessionEnded } from '../guests/session.ts';
import type { Session, SessionEnd } from '../guests/session.ts';
import { detailOfStatus, verdictOfEnd, verdictOfStatus } from '../guests/verdicts.ts';
import type { Predictions } from '../known/predictions.ts';

/** A machine may be too slow for anything. */
const SLOW_ADVICE = '; where a machine is so slow that every case does this, give it less to do, or --jobs 1';

/** What one scenario does when it runs alone. */
export type Outcome =
  | { readonly verdict: 'pass' }
  | { readonly verdict: 'known' }
  | { readonly verdict: 'divergence'; readonly difference: Difference; readonly observation: Observation }
  | { readonly verdict: 'hang'; readonly detail: string; readonly words?: string }
  | { readonly verdict: 'kernel-crash'; readonly end: SessionEnd }
  | { readonly verdict: 'runner-error'; readonly detail: string };

/** What a laboratory looks at beside the answers. */
export interface LaboratoryOptions {
  /** Wait after each case for what the console may still say: for crashes. */
  readonly settle?: boolean;
  /** Switch the guest off after each case: for kernels that fail at that. */
  readonly ending?: boolean;
}

/** A guest that is booted again whenever a case ends it. */
export class Laboratory {
  readonly #guests: Guests;
  readonly #options: LaboratoryOptions;
  #session: Session | undefined;

  constructor(guests: Guests, options: LaboratoryOptions = {}) {
    this.#guests = guests;
    this.#options = options;
  }

  /** Throws the guest away; the next case gets a fresh one. */
  async fresh(): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
  }

  /** Runs one scenario alone and judges it. A QEMU that someone kills is booted again, once. */
  async try(predictions: Predictions): Promise<Outcome> {
    return await this.#twice(() => this.#once([predictions]));
  }

  /** Runs some scenarios one after the other on a fresh guest; what the last one came to. @param all at least one */
  async tryAll(all: readonly Predictions[]): Promise<Outcome> {
    return await this.#twice(async () => {
      await this.fresh();
      return await this.#once(all);
    });
  }

  async #twice(once: () => Promise<Outcome | undefined>): Promise<Outcome> {
    const lost = { verdict: 'runner-error', detail: 'QEMU ended twice without a word from the kernel' } as const;
    return (await once()) ?? (await once()) ?? lost;
  }

  /** Undefined when QEMU was killed from outside. */
  async #once(all: readonly Predictions[]): Promise<Outcome | undefined> {
    try {
      if (this.#session === undefined || this.#session.ended !== undefined) this.#session = await this.#guests.open();
      const session = this.#session;
      let outcome: Outcome = { verdict: 'pass' };
      for (const predictions of all) outcome = await this.#run(session, predictions);
      const ended = await this.#end(session);
      if (ended !== undefined) throw new SessionEnded(ended);
      return outcome;
    } catch (error) {
      if (!(error instanceof SessionEnded)) throw error;
      await this.#session?.guest.kill();
      this.#session = undefined;
      return error.end.reason === 'lost' ? undefined : endedBy(error.end);
    }
  }

  async #run(session: Session, predictions: Predictions): Promise<Outcome> {
    // Alone a case may take its time: a slow machine must not look like a hang.
    const deadline = this.#guests.plan.deadline * 2;
    const result = await runAlone(session, predictions.scenario, waitsOf(predictions.known), deadline);
    const verdict = verdictOfStatus(result);
    switch (verdict) {
      case undefined:
        return judged(predictions, result.observation);
      case 'hang':
        return { verdict, detail: `the scenario did not end within ${deadline / 1000} s${SLOW_ADVICE}` };
      case 'kernel-crash':
        return { verdict, end: killedBy(result, session) };
      case 'runner-error':
        return { verdict, detail: detailOfStatus(result) };
    }
  }

  /** How the guest ended, if it did. */
  async #end(session: Session): Promise<SessionEnd | undefined> {
    if (this.#options.settle === true) await session.settle();
    if (session.ended !== undefined || this.#options.ending !== true) return session.ended;
    this.#session = undefined;
    return await this.#guests.powerOff(session);
  }
}

/** A task that was killed by a signal, as the end that it nearly was. */
function killedBy(result: RunnerResult, { guest }: Session): SessionEnd {
  const detail = detailOfStatus(result);
  return { reason: 'crash', running: result.id, recent: [], detail, reports: [], console: guest.console };
}

function endedBy(end: SessionEnd): Outcome {
  const verdict = verdictOfEnd(end);
  if (verdict === 'kernel-crash') return { verdict, end };
  return verdict === 'hang' ? hangOf(end) : { verdict, detail: end.detail };
}

/** A hang, with what the kernel said of it. */
export function hangOf({ detail, words, reports }: SessionEnd): Extract<Outcome, { verdict: 'hang' }> {
  const said = words ?? reports[0]?.text;
  return said === undefined ? { verdict: 'hang', detail } : { verdict: 'hang', detail, words: said };
}

function judged(predictions: Predictions, observation: Observation): Outcome {
  const one = predictions.judge(observation);
  return one.verdict === 'divergence'
    ? { verdict: 'divergence', difference: one.difference, observation }
    : { verdict: one.verdict };
}
