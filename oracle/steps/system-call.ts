/** Steps that are one system call: memory written before it, and read back after it. */
import type { Writer } from '../scenario/writer.ts';
import type { Operation, SystemCall, Wire } from './wire.ts';

/** Bits of `mode`. */
export const MODE = {
  /** The arena's args pages are read-only while the call runs. */
  read_only: 1,
  /** What is read back is reported even if it did not change. */
  report_always: 2,
  /** A positive return value is reported as 0. */
  positive_is_zero: 4,
} as const;

/** Bytes for one place of the arena. */
export interface Write {
  /** Offset in the arena. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** One call. */
export interface Call {
  /** At most 6; the others are 0. Negative numbers are extended to 64 bits. */
  readonly args: readonly bigint[];
  /** Done before the call, in this order. */
  readonly writes?: readonly Write[];
  /** Read back after the call. */
  readonly read?: { readonly at: number; readonly length: number } | undefined;
  /** MODE bits. */
  readonly mode?: number;
  /** How often it is made: again and again while it answers 0. Default once. */
  readonly times?: number;
}

const ARGS = 6;
const OPERATION: Operation = {
  number: 1,
  name: 'call',
  fields: [
    { name: 'call', type: 'u32' },
    { name: 'read_at', type: 'u32' },
    { name: 'read_len', type: 'u32' },
    { name: 'mode', type: 'u32', values: MODE },
    { name: 'args', type: 'u64', length: ARGS },
    { name: 'nwrites', type: 'u32' },
    { name: 'again', type: 'u32' },
  ],
  tail: { name: 'writes', type: 'u8' },
  answers: '1 return value; memory',
};
/** No call: memory alone. */
export const NO_CALL: SystemCall = { number: 5, name: 'none' };

const NO_WRITES: readonly Write[] = [];

/** A step that makes this call; `describe` gives the arguments, `le` says that the guest is little-endian. */
export function systemCall<S>(call: SystemCall, describe: (step: S, le: boolean) => Call): Wire<S> {
  const { number } = call;
  return {
    operation: OPERATION,
    call,
    encode: (writer, step) => put(writer, number, describe(step, writer.le)),
  };
}

function put(w: Writer, call: number, { args, writes = NO_WRITES, read, mode = 0, times = 1 }: Call): void {
  w.u32(call);
  w.u32(read?.at ?? 0);
  w.u32(read?.length ?? 0);
  w.u32(mode);
  for (let i = 0; i < ARGS; i++) w.u64(BigInt.asUintN(64, args[i] ?? 0n));
  w.u32(writes.length);
  w.u32(times - 1);
  for (const { offset, bytes } of writes) {
    w.room(16 + bytes.length);
    w.u32(offset);
    w.u32(bytes.length);
    w.padded(bytes);
  }
}
