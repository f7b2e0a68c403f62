/**
 * One guest at work: frames out, results back, always knowing which scenario is running. It
 * judges nothing; a guest that dies or falls silent is reported with the scenario it was in.
 */
import type { Guest } from '../../vm/index.ts';
import { consoleTail, KernelError } from '../../vm/host/errors.ts';
import { scanConsole } from '../../vm/console/console.ts';
import type { ConsoleReport } from '../../vm/console/console.ts';
import {
  benchFrame,
  byeFrame,
  FrameParser,
  imageFrame,
  PROTOCOL_VERSION,
  readFrame,
  writeFrame,
} from '../../vm/protocol/frames.ts';
import type { Benched, FilePart, GuestFrame, Hello, RunnerResult } from '../../vm/protocol/frames.ts';
import { ANNOUNCED } from '../../vm/protocol/table.ts';
import { arenaImage } from '../../oracle/world/arena.ts';

/** Why a session ended. */
export interface SessionEnd {
  /**
   * `stuck`: a process cannot be killed; `lost`: QEMU itself failed or was killed from outside, and the kernel said
   * nothing; `killed`: by us.
   */
  readonly reason: 'crash' | 'silent' | 'stuck' | 'garbage' | 'runner' | 'lost' | 'killed';
  /** Scenario that was running, if one was; or what else was announced (ANNOUNCED). */
  readonly running: number | undefined;
  /** Ids answered last, newest first (a late crash may belong to one of them). */
  readonly recent: readonly number[];
  readonly detail: string;
  /** What the kernel says of a process that cannot be killed: where it is, and how it came there. */
  readonly words?: string;
  readonly reports: readonly ConsoleReport[];
  readonly console: string;
}

/** Whether the guest had not come to its first scenario, but to what the feature does before it. */
export function inWarmUp(end: Pick<SessionEnd, 'running'>): boolean {
  return end.running === ANNOUNCED.warm_up;
}

/** Whether the guest was being switched off. */
export function inPowerOff(end: Pick<SessionEnd, 'running'>): boolean {
  return end.running === ANNOUNCED.power_off;
}

/** Whether it is the kernel that failed, as far as can be told. */
export function isKernelsFault({ reason }: Pick<SessionEnd, 'reason'>): boolean {
  return reason === 'crash' || reason === 'silent' || reason === 'stuck';
}

interface Waiting {
  readonly resolve: (result: RunnerResult) => void;
  readonly reject: (end: SessionEnded) => void;
}

/** A file of the guest could not be read or written. */
export class GuestFileError extends Error {
  /** Such as 2 for ENOENT. */
  readonly errno: number;
  constructor(path: string, errno: number) {
    super(`${path} in the guest: errno ${errno}`);
    this.errno = errno;
  }
}

/** What the guest was asked for, and what came of it so far. */
interface Asked {
  readonly path: string;
  readonly parts: Buffer[];
  readonly resolve: (bytes: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** Thrown to everyone who waits when the session ends. */
export class SessionEnded extends Error {
  readonly end: SessionEnd;
  constructor(end: SessionEnd) {
    super(`the guest stopped: ${end.detail}`);
    this.end = end;
  }
}

const RECENT = 4;
/** Milliseconds in which the rest of a kernel's report arrives. */
const REPORT_MS = 300;

/** Milliseconds after the last answer in which the console catches up. */
const SETTLE_MS = 100;

/** The runner was reached but cannot be talked to: exit code 125. */
function unusable(what: string, guest: Guest): KernelError {
  return new KernelError(
    `${what}\nEnd of the guest's console:\n${consoleTail(guest.console)}`,
    'This kernel cannot be tested as it is. If the machine is busy, allow more time with --timeout.',
    125,
  );
}

/** What the kernel did while it was warming up, if that is a fault of its own. */
function warmUpEnd(guest: Guest, silent: boolean, detail: string): SessionEnd {
  const reports = scanConsole(guest.console);
  const reason = silent && reports.length === 0 ? 'silent' : 'crash';
  const running = ANNOUNCED.warm_up;
  return { reason, running, recent: [], detail: reports[0]?.title ?? detail, reports, console: guest.console };
}

/** The runner's HELLO, and who takes what comes after it. */
async function greeting(
  guest: Guest,
  patience: number,
): Promise<{ readonly hello: Hello; readonly later: (receive: (chunk: Buffer) => void) => void }> {
  let receive: ((chunk: Buffer) => void) | undefined;
  // It was announced that the feature is about to be used: from here on a failure is one of the kernel.
  let warming = false;
  const parser = new FrameParser();
  const hello = await new Promise<Hello>((resolve, reject) => {
    const fail = (what: string): void => reject(unusable(what, guest));
    const failed = (silent: boolean, what: string): void => {
      if (warming) reject(new SessionEnded(warmUpEnd(guest, silent, what)));
      else fail(what);
    };
    const timer = setTimeout(
      () => failed(true, `The runner in the guest did not say hello within ${patience / 1000} s.`),
      patience,
    );
    const take = (frame: GuestFrame): void => {
      if (frame.type === 'begin' && frame.id === ANNOUNCED.warm_up) {
        warming = true;
        return;
      }
      clearTimeout(timer);
      if (frame.type !== 'hello')
        fail(`The runner in the guest could not start: ${frame.type === 'error' ? frame.text : 'it sent garbage'}.`);
      else if (frame.hello.version === PROTOCOL_VERSION) resolve(frame.hello);
      else fail(`The guest image speaks protocol ${frame.hello.version}, not ${PROTOCOL_VERSION}.`);
    };
    guest.onData((chunk) => {
      if (receive !== undefined) receive(chunk);
      else for (const frame of parser.push(chunk)) take(frame);
    });
    void guest.exited.then(({ code, signal, stderr }) => {
      clearTimeout(timer);
      const what = `The guest ended before it said hello (code ${code}, signal ${signal}) ${stderr}`.trimEnd();
      // A panic ends QEMU with code 0; anything else is QEMU's own end, or a kill.
      if (code === 0) failed(false, what);
      else fail(what);
    });
  });
  return { hello, later: (to) => (receive = to) };
}

/** A guest at work, from its HELLO to its end. */
export class Session {
  readonly guest: Guest;
  readonly hello: Hello;
  readonly #waiting = new Map<number, Waiting>();
  readonly #parser = new FrameParser();
  readonly #patience: number;
  #running: number | undefined;
  #recent: number[] = [];
  #timer: NodeJS.Timeout | undefined;
  #ended: SessionEnd | undefined;
  /** Characters of console: while booting; and looked at, whole lines only. */
  #booted = 0;
  #reported = 0;
  #reportTimer: NodeJS.Timeout | undefined;
  /** It was asked to power off. */
  #leaving = false;
  #blamed: Pick<SessionEnd, 'running' | 'recent'> | undefined;
  #benched: ((frame: Benched) => void) | undefined;
  readonly #asked = new Map<number, Asked>();
  #asking = 0;
  readonly #onEnd: ((end: SessionEnd) => void)[] = [];
  /** Called before a guest that is well is switched off. */
  farewell: (() => Promise<void>) | undefined;
  /** Nanoseconds the guest spent executing scenarios and waiting for them. */
  exec_ns = 0;
  idle_ns = 0;

  private constructor(guest: Guest, hello: Hello, patience: number) {
    this.guest = guest;
    this.hello = hello;
    this.#patience = patience;
  }

  /**
   * Waits for the runner's HELLO and sends the arena image.
   * @param patience milliseconds until the HELLO
   * @param silence milliseconds that the guest may be silent later while it has work
   * @throws SessionEnded when the kernel fails at what is announced before the HELLO
   * @throws KernelError when the guest ends, is silent or sends anything else
   */
  static async open(guest: Guest, patience: number, silence = patience): Promise<Session> {
    const { hello, later } = await greeting(guest, patience);
    const session = new Session(guest, hello, silence);
    later((chunk) => session.#receive(chunk));
    // What the kernel said while it booted is not a scenario's doing.
    session.#booted = session.#reported = guest.console.length;
    guest.onConsole(() => session.#look());
    void guest.exited.then(({ code, signal, stderr }) => session.#exited(code, signal, stderr));
    // A guest that dies here has told `exited`.
    await guest.send(imageFrame(arenaImage(true))).catch(() => {});
    return session;
  }

  /** How the session ended; undefined while it goes on. */
  get ended(): SessionEnd | undefined {
    return this.#ended;
  }

  /** Calls back once when the session ends. */
  onEnd(callback: (end: SessionEnd) => void): void {
    if (this.#ended !== undefined) callback(this.#ended);
    else this.#onEnd.push(callback);
  }

  /** Scenarios sent and not answered. */
  get inFlight(): number {
    return this.#waiting.size;
  }

  /** Sends an encoded scenario; the answer comes as a RunnerResult. Resolves `sent` when more may be sent. */
  submit(id: number, bytes: Uint8Array): { readonly sent: Promise<void>; readonly result: Promise<RunnerResult> } {
    if (this.#ended !== undefined) {
      const error = new SessionEnded(this.#ended);
      const result = Promise.reject(error);
      result.catch(() => {});
      return { sent: Promise.resolve(), result };
    }
    const result = new Promise<RunnerResult>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    result.catch(() => {});
    this.#watch();
    const sent = this.guest.send(bytes).catch(() => {});
    return { sent, result };
  }

  /** Runs one of the runner's bare C loops. Nothing else may be under way. */
  async bench(which: number, iterations: number): Promise<Benched> {
    const answer = new Promise<Benched>((resolve, reject) => {
      this.#benched = resolve;
      this.onEnd((end) => reject(new SessionEnded(end)));
    });
    await this.guest.send(benchFrame(0, which, iterations));
    return await answer;
  }

  /**
   * A file of the guest; of a directory its names, each with a 0 behind it, those of directories with a slash. debugfs
   * is mounted when the path leads there.
   * @throws GuestFileError, SessionEnded
   */
  async read(path: string): Promise<Buffer> {
    return await this.#askFor(path, (id) => readFrame(id, path));
  }

  /** Writes to a file of the guest that exists, in one call. @throws GuestFileError, SessionEnded */
  async write(path: string, text: string): Promise<void> {
    await this.#askFor(path, (id) => writeFrame(id, path, Buffer.from(text)));
  }

  async #askFor(path: string, frame: (id: number) => Buffer): Promise<Buffer> {
    if (this.#ended !== undefined) throw new SessionEnded(this.#ended);
    const id = ++this.#asking;
    const answer = new Promise<Buffer>((resolve, reject) => this.#asked.set(id, { path, parts: [], resolve, reject }));
    this.#watch();
    // A guest that dies here has told `exited`.
    await this.guest.send(frame(id)).catch(() => {});
    return await answer;
  }

  #part({ id, status, bytes, last }: FilePart): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    asked.parts.push(Buffer.from(bytes));
    if (!last) return;
    this.#asked.delete(id);
    if (status < 0) asked.reject(new GuestFileError(asked.path, -status));
    else asked.resolve(Buffer.concat(asked.parts));
  }

  /** Waits until what the kernel has to say about the last scenario is here. The end, if the session has ended. */
  async settle(): Promise<SessionEnd | undefined> {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    if (this.#blamed !== undefined) await new Promise<void>((resolve) => this.onEnd(() => resolve()));
    return this.#ended;
  }

  /**
   * Asks an idle guest to power off, and sees that it does. The end, if that is a fault of the kernel.
   * @param patience milliseconds that it may take
   */
  async powerOff(patience: number): Promise<SessionEnd | undefined> {
    const { farewell } = this;
    this.farewell = undefined;
    if (this.#ended === undefined) await farewell?.();
    if (this.#ended !== undefined) return this.#ended.reason === 'killed' ? undefined : this.#ended;
    this.#leaving = true;
    await this.guest.send(byeFrame()).catch(() => {});
    const timer = setTimeout(() => {
      // One that was killed from outside is nobody's fault.
      this.#finish('silent', `the guest did not power off within ${patience / 1000} s`);
    }, patience);
    await new Promise<void>((resolve) => this.onEnd(() => resolve()));
    clearTimeout(timer);
    await this.guest.kill();
    const { reason } = this.#ended!;
    return reason === 'killed' || reason === 'lost' ? undefined : this.#ended;
  }

  /** Ends the guest at once, one that is idle with a word before. */
  async close(): Promise<void> {
    const { farewell } = this;
    this.farewell = undefined;
    if (this.#ended === undefined) await farewell?.();
    // One that is busy may be stuck, and take no more bytes.
    const idle = this.#waiting.size === 0;
    if (this.#ended === undefined) this.#finish('killed', 'closed');
    if (idle) await this.guest.send(byeFrame()).catch(() => {});
    await this.guest.kill();
  }

  #receive(chunk: Buffer): void {
    for (const frame of this.#parser.push(chunk)) {
      switch (frame.type) {
        case 'begin':
          this.#running = frame.id;
          break;
        case 'result': {
          const { result } = frame;
          this.exec_ns += result.exec_ns;
          this.idle_ns += result.idle_ns;
          if (this.#running === result.id) this.#running = undefined;
          this.#recent = [result.id, ...this.#recent.slice(0, RECENT - 1)];
          const waiting = this.#waiting.get(result.id);
          this.#waiting.delete(result.id);
          waiting?.resolve(result);
          break;
        }
        case 'stuck':
          this.#finish('stuck', `a task cannot be killed: ${frame.text.split('\n')[0]}`, frame.text);
          break;
        case 'error':
          this.#finish('runner', `the runner reports: ${frame.text}`);
          break;
        case 'garbage':
          this.#finish('garbage', `the guest sent bytes that are no frame (${frame.detail})`);
          break;
        case 'file':
          this.#part(frame.part);
          break;
        case 'benched':
          this.#benched?.(frame.benched);
          break;
        default:
          break;
      }
    }
    this.#watch();
  }

  /** A report on the kernel's console ends the session: what it says is a result. */
  #look(): void {
    if (this.#ended !== undefined) return;
    const text = this.guest.console;
    if (text.length - this.#reported < 1) return;
    const reports = scanConsole(text.slice(this.#reported));
    if (reports.length === 0) {
      // Keep the last line: it may come in pieces.
      this.#reported = Math.max(this.#reported, text.lastIndexOf('\n') + 1);
      return;
    }
    // Who runs now is to blame, not who runs when the report is complete. Its rest arrives before the guest is stopped.
    this.#blamed ??= { running: this.#running, recent: this.#recent };
    this.#reportTimer ??= setTimeout(() => this.#finish('crash', reports[0]!.title), REPORT_MS);
  }

  /** A panic ends QEMU with code 0. Anything else without a word from the kernel is QEMU's own end, or a kill. */
  #exited(code: number | null, signal: NodeJS.Signals | null, stderr: string): void {
    const spoke = scanConsole(this.guest.console.slice(this.#booted)).length > 0;
    if (this.#leaving && !spoke && code === 0) this.#finish('killed', 'powered off');
    // Only the first end counts.
    this.#finish(
      spoke || code === 0 ? 'crash' : 'lost',
      `QEMU ended (${signal ?? `code ${code}`})${stderr.trim() === '' ? '' : `: ${stderr.trim()}`}`,
    );
  }

  #watch(): void {
    clearTimeout(this.#timer);
    if (this.#waiting.size + this.#asked.size === 0 || this.#ended !== undefined) return;
    this.#timer = setTimeout(() => this.#finish('silent', `no answer for ${this.#patience / 1000} s`), this.#patience);
  }

  #finish(reason: SessionEnd['reason'], detail: string, words?: string): void {
    if (this.#ended !== undefined) return;
    clearTimeout(this.#timer);
    clearTimeout(this.#reportTimer);
    const console = this.guest.console;
    const { running, recent } = this.#blamed ?? { running: this.#running, recent: this.#recent };
    const reports = scanConsole(console.slice(this.#booted));
    this.#ended = {
      reason,
      // The announcement may still be on its way.
      running: running ?? (this.#leaving ? ANNOUNCED.power_off : undefined),
      recent,
      detail,
      ...(words === undefined ? {} : { words }),
      reports,
      console,
    };
    const error = new SessionEnded(this.#ended);
    for (const waiting of [...this.#waiting.values(), ...this.#asked.values()]) waiting.reject(error);
    this.#waiting.clear();
    this.#asked.clear();
    if (reason !== 'killed') void this.guest.kill();
    for (const callback of this.#onEnd) callback(this.#ended);
  }
}
