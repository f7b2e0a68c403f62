/**
 * A guest without a kernel: it speaks the runner's protocol as a script tells it. For faults of the harness, never
 * for claims about a kernel.
 */
import { Open } from '../../oracle/open-answer.ts';
import type { Allowed } from '../../oracle/scenario/prediction.ts';
import type { Guest, GuestExit } from '../../vm/index.ts';
import type { Accel } from '../../vm/guest/qemu.ts';
import {
  ANNOUNCED,
  ANSWER_HEAD,
  FEATURES,
  FRAME_HEAD,
  FRAMES,
  layoutOf,
  magicOf,
  PROTOCOL_VERSION,
} from '../../vm/protocol/table.ts';
import type { Frame } from '../../vm/protocol/table.ts';
import type { PredictedStep } from '../../oracle/scenario/prediction.ts';
import type { StepObservation } from '../../oracle/scenario/observation.ts';

/** What the guest does with one scenario. */
export type Script = (guest: FakeGuest, id: number) => void;

const { size: HEAD, at: HEAD_AT } = layoutOf(FRAME_HEAD, 0);
const SCENARIO = magicOf(FRAMES.scenario);
const READ = magicOf(FRAMES.read);
const WRITE = magicOf(FRAMES.write);
const BYE = magicOf(FRAMES.bye);

/** A frame with the fields of its kind, then whatever follows them. */
function frame<K extends keyof typeof FRAMES>(
  kind: K,
  id: number,
  values: Partial<Record<keyof (typeof FRAMES)[K]['fields'], number | bigint | string>> = {},
  rest: Uint8Array = Buffer.alloc(0),
): Buffer {
  const { fields } = FRAMES[kind] as Frame;
  const { at, size } = layoutOf(fields, HEAD);
  const bytes = Buffer.alloc(size + Math.ceil(rest.length / 8) * 8);
  bytes.writeUInt32LE(magicOf(FRAMES[kind]), HEAD_AT.magic);
  bytes.writeUInt32LE(bytes.length, HEAD_AT.length);
  bytes.writeUInt32LE(id, HEAD_AT.id);
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string') bytes.write(value, at[name]!);
    else if (typeof value === 'bigint') bytes.writeBigUInt64LE(value, at[name]);
    else bytes.writeUInt32LE(value as number, at[name]);
  }
  bytes.set(rest, size);
  return bytes;
}

/** A HELLO frame. */
export function helloFrame(
  release = '7.0.0-fake',
  version: number = PROTOCOL_VERSION,
  features: number = FEATURES.interpreter,
): Buffer {
  return frame('hello', 0, { version, cpus: 1, release, machine: 'x86_64', features });
}

/** A RESULT frame. */
function resultFrame(id: number, steps: readonly StepObservation[], status = 0, detail = 0): Buffer {
  const answers = Buffer.concat(steps.flatMap(answerOf));
  return frame('result', id, { status, detail, exec_ns: 1000n, nsteps: steps.length }, answers);
}

function answerOf({ reached, returns, cqes, memory = new Uint8Array() }: StepObservation): Buffer[] {
  const { at, size } = layoutOf(ANSWER_HEAD, 0);
  const head = Buffer.alloc(size);
  head[at.reached] = reached ? 1 : 0;
  head[at.nreturns] = returns.length;
  head.writeUInt16LE(cqes.length, at.ncqes);
  head.writeUInt32LE(memory.length, at.memory_len);
  const values = returns.map((value) => {
    const word = Buffer.alloc(8);
    word.writeBigInt64LE(BigInt(value));
    return word;
  });
  const entries = cqes.map(({ user_data, res, flags }) => {
    // struct io_uring_cqe
    const cqe = Buffer.alloc(16);
    cqe.writeBigUInt64LE(user_data, 0);
    cqe.writeInt32LE(res, 8);
    cqe.writeUInt32LE(flags, 12);
    return cqe;
  });
  return [head, ...values, ...entries, Buffer.from(memory), Buffer.alloc((8 - (memory.length % 8)) % 8)];
}

/** Answers that the prediction allows. */
export function obedient(steps: readonly PredictedStep[]): StepObservation[] {
  const value = (allowed: Allowed): number => {
    if (typeof allowed === 'number') return allowed;
    const { values } = allowed;
    if (values === 'any') return 0;
    return 'at_least' in values ? values.at_least : values[0]!;
  };
  return steps.map(({ reached, returns, cqes, memory }) => ({
    reached,
    returns: Open.is(returns) ? [] : returns.map(value),
    cqes: Open.is(cqes)
      ? []
      : cqes
          .filter(({ optional }) => optional === undefined)
          .map((cqe) => ({ user_data: cqe.user_data, res: value(cqe.res), flags: value(cqe.flags) })),
    ...(memory === undefined || Open.is(memory) ? {} : { memory }),
  }));
}

/** A guest that does what its script says, and remembers nothing. */
export class FakeGuest implements Guest {
  readonly pid = -1;
  readonly accel: Accel = 'tcg';
  readonly bootMs = 1;
  readonly exited: Promise<GuestExit>;
  console = '';
  #resolve!: (exit: GuestExit) => void;
  #receive: ((chunk: Buffer) => void) | undefined;
  #backlog: Buffer[] = [];
  readonly #listeners: ((text: string) => void)[] = [];
  readonly #script: Script;
  readonly #queue: number[] = [];
  #busy = false;
  #gone = false;

  /** @param hello its first bytes; a silent guest has none */
  constructor(script: Script, hello: Uint8Array = helloFrame()) {
    this.#script = script;
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    if (hello.length > 0) setImmediate(() => this.say(hello));
  }

  /** Its files: the content by path, or -errno; `written` is what the host writes. Without them nothing is answered. */
  files: ((path: string, written?: string) => string | number) | undefined;
  /** Bytes of a file that go into one frame. */
  chunk = 1 << 18;

  /** What it does instead of powering off. */
  bye: ((guest: FakeGuest) => void) | undefined;

  #leave(): void {
    if (this.#gone) return;
    this.begin(ANNOUNCED.power_off);
    if (this.bye === undefined) this.end(0);
    else this.bye(this);
  }

  /** Scenarios sent and not yet begun. */
  get queued(): number {
    return this.#queue.length;
  }

  /** True once it has ended. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Bytes on the port. */
  say(bytes: Uint8Array): void {
    if (this.#gone) return;
    const chunk = Buffer.from(bytes);
    if (this.#receive === undefined) this.#backlog.push(chunk);
    else this.#receive(chunk);
  }

  /** Text on the console. */
  print(text: string): void {
    this.console += text;
    for (const listener of this.#listeners) listener(text);
  }

  begin(id: number): void {
    this.say(frame('begin', id));
  }

  /** Announces, answers, and takes the next scenario. */
  answer(id: number, steps: readonly StepObservation[], status = 0, detail = 0): void {
    this.say(resultFrame(id, steps, status, detail));
    this.#busy = false;
    this.#work();
  }

  /** A process that cannot be killed, and what the kernel says of it. */
  stuck(id: number, words: string): void {
    this.say(frame('stuck', id, {}, Buffer.from(`${words}\0`)));
  }

  /** The runner's own complaint. */
  complain(text: string): void {
    this.say(frame('error', 0, {}, Buffer.from(`${text}\0`)));
  }

  /** QEMU ends. */
  end(code: number | null, signal: NodeJS.Signals | null = null): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#resolve({ code, signal, stderr: '' });
  }

  async send(bytes: Uint8Array): Promise<void> {
    const data = Buffer.from(bytes);
    const magic = data.readUInt32LE(HEAD_AT.magic);
    if (this.#gone) return;
    if (magic === READ || magic === WRITE) setImmediate(() => this.#file(data, magic === WRITE));
    if (magic === BYE) setImmediate(() => this.#leave());
    if (magic !== SCENARIO) return;
    this.#queue.push(data.readUInt32LE(HEAD_AT.id));
    setImmediate(() => this.#work());
  }

  #file(data: Buffer, write: boolean): void {
    if (this.files === undefined) return;
    const { at, size } = layoutOf(FRAMES.write.fields, HEAD);
    const from = write ? size + data.readUInt32LE(at.length) : HEAD;
    const path = data.toString('utf8', from, data.indexOf(0, from));
    const found = this.files(path, write ? data.toString('utf8', size, from) : undefined);
    const content = Buffer.from(typeof found === 'number' || write ? '' : found);
    const id = data.readUInt32LE(HEAD_AT.id);
    for (let sent = 0; sent === 0 || sent < content.length; sent += this.chunk) {
      const part = content.subarray(sent, sent + this.chunk);
      const status = typeof found === 'number' ? found >>> 0 : 0;
      this.say(
        frame('file', id, { status, length: part.length, last: sent + this.chunk < content.length ? 0 : 1 }, part),
      );
    }
  }

  /** One at a time, as the runner does: what the script leaves unanswered keeps the rest waiting. */
  #work(): void {
    if (this.#busy || this.#gone) return;
    const id = this.#queue.shift();
    if (id === undefined) return;
    this.#busy = true;
    this.begin(id);
    this.#script(this, id);
  }

  onData(receive: (chunk: Buffer) => void): void {
    this.#receive = receive;
    for (const chunk of this.#backlog.splice(0)) receive(chunk);
  }

  onConsole(receive: (text: string) => void): void {
    this.#listeners.push(receive);
  }

  async kill(): Promise<void> {
    this.end(null, 'SIGKILL');
  }
}
