/** Checks a bundle and runs it again: kernel, cases, expectations and guest settings come from the bundle alone. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fromJson, parseCaseFile } from '../../oracle/case/json.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { readRunResult } from '../../reports/data/read.ts';
import type { RunResult, SuiteCount } from '../../reports/data/result.ts';
import { SetupError } from '../../vm/index.ts';
import { loadExpectations } from '../known/expectation-file.ts';
import type { ExpectationSet } from '../known/expectation-file.ts';
import { run } from '../run/run.ts';
import type { RunEvents, RunOptions } from '../run/options.ts';
import { parseLedger } from '../run/ledger.ts';
import type { Ledger, LedgerLine } from '../run/ledger.ts';
import { unpackBundle } from './format.ts';
import type { Bundle } from './format.ts';
import { sourceDigest } from './source.ts';

/** A bundle whose digests are right. */
export interface Checked extends Bundle {
  readonly file: string;
  readonly result: RunResult;
  /** Undefined when the run had more cases than are listed. */
  readonly ledger: Ledger | undefined;
  /** The ringfence at hand is the one that made the bundle. */
  readonly same_ringfence: boolean;
}

export interface VerifyOptions {
  readonly jobs: number;
  readonly accel: 'auto' | 'kvm' | 'tcg';
  /** Seconds; absent: as in the bundle. */
  readonly timeout?: number;
}

export interface Verification {
  /** What is not as recorded, one sentence each; empty: the same, outcome for outcome. */
  readonly differences: readonly string[];
  readonly result: RunResult;
  /** Cases compared. */
  readonly compared: number;
}

/** @throws SetupError when it is damaged or of another version */
export function readBundle(file: string): Checked {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new SetupError(
      `${file} cannot be read: ${(error as Error).message}`,
      'Name a bundle that `ringfence run --bundle FILE.tar.zst` wrote.',
    );
  }
  const bundle = unpackBundle(bytes, file);
  const fail = (why: string): never => {
    throw new SetupError(
      `${file} contradicts itself: ${why}.`,
      'It was not written by ringfence as it is; nothing was run.',
    );
  };
  const text = (path: string): string => bundle.files.get(path)?.toString('utf8') ?? fail(`${path} is missing`);
  let data: unknown;
  try {
    data = JSON.parse(text('result.json'));
  } catch (error) {
    return fail(`result.json is not JSON (${(error as Error).message})`);
  }
  const read = readRunResult(data);
  if ('fault' in read) return fail(`result.json ${read.fault}`);
  const result = read.value;
  const { manifest } = bundle;
  if (
    result.seed !== manifest.seed ||
    JSON.stringify(result.plan) !== JSON.stringify(manifest.plan) ||
    JSON.stringify(result.shard) !== JSON.stringify(manifest.shard)
  )
    fail('result.json and the manifest are of different runs');
  if (result.kernel.sha256 !== manifest.kernel.sha256) fail('result.json and the manifest name different kernels');
  let ledger: Ledger | undefined;
  if (bundle.files.has('cases.txt')) {
    try {
      ledger = parseLedger(text('cases.txt'));
    } catch (error) {
      return fail(`cases.txt, ${(error as Error).message}`);
    }
    if (ledger.digest() !== result.digest) fail('the digest of cases.txt is not the one in result.json');
  }
  return { ...bundle, file, result, ledger, same_ringfence: manifest.ringfence.source_sha256 === sourceDigest() };
}

/** Runs it again. @throws what a run throws; SetupError when the kernel is not the recorded one */
export async function repeatBundle(
  checked: Checked,
  options: VerifyOptions,
  events: Pick<RunEvents, 'note' | 'progress'>,
  signal: AbortSignal,
): Promise<Verification> {
  const { manifest, files, ledger, result: recorded, file } = checked;
  if (ledger === undefined)
    throw new SetupError(
      `${file} holds more cases than are listed one by one, and cannot be compared.`,
      'Check its digests with --no-run; repeat it with the command in it.',
    );
  const dir = mkdtempSync(join(tmpdir(), 'ringfence-verify-'));
  try {
    const place = (path: string): string => {
      const here = join(dir, path.replaceAll('/', '_'));
      writeFileSync(here, files.get(path)!);
      return here;
    };
    const lines = ledger.lines()!;
    const whole = recorded.scenarios === lines.length && recorded.verdict !== 'interrupted';
    const base: RunOptions = {
      suites: SUITE_NAMES.filter((name) => manifest.plan.suites.includes(name)),
      cases: 0,
      seed: manifest.seed,
      ...(manifest.kernel.pinned === undefined
        ? { kernel: place(manifest.kernel.file!) }
        : { release: manifest.kernel.pinned }),
      append: manifest.kernel.append,
      accel: options.accel,
      jobs: options.jobs,
      timeout: options.timeout ?? manifest.timeout,
      ...(manifest.slow ? { slow: true } : {}),
      command: `npx ringfence verify ${basename(file)}`,
      investigate: 8,
      shrinkSeconds: 0,
      strict: manifest.strict,
      ...(manifest.expect === undefined ? {} : { expect: expectations(manifest.expect.map(place)) }),
    };
    const once = async (more: Partial<RunOptions>): Promise<{ result: RunResult; ledger: Ledger }> => {
      let text: string | undefined;
      const result = await run(
        { ...base, ...more },
        { ...events, checkpoint: () => undefined, consoleFile: () => undefined, cases: (cases) => (text = cases) },
        signal,
      );
      if (result.kernel.sha256 !== manifest.kernel.sha256)
        throw new SetupError(
          `The kernel that was tested has SHA-256 ${result.kernel.sha256}; the bundle was made with ${manifest.kernel.sha256}.`,
          "The pinned release has changed; give the bundle's maker a note.",
        );
      return { result, ledger: parseLedger(text!) };
    };
    // The order in which suites are drawn is part of the plan.
    const suites = manifest.plan.suites.map(
      (name) => SUITE_NAMES.find((known) => known === name) ?? unknownSuite(name, file),
    );
    const last = lines.at(-1)?.index ?? -1;
    const again = await once(
      manifest.cases === undefined
        ? {
            suites,
            cases: whole && manifest.plan.cases > 0 ? manifest.plan.cases : last + 1,
            ...(manifest.shard === undefined ? {} : { shard: manifest.shard }),
          }
        : { scenarios: manifest.cases.map((path) => readCase(files.get(path)!, path, file)) },
    );
    const differences = [
      ...compareLedgers(lines, again.ledger, whole),
      ...(whole ? compareCounts(recorded, again.result) : []),
    ];
    const smallest = signal.aborted
      ? []
      : [...recorded.divergences, ...recorded.hangs, ...recorded.crashes].flatMap(({ scenario }) => {
          const read = fromJson(scenario);
          return read.ok ? [read.scenario] : [];
        });
    // A replay has run them already.
    if (smallest.length > 0 && manifest.cases === undefined) {
      events.note(`the smallest cases of what was found: ${smallest.length}`);
      const shown = (await once({ scenarios: smallest })).ledger;
      for (let i = 0; i < smallest.length; i++) {
        if (shown.line(i)?.verdict === 'pass')
          differences.push(`the smallest case of finding ${i + 1} does not show it any more`);
      }
    }
    return { differences, result: again.result, compared: lines.length };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function expectations(paths: readonly string[]): ExpectationSet {
  return loadExpectations(paths);
}

function unknownSuite(name: string, file: string): never {
  throw new SetupError(
    `${file} was made with the suite "${name}", which this ringfence does not have.`,
    'Use the ringfence that is named in its manifest.',
  );
}

function readCase(data: Buffer, path: string, file: string): Scenario {
  const read = parseCaseFile(data.toString('utf8'));
  if (!read.ok)
    throw new SetupError(`${file}: ${path}: ${read.error}`, 'Use the ringfence that is named in its manifest.');
  return read.file.scenario;
}

/** Differences that are told one by one. */
const TOLD = 10;

/** @param whole the recorded run came to its end, so that cases beyond its own are differences too */
export function compareLedgers(recorded: readonly LedgerLine[], now: Ledger, whole: boolean): string[] {
  const out: string[] = [];
  for (const line of recorded) {
    const { index, suite } = line;
    const other = now.line(index);
    if (other === undefined) out.push(`case ${index} (${suite}) was not run`);
    else if (other.scenario !== line.scenario || other.suite !== suite)
      out.push(`case ${index} (${suite}) is another scenario`);
    else if (other.verdict !== line.verdict)
      out.push(`case ${index} (${suite}): recorded ${line.verdict}, now ${other.verdict}`);
    else if (other.answers !== line.answers)
      out.push(`case ${index} (${suite}): both ${line.verdict}, with other answers`);
  }
  if (whole) {
    const known = new Set(recorded.map(({ index }) => index));
    for (const { index, suite } of now.lines() ?? [])
      if (!known.has(index)) out.push(`case ${index} (${suite}) is not in the record`);
  }
  return out.length <= TOLD ? out : [...out.slice(0, TOLD), `and ${out.length - TOLD} more cases`];
}

/** Counts of whole runs. */
export function compareCounts(recorded: RunResult, now: RunResult): string[] {
  const out: string[] = [];
  const same = (what: string, a: unknown, b: unknown): void => {
    if (a !== b) out.push(`${what}: recorded ${String(a ?? 'none')}, now ${String(b ?? 'none')}`);
  };
  same('verdict', recorded.verdict, now.verdict);
  same('kernel release', recorded.kernel.release, now.kernel.release);
  same('scenarios', recorded.scenarios, now.scenarios);
  same('kernel answers', recorded.outcomes, now.outcomes);
  for (const name of keys(recorded.suites, now.suites)) {
    for (const count of [
      'scenarios',
      'outcomes',
      'pass',
      'known',
      'divergence',
      'other',
    ] satisfies (keyof SuiteCount)[])
      same(`suite ${name}, ${count}`, recorded.suites[name]?.[count], now.suites[name]?.[count]);
  }
  for (const id of keys(recorded.rules, now.rules)) same(`hits of ${id}`, recorded.rules[id], now.rules[id]);
  const known = (result: RunResult): Record<string, number> =>
    Object.fromEntries(result.known.map(({ id, scenarios }) => [id, scenarios]));
  for (const id of keys(known(recorded), known(now))) same(`known ${id}`, known(recorded)[id], known(now)[id]);
  return out.length <= TOLD ? out : [...out.slice(0, TOLD), `and ${out.length - TOLD} more counts`];
}

function keys(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
