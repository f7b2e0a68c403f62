/** The argument of an io_uring_register call, read as the kernel would. */
import { Open } from '../open-answer.ts';
import { ARENA, ARENA_BASE } from '../scenario/layout.ts';
import type { RawCall } from '../scenario/types.ts';
import type { Sandbox } from '../world/sandbox.ts';
import type { DecisionPoint, Decisions } from '../quirks/index.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import type { RegisteredRings } from '../world/ring-resources.ts';

/** What the call acts on. */
export interface RegisterView {
  readonly abi: AbiProfile;
  /** The ring the call is made on; undefined for fd = -1. */
  readonly ring: { readonly slot: number; readonly setup_flags: number; readonly disabled: boolean } | undefined;
  /** The calling task's descriptors and memory. */
  readonly sandbox: Sandbox;
  /** The calling task's registered ring descriptors: index -> slot; changed by the effect. */
  readonly registered: RegisteredRings;
  /** The calling task has used io_uring since its start or last execve. */
  readonly used_io_uring: boolean;
  /** Whether the calling task has CAP_NET_RAW over the network; undefined: nobody knows. */
  readonly netRaw?: boolean | undefined;
  /** The answer to a decision, which is noted as one that mattered. */
  decide<P extends DecisionPoint>(point: P): Decisions[P];
  /** A ring descriptor of the calling task. */
  ringAt(fd: number): { readonly slot: number; readonly setup_flags: number; readonly disabled: boolean } | undefined;
}

const ARGS = BigInt(ARENA_BASE + ARENA.args);

/** A pointer argument and the bytes that are there. */
export class Argument {
  readonly address: bigint;
  /** The caller's memory takes what the kernel writes back. */
  readonly writable: boolean;
  readonly #bytes: Uint8Array;
  readonly #sandbox: Sandbox;
  readonly #le: boolean;

  constructor(step: Pick<RawCall, 'bytes' | 'raw_arg' | 'read_only'>, view: RegisterView) {
    this.#bytes = step.bytes?.subarray(0, ARENA.args_size) ?? new Uint8Array(0);
    this.writable = step.read_only !== true;
    this.address = step.raw_arg ?? (step.bytes ? ARGS : 0n);
    this.#sandbox = view.sandbox;
    this.#le = view.abi.little_endian;
  }

  /** What the caller's own bytes are after a call that wrote these at its argument; undefined: it points elsewhere. */
  written(bytes: Uint8Array): Uint8Array | undefined {
    if (this.address !== ARGS || this.#bytes.length === 0) return undefined;
    const after = this.#bytes.slice();
    after.set(bytes.subarray(0, after.length));
    return after;
  }

  get isNull(): boolean {
    return this.address === 0n;
  }

  /** `length` bytes at any guest address: what the call wrote to the argument area, or what memory holds. */
  at(address: bigint, length: number): DataView | 'fault' | Open {
    const offset = address - ARGS;
    if (offset >= 0n && offset + BigInt(length) <= BigInt(this.#bytes.length)) {
      const from = this.#bytes.byteOffset + Number(offset);
      return new DataView(this.#bytes.buffer.slice(from, from + length));
    }
    const bytes = this.#sandbox.memory.read(address, length);
    return bytes === 'fault' || Open.is(bytes) ? bytes : new DataView(bytes.buffer, bytes.byteOffset, length);
  }

  /** `length` bytes from `offset` of the argument on. */
  read(offset: number, length: number): Fields | 'fault' | Open {
    const view = this.at(this.address + BigInt(offset), length);
    return view === 'fault' || Open.is(view) ? view : new Fields(view, this.#le);
  }

  /** As read, at any address. */
  readAt(address: bigint, length: number): Fields | 'fault' | Open {
    const view = this.at(address, length);
    return view === 'fault' || Open.is(view) ? view : new Fields(view, this.#le);
  }
}

/** Fields of a structure in the guest's byte order. */
export class Fields {
  readonly #view: DataView;
  readonly #le: boolean;

  constructor(view: DataView, le: boolean) {
    this.#view = view;
    this.#le = le;
  }

  u8(at: number): number {
    return this.#view.getUint8(at);
  }

  u16(at: number): number {
    return this.#view.getUint16(at, this.#le);
  }

  u32(at: number): number {
    return this.#view.getUint32(at, this.#le);
  }

  s32(at: number): number {
    return this.#view.getInt32(at, this.#le);
  }

  u64(at: number): bigint {
    return this.#view.getBigUint64(at, this.#le);
  }

  /** Whether bytes [from, to) are all zero. */
  isZero(from: number, to: number): boolean {
    for (let i = from; i < to; i++) if (this.#view.getUint8(i) !== 0) return false;
    return true;
  }

  get bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset, this.#view.byteLength);
  }
}
