/**
 * Recorded outcomes: what the real kernel answered to a fixed set of scenarios, as data. `suites/recorded/record.ts`
 * writes them; tests of the oracle read them, so that they need no guest.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { isQuirkId } from '../../oracle/quirks/index.ts';
import type { Quirks } from '../../oracle/quirks/index.ts';
import { fromJson, toJson } from '../../oracle/case/json.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import { packStep, unpackStep } from '../../oracle/scenario/packed.ts';
import type { PackedStep } from '../../oracle/scenario/packed.ts';
import type { Scenario } from '../../oracle/steps/index.ts';

/** Version of the file's form. */
const FORM = 1;
const DIRECTORY = fileURLToPath(new URL('.', import.meta.url));

/** One scenario and what the kernel answered. */
export interface RecordedCase {
  /** Suite the scenario belongs to. */
  readonly suite: string;
  /** Title of a hand-written example, or "generated n": the n-th scenario of the suite under the seed. */
  readonly title: string;
  readonly scenario: Scenario;
  readonly observation: Observation;
}

/** All that was recorded of one kernel. */
export interface Recording {
  readonly abi: AbiProfile;
  /** Models of faulty kernels that this kernel shows. */
  readonly quirks: Quirks;
  /** Seed of the generated scenarios. */
  readonly seed: number;
  readonly cases: readonly RecordedCase[];
}

/** Writes `<name>.json.gz`; returns its size in bytes. */
export function writeRecording(name: string, { abi, quirks, seed, cases }: Recording): number {
  const text = JSON.stringify({
    ringfence_recording: FORM,
    abi,
    quirks: [...quirks].sort(),
    seed,
    cases: cases.map(({ suite, title, scenario, observation }) => ({
      suite,
      title,
      scenario: toJson(scenario),
      answers: observation.steps.map(packStep),
    })),
  });
  const bytes = gzipSync(text, { level: 9 });
  writeFileSync(join(DIRECTORY, `${name}.json.gz`), bytes);
  return bytes.length;
}

/** Reads one recording. @throws Error naming the file and what is wrong with it */
export function readRecording(name: string): Recording {
  const data = JSON.parse(gunzipSync(readFileSync(join(DIRECTORY, `${name}.json.gz`))).toString('utf8')) as {
    ringfence_recording: number;
    abi: AbiProfile;
    quirks: string[];
    seed: number;
    cases: { suite: string; title: string; scenario: unknown; answers: PackedStep[] }[];
  };
  if (data.ringfence_recording !== FORM)
    throw new Error(
      `suites/recorded/${name}.json.gz has form ${data.ringfence_recording}; this program reads ${FORM}: ` +
        `record it again with npm run record`,
    );
  const unknown = data.quirks.find((quirk) => !isQuirkId(quirk));
  if (unknown !== undefined)
    throw new Error(
      `suites/recorded/${name}.json.gz names the model "${unknown}", which is not in oracle/quirks/index.ts`,
    );
  return {
    abi: data.abi,
    quirks: new Set(data.quirks.filter(isQuirkId)),
    seed: data.seed,
    cases: data.cases.map(({ suite, title, scenario, answers }) => {
      const read = fromJson(scenario);
      if (!read.ok) throw new Error(`suites/recorded/${name}.json.gz, ${suite}, ${title}: ${read.error}`);
      return { suite, title, scenario: read.scenario, observation: { steps: answers.map(unpackStep) } };
    }),
  };
}

/** Names of all recordings: the kernel's upstream version. */
export function recordings(): readonly string[] {
  return readdirSync(DIRECTORY)
    .filter((file) => file.endsWith('.json.gz'))
    .map((file) => file.slice(0, -'.json.gz'.length))
    .sort();
}
