/** Frames between host and guest, as PROTOCOL.md describes them. Whatever the guest sends, nothing here throws. */
import type { Cqe, Observation, StepObservation } from '../../oracle/scenario/observation.ts';
import {
  ANSWER_HEAD,
  BENCH_LOOPS,
  FEATURES,
  FILE_KINDS,
  FRAME_HEAD,
  FRAMES,
  layoutOf,
  magicOf,
  MAX_GUEST_FRAME,
  PROTOCOL_VERSION,
  STATUS,
} from './table.ts';

export { MAX_GUEST_FRAME, PROTOCOL_VERSION, STATUS };

const MAGIC = Object.fromEntries(Object.entries(FRAMES).map(([name, frame]) => [name, magicOf(frame)])) as {
  readonly [N in keyof typeof FRAMES]: number;
};
const KNOWN = new Set(
  Object.values(FRAMES)
    .filter(({ to }) => to === 'host')
    .map(magicOf),
);
const { size: HEAD } = layoutOf(FRAME_HEAD, 0);
const HELLO = layoutOf(FRAMES.hello.fields, HEAD);
const BENCH = layoutOf(FRAMES.bench.fields, HEAD);
const BENCHED = layoutOf(FRAMES.benched.fields, HEAD);
const WRITE = layoutOf(FRAMES.write.fields, HEAD);
const FILE = layoutOf(FRAMES.file.fields, HEAD);
const RESULT = layoutOf(FRAMES.result.fields, HEAD);
const ANSWER = layoutOf(ANSWER_HEAD, 0);
/** struct io_uring_cqe, bytes. */
const CQE_SIZE = 16;

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
  /** Whether it can be switched on: the kernel has a compiler for BPF. */
  readonly jit: boolean;
  /** Whether net.core.bpf_jit_harden can be set. */
  readonly harden: boolean;
  /** Whether the kernel tells what it compiles. */
  readonly traces: boolean;
  /** Frames come over a serial line, which loses what nobody reads: one scenario at a time. */
  readonly line: boolean;
}

/** Scenario `id` has ended and nothing of it is left in the guest. */
export interface RunnerResult {
  readonly id: number;
  /** One of STATUS. */
  readonly status: number;
  /** Signal number, or the runner's error code: (what << 16) | errno. */
  readonly detail: number;
  /** Nanoseconds from the start of the set-up to the end of the clean-up. */
  readonly exec_ns: number;
  /** Nanoseconds the guest waited for input before it. */
  readonly idle_ns: number;
  /** Filters registered while the kernel told what it compiles, and those of them that were compiled. */
  readonly traced: number;
  readonly compiled: number;
  readonly observation: Observation;
}

/** How long a bare C loop of the guest took. */
export interface Benched {
  readonly id: number;
  readonly which: number;
  readonly iterations: number;
  readonly ns: number;
}

/** Some of the bytes that a READ brings, or what became of a WRITE. */
export interface FilePart {
  readonly id: number;
  /** 0 or -errno. */
  readonly status: number;
  /** The bytes are names, each with a 0 behind it; those of directories end in a slash. */
  readonly directory: boolean;
  readonly bytes: Buffer;
  /** No more will come. */
  readonly last: boolean;
}

/** What a guest says. */
export type GuestFrame =
  | { readonly type: 'hello'; readonly hello: Hello }
  /** Scenario `id` starts now. */
  | { readonly type: 'begin'; readonly id: number }
  | { readonly type: 'result'; readonly result: RunnerResult }
  | { readonly type: 'benched'; readonly benched: Benched }
  | { readonly type: 'file'; readonly part: FilePart }
  /** A process of scenario `id` cannot be killed. */
  | { readonly type: 'stuck'; readonly id: number; readonly text: string }
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
    case MAGIC.hello:
      return decodeHello(frame);
    case MAGIC.begin:
      return { type: 'begin', id };
    case MAGIC.benched:
      if (frame.length < BENCHED.size) return garbage('BENCHED is too short', frame);
      return {
        type: 'benched',
        benched: {
          id,
          which: frame.readUInt32LE(BENCHED.at.which),
          iterations: frame.readUInt32LE(BENCHED.at.iterations),
          ns: Number(frame.readBigUInt64LE(BENCHED.at.ns)),
        },
      };
    case MAGIC.file:
      return decodeFile(frame);
    case MAGIC.stuck:
      return { type: 'stuck', id, text: text(frame.subarray(HEAD)) };
    case MAGIC.error:
      return { type: 'error', id, text: text(frame.subarray(HEAD)) };
    default:
      return decodeResult(frame);
  }
}

function decodeHello(frame: Buffer): GuestFrame {
  const { at, size } = HELLO;
  if (frame.length < size) return garbage('HELLO is too short', frame);
  const { release, machine } = FRAMES.hello.fields;
  const features = frame.readUInt32LE(at.features);
  return {
    type: 'hello',
    hello: {
      version: frame.readUInt32LE(at.version),
      cpus: frame.readUInt32LE(at.cpus),
      release: text(frame.subarray(at.release, at.release + release.length)),
      machine: text(frame.subarray(at.machine, at.machine + machine.length)),
      interpreter: (features & FEATURES.interpreter) !== 0,
      jit: (features & FEATURES.jit) !== 0,
      harden: (features & FEATURES.harden) !== 0,
      traces: (features & FEATURES.traces) !== 0,
      line: (features & FEATURES.line) !== 0,
    },
  };
}

/** Decodes one whole FILE frame; garbage when its bytes do not fill it. */
function decodeFile(frame: Buffer): GuestFrame {
  const { at, size } = FILE;
  if (frame.length < size) return garbage('FILE is too short', frame);
  const length = frame.readUInt32LE(at.length);
  if (size + Math.ceil(length / 8) * 8 !== frame.length) return garbage('a FILE of the wrong length', frame);
  const part: FilePart = {
    id: frame.readUInt32LE(8),
    status: frame.readInt32LE(at.status),
    directory: frame.readUInt32LE(at.kind) === FILE_KINDS.directory,
    bytes: frame.subarray(size, size + length),
    last: frame.readUInt32LE(at.last) !== 0,
  };
  return { type: 'file', part };
}

/** Decodes one whole RESULT frame; garbage when its parts do not fill it exactly. */
function decodeResult(frame: Buffer): GuestFrame {
  if (frame.length < RESULT.size) return garbage('RESULT is too short', frame);
  const status = frame.readUInt32LE(RESULT.at.status);
  const nsteps = frame.readUInt32LE(RESULT.at.nsteps);
  if (status > STATUS.error) return garbage('unknown status in a RESULT', frame);
  if (nsteps > (frame.length - RESULT.size) / ANSWER.size) {
    return garbage('impossible number of steps in a RESULT', frame);
  }
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const steps: StepObservation[] = [];
  let at = RESULT.size;
  for (let i = 0; i < nsteps; i++) {
    const size = answerSize(view, at);
    if (size === undefined) return garbage('truncated step in a RESULT', frame);
    steps.push(decodeAnswer(frame, view, at));
    at += size;
  }
  if (at !== frame.length) return garbage('a RESULT of the wrong length', frame);
  const result: RunnerResult = {
    id: frame.readUInt32LE(8),
    status,
    detail: frame.readUInt32LE(RESULT.at.detail),
    exec_ns: Number(frame.readBigUInt64LE(RESULT.at.exec_ns)),
    idle_ns: Number(frame.readBigUInt64LE(RESULT.at.idle_ns)),
    traced: frame.readUInt16LE(RESULT.at.traced),
    compiled: frame.readUInt16LE(RESULT.at.compiled),
    observation: { steps },
  };
  return { type: 'result', result };
}

/** Bytes of the answer that begins at `at`, padding included; undefined when the frame ends before it does. */
function answerSize(view: DataView, at: number): number | undefined {
  const there = view.byteLength - at - ANSWER.size;
  if (there < 0) return undefined;
  const nreturns = view.getUint8(at + ANSWER.at.nreturns);
  const ncqes = view.getUint16(at + ANSWER.at.ncqes, true);
  const memoryLength = view.getUint32(at + ANSWER.at.memory_len, true);
  const size = 8 * nreturns + CQE_SIZE * ncqes + memoryLength;
  return size > there ? undefined : ANSWER.size + Math.ceil(size / 8) * 8;
}

/** Decodes an answer that is there whole. */
function decodeAnswer(frame: Buffer, view: DataView, from: number): StepObservation {
  const reached = frame[from + ANSWER.at.reached] !== 0;
  const nreturns = frame[from + ANSWER.at.nreturns] ?? 0;
  const ncqes = view.getUint16(from + ANSWER.at.ncqes, true);
  const memoryLength = view.getUint32(from + ANSWER.at.memory_len, true);
  let at = from + ANSWER.size;
  const returns: number[] = [];
  for (let r = 0; r < nreturns; r++, at += 8) returns.push(signed64(view, at));
  const cqes: Cqe[] = [];
  for (let c = 0; c < ncqes; c++, at += CQE_SIZE) {
    cqes.push({
      user_data: view.getBigUint64(at, true),
      res: view.getInt32(at + 8, true),
      flags: view.getUint32(at + 12, true),
    });
  }
  if (memoryLength === 0) return { reached, returns, cqes };
  return { reached, returns, cqes, memory: new Uint8Array(frame.subarray(at, at + memoryLength)) };
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

/** The number of a scenario that is sent; undefined for another frame. */
export function scenarioId(frame: Uint8Array): number | undefined {
  const words = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength);
  return words.length >= HEAD && words.readUInt32LE(0) === MAGIC.scenario ? words.readUInt32LE(8) : undefined;
}

/** IMAGE: the bytes at the start of the arena of every later scenario (at most ARENA_SIZE). */
export function imageFrame(image: Uint8Array): Buffer {
  return frameOf(MAGIC.image, 0, image);
}

/** The bare C loops of the guest, by number. */
export const BENCHES = Object.keys(BENCH_LOOPS) as readonly (keyof typeof BENCH_LOOPS)[];

/** BENCH: runs loop `which` (index in BENCHES) `iterations` times; answered by BENCHED. */
export function benchFrame(id: number, which: number, iterations: number): Buffer {
  const frame = frameOf(MAGIC.bench, id, Buffer.alloc(BENCH.size - HEAD));
  frame.writeUInt32LE(which, BENCH.at.which);
  frame.writeUInt32LE(iterations, BENCH.at.iterations);
  return frame;
}

/** READ: the content of a file or the names in a directory of the guest; answered by FILE frames of this id. */
export function readFrame(id: number, path: string): Buffer {
  return frameOf(MAGIC.read, id, Buffer.from(`${path}\0`));
}

/** WRITE: writes to a file of the guest that exists; answered by one FILE frame of this id. */
export function writeFrame(id: number, path: string, bytes: Uint8Array): Buffer {
  const fields = Buffer.alloc(WRITE.size - HEAD);
  const frame = frameOf(MAGIC.write, id, Buffer.concat([fields, bytes, Buffer.from(`${path}\0`)]));
  frame.writeUInt32LE(bytes.length, WRITE.at.length);
  return frame;
}

/** BYE: the guest powers off. */
export function byeFrame(): Buffer {
  return frameOf(MAGIC.bye, 0, Buffer.alloc(0));
}
