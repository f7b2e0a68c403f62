/**
 * Errors of the host side. Every message says what happened and what to do next, and
 * carries the exit code of the command line: 2 set-up or usage, 125 "this kernel cannot
 * be tested", which `git bisect run` takes as "skip".
 */

/** What all errors of this room have in common. */
export class VmError extends Error {
  /** Exit code for the command line. */
  readonly exitCode: number;
  /** What the user can do about it: one or more lines, never empty. */
  readonly advice: string;

  /** @param what what happened; @param advice what to do next */
  constructor(what: string, advice: string, exitCode: number, options?: ErrorOptions) {
    super(`${what}\n${advice}`, options);
    this.name = new.target.name;
    this.exitCode = exitCode;
    this.advice = advice;
  }
}

/** The machine lacks something (a tool, the network, disk space). Exit code 2. */
export class SetupError extends VmError {
  constructor(what: string, advice: string, options?: ErrorOptions) {
    super(what, advice, 2, options);
  }
}

/** Something is wrong with the kernel: 2 for a file that is no kernel, 125 for one that does not work. */
export class KernelError extends VmError {}

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
    super(`${what}\nEnd of the guest's console:\n${consoleTail(console)}${said}`, advice, 125);
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
