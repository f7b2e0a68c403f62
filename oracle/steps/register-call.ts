/** What the steps that call io_uring_register have in common: its arguments, and a structure in memory. */
import { ARENA_BASE, ARENA_END, ARENA_SIZE, RING_FD } from '../scenario/layout.ts';
import type { Placement, Target } from '../scenario/types.ts';
import { USE_REGISTERED_RING } from '../uapi/constants.ts';
import { MODE } from './system-call.ts';
import type { Call, Write } from './system-call.ts';
import type { SystemCall } from './wire.ts';

/** io_uring_register(2), as the runner counts it. */
export const REGISTER: SystemCall = { number: 1, name: 'register' };

/** Its arguments for a target; `at` is the pointer. */
export function registerArgs(on: Target, opcode: number, at: bigint, nrArgs: number): bigint[] {
  const registered = on.kind === 'registered' ? USE_REGISTERED_RING : 0;
  return [BigInt(targetFd(on)), BigInt((opcode | registered) >>> 0), at, BigInt(nrArgs)];
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

/** A call whose argument is a structure: `bytes` at address `at`, as its placement says. `before` is written first. */
export function structureCall(
  args: readonly bigint[],
  placement: Placement,
  at: bigint,
  bytes: Uint8Array,
  before: readonly Write[] = [],
): Call {
  if (typeof placement === 'object') return { args, writes: before };
  // The structure is written last: where it meets the program at the end of the arena, it wins.
  const write = clipped(at, bytes);
  const read = write.bytes.length > 0 ? { at: write.offset, length: write.bytes.length } : undefined;
  return { args, writes: [...before, write], read, mode: placement === 'read-only' ? MODE.read_only : 0 };
}

/** A write whose part beyond the arena is cut. */
export function clipped(at: bigint, bytes: Uint8Array): Write {
  const offset = Number(at) - ARENA_BASE;
  return { offset, bytes: bytes.subarray(0, Math.min(bytes.length, ARENA_END - Number(at), ARENA_SIZE)) };
}
