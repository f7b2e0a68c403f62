/** Checks a bundle and runs it again: kernel, cases, expectations and guest settings come from the bundle alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fromJson, parseCaseFile } from '../../oracle/case/json.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { readRunResult } from '../../reports/data/read.ts';
import type { RunResult, SuiteCount } from '../../reports/data/result.ts';
import { hasCode, temporarySpace } from '../../vm/host/errors.ts';
import { SetupError } from '../../vm/index.ts';
import { machineNamed } from '../../vm/machine/index.ts';
import { loadExpectations } from '../known/expectation-file.ts';
import { parseJson } from '../output/read.ts';
import { run } from '../run/run.ts';
import type { RunEvents, RunOptions } from '../run/options.ts';
import { parseLedger } from '../run/ledger.ts';
import type { Ledger, LedgerLine } from '../run/ledger.ts';
import { extractFile, unpackBundle } from './format.ts';
import type { Bundle } from './format.ts';
import type { Manifest } from './manifest.ts';
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

/** How the run is repeated. */
export interface VerifyOptions {
  readonly jobs: number;
  readonly accel: 'auto' | 'kvm' | 'tcg';
  /** Seconds; absent: as in the bundle. */
  readonly timeout?: number;
}

/** What the repetition showed. */
export interface Verification {
  /** What is not as recorded, one sentence each; empty: the same, outcome for outcome. */
  readonly differences: readonly string[];
  readonly result: RunResult;
  /** Cases compared. */
  readonly compared: number;
}

/** @throws SetupError when it is damaged or of another version */
export async function readBundle(file: string): Promise<Checked> {
  const bundle = await unpackBundle(file).catch((error: unknown) => {
    if (error instanceof SetupError) throw error;
    throw new SetupError(
      `${file} cannot be read: ${(error as Error).message}`,
      'Name a bundle that `ringfence run --bundle FILE.tar.zst` wrote.',
    );
  });
  const { manifest, files } = bundle;
  const result = resultOf(bundle, file);
  if (
    result.seed !== manifest.seed ||
    JSON.stringify(result.plan) !== JSON.stringify(manifest.plan) ||
    JSON.stringify(result.shard) !== JSON.stringify(manifest.shard)
  )
    throw contradiction(file, 'result.json and the manifest are of different runs');
  if (result.kernel.sha256 !== manifest.kernel.sha256)
    throw contradiction(file, 'result.json and the manifest name different kernels');
  const ledger = ledgerOf(files.get('cases.txt'), file);
  if (ledger !== undefined && ledger.digest() !== result.digest)
    throw contradiction(file, 'the digest of cases.txt is not the one in result.json');
  return { ...bundle, file, result, ledger, same_ringfence: manifest.ringfence.source_sha256 === sourceDigest() };
}

function contradiction(file: string, why: string): SetupError {
  return new SetupError(
    `${file} contradicts itself: ${why}.`,
    'It was not written by ringfence as it is; nothing was run.',
  );
}

function resultOf({ files }: Bundle, file: string): RunResult {
  const text = files.get('result.json')?.toString('utf8');
  if (text === undefined) throw contradiction(file, 'result.json is missing');
  const data = parseJson(text, (why) => contradiction(file, `result.json is not JSON (${why})`));
  const read = readRunResult(data);
  if ('fault' in read) throw contradiction(file, `result.json ${read.fault}`);
  return read.value;
}

function ledgerOf(text: Buffer | undefined, file: string): Ledger | undefined {
  if (text === undefined) return undefined;
  try {
    return parseLedger(text.toString('utf8'));
  } catch (error) {
    throw contradiction(file, `cases.txt, ${(error as Error).message}`);
  }
}

/** Runs it again. @throws what a run throws; SetupError when the kernel is not the recorded one */
export async function repeatBundle(
  checked: Checked,
  options: VerifyOptions,
  events: Pick<RunEvents, 'note' | 'progress'>,
  signal: AbortSignal,
): Promise<Verification> {
  const { manifest, files, ledger, result: recorded, file } = checked;
  const lines = ledger?.lines();
  if (ledger === undefined || lines === undefined)
    throw new SetupError(
      `${file} holds more cases than are listed one by one, and cannot be compared.`,
      'Check its digests with --no-run; repeat it with the command in it.',
    );
  const whole = recorded.scenarios === lines.length && recorded.verdict !== 'interrupted';
  const dir = mkdtempSync(join(tmpdir(), 'ringfence-verify-'));
  const drop = (): void => rmSync(dir, { recursive: true, force: true });
  // A second Ctrl-C ends the process at once.
  process.once('exit', drop);
  try {
    const base = await optionsOf(checked, options, dir);
    const once = async (more: Partial<RunOptions>): Promise<Repeated> =>
      await repeatOnce({ ...base, ...more }, manifest, events, signal);
    const again = await once(
      manifest.cases === undefined
        ? drawnAgain(checked, whole ? undefined : (lines.at(-1)?.index ?? -1) + 1)
        : { scenarios: manifest.cases.map((path) => readCase(files.get(path)!, path, file)) },
    );
    const differences = [
      ...compareLedgers(lines, again.ledger, whole),
      ...(whole ? compareCounts(recorded, again.result) : []),
    ];
    // A replay has run the smallest cases already.
    const smallest = signal.aborted || manifest.cases !== undefined ? [] : smallestCases(recorded);
    if (smallest.length > 0) {
      events.note(`the smallest cases of what was found: ${smallest.length}`);
      const shown = (await once({ scenarios: smallest })).ledger;
      for (const i of smallest.keys()) {
        if (shown.line(i)?.verdict === 'pass')
          differences.push(`the smallest case of finding ${i + 1} does not show it any more`);
      }
    }
    return { differences, result: again.result, compared: lines.length };
  } finally {
    process.off('exit', drop);
    drop();
  }
}

/** The options of the recorded run, as far as all its repetitions share them. What it was given is put into `dir`. */
async function optionsOf(
  { manifest, files, file, result }: Checked,
  { accel, jobs, timeout = manifest.timeout }: VerifyOptions,
  dir: string,
): Promise<RunOptions> {
  const here = (path: string): string => join(dir, path.replaceAll('/', '_'));
  const { expect, kernel } = manifest;
  const machine = machineNamed(result.kernel.machine);
  for (const path of expect ?? []) writeFileSync(here(path), files.get(path)!);
  if (kernel.pinned === undefined) await extractKernel(file, manifest, here(kernel.file!));
  return {
    suites: SUITE_NAMES.filter((name) => manifest.plan.suites.includes(name)),
    cases: 0,
    seed: manifest.seed,
    ...(kernel.pinned === undefined ? { kernel: here(kernel.file!) } : { release: kernel.pinned }),
    ...(machine === undefined ? {} : { machine }),
    append: kernel.append,
    accel,
    jobs,
    timeout,
    ...(manifest.slow ? { slow: true } : {}),
    command: `npx ringfence verify ${basename(file)}`,
    investigate: 8,
    shrinkSeconds: 0,
    strict: manifest.strict,
    ...(expect === undefined ? {} : { expect: loadExpectations(expect.map(here)) }),
  };
}

async function extractKernel(file: string, manifest: Manifest, to: string): Promise<void> {
  const handle = await open(to, 'wx');
  try {
    await extractFile(file, manifest, manifest.kernel.file!, (chunk) => handle.writeFile(chunk));
  } catch (error) {
    throw hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT') ? temporarySpace(dirname(to)) : error;
  } finally {
    await handle.close();
  }
}

/** What says which cases are drawn. @param until index of the first case that was not run; undefined: all were */
function drawnAgain({ manifest, file }: Checked, until: number | undefined): Partial<RunOptions> {
  const { plan, shard } = manifest;
  return {
    // The order in which suites are drawn is part of the plan.
    suites: plan.suites.map((name) => SUITE_NAMES.find((known) => known === name) ?? unknownSuite(name, file)),
    cases: until ?? plan.cases,
    ...(shard === undefined ? {} : { shard }),
  };
}

interface Repeated {
  readonly result: RunResult;
  readonly ledger: Ledger;
}

async function repeatOnce(
  options: RunOptions,
  { kernel }: Manifest,
  events: Pick<RunEvents, 'note' | 'progress'>,
  signal: AbortSignal,
): Promise<Repeated> {
  let text: string | undefined;
  const silent = {
    checkpoint: () => undefined,
    consoleFile: () => undefined,
    cases: (cases: string) => {
      text = cases;
    },
  };
  const result = await run(options, { ...events, ...silent }, signal);
  if (result.kernel.sha256 !== kernel.sha256)
    throw new SetupError(
      `The kernel that was tested has SHA-256 ${result.kernel.sha256}; the bundle was made with ${kernel.sha256}.`,
      "The pinned release has changed; give the bundle's maker a note.",
    );
  return { result, ledger: parseLedger(text!) };
}

function smallestCases({ divergences, hangs, crashes }: RunResult): readonly Scenario[] {
  return [...divergences, ...hangs, ...crashes].flatMap(({ scenario }) => {
    const read = fromJson(scenario);
    return read.ok ? [read.scenario] : [];
  });
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
  const same = (what: string, a: string | number | undefined, b: string | number | undefined): void => {
    if (a !== b) out.push(`${what}: recorded ${a ?? 'none'}, now ${b ?? 'none'}`);
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
  // A rule that the other version does not have was not reached by it.
  for (const id of keys(recorded.rules, now.rules)) same(`hits of ${id}`, recorded.rules[id] ?? 0, now.rules[id] ?? 0);
  const known = (result: RunResult): Record<string, number> =>
    Object.fromEntries(result.known.map(({ id, scenarios }) => [id, scenarios]));
  for (const id of keys(known(recorded), known(now))) same(`known ${id}`, known(recorded)[id], known(now)[id]);
  return out.length <= TOLD ? out : [...out.slice(0, TOLD), `and ${out.length - TOLD} more counts`];
}

function keys(a: object, b: object): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}
