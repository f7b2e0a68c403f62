/**
 * What counts as known in one run: the built-in findings, or, with --expect, a gate's own expectations and nothing else.
 * Before the run each of them proves itself on the kernel with its own smallest case.
 */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { predict } from '../../oracle/predict.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { ExpectationResult, ExpectationState, KnownCount, PolicyData } from '../../reports/data/result.ts';
import { compare } from '../../oracle/judge/compare.ts';
import type { Difference } from '../../oracle/judge/compare.ts';
import { KnownFindings, loadFindings, quirksOf, runSentinels } from './findings.ts';
import type { Finding } from './findings.ts';
import type { Investigated } from '../run/investigate.ts';
import { canonicalCase } from './expectation-case.ts';
import type { ExpectationSet, Loaded } from './expectation-file.ts';
import { inRange } from './kernel-ranges.ts';
import { problemOf } from './problem.ts';

/** What the command line says about it. */
export interface PolicyOptions {
  /** Absent: the built-in findings. */
  readonly expect?: ExpectationSet;
  readonly strict?: boolean;
}

/** Cases of one kind of difference that are reduced to see whether they end at an expectation's own case; more than that are not believed. */
export const EXAMINED = 100;
/** A bug that shows only now and then gets so many chances. */
const TRIES = 3;

type Shown = Extract<ExpectationState, 'gone' | 'changed' | 'out of range'> | 'shown';

export interface Policy {
  readonly active: readonly Finding[];
  /** Built-in findings that should show and do not; none with --expect. */
  readonly missing: readonly Finding[];
  /** Some expectation has a case of its own, so that differences are to be examined one by one. */
  readonly examines: boolean;
  /** The entry whose own case a case that was looked into ends at. */
  match(one: Investigated): Loaded | undefined;
  /** As it stands in a result; absent when neither --expect nor --strict was given. */
  readonly data: PolicyData | undefined;
  /** @param known scenarios by finding; @param matched scenarios by entry; @param whole all cases of the run were seen, not a part of them */
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
export async function choosePolicy(
  options: PolicyOptions,
  abi: AbiProfile,
  now: Date,
  run: (scenario: Scenario) => Promise<Observation>,
): Promise<Policy> {
  const strict = options.strict === true;
  if (options.expect === undefined) {
    const { active, missing } = await runSentinels(loadFindings(), abi, run);
    return {
      active,
      missing,
      examines: false,
      match: () => undefined,
      data: strict ? { strict, files: [] } : undefined,
      results: () => [],
    };
  }
  const { entries, files } = options.expect;
  const applying = entries.filter(({ range }) => inRange(range, abi.release));
  const models = [...new Set(applying.flatMap(({ model }) => model ?? []))];
  const shown = new Map<Loaded, Shown>();
  const active = new Set<Finding>();
  for (const one of applying) {
    if (one.model === undefined) continue;
    const state = await askModel(one.model, models, abi, run);
    shown.set(one, state);
    if (state === 'shown') active.add(one.model);
  }
  const known = new KnownFindings([...active], abi);
  const cases = new Map<string, Loaded>();
  for (const one of applying) {
    if (one.case === undefined) continue;
    const state = await askCase(one, known, run);
    shown.set(one, state);
    if (state === 'shown') cases.set(canonicalCase(one.case, one.rule), one);
  }
  const today = dayOf(now);
  return {
    active: [...active],
    missing: [],
    examines: cases.size > 0,
    match: ({ outcome, scenario }) =>
      outcome.kind === 'divergence' && cases.size > 0
        ? cases.get(canonicalCase({ scenario, ...outcome.difference }, outcome.difference.rule))
        : undefined,
    data: { strict, files: files.map(({ file, sha256 }) => ({ file, sha256 })) },
    results: (knownCounts, matched, whole) =>
      entries.map((one) => {
        const { id, rule, finding, kernels, reason, link, expires, file } = one;
        const scenarios = (finding === undefined ? matched.get(id) : knownCounts.get(finding)?.scenarios) ?? 0;
        const asked = shown.get(one) ?? 'out of range';
        const state: ExpectationState = asked === 'shown' ? (scenarios > 0 ? 'met' : 'unreached') : asked;
        const row = {
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
          scenarios: asked === 'shown' ? scenarios : 0,
        };
        return { ...row, problem: problemOf(row, abi.release, whole) };
      }),
  };
}

async function askModel(
  finding: Finding,
  models: readonly Finding[],
  abi: AbiProfile,
  run: (scenario: Scenario) => Promise<Observation>,
): Promise<Shown> {
  const { scenario } = finding;
  let state: Shown = 'gone';
  for (let i = 0; i < TRIES && state !== 'shown'; i++) {
    const observation = await run(scenario);
    const exact = [[finding], models].some(
      (shown) => compare(predict(scenario, abi, { quirks: quirksOf(shown) }), observation).difference === undefined,
    );
    if (compare(predict(scenario, abi), observation).difference !== undefined) state = exact ? 'shown' : 'changed';
  }
  return state;
}

async function askCase(
  { case: own, rule }: Loaded,
  known: KnownFindings,
  run: (scenario: Scenario) => Promise<Observation>,
): Promise<Shown> {
  let state: Shown = 'gone';
  for (let i = 0; i < TRIES && state !== 'shown'; i++) {
    const { difference } = compare(known.predict(own!.scenario), await run(own!.scenario));
    if (difference !== undefined) state = sameDifference({ ...own!, rule }, difference) ? 'shown' : 'changed';
  }
  return state;
}

function sameDifference(a: Difference, b: Difference): boolean {
  return (
    a.rule === b.rule &&
    a.step === b.step &&
    a.what === b.what &&
    a.predicted === b.predicted &&
    a.observed === b.observed
  );
}
