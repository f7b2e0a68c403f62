/**
 * What counts as known in one run: the built-in findings, or, with --expect, a gate's own expectations and nothing
 * else. Before the run each of them proves itself on the kernel with its own smallest case.
 */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { ExpectationResult, ExpectationState, KnownCount, PolicyData } from '../../reports/data/result.ts';
import { loadFindings } from './findings.ts';
import type { Finding } from './findings.ts';
import { canonicalCase } from './expectation-case.ts';
import type { ExpectationSet, Loaded } from './expectation-file.ts';
import { inRange } from './kernel-ranges.ts';
import { KnownFindings } from './predictions.ts';
import { problemOf } from './problem.ts';
import { askCase, askFinding, runSentinels } from './sentinels.ts';
import type { Ask, Shown } from './sentinels.ts';

/** What the command line says about it. */
export interface PolicyOptions {
  /** Absent: the built-in findings. */
  readonly expect?: ExpectationSet;
  readonly strict?: boolean;
}

/**
 * Cases of one kind of difference that are reduced to see whether they end at an expectation's own case; more than
 * that are not believed.
 */
export const EXAMINED = 100;

/** What counts as known on the kernel at hand. */
export interface Policy {
  readonly active: readonly Finding[];
  /** Built-in findings that should show and do not; none with --expect. */
  readonly missing: readonly Finding[];
  /** Some expectation has a case of its own, so that differences are to be examined one by one. */
  readonly examines: boolean;
  /** The entry whose own case this smallest case is. */
  match(scenario: Scenario, difference: Difference): Loaded | undefined;
  /** As it stands in a result; absent when neither --expect nor --strict was given. */
  readonly data: PolicyData | undefined;
  /**
   * @param known scenarios by finding
   * @param matched scenarios by entry
   * @param whole all cases of the run were seen, not a part of them
   */
  results(
    known: ReadonlyMap<string, Pick<KnownCount, 'scenarios'>>,
    matched: ReadonlyMap<string, number>,
    whole: boolean,
  ): readonly ExpectationResult[];
}

/** Day of a moment, UTC. */
export function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}

/** Runs every expectation's own case, and says what is known on this kernel. */
export async function choosePolicy(options: PolicyOptions, abi: AbiProfile, now: Date, ask: Ask): Promise<Policy> {
  return options.expect === undefined
    ? await builtIn(options.strict === true, abi, ask)
    : await expected(options.expect, options.strict === true, abi, now, ask);
}

async function builtIn(strict: boolean, abi: AbiProfile, ask: Ask): Promise<Policy> {
  const { active, missing } = await runSentinels(loadFindings(), abi, ask);
  return {
    active,
    missing,
    examines: false,
    match: () => undefined,
    data: strict ? { strict, files: [] } : undefined,
    results: () => [],
  };
}

async function expected(
  { entries, files }: ExpectationSet,
  strict: boolean,
  abi: AbiProfile,
  now: Date,
  ask: Ask,
): Promise<Policy> {
  const applying = entries.filter(({ range }) => inRange(range, abi.release));
  const models = [...new Set(applying.flatMap(({ model }) => model ?? []))];
  const shown = new Map<Loaded, Shown>();
  const active = new Set<Finding>();
  for (const one of applying) {
    if (one.model === undefined) continue;
    const state = await askFinding(one.model, models, abi, ask);
    shown.set(one, state);
    if (state === 'shown') active.add(one.model);
  }
  const known = new KnownFindings([...active], abi);
  const cases = new Map<string, Loaded>();
  for (const one of applying) {
    if (one.case === undefined) continue;
    const { state, difference } = await askCase(one.case, one.rule, known, ask);
    shown.set(one, state);
    if (difference !== undefined) cases.set(canonicalCase(one.case.scenario, difference), one);
  }
  const today = dayOf(now);
  return {
    active: [...active],
    missing: [],
    examines: cases.size > 0,
    match: (scenario, difference) => (cases.size === 0 ? undefined : cases.get(canonicalCase(scenario, difference))),
    data: { strict, files: files.map(({ file, sha256 }) => ({ file, sha256 })) },
    results: (knownCounts, matched, whole) =>
      entries.map((one) => {
        const scenarios =
          (one.finding === undefined ? matched.get(one.id) : knownCounts.get(one.finding)?.scenarios) ?? 0;
        const row = rowOf(one, shown.get(one), scenarios, today);
        return { ...row, problem: problemOf(row, abi.release, whole) };
      }),
  };
}

/** @param shown undefined where the entry is not for this kernel */
function rowOf(
  { id, rule, finding, kernels, reason, link, expires, file }: Loaded,
  shown: Shown | undefined,
  scenarios: number,
  today: string,
): Omit<ExpectationResult, 'problem'> {
  const reached = scenarios > 0 ? 'met' : 'unreached';
  const state: ExpectationState = shown === undefined ? 'out of range' : shown === 'shown' ? reached : shown;
  return {
    id,
    rule,
    ...(finding === undefined ? {} : { finding }),
    kernels,
    reason,
    link,
    expires,
    expired: expires < today,
    file,
    state,
    scenarios: shown === 'shown' ? scenarios : 0,
  };
}
