/** Looks into a case that did not pass: repeats it alone on a fresh guest, shrinks it, and says what it is. */
import fc from 'fast-check';
import { scenarioArbitrary } from '../../generators/suites.ts';
import type { SuiteName } from '../../generators/suites.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { predict } from '../../oracle/predict.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import type { Suspect } from './campaign.ts';
import { compare } from '../../oracle/judge/compare.ts';
import type { Difference } from '../../oracle/judge/compare.ts';
import type { KnownFindings } from '../known/findings.ts';
import { runAlone } from '../guests/guests.ts';
import type { Guests } from '../guests/guests.ts';
import { SessionEnded } from '../guests/session.ts';
import type { Session, SessionEnd } from '../guests/session.ts';
import { waitsOf } from '../../oracle/judge/waits.ts';

/** What one scenario does when it runs alone. */
export type Outcome =
  | { readonly kind: 'pass' }
  | { readonly kind: 'known' }
  | { readonly kind: 'divergence'; readonly difference: Difference; readonly result: RunnerResult }
  | { readonly kind: 'hang'; readonly detail: string }
  | { readonly kind: 'crash'; readonly end: SessionEnd }
  | { readonly kind: 'runner-error'; readonly detail: string };

export interface Investigated {
  readonly suspect: Suspect;
  readonly scenario: Scenario;
  readonly outcome: Outcome;
  readonly reproduced: number;
  readonly tries: number;
}

export interface InvestigationOptions {
  readonly guests: Guests;
  readonly abi: AbiProfile;
  readonly known: KnownFindings;
  readonly signal: AbortSignal;
  /** Milliseconds that shrinking one case may take. */
  readonly shrinkMs: number;
}

const TRIES = 3;
/** A case that failed in a batch is run alone up to so many times before it is called unconfirmed. */
export const CONFIRM_TRIES = 10;

/** A guest of its own, booted again whenever a case ends it. */
export class Laboratory {
  readonly #options: InvestigationOptions;
  readonly #settle: boolean;
  #session: Session | undefined;
  /** @param settle wait after each case for what the console may still say: for crashes */
  constructor(options: InvestigationOptions, settle = false) {
    this.#options = options;
    this.#settle = settle;
  }

  /** Throws the guest away; the next case gets a fresh one. */
  async fresh(): Promise<void> {
    await this.#session?.close();
    this.#session = undefined;
  }

  /** Runs one scenario alone and judges it. A QEMU that someone kills is booted again, once. */
  async try(scenario: Scenario): Promise<Outcome> {
    const outcome = await this.#once(scenario);
    return outcome === 'lost'
      ? await this.#once(scenario).then((again) =>
          again === 'lost'
            ? { kind: 'runner-error', detail: 'QEMU ended twice without a word from the kernel' }
            : again,
        )
      : outcome;
  }

  async #once(scenario: Scenario): Promise<Outcome | 'lost'> {
    const { guests, abi, known } = this.#options;
    if (this.#session === undefined || this.#session.ended !== undefined) this.#session = await guests.open();
    const session = this.#session;
    const prediction = predict(scenario, abi);
    let result: RunnerResult;
    try {
      // Alone a case may take its time: a slow machine must not look like a hang.
      result = await runAlone(
        session,
        scenario,
        waitsOf(known.active.length > 0 ? known.predict(scenario) : prediction),
        guests.plan.deadline * 2,
      );
      const ended = this.#settle ? await session.settle() : session.ended;
      if (ended !== undefined) throw new SessionEnded(ended);
    } catch (error) {
      if (!(error instanceof SessionEnded)) throw error;
      await session.guest.kill();
      this.#session = undefined;
      const { end } = error;
      if (end.reason === 'lost') return 'lost';
      if (end.reason === 'silent') return { kind: 'hang', detail: end.detail };
      return end.reason === 'crash' ? { kind: 'crash', end } : { kind: 'runner-error', detail: end.detail };
    }
    if (result.status === STATUS.deadline)
      return { kind: 'hang', detail: `the scenario did not end within ${(guests.plan.deadline * 2) / 1000} s` };
    if (result.status !== STATUS.done)
      return { kind: 'runner-error', detail: `runner status ${result.status}, detail ${result.detail}` };
    const { difference } = compare(prediction, result.observation);
    if (difference === undefined) return { kind: 'pass' };
    if (known.explain(scenario, result.observation) !== undefined) return { kind: 'known' };
    return {
      kind: 'divergence',
      difference: compare(known.predict(scenario), result.observation).difference ?? difference,
      result,
    };
  }
}

/** Repeats, shrinks and repeats again. */
export async function investigate(
  suspect: Suspect,
  laboratory: Laboratory,
  options: InvestigationOptions,
): Promise<Investigated> {
  await laboratory.fresh();
  const { suite } = suspect.planned;
  const bad = (outcome: Outcome): boolean => outcome.kind !== 'pass' && outcome.kind !== 'known';
  let first: Outcome = { kind: 'pass' };
  let { scenario } = suspect.planned;
  let tries = 0;
  // A crash between cases: each of the last ones in its turn, on the same fresh guest.
  const candidates = [suspect.planned, ...(suspect.others ?? [])].map((planned) => planned.scenario);
  for (; tries < CONFIRM_TRIES && !bad(first) && !options.signal.aborted; tries++) {
    for (const candidate of candidates) {
      first = await laboratory.try(candidate);
      if (!bad(first)) continue;
      scenario = candidate;
      break;
    }
  }
  // The kernel's own words on the console stand, even where they do not come again.
  if (!bad(first))
    return {
      suspect,
      scenario,
      outcome:
        suspect.verdict === 'kernel-crash' && suspect.end !== undefined ? { kind: 'crash', end: suspect.end } : first,
      reproduced: 0,
      tries,
    };

  const same = (outcome: Outcome): boolean =>
    outcome.kind === first.kind &&
    (outcome.kind !== 'divergence' || first.kind !== 'divergence' || outcome.difference.rule === first.difference.rule);
  const smallest =
    first.kind !== 'runner-error' && options.shrinkMs > 0
      ? await shrink(scenario, suite, options, async (candidate) => same(await laboratory.try(candidate)))
      : scenario;
  let reproduced = 0;
  let last = first;
  for (let i = 0; i < TRIES && !options.signal.aborted; i++) {
    const outcome = await laboratory.try(smallest);
    if (same(outcome)) {
      reproduced++;
      last = outcome;
    }
  }
  // It showed once and not again: then the case as it was drawn is what there is.
  if (reproduced === 0) return { suspect, scenario, outcome: first, reproduced: 1, tries: tries + TRIES };
  return { suspect, scenario: smallest, outcome: last, reproduced, tries: TRIES };
}

/** fast-check shrinks the scenario while `fails` holds. */
export async function shrink(
  scenario: Scenario,
  suite: SuiteName,
  options: Pick<InvestigationOptions, 'abi' | 'shrinkMs' | 'signal'>,
  fails: (candidate: Scenario) => Promise<boolean>,
): Promise<Scenario> {
  const until = performance.now() + options.shrinkMs;
  const details = await fc.check(
    fc.asyncProperty(scenarioArbitrary(suite, options.abi), async (candidate) => {
      // Out of time: nothing smaller counts any more, which ends the shrinking.
      if (candidate !== scenario && (performance.now() > until || options.signal.aborted)) return true;
      return !(await fails(candidate));
    }),
    { examples: [[scenario]], numRuns: 1 },
  );
  return (details.counterexample?.[0] as Scenario | undefined) ?? scenario;
}
