/** What run, fuzz and replay share: progress, interruption, writing the results, the summary. */
import { join } from 'node:path';
import { mkdirSync } from 'node:fs';
import { formatSummary } from '../../reports/summary.ts';
import { createProgress } from '../../reports/progress.ts';
import { OutputError, writeOut } from '../../reports/write.ts';
import type { RunResult } from '../../reports/result.ts';
import { run } from '../run.ts';
import type { RunOptions } from '../run.ts';
import { killAllGuests } from '../../vm/processes.ts';
import { SetupError } from '../../vm/index.ts';
import { EXIT, exitCode } from './exit.ts';

/** Runs, reports, and answers with the exit code. */
export async function runAndReport(options: RunOptions, out: string): Promise<number> {
  const controller = new AbortController();
  let interrupts = 0;
  const progress = createProgress(process.stderr);
  const interrupt = (): void => {
    interrupts++;
    if (interrupts > 1) {
      // Twice: at once. The checkpoint on disk is what there is.
      killAllGuests();
      process.exit(EXIT.interrupted);
    }
    progress.note('interrupted: stopping the guests and writing what was found (once more: at once)');
    controller.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  let result: RunResult | undefined;
  let unwritable: OutputError | undefined;
  try {
    try {
      mkdirSync(out, { recursive: true });
    } catch (error) {
      throw new SetupError(`${out} cannot be made: ${(error as Error).message}`, 'Choose another directory with --out.');
    }
    result = await run(options, {
      note: (text) => progress.note(text),
      progress: (state) => progress.update(state),
      checkpoint: (state) => {
        result = state;
        try {
          writeOut(out, state);
        } catch (error) {
          if (!(error instanceof OutputError)) throw error;
          unwritable ??= error;
        }
      },
      consoleFile: (boot) => join(out, `console-${boot}.txt`),
    }, controller.signal);
  } catch (error) {
    progress.end();
    // Ctrl-C before the first answer: nothing was found, and nothing is lost.
    if (!controller.signal.aborted) throw error;
    if (result === undefined) process.stderr.write('interrupted before the first answer\n');
    return EXIT.interrupted;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  }
  progress.end();
  process.stdout.write(formatSummary(result, { colour: process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined, out }));
  if (unwritable !== undefined) {
    process.stderr.write(`ringfence: ${unwritable.message}\n`);
    return result.verdict === 'divergent' ? EXIT.divergent : EXIT.usage;
  }
  return exitCode(result, controller.signal.aborted);
}
