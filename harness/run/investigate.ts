/** Looks into a case that did not pass: repeats it alone on a fresh guest, shrinks it, and says what it is. */
import fc from 'fast-check';
import { scenarioArbitrary } from '../../generators/suites.ts';
import type { SuiteName } from '../../generators/suites.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { Guests } from '../guests/guests.ts';
import type { KnownFindings, Predictions } from '../known/predictions.ts';
import type { Laboratory, Outcome } from './laboratory.ts';
import type { Suspect } from './tally.ts';

/** What a suspect turned out to be. */
export interface Investigated {
  readonly suspect: Suspect;
  /** The smallest scenario that shows it, and what was predicted of it. */
  readonly predictions: Predictions;
  readonly outcome: Outcome;
  /** How often it showed, of how many tries. */
  readonly reproduced: number;
  readonly tries: number;
}

/** What an investigation needs. */
export interface InvestigationOptions {
  readonly guests: Guests;
  readonly known: KnownFindings;
  readonly signal: AbortSignal;
  /** Milliseconds that shrinking one case may take. */
  readonly shrinkMs: number;
}

const TRIES = 3;
/** A case that failed in a batch is run alone up to so many times before it is called unconfirmed. */
export const CONFIRM_TRIES = 10;

/** Whether a case that runs alone gives no reason to doubt the kernel. */
export function isFine({ verdict }: Outcome): boolean {
  return verdict === 'pass' || verdict === 'known';
}

/** Whether it is the same fault: the same verdict and, of a divergence, the same rule. */
function isSame(a: Outcome, b: Outcome): boolean {
  return a.verdict === 'divergence' && b.verdict === 'divergence'
    ? a.difference.rule === b.difference.rule
    : a.verdict === b.verdict;
}

/** Repeats, shrinks and repeats again. */
export async function investigate(
  suspect: Suspect,
  laboratory: Laboratory,
  options: InvestigationOptions,
): Promise<Investigated> {
  await laboratory.fresh();
  const { first, predictions, tries } = await confirm(suspect, laboratory, options);
  if (isFine(first)) {
    // The kernel's own words on the console stand, even where they do not come again.
    const outcome: Outcome =
      suspect.verdict === 'kernel-crash' && suspect.end !== undefined
        ? { verdict: 'kernel-crash', end: suspect.end }
        : first;
    return { suspect, predictions, outcome, reproduced: 0, tries };
  }
  const smallest =
    first.verdict !== 'runner-error' && options.shrinkMs > 0
      ? await shrink(predictions, suspect.planned.suite, options, async (candidate) =>
          isSame(await laboratory.try(candidate), first),
        )
      : predictions;
  let reproduced = 0;
  let last = first;
  for (let i = 0; i < TRIES && !options.signal.aborted; i++) {
    const outcome = await laboratory.try(smallest);
    if (!isSame(outcome, first)) continue;
    reproduced++;
    last = outcome;
  }
  // It showed once and not again: then the case as it was drawn is what there is.
  if (reproduced === 0) return { suspect, predictions, outcome: first, reproduced: 1, tries: tries + TRIES };
  return { suspect, predictions: smallest, outcome: last, reproduced, tries: TRIES };
}

/** Runs the suspect alone until it fails. `tries`: how often that was tried. */
async function confirm(
  suspect: Suspect,
  laboratory: Laboratory,
  { known, signal }: InvestigationOptions,
): Promise<{ readonly first: Outcome; readonly predictions: Predictions; readonly tries: number }> {
  // A crash between cases: each of the last ones in its turn, on the same fresh guest.
  const others = (suspect.others ?? []).map(({ scenario }) => known.predictions(scenario));
  let first: Outcome = { verdict: 'pass' };
  let tries = 0;
  for (; tries < CONFIRM_TRIES && !signal.aborted; tries++) {
    for (const candidate of [suspect.predictions, ...others]) {
      first = await laboratory.try(candidate);
      if (!isFine(first)) return { first, predictions: candidate, tries: tries + 1 };
    }
  }
  return { first, predictions: suspect.predictions, tries };
}

/** fast-check shrinks the scenario while `fails` holds. */
async function shrink(
  drawn: Predictions,
  suite: SuiteName,
  { known, signal, shrinkMs }: InvestigationOptions,
  fails: (candidate: Predictions) => Promise<boolean>,
): Promise<Predictions> {
  const until = performance.now() + shrinkMs;
  let smallest = drawn;
  const property = fc.asyncProperty(scenarioArbitrary(suite, known.abi), async (scenario: Scenario) => {
    // Out of time: nothing smaller counts any more, which ends the shrinking.
    if (scenario !== drawn.scenario && (performance.now() > until || signal.aborted)) return true;
    const candidate = scenario === drawn.scenario ? drawn : known.predictions(scenario);
    if (!(await fails(candidate))) return true;
    // Each that fails is a smaller one than the last.
    smallest = candidate;
    return false;
  });
  await fc.check(property, { examples: [[drawn.scenario]], numRuns: 1 });
  return smallest;
}
