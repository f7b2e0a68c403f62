/** Looks into a case that did not pass: repeats it alone on a fresh guest, shrinks it, and says what it is. */
import fc from 'fast-check';
import { scenarioArbitrary } from '../../generators/suites.ts';
import type { SuiteName } from '../../generators/suites.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { Guests } from '../guests/guests.ts';
import type { KnownFindings, Predictions } from '../known/predictions.ts';
import { hangOf } from './laboratory.ts';
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
  /** Milliseconds that the search for the culprit of a late failure may take. Default: SEARCH_FACTOR of `shrinkMs`. */
  readonly searchMs?: number;
}

const TRIES = 3;
/** A case that failed in a batch is run alone up to so many times before it is called unconfirmed. */
export const CONFIRM_TRIES = 10;
/** The same where each time costs a boot. */
const ENDING_TRIES = 2;
/** So many times as long as shrinking may take the search for a culprit. */
const SEARCH_FACTOR = 3;

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

/** What the kernel itself said stands, even where it does not come again. */
function standing({ verdict, end }: Suspect): Outcome | undefined {
  if (end === undefined) return undefined;
  if (verdict === 'kernel-crash') return { verdict, end };
  return verdict === 'hang' && (end.words !== undefined || end.reports.length > 0) ? hangOf(end) : undefined;
}

/** Repeats, shrinks and repeats again. */
export async function investigate(
  suspect: Suspect,
  laboratory: Laboratory,
  options: InvestigationOptions,
): Promise<Investigated> {
  await laboratory.fresh();
  const { first, predictions, tries } = await confirm(suspect, laboratory, options);
  if (isFine(first)) return { suspect, predictions, outcome: standing(suspect) ?? first, reproduced: 0, tries };
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

/** What a case did alone, and how often that was tried. */
interface Confirmed {
  readonly first: Outcome;
  readonly predictions: Predictions;
  readonly tries: number;
}

/** Runs the suspect alone until it fails. */
async function confirm(suspect: Suspect, laboratory: Laboratory, options: InvestigationOptions): Promise<Confirmed> {
  const { known, signal } = options;
  // A crash between cases: each of the last ones in its turn, on the same fresh guest.
  const others = (suspect.others ?? []).map(({ scenario }) => known.predictions(scenario));
  const fails = failing(suspect);
  const most = suspect.ending === true ? ENDING_TRIES : CONFIRM_TRIES;
  let first: Outcome = { verdict: 'pass' };
  let tries = 0;
  for (; tries < most && !signal.aborted; tries++) {
    for (const candidate of [suspect.predictions, ...others]) {
      first = await laboratory.try(candidate);
      if (fails(first)) return { first, predictions: candidate, tries: tries + 1 };
    }
  }
  if (!isFine(first)) first = { verdict: 'pass' };
  const found = await search(suspect, laboratory, options);
  return found === undefined ? { first, predictions: suspect.predictions, tries } : { ...found, tries };
}

/** Whether an outcome gives reason to doubt the kernel, of what is said about it. */
function failing({ unjudged, ending }: Suspect): (outcome: Outcome) => boolean {
  const silent = unjudged === true || ending === true;
  return (outcome) => !isFine(outcome) && !(silent && outcome.verdict === 'divergence');
}

/** Looks for the case that brings it about among all that came before, by halves. */
async function search(
  suspect: Suspect,
  laboratory: Laboratory,
  { known, signal, shrinkMs, searchMs = shrinkMs * SEARCH_FACTOR }: InvestigationOptions,
): Promise<Omit<Confirmed, 'tries'> | undefined> {
  const { before = [] } = suspect;
  const isFault = failing(suspect);
  const until = performance.now() + searchMs;
  const over = (): boolean => signal.aborted || performance.now() > until;
  if (before.length === 0 || over()) return undefined;
  const all = before.map(({ scenario }) => known.predictions(scenario));
  const fails = async (count: number): Promise<boolean> => isFault(await laboratory.tryAll(all.slice(0, count)));
  if (!(await fails(all.length))) return undefined;
  let fine = 0;
  let broken = all.length;
  while (broken - fine > 1) {
    if (over()) return undefined;
    const middle = Math.floor((fine + broken) / 2);
    if (await fails(middle)) broken = middle;
    else fine = middle;
  }
  await laboratory.fresh();
  const predictions = all[broken - 1]!;
  const first = await laboratory.try(predictions);
  return isFault(first) ? { first, predictions } : undefined;
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
