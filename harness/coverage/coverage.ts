/** Coverage of a kernel's own code: the job behind `ringfence coverage`. */
import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CoverageResult } from '../../reports/data/coverage.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { coverageVariant, findGcov, readCounters } from '../../vm/build/coverage.ts';
import type { Gcov } from '../../vm/build/coverage.ts';
import { kernelFromTree } from '../../vm/build/index.ts';
import type { BuildPlaces } from '../../vm/build/index.ts';
import { sourceTree } from '../../vm/build/tree.ts';
import { KernelError } from '../../vm/index.ts';
import { run } from '../run/run.ts';
import type { RunEvents, RunOptions } from '../run/options.ts';
import { Counters } from './counters.ts';
import { addCounts, fileCount } from './gcov-json.ts';
import type { FileCount } from './gcov-json.ts';
import { judgeCoverage } from './judge.ts';
import type { FeatureFile, Reason } from './reasons.ts';

/** What is measured, of which tree. */
export interface CoverageOptions {
  /** Source tree, as it was named. */
  readonly linux: string;
  readonly patches: readonly string[];
  /** File that gets make's output. */
  readonly logFile: string;
  readonly feature: readonly FeatureFile[];
  readonly reasons: readonly Reason[];
  /** The run; its kernel is the one that counts. */
  readonly run: Omit<RunOptions, 'kernel' | 'release' | 'tree' | 'machine'>;
}

/** What came of it, and what its page needs beside. */
export interface Measured {
  readonly result: CoverageResult;
  /** Directory of the sources that were compiled. */
  readonly root: string;
  /** Lines of the sources, by path in the tree. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
}

/**
 * Builds, runs, reads and judges. What was counted before an interruption is judged as well.
 * @throws RingfenceError no tree, no compiler, a kernel that cannot be built, counts nothing, or cannot be tested
 */
export async function coverage(
  options: CoverageOptions,
  events: Pick<RunEvents, 'note' | 'progress' | 'consoleFile'>,
  signal: AbortSignal,
): Promise<Measured> {
  const started = new Date();
  const before = performance.now();
  const { linux, feature, patches, logFile } = options;
  sourceTree(linux);
  const gcov = await findGcov();
  const files = feature.map(({ file }) => file);
  const tree = { dir: linux, build: true, patches, variant: coverageVariant(files) };
  const { kernel, places } = await kernelFromTree(tree, { log: events.note, logFile, signal });
  const { source, output } = realPlaces(places!);
  const counters = new Counters(output, files);
  const outcome = await runCounting({ ...options.run, kernel: kernel.path }, counters, events, signal);
  const counts = await readAll(counters, gcov, { source, output }, files);
  const sources = new Map(
    await Promise.all(
      files.map(async (file) => [file, (await readFile(join(source, file), 'utf8')).split('\n')] as const),
    ),
  );
  const judged = judgeCoverage({ ...options, counts, text: (file) => sources.get(file) ?? [] });
  return {
    result: {
      version: 1,
      linux,
      release: outcome?.abi['release'] === undefined ? kernel.release : String(outcome.abi['release']),
      compiler: `gcc ${gcov.version}`,
      seed: options.run.seed,
      cases: outcome?.scenarios ?? 0,
      suites: [...options.run.suites],
      command: options.run.command,
      verdict: outcome?.verdict ?? 'interrupted',
      guests: counters.guests.length,
      lost: counters.lost,
      ...judged,
      versions: {
        ringfence: outcome?.versions['ringfence'] ?? 'unknown',
        qemu: outcome?.versions['qemu'] ?? 'unknown',
        gcov: gcov.version,
      },
      times: { started: started.toISOString(), wall_s: Math.round(performance.now() - before) / 1000 },
    },
    root: source,
    sources,
  };
}

/** The compiler was told real paths. */
function realPlaces({ source, output }: BuildPlaces): BuildPlaces {
  return { source: realpathSync(source), output: realpathSync(output) };
}

/**
 * Runs the cases on guests that count; undefined when it was interrupted before there was a result. What the kernel
 * answers is judged as in any run, and its verdict told; nothing is looked into.
 */
async function runCounting(
  options: RunOptions,
  counters: Counters,
  { note, progress, consoleFile }: Pick<RunEvents, 'note' | 'progress' | 'consoleFile'>,
  signal: AbortSignal,
): Promise<RunResult | undefined> {
  let last: RunResult | undefined;
  let snapshot: (() => RunResult) | undefined;
  try {
    return await run(
      options,
      {
        note,
        progress,
        consoleFile,
        checkpoint: (result) => (last = result),
        ready: (now) => (snapshot = now),
        opened: async (session) => await counters.open(session),
        asked: async (session) => await counters.reset(session),
      },
      signal,
    );
  } catch (error) {
    if (!signal.aborted || counters.guests.length === 0) throw error;
    return snapshot?.() ?? last;
  }
}

/** What all guests counted, by source file. @throws KernelError when none was read */
async function readAll(
  counters: Counters,
  gcov: Gcov,
  { source, output }: BuildPlaces,
  files: readonly string[],
): Promise<ReadonlyMap<string, FileCount>> {
  if (counters.guests.length === 0)
    throw new KernelError(
      'No guest lived long enough for its counters to be read.',
      'Look at the consoles; `npx ringfence run --linux DIR --build` says what is wrong with this kernel.',
      125,
    );
  const all = new Map<string, FileCount>();
  for (const file of files) {
    const notes = join(output, file.replace(/\.c$/, '.gcno'));
    const each = await Promise.all(
      counters.guests.map(async (guest) => fileCount(await readCounters(gcov, notes, guest.get(file)!), source, file)),
    );
    const counted = each.filter((one) => one !== undefined);
    if (counted.length > 0) all.set(file, addCounts(counted));
  }
  return all;
}
