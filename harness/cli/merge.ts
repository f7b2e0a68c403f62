/** ringfence merge. */
import { copyFileSync, existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { RunResult } from '../../reports/data/result.ts';
import { formatSummary } from '../../reports/text/summary.ts';
import { makeDirectory } from '../../vm/host/files.ts';
import { EXIT, SetupError, UsageError } from '../../vm/index.ts';
import { deliver, wishesOf } from '../output/deliver.ts';
import { runExit } from '../output/exit.ts';
import { readRunFile } from '../output/read.ts';
import { inColour, screenFor } from '../output/screen.ts';
import { orSetupError, OutputError, writeOut, writeWhole } from '../output/write.ts';
import { Ledger, parseLedger } from '../run/ledger.ts';
import { mergeShards } from '../run/merge.ts';
import type { ShardResult } from '../run/merge.ts';
import { command } from './command.ts';
import { text } from './option.ts';
import { REPORT_OPTIONS } from './options.ts';

/** ringfence merge. */
export const MERGE = command({
  name: 'merge',
  summary: 'join the results of shards',
  about: 'joins the results of shards into that of the whole run',
  operands: {
    usage: 'DIR...',
    least: 1,
    most: 10_000,
    missing: 'merge needs the directories of the shards',
    help: [['DIR', 'what `ringfence run --shard I/N --out DIR` left, or its result.json; all N of them']],
  },
  options: {
    out: text(
      'DIR',
      'where the joined result goes: result.json, cases.txt, divergences, consoles of shard I in shard-I/',
      { short: 'o' },
    ),
    ...REPORT_OPTIONS,
  },
  notes: `
All shards must be of one run: same seed, suites, number of cases, kernel, expectations and version of ringfence.
The joined result is then that of the unsharded run, outcome for outcome: the same scenarios, verdicts, answers and
counts (only times, the number of guests and, among differences of one kind, the one that was shrunk, may be
others).

Where one is missing, there twice, of another run, unreadable or interrupted, each is said, the others are joined
all the same, and the exit code is 2; what they hold is never changed.

Exit code: that of the whole run; 2 when the shards are not all there or do not fit together.`,
  examples: [
    ['for i in 1 2 3; do npx ringfence run --shard $i/3 --out shard-$i; done', ''],
    ['npx ringfence merge shard-1 shard-2 shard-3 --out whole', ''],
  ],
  run: async ({ out, ...values }, paths) => {
    const reports = wishesOf(values);
    if (out === undefined) throw new UsageError('merge needs --out DIR, a directory of its own for the joined result');
    const dirs = paths.map((path) => (path.endsWith('.json') ? dirname(path) : path));
    if (dirs.some((dir) => resolve(dir) === resolve(out)))
      throw new UsageError(`--out ${out} is one of the shards: name another directory, so that it is kept as it is`);
    const { result, used, faults } = joined(dirs);
    for (const fault of faults) say(fault);
    if (result === undefined)
      throw new SetupError(
        'There is no shard to join.',
        'Run them first: npx ringfence run --shard 1/3 --out shard-1, and so on.',
      );
    const screen = screenFor(reports);
    orSetupError('The shards are as they were.', () => {
      writeCases(used, result, out);
      copyConsoles(used, out);
      writeOut(out, result);
      screen.write(formatSummary(result, { colour: inColour(screen), out }));
      deliver({ kind: 'run', result }, reports, out);
    });
    if (faults.length === 0) return runExit(result, false);
    const partial = result.verdict === 'interrupted' || result.reason?.includes('incomplete') === true;
    say(
      partial
        ? 'the joined result is not that of the whole run; run what is missing and merge again.'
        : 'the shards that belong together are all joined; leave the others away.',
    );
    return EXIT.usage;
  },
});

const say = (text: string): void => void process.stderr.write(`ringfence: ${text}\n`);

function joined(dirs: readonly string[]): ReturnType<typeof mergeShards> {
  const unreadable: string[] = [];
  const parts = dirs.flatMap((dir): ShardResult[] => {
    const read = readResult(dir);
    if (typeof read !== 'string') return [{ from: dir, result: read }];
    unreadable.push(read);
    return [];
  });
  const { faults, ...merged } = mergeShards(parts);
  return { ...merged, faults: [...unreadable, ...faults] };
}

/** The result, or what is wrong. */
function readResult(dir: string): RunResult | string {
  if (statSync(dir, { throwIfNoEntry: false })?.isDirectory() === false) return `${dir} is no directory`;
  const path = join(dir, 'result.json');
  if (!existsSync(path)) return `${path} is not there: this shard has not been run, or could not be`;
  try {
    return readRunFile(path);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return error.message.replace(/\.$/, '');
  }
}

/** cases.txt of all shards as one; left out where a shard has none. */
function writeCases(used: readonly ShardResult[], result: RunResult, out: string): void {
  const whole = new Ledger();
  for (const { from } of used) {
    let ledger: Ledger;
    try {
      ledger = parseLedger(readFileSync(join(from, 'cases.txt'), 'utf8'));
    } catch (error) {
      say(`${join(from, 'cases.txt')}: ${(error as Error).message}; the joined result has no cases.txt`);
      return;
    }
    for (const line of ledger.lines() ?? []) whole.add(line);
  }
  const text = whole.digest() === result.digest ? whole.text() : undefined;
  if (text === undefined)
    say('the lists of cases do not fit the digests of the results; the joined result has no cases.txt');
  else writeWhole(join(out, 'cases.txt'), text);
}

function copyConsoles(used: readonly ShardResult[], out: string): void {
  for (const { from, result } of used) {
    const to = join(out, `shard-${result.shard!.index}`);
    for (const name of readdirSync(from).filter((file) => /^console-\d+\.txt$/.test(file))) {
      try {
        makeDirectory(to);
        copyFileSync(join(from, name), join(to, name));
      } catch (error) {
        throw new OutputError(join(to, name), error as NodeJS.ErrnoException);
      }
    }
  }
}
