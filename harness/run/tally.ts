/**
 * What became of the cases of a campaign, counted as they come; the ones that did not pass are kept to be looked
 * into.
 */
import { OpenTally } from '../../oracle/judge/open-tally.ts';
import type { CaseVerdict, Failure } from '../../oracle/judge/verdict.ts';
import { differenceSignature } from '../../oracle/judge/difference.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import type { Progress } from '../../reports/data/progress.ts';
import type { KnownCount, SuiteCount } from '../../reports/data/result.ts';
import type { SessionEnd } from '../guests/session.ts';
import type { Judged, Predictions } from '../known/predictions.ts';
import { brokenLine, Ledger, ledgerLine } from './ledger.ts';
import type { PlannedCase } from './plan.ts';

/** Cases kept per signature; the rest is only counted. */
export const KEEP = 3;

/** A case that did not pass, to be looked into, with what was predicted of it. */
export interface Suspect {
  readonly planned: PlannedCase;
  readonly predictions: Predictions;
  /** Other cases that may have set it off, likeliest first: the crash came between two cases. */
  readonly others?: readonly PlannedCase[];
  readonly verdict: Failure;
  readonly difference?: Difference;
  readonly end?: SessionEnd;
  /** What went wrong, where neither `difference` nor `end` says. */
  readonly detail?: string;
  /** It shows when the guest is switched off after the case. */
  readonly ending?: boolean;
  /** All that the guests did lately, oldest first, where the culprit may be any of it. */
  readonly before?: readonly PlannedCase[];
  /** What it answers is not known: the kernel could not be asked what it is. Only crashes and hangs count. */
  readonly unjudged?: boolean;
  /** It is in no count of a suite: the case was counted as what it answered, or is none of the run's. */
  readonly uncounted?: boolean;
}

/** Cases that failed in the same way. */
export interface SuspectGroup {
  /** What they have in common. */
  readonly signature: string;
  /** The first of them by index: KEEP, or as many as the options say. */
  readonly cases: Suspect[];
  count: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What ends of one fault have in common: the kernel's words, without addresses and numbers. */
export function endSignature(how: string, { reports, detail }: Pick<SessionEnd, 'reports' | 'detail'>): string {
  return `${how}:${(reports[0]?.title ?? detail).replace(/\b[0-9a-f]{8,}\b|\d+/g, '#')}`;
}

/** The count of a suite that a verdict belongs to. */
export function suiteKey(verdict: CaseVerdict): 'pass' | 'known' | 'divergence' | 'other' {
  return verdict === 'pass' || verdict === 'known' || verdict === 'divergence' ? verdict : 'other';
}

/** Counts and suspects of a campaign. */
export class CaseTally {
  scenarios = 0;
  outcomes = 0;
  /** Cases that the runner has answered. */
  answered = 0;
  readonly suites = new Map<string, Mutable<SuiteCount>>();
  readonly rules = new Map<string, number>();
  /** What the rules leave open, by suite. */
  readonly open = new Map<string, OpenTally>();
  readonly known = new Map<string, Mutable<KnownCount>>();
  /** One line per case. */
  readonly ledger = new Ledger();
  /** By signature. */
  readonly suspects = new Map<string, SuspectGroup>();
  /** Why the campaign ended before its last case, if it did. */
  gaveUp: string | undefined;
  /** Milliseconds. */
  oracleMs = 0;
  /** Nanoseconds in which the guests executed scenarios. */
  execNs = 0;
  reboots = 0;
  /** What lost guests and cases without an end cost: one for each boot, more where they were waited for. */
  losses = 0;
  /** Programs registered while the kernel told what it compiles, and those of them that were compiled. */
  watched = 0;
  compiled = 0;
  /** Milliseconds from the start of the run. */
  firstResultMs: number | undefined;
  /** Wall time from the first case sent to the last one answered, in milliseconds. */
  campaignMs = 0;
  readonly #keep: number;
  readonly #onSuspect: ((suspect: Suspect) => void) | undefined;

  /**
   * @param keep cases kept per signature
   * @param onSuspect called with each case that did not pass, as soon as it is known
   */
  constructor(keep = KEEP, onSuspect?: (suspect: Suspect) => void) {
    this.#keep = keep;
    this.#onSuspect = onSuspect;
  }

  /** A case that came to its end, judged. */
  judged(planned: PlannedCase, predictions: Predictions, judged: Judged): void {
    this.#count(planned, judged.verdict, judged.outcomes);
    this.#hits(planned, predictions);
    this.ledger.add(ledgerLine(planned, predictions, judged));
    if (judged.verdict === 'known') {
      for (const { id, rule, title } of judged.findings) {
        const count = this.known.get(id) ?? { id, rule, title, scenarios: 0 };
        count.scenarios++;
        this.known.set(id, count);
      }
    } else if (judged.verdict === 'divergence') {
      const { difference } = judged;
      this.suspect(
        { planned, predictions, verdict: 'divergence', difference },
        `divergence:${differenceSignature(difference)}`,
      );
    }
  }

  /** A case that was answered without coming to its end: the runner gave up on it. */
  stopped(suspect: Suspect, signature: string): void {
    this.#hits(suspect.planned, suspect.predictions);
    this.broken(suspect, signature);
  }

  /** A case that did not come to its end. */
  broken(suspect: Suspect, signature: string): void {
    this.#count(suspect.planned, suspect.verdict, 0);
    this.ledger.add(brokenLine(suspect.planned, suspect.verdict));
    this.suspect(suspect, signature);
  }

  /** A case to be looked into, which is counted already or with others. */
  suspect(suspect: Suspect, signature: string): void {
    let group = this.suspects.get(signature);
    if (group === undefined) {
      group = { signature, cases: [], count: 0 };
      this.suspects.set(signature, group);
    }
    group.count++;
    // Lowest indexes first, so that the report does not depend on which guest was faster.
    group.cases.push(suspect);
    group.cases.sort((a, b) => a.planned.index - b.planned.index);
    group.cases.length = Math.min(group.cases.length, this.#keep);
    this.#onSuspect?.(suspect);
  }

  /** Groups of suspects in the order of their first cases. */
  groups(): readonly SuspectGroup[] {
    return [...this.suspects.values()].sort((a, b) => a.cases[0]!.planned.index - b.cases[0]!.planned.index);
  }

  /** For the progress line. @param seconds since the start of the run */
  progress(seconds: number, total: number, suite: string): Progress {
    const count = (verdict: Suspect['verdict']): number =>
      [...this.suspects.values()].reduce(
        (sum, { cases, count: all }) => sum + (cases[0]?.verdict === verdict ? all : 0),
        0,
      );
    return {
      elapsed_s: seconds,
      scenarios: this.scenarios,
      total,
      outcomes: this.outcomes,
      outcomes_per_s: this.outcomes / seconds,
      suite,
      known: [...this.suites.values()].reduce((sum, { known }) => sum + known, 0),
      divergences: count('divergence'),
      crashes: count('kernel-crash'),
      hangs: count('hang'),
    };
  }

  #count({ suite: name }: PlannedCase, verdict: CaseVerdict, outcomes: number): void {
    this.scenarios++;
    this.outcomes += outcomes;
    let suite = this.suites.get(name);
    if (suite === undefined) {
      suite = { scenarios: 0, outcomes: 0, pass: 0, known: 0, divergence: 0, other: 0 };
      this.suites.set(name, suite);
    }
    suite.scenarios++;
    suite.outcomes += outcomes;
    suite[suiteKey(verdict)]++;
  }

  #hits({ suite, scenario }: PlannedCase, { pure }: Predictions): void {
    this.answered++;
    let open = this.open.get(suite);
    if (open === undefined) {
      open = new OpenTally();
      this.open.set(suite, open);
    }
    open.add(scenario, pure);
    for (const [rule, hits] of pure.hits) this.rules.set(rule, (this.rules.get(rule) ?? 0) + hits);
  }
}
