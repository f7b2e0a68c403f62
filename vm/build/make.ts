/** Runs make: progress now and then, the whole output in a log, errors with an exit code that git bisect understands. */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { KernelError, SetupError } from '../host/errors.ts';
import { forgetGroup, killGroup, registerGroup } from '../host/processes.ts';

/** Milliseconds between two lines of progress. */
const PROGRESS_MS = 30_000;
/** Lines of output that are kept for a message. */
const KEPT = 4000;

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

/**
 * @throws KernelError (125) the tree does not build: the first errors, and where the log is
 * @throws SetupError the machine is at fault: no space, a missing program, the compiler was killed
 */
export async function make(options: MakeOptions): Promise<void> {
  const { signal } = options;
  signal?.throwIfAborted();
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: 'C', ...options.env };
  for (const name of FOREIGN) if (!(name in options.env)) delete env[name];
  const argv = [
    '-C',
    options.source,
    `O=${options.output}`,
    ...options.variables,
    `-j${options.jobs}`,
    '--no-print-directory',
    ...options.targets,
  ];
  const file = createWriteStream(options.logFile, { flags: 'a' });
  let unwritten: Error | undefined;
  file.on('error', (error) => {
    unwritten = error;
  });
  file.write(`$ make ${argv.join(' ')}\n`);
  const started = performance.now();
  const kept: string[] = [];
  let steps = 0;
  let last = '';
  // The build leaves the processors to whoever needs them more.
  const child = spawn('nice', ['-n', process.env['RINGFENCE_BUILD_NICE'] ?? '10', 'make', ...argv], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
    cwd: '/',
  });
  if (child.pid !== undefined) registerGroup(child.pid);
  const abort = (): void => {
    if (child.pid !== undefined) killGroup(child.pid);
  };
  signal?.addEventListener('abort', abort, { once: true });
  const timer = setInterval(() => {
    options.log(
      `building ${options.what}: ${steps} steps in ${minutes(performance.now() - started)}${last === '' ? '' : `, now ${last}`}`,
    );
  }, PROGRESS_MS);
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      if (!unwritten) file.write(text);
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const step = /^ {2}[A-Z][\w/]*\s+(?:\[M\] )?(\S+)$/.exec(line);
        if (step) {
          steps++;
          last = step[1] ?? '';
        }
        kept.push(line);
        if (kept.length > KEPT) kept.splice(0, KEPT / 2);
      }
    });
  }
  const end = await new Promise<{ code: number | null; signal: NodeJS.Signals | null; error?: Error }>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, error }));
    child.once('close', (code, ended) => resolve({ code, signal: ended }));
  });
  clearInterval(timer);
  signal?.removeEventListener('abort', abort);
  if (child.pid !== undefined) forgetGroup(child.pid);
  await new Promise<void>((resolve) => {
    if (unwritten) resolve();
    else file.end(() => resolve());
  });
  signal?.throwIfAborted();
  if (end.error)
    throw new SetupError(`make could not be started: ${end.error.message}`, 'Install make, then start again.', {
      cause: end.error,
    });
  if (end.code === 0) return;
  throw failure(kept, options, end.signal);
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
  if (
    /Killed signal terminated program|fatal error: Killed|virtual memory exhausted|out of memory|cannot allocate memory/i.test(
      all,
    ) ||
    signal === 'SIGKILL'
  )
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
  const errors = lines.filter((line) =>
    /(?:\berror:|undefined reference|multiple definition|: recursive dependency detected|syntax error|^ERROR:|^Error:)/.test(
      line,
    ),
  );
  const made = lines.filter((line) => /\*\*\*/.test(line));
  const chosen =
    errors.length > 0 ? errors : made.length > 0 ? made : lines.filter((line) => line.trim() !== '').slice(-8);
  return chosen.slice(0, 8);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
