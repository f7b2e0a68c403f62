/**
 * Findings: documented promises that released kernels break, as data under `suites/findings`. Each has the id of the
 * quirk that models it (oracle/quirks/index.ts); only answers that are exactly the model's count as known.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { compareToBound, parseRelease } from '../../oracle/uapi/release.ts';
import { predict } from '../../oracle/predict.ts';
import type { Prediction } from '../../oracle/scenario/prediction.ts';
import { isQuirkId, pointsOf } from '../../oracle/quirks/index.ts';
import type { DecisionPoint, QuirkId, Quirks } from '../../oracle/quirks/index.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import { fromJson } from '../../oracle/case/json.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { compare } from '../../oracle/judge/compare.ts';

/** A broken promise, and where it was seen. */
export interface Finding {
  /** Also the id of its model. */
  readonly id: QuirkId;
  /** The broken rule. */
  readonly rule: string;
  readonly title: string;
  /** What it means for someone who relies on the feature. */
  readonly consequence: string;
  readonly explanation: string;
  /** First release affected (7.0-rc1: there from the beginning), and first without it (null: none yet). */
  readonly affected: { readonly from: string; readonly fixed: string | null };
  /** Kernels it was seen on, and kernels it was looked for and not seen. */
  readonly seen: readonly string[];
  readonly not_seen: readonly string[];
  /** Smallest scenario that shows it. */
  readonly scenario: Scenario;
}

const DIRECTORY = fileURLToPath(new URL('../../suites/findings', import.meta.url));

/** Reads every finding. @throws Error naming the file and what is wrong with it */
export function loadFindings(directory = DIRECTORY): readonly Finding[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const data = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Omit<Finding, 'scenario'> & {
        scenario: unknown;
      };
      const scenario = fromJson(data.scenario);
      if (!scenario.ok) throw new Error(`suites/findings/${name}: ${scenario.error}`);
      if (!isQuirkId(data.id))
        throw new Error(`suites/findings/${name}: oracle/quirks/index.ts has no model of "${data.id}"`);
      return { ...data, scenario: scenario.scenario };
    });
}

/** The models of findings. */
export function quirksOf(findings: readonly Finding[]): Quirks {
  return new Set(findings.map(({ id }) => id));
}

/** Whether the data says that a release has the finding. What is no kernel release has none. */
export function affects({ affected, seen, not_seen }: Finding, text: string): boolean {
  const release = parseRelease(text);
  if (release === undefined) return false;
  const against = (name: string): number => {
    const bound = parseRelease(name);
    if (bound === undefined) throw new Error(`"${name}" in a finding is no kernel release`);
    return compareToBound(release, bound);
  };
  if (not_seen.some((name) => against(name) === 0)) return false;
  if (seen.some((name) => against(name) === 0)) return true;
  return against(affected.from) >= 0 && (affected.fixed === null || against(affected.fixed) < 0);
}

/** What running every finding's smallest scenario on the kernel told. */
export interface Sentinels {
  /** Findings that this kernel shows and is expected to show. */
  readonly active: readonly Finding[];
  /** Expected, and not shown. */
  readonly missing: readonly Finding[];
}

/** Runs each finding's scenario once and sorts the findings. Anything else than the model's exact answer is no finding. */
export async function runSentinels(
  findings: readonly Finding[],
  abi: AbiProfile,
  run: (scenario: Scenario) => Promise<Observation>,
): Promise<Sentinels> {
  const expected = findings.filter((finding) => affects(finding, abi.release));
  const shown = new Set<Finding>();
  for (const finding of expected) {
    const observation = await run(finding.scenario);
    const pure = compare(predict(finding.scenario, abi), observation);
    if (pure.difference !== undefined) shown.add(finding);
  }
  return {
    active: expected.filter((finding) => shown.has(finding)),
    missing: expected.filter((finding) => !shown.has(finding)),
  };
}

/** Decides whether an observation that breaks the rules is exactly what known findings predict. */
export class KnownFindings {
  readonly #active: readonly Finding[];
  readonly #abi: AbiProfile;
  readonly #quirks: Quirks;
  /** What the active models decide. */
  readonly #points: readonly DecisionPoint[];
  constructor(active: readonly Finding[], abi: AbiProfile) {
    this.#active = active;
    this.#abi = abi;
    this.#quirks = quirksOf(active);
    this.#points = active.flatMap(({ id }) => pointsOf(id));
  }

  get active(): readonly Finding[] {
    return this.#active;
  }

  /** The prediction with every active model; `pure` is the one without any, where it is at hand. */
  predict(scenario: Scenario, pure?: Prediction): Prediction {
    if (pure !== undefined && !this.#concerns(pure)) return pure;
    return predict(scenario, this.#abi, { quirks: this.#quirks });
  }

  /** Whether one of the active models has a say in what was predicted. */
  #concerns({ asked }: Prediction): boolean {
    return this.#points.some((point) => asked.has(point));
  }

  /** The findings that explain the observation to the last answer (as few as possible), or undefined. */
  explain(scenario: Scenario, observation: Observation, pure?: Prediction): readonly Finding[] | undefined {
    if (this.#active.length === 0 || (pure !== undefined && !this.#concerns(pure))) return undefined;
    const matches = (findings: readonly Finding[]): boolean =>
      compare(predict(scenario, this.#abi, { quirks: quirksOf(findings) }), observation).difference === undefined;
    if (!matches(this.#active)) return undefined;
    let needed = this.#active;
    for (const finding of this.#active) {
      const fewer = needed.filter((other) => other !== finding);
      if (matches(fewer)) needed = fewer;
    }
    return needed;
  }
}
