/**
 * Errors that end a command. Every message says what happened and what to do next, and carries the exit code
 * of the command line; main.ts turns them into text and code, and takes any other error for a mistake of our own.
 */

/** Exit codes of the command line. */
export const EXIT = {
  /** Conformant. */
  ok: 0,
  /** A divergence, crash or hang. */
  divergent: 1,
  /** Usage or set-up. */
  usage: 2,
  /** This kernel cannot be tested; `git bisect run` skips it. */
  untestable: 125,
  /** Interrupted; what was found is on disk. */
  interrupted: 130,
} as const;

/** What all of them have in common. */
export class RingfenceError extends Error {
  /** Exit code for the command line. */
  readonly exitCode: number;
  /** What the user can do about it: one or more lines, never empty. */
  readonly advice: string;

  /** @param what what happened; @param advice what to do next, on a line of its own unless `between` is a blank */
  constructor(
    what: string,
    advice: string,
    exitCode: number,
    { between = '\n', ...options }: ErrorOptions & { readonly between?: ' ' | '\n' } = {},
  ) {
    super(`${what}${between}${advice}`, options);
    this.name = new.target.name;
    this.exitCode = exitCode;
    this.advice = advice;
  }
}

/** The command line cannot be understood. Exit code 2. */
export class UsageError extends RingfenceError {
  constructor(what: string) {
    super(what, 'Type "npx ringfence help" for the options.', EXIT.usage);
  }
}

/** The machine lacks something (a tool, the network, disk space), or a file is not what it should be. Exit code 2. */
export class SetupError extends RingfenceError {
  constructor(what: string, advice: string, options?: ErrorOptions) {
    super(what, advice, EXIT.usage, options);
  }
}

/** Something is wrong with the kernel: 2 for a file that is no kernel, 125 for one that does not work. */
export class KernelError extends RingfenceError {}

/** The last part of a kernel console, for a message. */
export function consoleTail(text: string, lines = 25): string {
  const all = text.replace(/\r/g, '').trimEnd().split('\n');
  const tail = all.slice(-lines).join('\n');
  return tail === '' ? '(the console is empty)' : tail;
}

/** The kernel did not reach the runner: it panicked, stopped or missed the deadline. Exit code 125. */
export class BootError extends KernelError {
  /** `deadline`: no byte from the runner in time; `exit`: the guest ended before its first byte. */
  readonly reason: 'deadline' | 'exit';
  /** The whole console as far as it was kept. */
  readonly console: string;
  /** What QEMU printed. */
  readonly stderr: string;

  constructor(reason: 'deadline' | 'exit', what: string, advice: string, console: string, stderr: string) {
    const said = stderr.trim() === '' ? '' : `\nQEMU said:\n${stderr.trim()}`;
    super(`${what}\nEnd of the guest's console:\n${consoleTail(console)}${said}`, advice, EXIT.untestable);
    this.reason = reason;
    this.console = console;
    this.stderr = stderr;
  }
}

/** The guest ended while it was being talked to. Its `exited` promise says how. */
export class GuestGoneError extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'GuestGoneError';
  }
}

/** True for a failed system call with that code, such as `ENOSPC`. */
export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

/** Turns "no space" and "not writable" into a message with a way out; anything else comes back unchanged. */
export function diskError(error: unknown, path: string, needMiB: number): unknown {
  if (hasCode(error, 'ENOSPC') || hasCode(error, 'EDQUOT')) {
    return new SetupError(
      `The disk is full: ${path} could not be written.`,
      `Free about ${needMiB} MB there, or set RINGFENCE_CACHE to a directory on another disk.`,
      { cause: error },
    );
  }
  if (['EACCES', 'EROFS', 'EPERM', 'ENOTDIR', 'EEXIST'].some((code) => hasCode(error, code))) {
    return new SetupError(`${path} cannot be written.`, 'Set RINGFENCE_CACHE to a directory that you may write to.', {
      cause: error,
    });
  }
  return error;
}

/** The error for a full temporary directory. */
export function temporarySpace(dir: string): SetupError {
  return new SetupError(
    `The disk is full: the temporary directory ${dir} has no room.`,
    'Free about 50 MB there, or set TMPDIR to a directory on another disk.',
  );
}
