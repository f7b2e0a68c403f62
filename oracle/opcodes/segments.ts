/** Memory that requests name, piece by piece. */
import { defineOpen, Open } from '../open-answer.ts';
import { FILE_OPEN } from './open-answers.ts';
import { IOSQE } from '../uapi/constants.ts';
import { append } from '../world/files.ts';
import { memoryNames } from '../world/memory.ts';
import { USER_END } from '../scenario/memory.ts';
import { EFAULT, EINVAL, prepOpen } from './support.ts';
import type { OpContext, PrepOutcome } from './types.ts';

/** A piece of memory, as struct iovec names it. */
export interface Segment {
  readonly addr: bigint;
  readonly len: number;
}

/** Lengths from here on are negative. */
export const NEGATIVE = 1n << 63n;
/** Addresses below are user space's on every kernel; from USER_END on none are. */
const USER_SURE = 1n << 47n;

const OPEN = defineOpen({
  'request.address-between': [
    'not-modelled',
    'A buffer between 2^47 and 2^56: whether these are addresses of user space is up to the levels of page tables.',
  ],
});

/** What prep says of the address of a buffer, before anything else looks at the memory; undefined: nothing. */
export function addressRefusal(address: bigint): PrepOutcome | undefined {
  if (address >= USER_END) return EFAULT;
  return address >= USER_SURE ? prepOpen(OPEN['request.address-between']) : undefined;
}
/** UIO_MAXIOV. */
const MAX_SEGMENTS = 1024;

/** Reads a struct iovec[]; prep outcome when it is refused. */
export function readIovecs(c: OpContext, addr: bigint, count: number): readonly Segment[] | PrepOutcome {
  if (count > MAX_SEGMENTS) return EINVAL;
  const bytes = c.sandbox.memory.read(addr, count * 16);
  if (bytes === 'fault') return EFAULT;
  if (Open.is(bytes)) return prepOpen(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const all = Array.from({ length: count }, (_, i) => ({
    addr: view.getBigUint64(i * 16, c.abi.little_endian),
    len: view.getBigUint64(i * 16 + 8, c.abi.little_endian),
  }));
  // All lengths are looked at before the first address.
  if (all.some(({ len }) => len >= NEGATIVE)) return EINVAL;
  const refused = all.map(({ addr }) => addressRefusal(addr)).find((refusal) => refusal !== undefined);
  if (refused !== undefined) return refused;
  if (all.some(({ len }) => len > 0x1_0000n)) return prepOpen(FILE_OPEN['file.large']);
  return all.map(({ addr, len }) => ({ addr, len: Number(len) }));
}

/** Whether reading the segments ended prep. */
export function isPrep(value: readonly Segment[] | PrepOutcome): value is PrepOutcome {
  return !Array.isArray(value);
}

/** Does the SQE carry IOSQE_BUFFER_SELECT? */
export function selects(c: OpContext): boolean {
  return (c.sqe.flags & IOSQE.BUFFER_SELECT) !== 0;
}

/** Bytes of all segments. */
export function total(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.len, 0);
}

/** Stores `bytes` over the segments, in order. */
export function scatter(c: OpContext, segments: readonly Segment[], bytes: Uint8Array): void {
  let at = 0;
  for (const { addr, len } of segments) {
    c.sandbox.memory.write(addr, bytes.subarray(at, at + len));
    at += len;
    if (at >= bytes.length) return;
  }
}

/** The bytes of the segments, one after the other. */
export function gather(c: OpContext, segments: readonly Segment[]): Uint8Array | 'fault' | Open {
  let out: Uint8Array = new Uint8Array(0);
  for (const { addr, len } of segments) {
    const bytes = c.sandbox.memory.read(addr, len);
    if (bytes === 'fault' || Open.is(bytes)) return bytes;
    out = append(out, bytes);
  }
  return out;
}

/** Resource names of the memory that the segments touch. */
export function segmentNames(segments: readonly Segment[]): string[] {
  return segments.flatMap(({ addr, len }) => memoryNames(addr, len));
}
