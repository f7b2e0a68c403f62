/**
 * Runs make: progress now and then, the whole output in a log, errors with an exit code that git bisect understands.
 */
import type { WriteStream } from 'node:fs';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { anyOf } from '../host/any-of.ts';
import { KernelError, SetupError } from '../host/errors.ts';
import type { Ended } from '../host/processes.ts';
import { start } from '../host/processes.ts';

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 30_000;
/** Lines of output that are kept for a message. */
const KEPT = 4000;

const NO_MEMORY = anyOf(
  /Killed signal terminated program|fatal error: Killed|virtual memory exhausted/i,
  /out of memory|cannot allocate memory/i,
);
/** Compiler and linker errors. */
const WRONG = anyOf(
  /\berror:|undefined reference|multiple definition/,
  /: recursive dependency detected|syntax error|^ERROR:|^Error:/,
);

/** One call of make. */
export interface MakeOptions {
  /** Source tree. */
  readonly source: string;
  /** Output directory. */
  readonly output: string;
  readonly targets: readonly string[];
  /** Variables such as `CC=ccache gcc`. */
  readonly variables: readonly string[];
  /** Environment variables beside the inherited ones. */
  readonly env: Readonly<Record<string, string>>;
  readonly jobs: number;
  /** File that the whole output is added to. */
  readonly logFile: string;
  readonly log: (line: string) => void;
  readonly signal?: AbortSignal;
  /** What is being made, for messages: `the kernel`. */
  readonly what: string;
}

/** Variables of a make around us, or of another kernel build: they must not leak in. */
const FOREIGN = [
  'MAKEFLAGS',
  'MFLAGS',
  'MAKELEVEL',
  'MAKEFILES',
  'O',
  'KBUILD_OUTPUT',
  'KBUILD_EXTMOD',
  'KCONFIG_CONFIG',
  'KCONFIG_ALLCONFIG',
  'KCONFIG_DEFCONFIG_LIST',
  'ARCH',
  'SUBARCH',
  'W',
  'C',
  'V',
  'LOCALVERSION',
];

/** The log file. A full disk must not end the build: what cannot be written is left out. */
class Log {
  readonly #file: WriteStream;
  #broken = false;

  constructor(path: string) {
    this.#file = createWriteStream(path, { flags: 'a' });
    this.#file.on('error', () => {
      this.#broken = true;
    });
  }

  write(text: string): void {
    if (!this.#broken) this.#file.write(text);
  }

  async close(): Promise<void> {
    if (this.#broken) return;
    await new Promise<void>((resolve) => {
      this.#file.once('error', () => resolve());
      this.#file.end(() => resolve());
    });
  }
}

/** Counts the steps in make's output, and keeps the last lines of it. */
class Output {
  readonly lines: string[] = [];
  steps = 0;
  /** What the last step made. */
  last = '';
  readonly #rest: string[] = [];

  /** @param fd the descriptor it was written to: lines of two do not mix */
  add(text: string, fd: number): void {
    const lines = ((this.#rest[fd] ?? '') + text).split('\n');
    this.#rest[fd] = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    const step = /^ {2}[A-Z][\w/]*\s+(?:\[M\] )?(\S+)$/.exec(line);
    if (step) {
      this.steps++;
      this.last = step[1] ?? '';
    }
    this.lines.push(line);
    if (this.lines.length > KEPT) this.lines.splice(0, KEPT / 2);
  }
}

/** What make inherits of the environment. */
function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: 'C', ...own };
  for (const name of FOREIGN) if (!(name in own)) delete env[name];
  return env;
}

/**
 * @throws KernelError (125) the tree does not build: the first errors, and where the log is
 * @throws SetupError the machine is at fault: no space, a missing program, the compiler was killed
 */
export async function make(options: MakeOptions): Promise<void> {
  const { signal, what } = options;
  signal?.throwIfAborted();
  const argv = [
    '-C',
    options.source,
    `O=${options.output}`,
    ...options.variables,
    `-j${options.jobs}`,
    '--no-print-directory',
    ...options.targets,
  ];
  const file = new Log(options.logFile);
  file.write(`$ make ${argv.join(' ')}\n`);
  const output = new Output();
  const started = performance.now();
  const timer = setInterval(() => {
    const now = output.last === '' ? '' : `, now ${output.last}`;
    options.log(`building ${what}: ${output.steps} steps in ${minutes(performance.now() - started)}${now}`);
  }, PROGRESS_MS);
  const end = await follow(argv, options, (text, fd) => {
    file.write(text);
    output.add(text, fd);
  });
  clearInterval(timer);
  await file.close();
  signal?.throwIfAborted();
  if (end.error)
    throw new SetupError(`make could not be started: ${end.error.message}`, 'Install make, then start again.', {
      cause: end.error,
    });
  if (end.code !== 0) throw failure(output.lines, options, end.signal);
}

/** Runs make to its end and hands its output on, with the descriptor it came from. */
async function follow(
  argv: readonly string[],
  options: MakeOptions,
  said: (text: string, fd: number) => void,
): Promise<Ended> {
  // The build leaves the processors to whoever needs them more.
  const nice = ['nice', '-n', process.env['RINGFENCE_BUILD_NICE'] ?? '10'];
  const child = start([...nice, 'make', ...argv], {
    env: environment(options.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const abort = (): void => child.kill();
  options.signal?.addEventListener('abort', abort, { once: true });
  child.stdio.forEach((stream, fd) => {
    if (stream instanceof Readable) stream.setEncoding('utf8').on('data', (text: string) => said(text, fd));
  });
  const end = await child.ended;
  options.signal?.removeEventListener('abort', abort);
  return end;
}

/** Minutes for people: `40 s`, `2 min`. */
function minutes(ms: number): string {
  return ms < 90_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** What went wrong, out of make's output. */
function failure(
  lines: readonly string[],
  options: MakeOptions,
  signal: NodeJS.Signals | null,
): SetupError | KernelError {
  const all = lines.join('\n');
  const log = `The whole output is in ${options.logFile}`;
  if (/No space left on device/.test(all))
    return new SetupError(
      `The disk was full while ${options.what} was built.`,
      `Free about 3 GB where ${options.output} is, or set RINGFENCE_CACHE to a directory on another disk. ${log}`,
    );
  if (NO_MEMORY.test(all) || signal === 'SIGKILL')
    return new SetupError(
      `The compiler was killed while ${options.what} was built: the machine is short of memory.`,
      `Free memory, or set RINGFENCE_BUILD_JOBS=1. ${log}`,
    );
  const absent = lines.find(
    (line) => /(?:command )?not found$/.test(line) && /^(?:\/bin\/)?(?:sh|bash|make)/.test(line),
  );
  if (absent !== undefined)
    return new SetupError(
      `Building ${options.what} needs a program that is not installed: ${absent}`,
      `Install it, then start again. ${log}`,
    );
  const errors = firstErrors(lines);
  return new KernelError(
    `${capital(options.what)} does not build:\n${errors.join('\n')}`,
    `This commit cannot be tested as it is. ${log}`,
    125,
  );
}

/** The lines that say what is wrong: compiler and linker errors, otherwise make's own, otherwise the end. Pure. */
export function firstErrors(lines: readonly string[]): string[] {
  const errors = lines.filter((line) => WRONG.test(line));
  const made = lines.filter((line) => /\*\*\*/.test(line));
  const chosen =
    errors.length > 0 ? errors : made.length > 0 ? made : lines.filter((line) => line.trim() !== '').slice(-8);
  return chosen.slice(0, 8);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
