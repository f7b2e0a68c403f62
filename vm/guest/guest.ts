/** A running guest: bytes in, bytes out, its console, and the certainty that it ends. */
import type { WriteStream } from 'node:fs';
import { closeSync, createWriteStream, openSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import { ConsoleBuffer } from '../console/console-buffer.ts';
import type { RingfenceError } from '../host/errors.ts';
import { BootError, GuestGoneError, SetupError } from '../host/errors.ts';
import type { GuestImage } from './image.ts';
import type { Kernel } from '../kernels/kernel.ts';
import type { Machine } from '../machine/index.ts';
import { OWN_MACHINE } from '../machine/index.ts';
import type { Started } from '../host/processes.ts';
import { start } from '../host/processes.ts';
import type { Accel, QemuOptions } from './qemu.ts';
import { missingQemu } from '../host/qemu-version.ts';
import { INITRD_FD, KERNEL_FD, LINE_FD, PORT_FD, privileges, qemuArgv } from './qemu.ts';
import { which } from '../host/tools.ts';

/** How a guest's QEMU ended. */
export interface GuestExit {
  /** Exit code; null when a signal ended it. 0 also after a panic, which ends the guest like a power-off. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What QEMU printed, at most the last 16 kB. */
  readonly stderr: string;
}

/** What to boot. */
export interface BootOptions extends QemuOptions {
  readonly kernel: Pick<Kernel, 'path' | 'release'> & Partial<Pick<Kernel, 'machine'>>;
  readonly image: Pick<GuestImage, 'path'>;
  /** File that gets the whole console as it appears. */
  readonly consoleFile?: string;
  /** Characters of console to keep in memory. Default 4 Mi. */
  readonly consoleCap?: number;
  /** Milliseconds until the runner's first byte. Default 90 000 for TCG, 30 000 for KVM. */
  readonly bootDeadlineMs?: number;
  /** Aborting ends the guest, also while it boots. */
  readonly signal?: AbortSignal;
}

/** A booted guest. */
export interface Guest {
  readonly pid: number;
  readonly accel: Accel;
  /** Milliseconds from start to the runner's first byte. */
  readonly bootMs: number;
  /** Sends bytes; resolves when more may be sent. @throws GuestGoneError when the guest has ended */
  send(bytes: Uint8Array): Promise<void>;
  /** Sets the one receiver of the runner's bytes. What came before is delivered at once. */
  onData(receive: (chunk: Buffer) => void): void;
  /** Calls back with each piece of console text from now on. */
  onConsole(receive: (text: string) => void): void;
  /** The console so far. */
  readonly console: string;
  /** Resolves once, after the last byte of port and console was delivered. Never rejects. */
  readonly exited: Promise<GuestExit>;
  /** Ends the guest at once and resolves when it is gone. May be called again. */
  kill(): Promise<void>;
}

const STDERR_CAP = 16_384;

/**
 * Boots a guest and resolves when the runner's first byte has arrived.
 * @throws SetupError QEMU is missing or does not start; BootError the kernel does not reach the runner
 */
export async function bootGuest(options: BootOptions): Promise<Guest> {
  const machine = options.machine ?? options.kernel.machine ?? OWN_MACHINE;
  if (!which(machine.qemu)) throw missingQemu(machine);
  options.signal?.throwIfAborted();
  const argv = qemuArgv({ ...options, machine }, await privileges(options.accel, machine));
  return await new RunningGuest(options, machine, argv).booted();
}

class RunningGuest implements Guest {
  readonly accel: Accel;
  readonly exited: Promise<GuestExit>;
  bootMs = 0;
  readonly #options: BootOptions;
  readonly #machine: Machine;
  readonly #child: Started;
  /** The ways to the runner: the virtio port, and the serial line. The one that speaks first is `#port`. */
  readonly #ways: readonly Duplex[];
  #port: Duplex;
  readonly #console: ConsoleBuffer;
  readonly #started = performance.now();
  readonly #listeners: ((text: string) => void)[] = [];
  #file: WriteStream | undefined;
  #stderr = '';
  #backlog: Buffer[] = [];
  #receive: ((chunk: Buffer) => void) | undefined;
  #gone = false;

  constructor(options: BootOptions, machine: Machine, argv: readonly string[]) {
    this.accel = options.accel;
    this.#options = options;
    this.#machine = machine;
    this.#console = new ConsoleBuffer(options.consoleCap ?? 4 << 20);
    if (options.consoleFile !== undefined) this.#openConsoleFile(options.consoleFile);
    this.#child = launch(argv, options);
    this.#ways = [PORT_FD, LINE_FD].map((fd) => this.#child.stdio[fd] as Duplex);
    this.#port = this.#ways[0]!;
    this.exited = this.#watch();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  get console(): string {
    return this.#console.text;
  }

  #openConsoleFile(path: string): void {
    this.#file = createWriteStream(path);
    // A full disk must not end the run: the console is kept in memory as well.
    this.#file.on('error', (error) => {
      this.#file = undefined;
      this.#stderr += `the console could not be written to ${path}: ${error.message}\n`;
    });
  }

  #watch(): Promise<GuestExit> {
    const decoder = new StringDecoder('utf8');
    const [, stdout, stderr] = this.#child.stdio;
    stdout?.on('data', (chunk: Buffer) => {
      const text = decoder.write(chunk);
      this.#console.add(text);
      this.#file?.write(chunk);
      for (const listener of this.#listeners) listener(text);
    });
    stderr?.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-STDERR_CAP);
    });
    for (const way of this.#ways) {
      way.on('data', (chunk: Buffer) => {
        if (this.#receive) this.#receive(chunk);
        else this.#backlog.push(chunk);
      });
      // A write to a guest that has just died fails; `exited` tells the story.
      way.on('error', () => {});
    }
    const abort = (): void => this.#child.kill();
    this.#options.signal?.addEventListener('abort', abort, { once: true });
    return this.#child.ended.then(async ({ code, signal, error }) => {
      this.#gone = true;
      this.#options.signal?.removeEventListener('abort', abort);
      for (const way of this.#ways) way.destroy();
      await new Promise<void>((resolve) => {
        if (this.#file) this.#file.end(resolve);
        else resolve();
      });
      if (error) this.#stderr += `QEMU could not be started: ${error.message}\n`;
      return { code, signal, stderr: this.#stderr };
    });
  }

  async booted(): Promise<Guest> {
    const deadline = this.#options.bootDeadlineMs ?? (this.accel === 'kvm' ? 30_000 : 90_000);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, deadline, 'late');
    });
    const first = new Promise<'first'>((resolve) => {
      for (const way of this.#ways) {
        way.once('data', () => {
          if (this.bootMs === 0) this.#port = way;
          resolve('first');
        });
      }
    });
    const outcome = await Promise.race([first, late, this.exited]);
    clearTimeout(timer);
    this.bootMs = Math.round(performance.now() - this.#started);
    if (outcome === 'first') return this;
    if (outcome === 'late') {
      await this.kill();
      throw new BootError(
        'deadline',
        `Linux ${this.#options.kernel.release} did not reach the runner within ${deadline / 1000} s ` +
          `under ${this.accel.toUpperCase()}.`,
        'If the machine is busy, allow more time with --timeout; if the kernel stands still, look at the console ' +
          'above.',
        this.console,
        this.#stderr,
      );
    }
    this.#options.signal?.throwIfAborted();
    throw this.#bootFailure(outcome);
  }

  #bootFailure(exit: GuestExit): RingfenceError {
    const how = exit.signal ? `was ended by ${exit.signal}` : `ended with code ${exit.code}`;
    if (this.console.trim() === '' && (exit.code !== 0 || exit.signal)) {
      return new SetupError(
        `${this.#machine.qemu} ${how} before the kernel said anything:\n${exit.stderr.trim() || '(no message)'}`,
        exit.signal === 'SIGKILL' ? 'Something killed it: is the machine short of memory?' : 'Run `ringfence doctor`.',
      );
    }
    const panicked = /Kernel panic/.test(this.console);
    const what = panicked ? 'panicked' : `stopped (QEMU ${how})`;
    return new BootError(
      'exit',
      `Linux ${this.#options.kernel.release} ${what} while it booted.`,
      'This kernel cannot be tested as it is: try it with another --append, or another kernel.',
      this.console,
      exit.stderr,
    );
  }

  async send(bytes: Uint8Array): Promise<void> {
    if (this.#gone || this.#port.destroyed) throw new GuestGoneError('the guest has ended');
    if (this.#port.write(bytes)) return;
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        this.#port.off('drain', settle);
        this.#port.off('close', settle);
        if (this.#gone || this.#port.destroyed) reject(new GuestGoneError('the guest ended while it was sent to'));
        else resolve();
      };
      this.#port.once('drain', settle);
      this.#port.once('close', settle);
    });
  }

  onData(receive: (chunk: Buffer) => void): void {
    this.#receive = receive;
    const backlog = this.#backlog;
    this.#backlog = [];
    for (const chunk of backlog) receive(chunk);
  }

  onConsole(receive: (text: string) => void): void {
    this.#listeners.push(receive);
  }

  async kill(): Promise<void> {
    this.#child.kill();
    await this.exited;
  }
}

function launch(argv: readonly string[], options: BootOptions): Started {
  const open: number[] = [];
  try {
    for (const path of [options.kernel.path, options.image.path]) open.push(openSync(path, 'r'));
    const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'pipe', 'pipe'];
    stdio[KERNEL_FD] = open[0] ?? 'ignore';
    stdio[INITRD_FD] = open[1] ?? 'ignore';
    stdio[PORT_FD] = 'pipe';
    stdio[LINE_FD] = 'pipe';
    return start(argv, { stdio, env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  } catch (error) {
    throw new SetupError(
      `QEMU could not be started: ${error instanceof Error ? error.message : String(error)}`,
      'Run `ringfence doctor`.',
      { cause: error },
    );
  } finally {
    for (const fd of open) closeSync(fd);
  }
}
