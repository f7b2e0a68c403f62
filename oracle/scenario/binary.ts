/**
 * The compact binary form of a scenario: one SCENARIO frame of vm/protocol/PROTOCOL.md. Every step
 * becomes one operation of the guest's runner, which knows nothing of BPF or restrictions.
 */
import { encodeProgram } from '../bpf/program.ts';
import { ARENA, ARENA_BASE, ARENA_END, ARENA_SIZE, FIXTURES, RING_FD } from './layout.ts';
import {
  addressOf,
  bpfArgAddress,
  bpfArgBytes,
  effectiveProgram,
  effectiveRestrictions,
  programAddress,
  RESTRICTION_SIZE,
  TASK_RESTRICTION_HEADER,
} from './memory.ts';
import type { Placement, Restriction, Scenario, SpawnHow, Sqe, Step, SubmitStep, Target } from './types.ts';

export { BPF_ARG_SIZE, BPF_PDU_SIZE_OFFSET, bpfArgBytes } from './memory.ts';

/** What the frame carries beside the scenario. */
export interface EncodeOptions {
  /** Number of the scenario, u32; RESULT and BEGIN repeat it. */
  readonly id: number;
  /** Time until the guest gives the scenario up, milliseconds, 1 .. 600 000. */
  readonly deadline_ms: number;
  /** Per step: CQEs to wait for (submit and reap only). A hint for liveness, never part of the verdict. Absent: 0. */
  readonly waits?: readonly number[];
  /** Per step: CQEs that may come in all, those that may be absent included. Absent: as `waits`. */
  readonly wants?: readonly number[];
  /** Per step: how many of the awaited CQEs are of the step's own requests; 0 where no others can come between. Absent: 0. */
  readonly owns?: readonly number[];
  /** Byte order of the guest. Default: little-endian. */
  readonly little_endian?: boolean;
}

/** Largest frame the guest takes, bytes. */
export const MAX_FRAME = 1 << 20;
/** Most steps the guest takes. */
export const MAX_STEPS = 4096;
/** Offset in the arena at which the path of a probe_path step is written; 256 bytes are reserved. */
export const PROBE_PATH_AT = ARENA.args + ARENA.args_size - 256;

const SCENARIO_MAGIC = 0x43534652; // "RFSC" read as a little-endian u32
const FLAG_JIT = 1;

const OP = {
  call: 1,
  ring: 2,
  submit: 3,
  spawn: 4,
  exec: 5,
  exit: 6,
  send_ring: 7,
  receive_ring: 8,
  close_ring: 9,
  reap: 10,
  drop_cap_sys_admin: 11,
  unshare_user: 12,
  take_ring: 13,
} as const;

const CALL = { register: 1, prctl: 2, faccessat: 3, fcntl: 4, none: 5 } as const;
const MODE = { read_only: 1, report_always: 2, positive_is_zero: 4 } as const;
const HOW: { readonly [H in SpawnHow]: number } = { fork: 0, vfork: 1, thread: 2, clone_vm: 3, clone3: 4 };

const IORING_REGISTER_RESTRICTIONS = 11;
const IORING_REGISTER_BPF_FILTER = 37;
const IORING_REGISTER_USE_REGISTERED_RING = 0x8000_0000;
const IORING_ENTER_REGISTERED_RING = 16;
const PR_SET_NO_NEW_PRIVS = 38;
const AT_FDCWD = -100n;
const F_GETFD = 1n;
/** An array longer than this is refused unread; it is not written out in full. */
const RESTRICTIONS_WRITTEN = 256;

/** Bytes for one place of the arena. */
interface Write {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Grows as needed and is used for every scenario: most of the time of an encoder is its allocations. */
class Writer {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  at = 0;
  le = true;

  start(little_endian: boolean): void {
    this.#bytes.fill(0, 0, this.at);
    this.at = 0;
    this.le = little_endian;
  }

  /** Makes room for `size` more bytes, all zero. */
  room(size: number): void {
    const need = this.at + size;
    if (need <= this.#bytes.length) return;
    if (need > 4 * MAX_FRAME)
      throw new RangeError(`a scenario of more than ${MAX_FRAME} bytes does not fit in a frame`);
    const grown = new Uint8Array(Math.max(need, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.at));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }

  u8(value: number): void {
    this.#view.setUint8(this.at, value);
    this.at += 1;
  }

  u16(value: number): void {
    this.#view.setUint16(this.at, value, this.le);
    this.at += 2;
  }

  u32(value: number): void {
    this.#view.setUint32(this.at, value, this.le);
    this.at += 4;
  }

  u64(value: bigint): void {
    this.#view.setBigUint64(this.at, value, this.le);
    this.at += 8;
  }

  u32At(offset: number, value: number): void {
    this.#view.setUint32(offset, value, this.le);
  }

  /** Bytes, padded with zeros to a multiple of 8. */
  padded(bytes: Uint8Array): void {
    this.#bytes.set(bytes, this.at);
    this.at += (bytes.length + 7) & ~7;
  }

  /** struct io_uring_sqe: 64 bytes, of which absent fields stay zero. */
  sqe(sqe: Sqe): void {
    const view = this.#view;
    const { at, le } = this;
    view.setUint8(at, sqe.opcode);
    if (sqe.flags !== undefined) view.setUint8(at + 1, sqe.flags);
    if (sqe.ioprio !== undefined) view.setUint16(at + 2, sqe.ioprio, le);
    if (sqe.fd !== undefined) view.setInt32(at + 4, sqe.fd, le);
    if (sqe.off !== undefined) view.setBigUint64(at + 8, sqe.off, le);
    if (sqe.addr !== undefined) view.setBigUint64(at + 16, sqe.addr, le);
    if (sqe.len !== undefined) view.setUint32(at + 24, sqe.len, le);
    if (sqe.op_flags !== undefined) view.setUint32(at + 28, sqe.op_flags, le);
    if (sqe.user_data !== undefined) view.setBigUint64(at + 32, sqe.user_data, le);
    if (sqe.buf_index !== undefined) view.setUint16(at + 40, sqe.buf_index, le);
    if (sqe.personality !== undefined) view.setUint16(at + 42, sqe.personality, le);
    if (sqe.file_index !== undefined) view.setUint32(at + 44, sqe.file_index, le);
    if (sqe.addr3 !== undefined) view.setBigUint64(at + 48, sqe.addr3, le);
    if (sqe.pad2 !== undefined) view.setBigUint64(at + 56, sqe.pad2, le);
    this.at = at + 64;
  }

  /** A copy of what was written. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.at);
  }
}

const writer = new Writer();

/**
 * Encodes a scenario as one SCENARIO frame.
 * @throws RangeError when it has more than MAX_STEPS steps or more than MAX_FRAME bytes
 */
export function encodeScenario(scenario: Scenario, options: EncodeOptions): Uint8Array<ArrayBuffer> {
  if (scenario.steps.length > MAX_STEPS)
    throw new RangeError(`a scenario of ${scenario.steps.length} steps is too long: at most ${MAX_STEPS}`);
  const w = writer;
  w.start(options.little_endian ?? true);
  w.room(32);
  w.u32(SCENARIO_MAGIC);
  w.u32(0);
  w.u32(options.id);
  w.u32(0);
  w.u32(options.deadline_ms);
  w.u32(scenario.fixtures.reduce((bits, fixture) => bits | (1 << FIXTURES.indexOf(fixture)), 0));
  w.u32(scenario.jit ? FLAG_JIT : 0);
  w.u32(scenario.steps.length);
  scenario.steps.forEach((step, i) => {
    const begin = w.at;
    w.room(64);
    const wait = options.waits?.[i] ?? 0;
    encodeStep(w, scenario, step, { wait, want: options.wants?.[i] ?? wait, own: options.owns?.[i] ?? 0 });
    w.u32At(begin + 4, w.at - begin);
  });
  if (w.at > MAX_FRAME)
    throw new RangeError(`a scenario of ${w.at} bytes does not fit in a frame: at most ${MAX_FRAME}`);
  w.u32At(4, w.at);
  return w.finish();
}

function head(w: Writer, op: number, task: number): void {
  w.u8(op);
  w.u8(task);
  w.u16(0);
  w.u32(0); // the length, filled in at the end
}

/** What the runner is told about the CQEs of one step. */
interface Awaited {
  readonly wait: number;
  readonly want: number;
  readonly own: number;
}

function encodeStep(w: Writer, scenario: Scenario, step: Step, awaited: Awaited): void {
  switch (step.do) {
    case 'no_new_privs':
      return call(w, step.task, CALL.prctl, [BigInt(PR_SET_NO_NEW_PRIVS), 1n, 0n, 0n, 0n]);
    case 'drop_cap_sys_admin':
    case 'unshare_user':
    case 'exec':
    case 'exit':
      return head(w, OP[step.do], step.task);
    case 'ring':
      head(w, OP.ring, step.task);
      w.u32(step.ring);
      w.u32(step.entries);
      w.u32(step.flags);
      return w.u32(0);
    case 'submit':
      return submit(w, step, awaited);
    case 'spawn':
      head(w, OP.spawn, step.task);
      w.u32(HOW[step.how]);
      return w.u32(step.child);
    case 'send_ring':
    case 'receive_ring':
      return slot(w, OP[step.do], step.task, step.ring, 0);
    case 'take_ring':
      head(w, OP.take_ring, step.task);
      w.u32(step.ring);
      w.u32(step.from);
      w.u32(step.ring);
      return w.u32(0);
    case 'close_ring':
      // A program that goes on through a registered descriptor keeps its mapping.
      return slot(w, OP.close_ring, step.task, step.ring, usesRegistered(scenario, step.ring) ? 1 : 0);
    case 'reap':
      return slot(w, OP.reap, step.task, step.ring, awaited.wait);
    case 'register_bpf_filter': {
      const { arg } = step;
      const at = bpfArgAddress(arg);
      const program = programWrite(
        arg.program_placement,
        programAddress(arg),
        encodeProgram(effectiveProgram(arg), w.le),
      );
      return register(
        w,
        step.task,
        step.on,
        IORING_REGISTER_BPF_FILTER,
        step.nr_args,
        arg.placement,
        at,
        bpfArgBytes(arg, w.le),
        program,
      );
    }
    case 'register_restrictions': {
      const bytes = asRead(
        restrictionBytes(step.arg.restrictions, step.arg.restrictions.length, w.le),
        step.on,
        step.nr_args,
        w.le,
      );
      const at = addressOf(step.arg.placement, bytes.length, ARENA_BASE + ARENA.args);
      return register(
        w,
        step.task,
        step.on,
        IORING_REGISTER_RESTRICTIONS,
        step.nr_args,
        step.arg.placement,
        at,
        bytes,
        [],
      );
    }
    case 'register_task_restrictions': {
      const { arg } = step;
      const whole = restrictionBytes(arg.restrictions, arg.restrictions.length, w.le, TASK_RESTRICTION_HEADER);
      const view = new DataView(whole.buffer);
      view.setUint16(0, arg.flags, w.le);
      view.setUint16(2, arg.nr_res, w.le);
      arg.resv.forEach((word, i) => view.setUint32(4 + 4 * i, word, w.le));
      const bytes = asRead(whole, step.on, step.nr_args, w.le);
      const at = addressOf(arg.placement, bytes.length, ARENA_BASE + ARENA.args);
      return register(w, step.task, step.on, IORING_REGISTER_RESTRICTIONS, step.nr_args, arg.placement, at, bytes, []);
    }
    case 'register': {
      const at = step.raw_arg ?? (step.bytes ? BigInt(ARENA_BASE + ARENA.args) : 0n);
      const bytes = step.bytes?.subarray(0, ARENA.args_size);
      const writes = bytes ? [{ offset: ARENA.args, bytes }] : [];
      const read = bytes ? { at: ARENA.args, length: bytes.length } : undefined;
      return call(w, step.task, CALL.register, registerArgs(step.on, step.opcode, at, step.nr_args), writes, read);
    }
    case 'probe_path': {
      const path = new TextEncoder().encode(step.path).subarray(0, 255);
      const bytes = new Uint8Array(path.length + 1);
      bytes.set(path);
      return call(
        w,
        step.task,
        CALL.faccessat,
        [AT_FDCWD, BigInt(ARENA_BASE + PROBE_PATH_AT), 0n],
        [{ offset: PROBE_PATH_AT, bytes }],
      );
    }
    case 'probe_fd':
      return call(w, step.task, CALL.fcntl, [BigInt(step.fd), F_GETFD], [], undefined, MODE.positive_is_zero);
    case 'probe_memory':
      return call(w, step.task, CALL.none, [], [], { at: step.at, length: step.length }, MODE.report_always);
  }
}

function slot(w: Writer, op: number, task: number, ring: number, arg: number): void {
  head(w, op, task);
  w.u32(ring);
  w.u32(arg);
}

function usesRegistered(scenario: Scenario, ring: number): boolean {
  return scenario.steps.some((step) => step.do === 'submit' && step.ring === ring && step.registered !== undefined);
}

function submit(w: Writer, step: SubmitStep, { wait, want, own }: Awaited): void {
  head(w, OP.submit, step.task);
  w.room(32 + 64 * step.sqes.length);
  w.u32(step.ring);
  w.u32(step.registered ?? 0xffff_ffff);
  w.u32(step.registered === undefined ? 0 : IORING_ENTER_REGISTERED_RING);
  w.u32(step.sqes.length);
  w.u32(wait);
  w.u32(want);
  w.u32(own);
  w.u32(0);
  for (const sqe of step.sqes) w.sqe(sqe);
}

interface Read {
  readonly at: number;
  readonly length: number;
}

function call(
  w: Writer,
  task: number,
  which: number,
  args: readonly bigint[],
  writes: readonly Write[] = [],
  read?: Read,
  mode = 0,
): void {
  head(w, OP.call, task);
  w.u32(which);
  w.u32(read?.at ?? 0);
  w.u32(read?.length ?? 0);
  w.u32(mode);
  w.room(64);
  for (let i = 0; i < 6; i++) w.u64(BigInt.asUintN(64, args[i] ?? 0n));
  w.u32(writes.length);
  w.u32(0);
  for (const { offset, bytes } of writes) {
    w.room(16 + bytes.length);
    w.u32(offset);
    w.u32(bytes.length);
    w.padded(bytes);
  }
}

/** Arguments of io_uring_register(2) for a target. */
function registerArgs(on: Target, opcode: number, at: bigint, nr_args: number): bigint[] {
  const registered = on.kind === 'registered' ? IORING_REGISTER_USE_REGISTERED_RING : 0;
  return [BigInt(targetFd(on)), BigInt((opcode | registered) >>> 0), at, BigInt(nr_args)];
}

function targetFd(on: Target): number {
  switch (on.kind) {
    case 'ring':
      return RING_FD + on.ring;
    case 'registered':
      return on.index;
    case 'task':
      return -1;
    case 'fd':
      return on.fd;
  }
}

function register(
  w: Writer,
  task: number,
  on: Target,
  opcode: number,
  nr_args: number,
  placement: Placement,
  at: bigint,
  bytes: Uint8Array,
  before: readonly Write[],
): void {
  const args = registerArgs(on, opcode, at, nr_args);
  if (typeof placement === 'object') return call(w, task, CALL.register, args, before);
  // The structure is written last: where it meets the program at the end of the arena, it wins.
  const write = clipped(at, bytes);
  const read = write.bytes.length > 0 ? { at: write.offset, length: write.bytes.length } : undefined;
  call(w, task, CALL.register, args, [...before, write], read, placement === 'read-only' ? MODE.read_only : 0);
}

function programWrite(placement: Placement, at: bigint, bytes: Uint8Array): Write[] {
  return typeof placement === 'object' || bytes.length === 0 ? [] : [clipped(at, bytes)];
}

/** A write whose part beyond the arena is cut. */
function clipped(at: bigint, bytes: Uint8Array): Write {
  const offset = Number(at) - ARENA_BASE;
  return { offset, bytes: bytes.subarray(0, Math.min(bytes.length, ARENA_END - Number(at), ARENA_SIZE)) };
}

/** `count` entries of struct io_uring_restriction (zeros behind the given ones) after `header` zero bytes. */
/**
 * Cuts or pads an argument to exactly what the kernel reads for this target, so that nothing left over
 * in memory decides: nr_args entries on a ring, a header and its nr_res entries on a task.
 */
function asRead(bytes: Uint8Array<ArrayBuffer>, on: Target, nr_args: number, le: boolean): Uint8Array<ArrayBuffer> {
  const blind =
    on.kind === 'task' || (on.kind === 'fd' && on.fd === -1) || (on.kind === 'registered' && on.index === -1);
  const nr_res = bytes.length >= TASK_RESTRICTION_HEADER ? new DataView(bytes.buffer).getUint16(2, le) : 0;
  const entries = Math.min(blind ? nr_res + 1 : nr_args, RESTRICTIONS_WRITTEN);
  const exact = new Uint8Array(entries * RESTRICTION_SIZE);
  exact.set(bytes.subarray(0, exact.length));
  return exact;
}

function restrictionBytes(
  restrictions: readonly Restriction[],
  count: number,
  le: boolean,
  header = 0,
): Uint8Array<ArrayBuffer> {
  const entries = effectiveRestrictions(restrictions, Math.min(count, RESTRICTIONS_WRITTEN)).slice(
    0,
    RESTRICTIONS_WRITTEN,
  );
  const bytes = new Uint8Array(header + entries.length * RESTRICTION_SIZE);
  const view = new DataView(bytes.buffer);
  entries.forEach(({ opcode, value, resv, resv2 }, i) => {
    const at = header + i * RESTRICTION_SIZE;
    view.setUint16(at, opcode, le);
    view.setUint8(at + 2, value);
    view.setUint8(at + 3, resv);
    resv2.forEach((word, j) => view.setUint32(at + 4 + 4 * j, word, le));
  });
  return bytes;
}
