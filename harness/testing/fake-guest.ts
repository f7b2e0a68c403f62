/**
 * A guest without a kernel: it speaks the runner's protocol as a script tells it. For faults of the harness, never
 * for claims about a kernel.
 */
import type { Guest, GuestExit } from '../../vm/index.ts';
import type { Accel } from '../../vm/guest/qemu.ts';
import { PROTOCOL_VERSION } from '../../vm/protocol/frames.ts';
import type { PredictedStep } from '../../oracle/scenario/prediction.ts';
import type { StepObservation } from '../../oracle/scenario/observation.ts';

/** What the guest does with one scenario. */
export type Script = (guest: FakeGuest, id: number) => void;

const MAGIC = { hello: 0x49484652, begin: 0x4f474652, result: 0x45524652, error: 0x52454652 } as const;
/** First word of a scenario that the host sends; the images and farewells have others. */
const NOT_SCENARIOS = new Set([0x4d494652, 0x4e424652, 0x59424652]);
const HEAD = 16;

function frame(magic: number, id: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.alloc(HEAD + Math.ceil(payload.length / 8) * 8);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(bytes.length, 4);
  bytes.writeUInt32LE(id, 8);
  bytes.set(payload, HEAD);
  return bytes;
}

/** A HELLO frame. */
export function helloFrame(release = '7.0.0-fake', version = PROTOCOL_VERSION, features = 1): Buffer {
  const payload = Buffer.alloc(144);
  payload.writeUInt32LE(version, 0);
  payload.writeUInt32LE(1, 4);
  payload.write(release, 8);
  payload.write('x86_64', 72);
  payload.writeUInt32LE(features, 136);
  return frame(MAGIC.hello, 0, payload);
}

/** A RESULT frame. */
function resultFrame(id: number, steps: readonly StepObservation[], status = 0, detail = 0): Buffer {
  const parts: Buffer[] = [];
  const head = Buffer.alloc(32);
  head.writeUInt32LE(status, 0);
  head.writeUInt32LE(detail, 4);
  head.writeBigUInt64LE(1000n, 8);
  head.writeUInt32LE(steps.length, 24);
  parts.push(head);
  for (const { reached, returns, cqes, memory } of steps) {
    const row = Buffer.alloc(8);
    row[0] = reached ? 1 : 0;
    row[1] = returns.length;
    row.writeUInt16LE(cqes.length, 2);
    row.writeUInt32LE(memory?.length ?? 0, 4);
    parts.push(row);
    for (const value of returns) {
      const word = Buffer.alloc(8);
      word.writeBigInt64LE(BigInt(value));
      parts.push(word);
    }
    for (const { user_data, res, flags } of cqes) {
      const cqe = Buffer.alloc(16);
      cqe.writeBigUInt64LE(user_data, 0);
      cqe.writeInt32LE(res, 8);
      cqe.writeUInt32LE(flags, 12);
      parts.push(cqe);
    }
    if (memory !== undefined) parts.push(Buffer.concat([memory, Buffer.alloc((8 - (memory.length % 8)) % 8)]));
  }
  return frame(MAGIC.result, id, Buffer.concat(parts));
}

/** Answers that the prediction allows. */
export function obedient(steps: readonly PredictedStep[]): StepObservation[] {
  const value = (allowed: unknown): number =>
    typeof allowed === 'number'
      ? allowed
      : Array.isArray(allowed)
        ? (allowed[0] as number)
        : typeof allowed === 'object' && allowed !== null && 'at_least' in allowed
          ? Number(allowed.at_least)
          : 0;
  return steps.map(({ reached, returns, cqes, memory }) => ({
    reached,
    returns: returns === 'any' ? [] : returns.map(value),
    cqes:
      cqes === 'any'
        ? []
        : cqes
            .filter(({ optional }) => optional !== true)
            .map((cqe) => ({ user_data: cqe.user_data, res: value(cqe.res), flags: value(cqe.flags) })),
    ...(memory === undefined || memory === 'any' ? {} : { memory }),
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
    this.say(frame(MAGIC.begin, id, Buffer.alloc(0)));
  }

  /** Announces, answers, and takes the next scenario. */
  answer(id: number, steps: readonly StepObservation[], status = 0, detail = 0): void {
    this.say(resultFrame(id, steps, status, detail));
    this.#busy = false;
    this.#work();
  }

  /** The runner's own complaint. */
  complain(text: string): void {
    this.say(frame(MAGIC.error, 0, Buffer.from(`${text}\0`)));
  }

  /** QEMU ends. */
  end(code: number | null, signal: NodeJS.Signals | null = null): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#resolve({ code, signal, stderr: '' });
  }

  async send(bytes: Uint8Array): Promise<void> {
    const data = Buffer.from(bytes);
    if (this.#gone || NOT_SCENARIOS.has(data.readUInt32LE(0))) return;
    this.#queue.push(data.readUInt32LE(8));
    setImmediate(() => this.#work());
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
