/**
 * Scenarios as JSON: short, strict, exact. `toJson` leaves defaults out and names
 * opcodes and flags; `fromJson` takes names and numbers alike and refuses
 * everything it does not know. `scenario/schema.json` describes the same format and is made
 * from the same tables.
 */
import { DecodeError, asObject, constant, maybe, record, required, text } from '../schema/codec.ts';
import type { Codec, Json, JsonSchema } from '../schema/codec.ts';
import { formatJson } from '../schema/format.ts';
import { jsonErrorPlace } from '../schema/place.ts';
import { definitions } from '../json/parts.ts';
import { specOf } from '../steps/index.ts';
import type { Scenario } from '../steps/index.ts';
import { scenario } from './scenario-codec.ts';

export { formatJson } from '../schema/format.ts';
export type { Json } from '../schema/codec.ts';

/** Version of the case file, its member `ringfence`. */
export const CASE_VERSION = 1;

/** A scenario in its JSON form. */
export type JsonScenario = Json;

/** What a case file holds. */
export interface CaseFile {
  readonly ringfence: typeof CASE_VERSION;
  /** Suite that drew the scenario. */
  readonly suite?: string;
  /** Free text: what it shows. */
  readonly note?: string;
  readonly scenario: Scenario;
}

/** The value, or one sentence that says where something else was expected. */
export type Read<T> = ({ readonly ok: true } & T) | { readonly ok: false; readonly error: string };

const caseCodec: Codec<CaseFile> = record<CaseFile>({
  ringfence: required(
    constant(CASE_VERSION, `${CASE_VERSION}, the version of case files this program reads`),
    'Version of this format',
  ),
  suite: maybe(text(100), 'Suite that drew the scenario'),
  note: maybe(text(10_000), 'Free text: what it shows'),
  scenario: required(scenario),
});

/** The scenario as JSON, defaults left out. SQE fields that are 0 are left out, too: the same bytes. */
export function toJson(value: Scenario): JsonScenario {
  return scenario.encode(value);
}

/** Reads a scenario back. Never throws; `error` is "path: expected ..., found ...". */
export function fromJson(value: unknown): Read<{ readonly scenario: Scenario }> {
  return attempt(() => ({ scenario: scenario.decode(value, '') }));
}

/** The case file as text, ready to be written. */
export function printCaseFile(file: CaseFile): string {
  return `${formatJson(caseCodec.encode(file))}\n`;
}

/**
 * Reads the text of a case file; a bare scenario (no member `ringfence`) is taken
 * as well. Errors name the place and what to do.
 */
export function parseCaseFile(source: string): Read<{ readonly file: CaseFile }> {
  let value: unknown;
  try {
    value = JSON.parse(source.startsWith('\ufeff') ? source.slice(1) : source);
  } catch (cause) {
    return { ok: false, error: jsonErrorPlace(source, cause as Error) };
  }
  return attempt(() => {
    const outer = asObject(value, '');
    if (!Object.hasOwn(outer, 'ringfence') && Object.hasOwn(outer, 'steps'))
      return { file: { ringfence: CASE_VERSION, scenario: scenario.decode(value, '') } };
    return { file: caseCodec.decode(value, '') };
  });
}

function attempt<T>(read: () => T): Read<T> {
  try {
    return { ok: true, ...read() };
  } catch (mistake) {
    /* v8 ignore next -- only a mistake in this program gets here */
    if (!(mistake instanceof DecodeError)) throw mistake;
    return { ok: false, error: mistake.message };
  }
}

/** The scenario as it comes back from its JSON form: SQE fields that are 0 are absent. */
export function canonical(value: Scenario): Scenario {
  return {
    ...value,
    steps: value.steps.map((step) => specOf(step).canonical?.(step) ?? step),
  };
}

/** JSON schema (2020-12) of the case file; `schema.json` is this. */
export function caseSchema(): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'ringfence case file',
    description: 'One scenario for ringfence replay and ringfence explain. Numbers may be written as "0x..." strings.',
    ...caseCodec.schema,
    $defs: definitions,
  };
}
