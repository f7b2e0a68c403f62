/**
 * The wire between host and guest, stated once. What a scenario is made of stands with each kind of step
 * (`oracle/steps/kind`); all else stands here. `frames.ts` reads and writes by it, and `npm run generate` makes the
 * runner's `protocol.h` and the tables of PROTOCOL.md of both.
 */
import { SCENARIO_FRAME } from '../../oracle/case/frame.ts';

/** Version of the protocol: a runner of another one is refused. */
export const PROTOCOL_VERSION = 3;

/** Longest frame from the guest, bytes. */
export const MAX_GUEST_FRAME = 2 << 20;

/** Bytes that a field of each type takes; it stands at a multiple of them. */
export const TYPE_SIZE = { char: 1, u8: 1, u16: 2, u32: 4, s32: 4, u64: 8, s64: 8 } as const;

/** A number, or `length` of them in a row; `char` is text with zeros behind. */
export interface FrameField {
  readonly type: keyof typeof TYPE_SIZE;
  readonly length?: number;
  /** What it says, for PROTOCOL.md. */
  readonly about?: string;
}

/** Fields by name, in the order in which they travel. */
export type FrameFields = Readonly<Record<string, FrameField>>;

/** A kind of frame. */
export interface Frame {
  /** First four bytes, as text in the little-endian order. */
  readonly tag: string;
  readonly to: 'guest' | 'host';
  readonly fields: FrameFields;
  /** What follows the fields, for PROTOCOL.md. */
  readonly rest?: string;
  /** What it is for, for PROTOCOL.md. */
  readonly about?: string;
}

const field = (type: FrameField['type'], about?: string): FrameField =>
  about === undefined ? { type } : { type, about };
const u32 = (about?: string): FrameField => field('u32', about);
const s32 = (about?: string): FrameField => field('s32', about);
const u64 = (about?: string): FrameField => field('u64', about);

/** What every frame begins with. */
export const FRAME_HEAD = {
  magic: u32(),
  length: u32('whole frame, padding included'),
  id: u32(),
  extra: u32('0'),
} as const;

/** Bits of HELLO's `features`. */
export const FEATURES = {
  /** The JIT can be switched off. */
  interpreter: 1,
  /** The frames come over a serial line. */
  line: 2,
  /** The JIT can be switched on. */
  jit: 4,
  /** bpf_jit_harden can be set. */
  harden: 8,
  /** The kernel tells what the JIT compiles, and the runner can read it. */
  traces: 16,
} as const;

/** Values of RESULT's `status`. */
export const STATUS = {
  done: 0,
  /** The deadline passed. */
  deadline: 1,
  /** A task was killed by a signal. */
  signal: 2,
  /** The runner could not do its part. */
  error: 3,
} as const;

/** Numbers of a BEGIN that announces no scenario: what else a guest does with the feature. */
export const ANNOUNCED = {
  /** What comes before HELLO: the kernel compiles and attaches a first program. */
  warm_up: 0xffff_fffe,
  /** What a BYE asks for. */
  power_off: 0xffff_ffff,
} as const;

/** What went wrong where the status is `error`: the upper half of `detail`. */
export const RUNNER_ERRORS = {
  directory: { code: 1, about: 'directory' },
  fixture: { code: 2, about: 'fixture (its number in bits 8-15, errno in bits 0-7)' },
  mailbox: { code: 3, about: 'mailbox' },
  answers_full: { code: 4, about: 'the answers do not fit' },
  jit: { code: 5, about: 'the JIT cannot be set, though it could before' },
  spawn: { code: 6, about: 'the root task could not be made' },
  arena: { code: 7, about: 'the arena could not be mapped after exec' },
} as const;

/** The bare C loops of the guest, by number. */
export const BENCH_LOOPS = {
  ring: 'create and close a ring',
  fork: 'fork and wait',
  vfork: 'vfork and wait',
  register: 'register a one-instruction filter on a ring',
  refuse: 'have a bad program refused',
  nop: 'submit and reap one NOP',
  nop64: 'submit and reap 64 NOPs',
} as const;

/** Values of FILE's `kind`. */
export const FILE_KINDS = {
  /** The bytes are the file's own. */
  file: 0,
  /** The bytes are names, each with a 0 behind it; those of directories end in a slash. */
  directory: 1,
} as const;

/** Name of the virtio-serial port that carries the frames. */
export const PORT_NAME = 'org.ringfence.0';

/** What precedes the bytes of each write of operation `call`; they are padded to 8. */
export const WRITE_HEAD = { offset: u32(), length: u32() } as const;

/** What precedes the values of each step in a RESULT. */
export const ANSWER_HEAD = {
  reached: field('u8'),
  nreturns: field('u8'),
  ncqes: field('u16'),
  memory_len: u32(),
} as const;

/** Every kind of frame. */
export const FRAMES = {
  image: {
    tag: 'RFIM',
    to: 'guest',
    fields: {},
    rest: 'bytes copied to the start of the arena before every later scenario',
  },
  scenario: SCENARIO_FRAME,
  bench: {
    tag: 'RFBN',
    to: 'guest',
    fields: { which: u32(), iterations: u32() },
    about: 'a bare C loop, answered by BENCHED',
  },
  read: {
    tag: 'RFRD',
    to: 'guest',
    fields: {},
    rest: 'path and a 0: the content of a file or the names in a directory, answered by FILE',
  },
  write: {
    tag: 'RFWR',
    to: 'guest',
    fields: { length: u32(), zero: u32() },
    rest: '`length` bytes, path and a 0: writes to a file that exists, in one call; answered by a FILE without bytes',
  },
  bye: { tag: 'RFBY', to: 'guest', fields: {}, about: 'power off' },
  hello: {
    tag: 'RFHI',
    to: 'host',
    fields: {
      version: u32('of the protocol'),
      cpus: u32(),
      release: { type: 'char', length: 64, about: 'of uname' },
      machine: { type: 'char', length: 64 },
      features: u32(
        'bit 0: the JIT can be switched off; bit 1: the frames come over a serial line; bit 2: the JIT can be ' +
          'switched on; bit 3: bpf_jit_harden can be set; bit 4: the kernel tells what it compiles',
      ),
      zero: u32(),
    },
  },
  begin: {
    tag: 'RFGO',
    to: 'host',
    fields: {},
    about:
      'scenario `id` starts now (written before it runs); 0xfffffffe: the guest warms up, before its HELLO; ' +
      '0xffffffff: it powers off',
  },
  result: {
    tag: 'RFRE',
    to: 'host',
    fields: {
      status: u32('0 done, 1 deadline passed, 2 a task was killed by a signal, 3 runner error'),
      detail: u32(),
      exec_ns: u64('set-up to clean-up'),
      idle_ns: u64('waiting for input before it'),
      nsteps: u32(),
      traced: field('u16', 'filters registered while the kernel told what it compiles'),
      compiled: field('u16', 'those of them that were compiled'),
    },
    rest:
      'then per step: u8 reached, u8 nreturns, u16 ncqes, u32 memory_len, s64 returns[], ' +
      '{u64 user_data, s32 res, u32 flags}[], memory padded to 8',
  },
  benched: { tag: 'RFBD', to: 'host', fields: { which: u32(), iterations: u32(), ns: u64('nanoseconds') } },
  file: {
    tag: 'RFFL',
    to: 'host',
    fields: {
      status: s32('0 or -errno'),
      kind: u32('0 file, 1 directory: names, each with a 0 behind it, those of directories with a slash'),
      length: u32(),
      last: u32('1 in the last frame of an answer'),
    },
    rest: '`length` bytes',
  },
  stuck: {
    tag: 'RFST',
    to: 'host',
    fields: {},
    rest:
      'text: a process of scenario `id` does not end though it was killed, and what the kernel says of it. ' +
      'The guest is of no more use, and powers off',
  },
  error: { tag: 'RFER', to: 'host', fields: {}, rest: 'text: the runner could not go on, and powers off' },
} as const satisfies Readonly<Record<string, Frame>>;

/** A frame's first word, as a number that is read in the guest's byte order. */
export function magicOf({ tag }: Frame): number {
  return Buffer.from(tag, 'latin1').readUInt32LE(0);
}

/** Where fields stand, and how long they are together. */
export interface Layout<F extends FrameFields> {
  readonly at: { readonly [N in keyof F]: number };
  /** Bytes up to the end of the last field. */
  readonly size: number;
}

/**
 * Places fields one behind the other from offset `from` on.
 * @throws Error when a field would not stand at a multiple of its size: a compiler would leave a hole there
 */
export function layoutOf<F extends FrameFields>(fields: F, from: number): Layout<F> {
  const at: Record<string, number> = {};
  let size = from;
  for (const [name, { type, length = 1 }] of Object.entries(fields)) {
    if (size % TYPE_SIZE[type] !== 0) throw new Error(`${name} does not stand at a multiple of its size`);
    at[name] = size;
    size += TYPE_SIZE[type] * length;
  }
  return { at: at as Layout<F>['at'], size };
}
