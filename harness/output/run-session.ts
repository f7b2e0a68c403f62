/** What run, fuzz and replay share: progress, interruption, writing the results, the summary. */
import { dirname, join, resolve } from 'node:path';
import { accessSync, constants, existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { formatSummary } from '../../reports/text/summary.ts';
import { createProgress } from '../../reports/text/progress.ts';
import { OutputError, writeOut, writeWhole } from './write.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { createBundle } from '../bundle/create.ts';
import { run } from '../run/run.ts';
import type { RunOptions } from '../run/run.ts';
import { killAllGuests } from '../../vm/host/processes.ts';
import { EXIT, SetupError } from '../../vm/index.ts';
import type { Kernel } from '../../vm/index.ts';
import { runExit } from './exit.ts';
import { deliver, NO_WISHES } from './deliver.ts';
import type { Wishes } from './deliver.ts';

/** Two interrupts within so many milliseconds are one: each process on the way passes it on. */
const ONE_INTERRUPT_MS = 300;

/** Runs, reports, and answers with the exit code. */
export async function runAndReport(
  options: RunOptions,
  out: string,
  { bundle, reports = NO_WISHES }: { readonly bundle?: string | undefined; readonly reports?: Wishes } = {},
): Promise<number> {
  const evidence: { up?: { kernel: Kernel; slow: boolean }; cases?: string; readonly consoles: string[] } = {
    consoles: [],
  };
  const controller = new AbortController();
  let interruptedAt = -Infinity;
  let snapshot: (() => RunResult) | undefined;
  const progress = createProgress(process.stderr);
  const interrupt = (): void => {
    const now = performance.now();
    if (controller.signal.aborted) {
      // npm and the launcher pass on what the terminal sent already: that is one Ctrl-C, not two.
      if (now - interruptedAt < ONE_INTERRUPT_MS) return;
      killAllGuests();
      keep();
      process.exit(EXIT.interrupted);
    }
    interruptedAt = now;
    progress.note('interrupted: stopping the guests and writing what was found (once more: at once)');
    controller.abort();
  };
  /** What there is at this moment, as far as the disk takes it. */
  const keep = (): void => {
    try {
      if (snapshot !== undefined) writeOut(out, snapshot());
    } catch {
      // The last checkpoint is what there is.
    }
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  process.on('SIGHUP', interrupt);
  let unwritable: OutputError | undefined;
  const screen = reports.piped ? process.stderr : process.stdout;
  const show = (state: RunResult): void => {
    screen.write(
      formatSummary(state, { colour: screen.isTTY === true && (process.env['NO_COLOR'] ?? '') === '', out }),
    );
    try {
      deliver({ kind: 'run', result: state }, reports, out);
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      unwritable ??= error;
    }
  };
  let result: RunResult | undefined;
  const keepWhole = (name: string, text: string): void => {
    try {
      writeWhole(join(out, name), text);
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      unwritable = error;
    }
  };
  try {
    try {
      makeDirectory(resolve(out));
    } catch (error) {
      throw new SetupError(
        `${out} cannot be used for the results: ${(error as Error).message}`,
        'Choose another directory with --out.',
      );
    }
    rmSync(join(out, 'cases.txt'), { force: true });
    result = await run(
      options,
      {
        note: (text) => progress.note(text),
        progress: (state) => progress.update(state),
        checkpoint: (state) => {
          result = state;
          try {
            writeOut(out, state);
            unwritable = undefined;
          } catch (error) {
            if (!(error instanceof OutputError)) throw error;
            if (unwritable === undefined) progress.note(`ringfence: ${error.message}`);
            unwritable = error;
          }
        },
        ready: (state) => {
          snapshot = state;
        },
        consoleFile: (boot) => {
          const file = join(out, `console-${boot}.txt`);
          evidence.consoles.push(file);
          return file;
        },
        up: (what) => {
          evidence.up = what;
        },
        cases: (text) => {
          evidence.cases = text;
          keepWhole('cases.txt', text);
        },
      },
      controller.signal,
    );
  } catch (error) {
    progress.end();
    // Ctrl-C before the first answer: nothing was found, and nothing is lost.
    if (!controller.signal.aborted) {
      if (result === undefined) throw error;
      // What was found before the run broke off is told first.
      show(result);
      if (result.verdict !== 'divergent') throw error;
      process.stderr.write(`ringfence: the run broke off: ${error instanceof Error ? error.message : String(error)}\n`);
      return EXIT.divergent;
    }
    if (result === undefined)
      process.stderr.write('ringfence: interrupted before the first answer; nothing was found, nothing is lost.\n');
    else show(result);
    return EXIT.interrupted;
  } finally {
    // After an interrupt they stay: another one while the reports are written still ends with 130.
    if (!controller.signal.aborted)
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, interrupt);
  }
  progress.end();
  show(result);
  if (bundle !== undefined && evidence.up !== undefined) {
    try {
      const digest = await createBundle(
        { file: bundle, out, options, result, ...evidence.up, cases: evidence.cases, consoles: evidence.consoles },
        (line) => process.stderr.write(`${line}\n`),
      );
      screen.write(`bundle:  ${bundle}, SHA-256 ${digest}\n`);
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      process.stderr.write(`ringfence: ${error.message}\n`);
      return result.verdict === 'divergent' ? EXIT.divergent : EXIT.usage;
    }
  }
  if (unwritable !== undefined) {
    process.stderr.write(`ringfence: ${unwritable.message}\n`);
    return result.verdict === 'divergent' ? EXIT.divergent : EXIT.usage;
  }
  return runExit(result, controller.signal.aborted);
}

/** With its parents. The recursive form of Node.js never returns below /proc. */
function makeDirectory(path: string): void {
  const make = (missing: string): void => {
    if (existsSync(missing)) return;
    make(dirname(missing));
    mkdirSync(missing);
  };
  make(path);
  if (!statSync(path).isDirectory()) throw new Error('it is not a directory');
  accessSync(path, constants.W_OK);
}
