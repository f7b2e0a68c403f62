/**
 * Expectation files: what a gate accepts for a while, in its own repository. `harness/known/README.md` describes the
 * form.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { DIFFERS } from '../../oracle/judge/difference.ts';
import { RULES } from '../../oracle/registry.ts';
import {
  asObject,
  expected,
  list,
  maybe,
  DecodeError,
  record,
  required,
  show,
  text,
  u32,
  word,
} from '../../oracle/schema/codec.ts';
import type { Codec } from '../../oracle/schema/codec.ts';
import { jsonErrorPlace } from '../../oracle/schema/place.ts';
import { scenario } from '../../oracle/case/scenario-codec.ts';
import { isWellFormed } from '../../generators/well-formed.ts';
import { SetupError } from '../../vm/index.ts';
import { loadFindings } from './findings.ts';
import type { Finding } from './findings.ts';
import type { ExpectedCase } from './expectation-case.ts';
import { parseRange } from './kernel-ranges.ts';
import type { KernelRange } from './kernel-ranges.ts';

/** Version of the form, its member `ringfence_expectations`. */
export const EXPECT_VERSION = 1;

/** One entry, as it stands in the file. */
export interface Expectation {
  readonly id: string;
  readonly rule: string;
  readonly kernels: string;
  readonly reason: string;
  readonly link: string;
  /** Last day on which it is valid, UTC, as 2027-03-31. */
  readonly expires: string;
  /** Id of a built-in finding, whose model says exactly what is expected. */
  readonly finding?: string;
  /** Or a case of its own. */
  readonly case?: ExpectedCase;
}

/** An entry, ready to be used. */
export interface Loaded extends Expectation {
  readonly file: string;
  readonly range: KernelRange;
  readonly model?: Finding;
}

/** Expectation files, read. */
export interface ExpectationSet {
  readonly files: readonly { readonly file: string; readonly sha256: string; readonly text: string }[];
  readonly entries: readonly Loaded[];
}

const ID = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** What a proposal holds where a person has to write. */
export const TODO = 'TODO';

function checked<T>(codec: Codec<T>, check: (value: T, at: string) => void): Codec<T> {
  return {
    ...codec,
    decode: (value, at) => {
      const read = codec.decode(value, at);
      check(read, at);
      return read;
    },
  };
}

const runnable = checked(scenario, (read, at) => {
  const well = isWellFormed(read);
  if (well !== true) throw new DecodeError(at, `cannot be run: ${well}`);
});

const ruleId = checked(text(100), (id, at) => {
  if (Object.hasOwn(RULES, id)) return;
  const like = Object.keys(RULES)
    .filter((rule) => rule.split(/[.-]/).some((part) => part.length > 3 && id.includes(part)))
    .slice(0, 4);
  const similar = like.length === 0 ? '' : `; similar are ${like.join(', ')}`;
  throw new DecodeError(at, `there is no rule ${show(id)}${similar} (npx ringfence rules lists them)`);
});
const kernels = checked(text(500), (range, at) => {
  try {
    parseRange(range);
  } catch (error) {
    throw new DecodeError(at, (error as Error).message);
  }
});
const day = checked(text(10), (date, at) => {
  const found = /^\d{4}-\d{2}-\d{2}$/.test(date) ? new Date(`${date}T00:00:00Z`) : undefined;
  if (found === undefined || Number.isNaN(found.getTime()) || found.toISOString().slice(0, 10) !== date)
    expected(at, 'a day (UTC) such as "2027-03-31"', date);
});
const written = (max: number, what: string): Codec<string> =>
  checked(text(max), (value, at) => {
    if (value.trim() === '' || value.trim().toUpperCase() === TODO) expected(at, what, value);
  });
const link = checked(text(2000), (value, at) => {
  if (!/^https?:\/\/\S+$/.test(value)) expected(at, 'a link (https://...) to where it is tracked', value);
});

const ownCase: Codec<ExpectedCase> = checked(
  record<ExpectedCase>({
    scenario: required(runnable, 'The smallest scenario'),
    step: required(u32, 'Step at which it differs, from 0'),
    what: required(word(...DIFFERS), 'What differs'),
    predicted: required(text(10_000), 'What the rules say, as ringfence prints it'),
    observed: required(text(10_000), 'What the kernel answers, as ringfence prints it'),
  }),
  ({ step, scenario: { steps } }, at) => {
    if (step >= steps.length) expected(`${at}.step`, `a step from 0 to ${steps.length - 1}`, step);
  },
);

const entry = record<Expectation>({
  id: required(
    text(64, ID, 'an id of lower-case letters, digits, ".", "_" and "-"'),
    'Name of the entry, unique among all files',
  ),
  rule: required(ruleId, 'Id of the broken rule'),
  kernels: required(kernels, 'Range of kernels'),
  reason: required(written(2000, 'the reason why this is accepted'), 'Why it is accepted'),
  link: required(link, 'Where it is tracked'),
  expires: required(day, 'Last day, UTC'),
  finding: maybe(text(64), 'A built-in finding'),
  case: maybe(ownCase, 'Or a case of its own'),
});

function decodeEntry(value: unknown, at: string, findings: readonly Finding[], file: string): Loaded {
  const source = asObject(value, at);
  if (Object.hasOwn(source, 'proposed') || Object.hasOwn(source, 'proposal')) {
    throw new DecodeError(
      `${at}.${Object.hasOwn(source, 'proposed') ? 'proposed' : 'proposal'}`,
      'this entry is a proposal that nobody has decided on; fill in reason, link and expires, and remove the members ' +
        'proposed and proposal, or remove the entry',
    );
  }
  const read = entry.decode(value, at);
  if ((read.finding === undefined) === (read.case === undefined))
    throw new DecodeError(at, 'an entry has either "finding" (a built-in finding) or "case" (a case of its own)');
  if (read.finding === undefined) return { ...read, file, range: parseRange(read.kernels) };
  const model = findings.find(({ id }) => id === read.finding);
  if (model === undefined)
    throw new DecodeError(
      `${at}.finding`,
      `there is no finding ${show(read.finding)}; findings are ${findings.map(({ id }) => id).join(', ')}`,
    );
  if (model.rule !== read.rule)
    throw new DecodeError(`${at}.rule`, `the finding ${model.id} breaks the rule ${model.rule}, not ${read.rule}`);
  return { ...read, file, range: parseRange(read.kernels), model };
}

/** Most mistakes of one file that are told at once. */
const TOLD = 10;

/**
 * The entries of one file's text.
 * @throws SetupError naming file, place and what was expected, for every entry that is wrong
 */
export function parseExpectations(
  source: string,
  file: string,
  findings: readonly Finding[] = loadFindings(),
): readonly Loaded[] {
  const fail = (problems: readonly string[]): never => {
    const more = problems.length > TOLD ? [`... and ${problems.length - TOLD} more`] : [];
    throw new SetupError(
      [...problems.slice(0, TOLD).map((problem) => `${file}: ${problem}`), ...more].join('\n'),
      'Correct the expectations; nothing was run. `npx ringfence help expect` describes them.',
    );
  };
  let data: unknown;
  try {
    data = JSON.parse(source.startsWith('\ufeff') ? source.slice(1) : source);
  } catch (error) {
    return fail([
      source.trim() === ''
        ? 'the file is empty; expected { "ringfence_expectations": 1, "expectations": [...] }'
        : jsonErrorPlace(source, error as Error),
    ]);
  }
  const problems: string[] = [];
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const items = attempt(() => {
    const outer = asObject(data, '');
    if (outer['ringfence_expectations'] !== EXPECT_VERSION)
      expected(
        'ringfence_expectations',
        `${EXPECT_VERSION}, the version of expectation files that this program reads`,
        outer['ringfence_expectations'],
      );
    const unknown = Object.keys(outer).find(
      (key) => !['ringfence_expectations', 'expectations', '$schema'].includes(key),
    );
    if (unknown !== undefined)
      throw new DecodeError('', `unknown field ${show(unknown)}; known are ringfence_expectations, expectations`);
    return list<unknown>({ decode: (value) => value, encode: () => null, schema: {} }, 10_000).decode(
      outer['expectations'],
      'expectations',
    );
  });
  const entries = (items ?? []).flatMap(
    (item, i) => attempt(() => decodeEntry(item, `expectations[${i}]`, findings, file)) ?? [],
  );
  if (problems.length > 0) fail(problems);
  return entries;
}

/** Reads files. @throws SetupError with every mistake of the first file that has one, and for ids used twice */
export function loadExpectations(paths: readonly string[]): ExpectationSet {
  const findings = loadFindings();
  const files = paths.map((file) => {
    try {
      const source = readFileSync(file, 'utf8');
      return { file, sha256: createHash('sha256').update(source).digest('hex'), text: source };
    } catch (error) {
      throw new SetupError(
        `${file} cannot be read: ${(error as Error).message}`,
        'Name an expectation file; `npx ringfence help expect` describes them.',
      );
    }
  });
  const entries = files.flatMap(({ file, text: source }) => parseExpectations(source, file, findings));
  const by = new Map<string, Loaded>();
  const models = new Map<string, Loaded>();
  for (const one of entries) {
    const other = by.get(one.id);
    if (other !== undefined) {
      const where =
        other.file === one.file
          ? ` (expectations[${places(files, one.id).join('] and expectations[')}])`
          : `: also in ${other.file}`;
      throw new SetupError(
        `${one.file}: the id "${one.id}" is used twice${where}`,
        'Give each expectation an id of its own; nothing was run.',
      );
    }
    by.set(one.id, one);
    const same = one.finding === undefined ? undefined : models.get(`${one.finding} ${one.kernels}`);
    if (same !== undefined)
      throw new SetupError(
        `${one.file}: "${same.id}" and "${one.id}" expect the same finding on the same kernels`,
        'Remove one of them; nothing was run.',
      );
    if (one.finding !== undefined) models.set(`${one.finding} ${one.kernels}`, one);
  }
  return { files, entries };
}

function places(files: ExpectationSet['files'], id: string): number[] {
  return files.flatMap(({ text: source }) =>
    (JSON.parse(source.replace(/^\ufeff/, '')) as { expectations: { id?: unknown }[] }).expectations.flatMap(
      (item, i) => (item.id === id ? [i] : []),
    ),
  );
}
