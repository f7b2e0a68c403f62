/** The one place where counts become the verdict of a run, and its reason. */
import { worstOf } from '../../oracle/judge/verdict.ts';
import type { RunVerdict } from '../../oracle/judge/verdict.ts';
import type { RunResult } from '../../reports/data/result.ts';

/** How many of each fail a run. */
export interface FaultCounts {
  readonly divergences: number;
  readonly crashes: number;
  readonly hangs: number;
  /** These make a run untestable, not divergent. */
  readonly runner_errors: number;
  /** Expectations that do not hold any more, under --strict. */
  readonly outdated: number;
}

/** What a verdict is made of. */
export interface RunFacts {
  readonly counts: FaultCounts;
  /** Told beside the counts. */
  readonly more?: string | undefined;
  /** Why not every case was seen; undefined when they were. */
  readonly interrupted?: string | undefined;
  /** Why something could not be executed; undefined when everything was. */
  readonly untestable?: string | undefined;
}

/** The worst of what holds, and why. */
export function verdictOfRun({ counts, more, interrupted, untestable }: RunFacts): {
  readonly verdict: RunVerdict;
  readonly reason?: string;
} {
  const { divergences, crashes, hangs, outdated } = counts;
  const divergent = divergences + crashes + hangs + outdated > 0;
  const verdict = worstOf([
    ...(divergent ? ['divergent' as const] : []),
    ...(interrupted === undefined ? [] : ['interrupted' as const]),
    ...(untestable === undefined ? [] : ['untestable' as const]),
  ]);
  switch (verdict) {
    case 'divergent':
      return { verdict, reason: withMore(countsText(counts), more) };
    case 'interrupted':
      return { verdict, reason: interrupted! };
    case 'untestable':
      return { verdict, reason: untestable! };
    case 'conformant':
      return { verdict };
  }
}

/** Why a run could not execute everything; undefined when it could. @param gaveUp why it ended before its last case */
export function untestableReason(
  scenarios: number,
  runnerErrors: number,
  gaveUp: string | undefined,
): string | undefined {
  if (runnerErrors > 0)
    return withMore(`${runnerErrors === 1 ? '1 scenario' : `${runnerErrors} scenarios`} could not be executed`, gaveUp);
  if (gaveUp !== undefined) return withMore('the guests do not hold out', gaveUp);
  return scenarios === 0 ? 'no scenario was executed' : undefined;
}

/** How many expectations and findings fail a strict run. */
export function outdatedCount({
  policy,
  expectations,
  missing_findings,
}: Pick<RunResult, 'policy' | 'expectations' | 'missing_findings'>): number {
  return policy?.strict === true
    ? expectations.filter(({ problem }) => problem !== '').length + missing_findings.length
    : 0;
}

const withMore = (text: string, more: string | undefined): string => (more === undefined ? text : `${text}; ${more}`);

const NAMES: readonly (readonly [count: keyof FaultCounts, one: string, many: string])[] = [
  ['divergences', 'divergence', 'divergences'],
  ['crashes', 'crash', 'crashes'],
  ['hangs', 'hang', 'hangs'],
  ['runner_errors', 'runner error', 'runner errors'],
  ['outdated', 'outdated expectation', 'outdated expectations'],
];

function countsText(counts: FaultCounts): string {
  return NAMES.filter(([name]) => counts[name] > 0)
    .map(([name, one, many]) => `${counts[name]} ${counts[name] === 1 ? one : many}`)
    .join(', ');
}
