/** What run, fuzz and replay share: progress, interruption, writing the results, the summary, the bundle. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { RunResult } from '../../reports/data/result.ts';
import { createProgress } from '../../reports/text/progress.ts';
import { formatSummary } from '../../reports/text/summary.ts';
import { EXIT, SetupError } from '../../vm/index.ts';
import type { Kernel } from '../../vm/index.ts';
import { createBundle } from '../bundle/create.ts';
import { Attempts } from '../output/attempts.ts';
import { deliver } from '../output/deliver.ts';
import type { Wishes } from '../output/deliver.ts';
import { runExit } from '../output/exit.ts';
import { inColour, screenFor } from '../output/screen.ts';
import { makeOutput, writeOut, writeWhole } from '../output/write.ts';
import { run } from '../run/run.ts';
import type { RunEvents, RunOptions } from '../run/options.ts';
import { interruptible } from './interrupt.ts';

/** Where everything goes. */
export interface Places {
  /** Output directory, as it was named. */
  readonly out: string;
  readonly reports: Wishes;
  /** Undefined: no bundle. */
  readonly bundle: string | undefined;
}

/** Runs, reports, and answers with the exit code. @throws RingfenceError when nothing was found before it broke off */
export async function runAndReport(options: RunOptions, places: Places): Promise<number> {
  const session = new RunSession(options, places);
  const { interrupted, error } = await session.run();
  session.progress.end();
  if (interrupted && error !== undefined) return session.stopped();
  if (error !== undefined) return session.brokenOff(error);
  session.show();
  return (await session.bundle()) ?? session.code(runExit(session.result!, interrupted));
}

class RunSession {
  readonly progress = createProgress(process.stderr);
  /** The newest there is; undefined before the first checkpoint. */
  result: RunResult | undefined;
  readonly #options: RunOptions;
  readonly #places: Places;
  readonly #attempts = new Attempts((text) => this.progress.note(text));
  readonly #screen: NodeJS.WriteStream;
  /** What a bundle takes from a run beside its result. */
  readonly #consoles: string[] = [];
  #up: { readonly kernel: Kernel; readonly slow: boolean } | undefined;
  #cases: string | undefined;
  #snapshot: (() => RunResult) | undefined;

  constructor(options: RunOptions, places: Places) {
    this.#options = options;
    this.#places = places;
    this.#screen = screenFor(places.reports);
  }

  /** The run itself; how it broke off, if it did. */
  async run(): Promise<{ readonly interrupted: boolean; readonly error?: unknown }> {
    const note = (text: string): void => this.progress.note(text);
    return await interruptible({ note, keep: () => this.#keep() }, async (signal) => {
      try {
        makeOutput(this.#places.out);
        rmSync(join(this.#places.out, 'cases.txt'), { force: true });
        this.result = await run(this.#options, this.#events(), signal);
        return { interrupted: signal.aborted };
      } catch (error) {
        return { interrupted: signal.aborted, error };
      }
    });
  }

  #events(): RunEvents {
    const { out } = this.#places;
    return {
      note: (text) => this.progress.note(text),
      progress: (state) => this.progress.update(state),
      checkpoint: (state) => {
        this.result = state;
        // Everything is written anew: what could not be written before does not count any more.
        if (this.#attempts.write(() => writeOut(out, state))) this.#attempts.failed = undefined;
      },
      ready: (state) => {
        this.#snapshot = state;
      },
      consoleFile: (boot) => {
        const file = join(out, `console-${boot}.txt`);
        this.#consoles.push(file);
        return file;
      },
      up: (what) => {
        this.#up = what;
      },
      cases: (text) => {
        this.#cases = text;
        this.#attempts.quietly(() => writeWhole(join(out, 'cases.txt'), text));
      },
    };
  }

  /** What there is at this moment, as far as the disk takes it. */
  #keep(): void {
    try {
      if (this.#snapshot !== undefined) writeOut(this.#places.out, this.#snapshot());
    } catch {
      // The last checkpoint is what there is.
    }
  }

  /** Summary and reports of what there is. */
  show(): void {
    const { out, reports } = this.#places;
    const result = this.result!;
    this.#screen.write(formatSummary(result, { colour: inColour(this.#screen), out }));
    // What could not be written of the result itself is told first.
    const before = this.#attempts.failed;
    this.#attempts.quietly(() => deliver({ kind: 'run', result }, reports, out));
    this.#attempts.failed = before ?? this.#attempts.failed;
  }

  /** After Ctrl-C. */
  stopped(): number {
    if (this.result !== undefined) this.show();
    else process.stderr.write('ringfence: interrupted before the first answer; nothing was found, nothing is lost.\n');
    return EXIT.interrupted;
  }

  /** After an error: what was found before is told first. @throws the error unless that decides already */
  brokenOff(error: unknown): number {
    if (this.result === undefined) throw error;
    this.show();
    if (this.result.verdict !== 'divergent') throw error;
    process.stderr.write(`ringfence: the run broke off: ${error instanceof Error ? error.message : String(error)}\n`);
    return EXIT.divergent;
  }

  /** The bundle, if there is to be one. Answers the exit code when it could not be written. */
  async bundle(): Promise<number | undefined> {
    const { bundle: file, out } = this.#places;
    if (file === undefined || this.#up === undefined) return undefined;
    const parts = { file, out, options: this.#options, result: this.result!, ...this.#up };
    try {
      const digest = await createBundle({ ...parts, cases: this.#cases, consoles: this.#consoles }, (line) =>
        process.stderr.write(`${line}\n`),
      );
      this.#screen.write(`bundle:  ${file}, SHA-256 ${digest}\n`);
      return undefined;
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      return this.#unwritable(error);
    }
  }

  /** @param code what it would be if all was written */
  code(code: number): number {
    return this.#attempts.failed === undefined ? code : this.#unwritable(this.#attempts.failed);
  }

  /** A divergence weighs more than output that is lost. */
  #unwritable(error: Error): number {
    process.stderr.write(`ringfence: ${error.message}\n`);
    return this.result?.verdict === 'divergent' ? EXIT.divergent : EXIT.usage;
  }
}
