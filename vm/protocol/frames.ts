/** Frames between host and guest, as PROTOCOL.md describes them. Whatever the guest sends, nothing here throws. */
import type { Cqe, Observation, StepObservation } from '../../oracle/scenario/observation.ts';

/** Version of the protocol that this host speaks. */
export const PROTOCOL_VERSION = 1;
/** A longer frame from the guest is garbage, bytes. */
export const MAX_GUEST_FRAME = 2 << 20;

const MAGIC = {
  HELLO: 0x49484652,
  BEGIN: 0x4f474652,
  RESULT: 0x45524652,
  BENCHED: 0x44424652,
  ERROR: 0x52454652,
  IMAGE: 0x4d494652,
  BENCH: 0x4e424652,
  BYE: 0x59424652,
} as const;
const KNOWN = new Set<number>([MAGIC.HELLO, MAGIC.BEGIN, MAGIC.RESULT, MAGIC.BENCHED, MAGIC.ERROR]);
const HEAD = 16;

/** First words of a guest. */
export interface Hello {
  readonly version: number;
  readonly cpus: number;
  /** `uname -r` */
  readonly release: string;
  /** `uname -m` */
  readonly machine: string;
  /** Whether net.core.bpf_jit_enable can be switched off. */
  readonly interpreter: boolean;
  /** Frames come over a serial line, which loses what nobody reads: one scenario at a time. */
  readonly line: boolean;
}

/** Values of `RunnerResult.status`. */
export const STATUS = { done: 0, deadline: 1, signal: 2, error: 3 } as const;

/** Scenario `id` has ended and nothing of it is left in the guest. */
export interface RunnerResult {
  readonly id: number;
  /** 0 done, 1 deadline passed, 2 a task was killed by a signal, 3 runner error. */
  readonly status: number;
  /** Signal number, or the runner's error code: (what << 16) | errno. */
  readonly detail: number;
  /** Nanoseconds from the start of the set-up to the end of the clean-up. */
  readonly exec_ns: number;
  /** Nanoseconds the guest waited for input before it. */
  readonly idle_ns: number;
  readonly observation: Observation;
}

/** How long a bare C loop of the guest took. */
export interface Benched {
  readonly id: number;
  readonly which: number;
  readonly iterations: number;
  readonly ns: number;
}

export type GuestFrame =
  | { readonly type: 'hello'; readonly hello: Hello }
  /** Scenario `id` starts now. */
  | { readonly type: 'begin'; readonly id: number }
  | { readonly type: 'result'; readonly result: RunnerResult }
  | { readonly type: 'benched'; readonly benched: Benched }
  /** The runner could not go on; `id` is the last scenario it took. */
  | { readonly type: 'error'; readonly id: number; readonly text: string }
  /** Bytes that are no frame: the last frame a parser returns. `bytes` are the first of them, at most 64. */
  | { readonly type: 'garbage'; readonly detail: string; readonly bytes: Buffer };

/** Turns the stream of bytes from a guest into frames. */
export class FrameParser {
  #rest: Buffer[] = [];
  #length = 0;
  /** Bytes needed before it is worth looking again. */
  #need = HEAD;
  #broken = false;

  /** True once garbage came: all later input is ignored. */
  get broken(): boolean {
    return this.#broken;
  }

  /** Bytes of an unfinished frame. */
  get pending(): number {
    return this.#length;
  }

  /** Takes the next bytes and returns the frames that are complete now. */
  push(chunk: Buffer): GuestFrame[] {
    if (this.#broken || chunk.length === 0) return [];
    this.#rest.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#need) return [];
    const bytes = this.#rest.length === 1 ? chunk : Buffer.concat(this.#rest);
    const frames: GuestFrame[] = [];
    let at = 0;
    this.#need = HEAD;
    while (bytes.length - at >= HEAD) {
      const length = frameLength(bytes, at);
      const whole = typeof length === 'number' && bytes.length - at >= length;
      if (typeof length === 'number' && !whole) {
        this.#need = length;
        break;
      }
      const frame =
        typeof length === 'string' ? garbage(length, bytes.subarray(at)) : decodeFrame(bytes.subarray(at, at + length));
      frames.push(frame);
      if (frame.type === 'garbage') {
        this.#broken = true;
        this.#rest = [];
        this.#length = 0;
        return frames;
      }
      at += Number(length);
    }
    this.#length = bytes.length - at;
    this.#rest = this.#length > 0 ? [bytes.subarray(at)] : [];
    return frames;
  }
}

/** Length of the frame at `at`, or why it is none. */
function frameLength(bytes: Buffer, at: number): number | string {
  if (!KNOWN.has(bytes.readUInt32LE(at))) return 'unknown kind of frame';
  const length = bytes.readUInt32LE(at + 4);
  if (length < HEAD || length % 8 !== 0 || length > MAX_GUEST_FRAME) return `impossible length ${length}`;
  return length;
}

function garbage(detail: string, bytes: Buffer): GuestFrame {
  return { type: 'garbage', detail, bytes: Buffer.from(bytes.subarray(0, 64)) };
}

function text(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.toString('utf8', 0, end < 0 ? bytes.length : end);
}

/** Decodes one whole frame. */
function decodeFrame(frame: Buffer): GuestFrame {
  const id = frame.readUInt32LE(8);
  switch (frame.readUInt32LE(0)) {
    case MAGIC.HELLO:
      if (frame.length < 160) return garbage('HELLO is too short', frame);
      return {
        type: 'hello',
        hello: {
          version: frame.readUInt32LE(16),
          cpus: frame.readUInt32LE(20),
          release: text(frame.subarray(24, 88)),
          machine: text(frame.subarray(88, 152)),
          interpreter: (frame.readUInt32LE(152) & 1) !== 0,
          line: (frame.readUInt32LE(152) & 2) !== 0,
        },
      };
    case MAGIC.BEGIN:
      return { type: 'begin', id };
    case MAGIC.BENCHED:
      if (frame.length < 32) return garbage('BENCHED is too short', frame);
      return {
        type: 'benched',
        benched: {
          id,
          which: frame.readUInt32LE(16),
          iterations: frame.readUInt32LE(20),
          ns: Number(frame.readBigUInt64LE(24)),
        },
      };
    case MAGIC.ERROR:
      return { type: 'error', id, text: text(frame.subarray(HEAD)) };
    default:
      return decodeResult(frame);
  }
}

/** Decodes one whole RESULT frame; garbage when its parts do not fill it exactly. */
export function decodeResult(frame: Buffer): GuestFrame {
  if (frame.length < 48) return garbage('RESULT is too short', frame);
  const status = frame.readUInt32LE(16);
  const nsteps = frame.readUInt32LE(40);
  if (status > STATUS.error) return garbage('unknown status in a RESULT', frame);
  if (nsteps > (frame.length - 48) / 8) return garbage('impossible number of steps in a RESULT', frame);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const steps: StepObservation[] = [];
  let at = 48;
  for (let i = 0; i < nsteps; i++) {
    if (frame.length - at < 8) return garbage('truncated step in a RESULT', frame);
    const reached = frame[at] !== 0;
    const nreturns = frame[at + 1] ?? 0;
    const ncqes = view.getUint16(at + 2, true);
    const memory_len = view.getUint32(at + 4, true);
    at += 8;
    if (8 * nreturns + 16 * ncqes + memory_len > frame.length - at) return garbage('truncated step in a RESULT', frame);
    const returns: number[] = [];
    for (let r = 0; r < nreturns; r++, at += 8) returns.push(signed64(view, at));
    const cqes: Cqe[] = [];
    for (let c = 0; c < ncqes; c++, at += 16) {
      cqes.push({
        user_data: view.getBigUint64(at, true),
        res: view.getInt32(at + 8, true),
        flags: view.getUint32(at + 12, true),
      });
    }
    if (memory_len === 0) {
      steps.push({ reached, returns, cqes });
    } else {
      steps.push({ reached, returns, cqes, memory: new Uint8Array(frame.subarray(at, at + memory_len)) });
      at += (memory_len + 7) & ~7;
    }
  }
  if (at !== frame.length) return garbage('a RESULT of the wrong length', frame);
  const result: RunnerResult = {
    id: frame.readUInt32LE(8),
    status,
    detail: frame.readUInt32LE(20),
    exec_ns: Number(frame.readBigUInt64LE(24)),
    idle_ns: Number(frame.readBigUInt64LE(32)),
    observation: { steps },
  };
  return { type: 'result', result };
}

/** An s64 as a number: return values are small. */
function signed64(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}

function frameOf(magic: number, id: number, payload: Uint8Array): Buffer {
  const frame = Buffer.alloc(HEAD + ((payload.length + 7) & ~7));
  frame.writeUInt32LE(magic, 0);
  frame.writeUInt32LE(frame.length, 4);
  frame.writeUInt32LE(id, 8);
  frame.set(payload, HEAD);
  return frame;
}

/** IMAGE: the bytes at the start of the arena of every later scenario (at most ARENA_SIZE). */
export function imageFrame(image: Uint8Array): Buffer {
  return frameOf(MAGIC.IMAGE, 0, image);
}

/** The bare C loops of the guest, by number. */
export const BENCHES = ['ring', 'fork', 'vfork', 'register', 'refuse', 'nop', 'nop64'] as const;

/** BENCH: runs loop `which` (index in BENCHES) `iterations` times; answered by BENCHED. */
export function benchFrame(id: number, which: number, iterations: number): Buffer {
  const payload = Buffer.alloc(8);
  payload.writeUInt32LE(which, 0);
  payload.writeUInt32LE(iterations, 4);
  return frameOf(MAGIC.BENCH, id, payload);
}

/** BYE: the guest powers off. */
export function byeFrame(): Buffer {
  return frameOf(MAGIC.BYE, 0, Buffer.alloc(0));
}
