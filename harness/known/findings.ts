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
import type { EntryFacts } from '../../reports/text/entry.ts';

/** What findings and notes have in common. */
export interface Entry extends EntryFacts {
  /** Smallest scenario that shows it. */
  readonly scenario: Scenario;
}

/** A broken promise, and where it was seen. */
export interface Finding extends Entry {
  /** Also the id of its model. */
  readonly id: QuirkId;
  /** The broken rule. */
  readonly rule: string;
}

const DIRECTORY = fileURLToPath(new URL('../../suites/findings', import.meta.url));

/** Reads every finding. @throws Error naming the file and what is wrong with it */
export function loadFindings(directory = DIRECTORY): readonly Finding[] {
  return readEntries<Omit<Finding, 'id'> & Entry>(directory, 'findings').map((data) => {
    const { id } = data;
    if (!isQuirkId(id)) throw new Error(`suites/findings/${id}.json: oracle/quirks/index.ts has no model of "${id}"`);
    return { ...data, id };
  });
}

/** The entries of a directory, by name. @throws Error naming the file and what is wrong with it */
export function readEntries<T extends Entry>(directory: string, folder: string): readonly T[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => {
      const data = JSON.parse(readFileSync(join(directory, name), 'utf8')) as Omit<T, 'scenario'> & {
        readonly scenario: unknown;
      };
      const scenario = fromJson(data.scenario);
      if (!scenario.ok) throw new Error(`suites/${folder}/${name}: ${scenario.error}`);
      return { ...data, scenario: scenario.scenario } as unknown as T;
    });
}

/** The models of findings. */
export function quirksOf(findings: readonly Finding[]): Quirks {
  return new Set(findings.map(({ id }) => id));
}

/** Which releases have it. */
type Seen = Pick<Finding, 'affected' | 'seen' | 'not_seen'>;

/** Whether the data says that a release has the finding. What is no kernel release has none. */
export function affects({ affected, seen, not_seen }: Seen, text: string): boolean {
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
