/**
 * Findings: documented promises that released kernels break, as data under `suites/findings`. Each has the id of the
 * quirk that models it (oracle/quirks/index.ts); only answers that are exactly the model's count as known.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compareToBound, parseRelease } from '../../oracle/uapi/release.ts';
import { isQuirkId } from '../../oracle/quirks/index.ts';
import type { QuirkId, Quirks } from '../../oracle/quirks/index.ts';
import { fromJson } from '../../oracle/case/json.ts';
import type { Scenario } from '../../oracle/steps/index.ts';

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
      const data = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Omit<Finding, 'id' | 'scenario'> & {
        id: string;
        scenario: unknown;
      };
      const scenario = fromJson(data.scenario);
      if (!scenario.ok) throw new Error(`suites/findings/${name}: ${scenario.error}`);
      const { id } = data;
      if (!isQuirkId(id)) throw new Error(`suites/findings/${name}: oracle/quirks/index.ts has no model of "${id}"`);
      return { ...data, id, scenario: scenario.scenario };
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
