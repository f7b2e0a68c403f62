/** Structures of the calls that register and update arrays of resources. */
import { Open } from '../open-answer.ts';
import { REGISTER } from './open.ts';
import { bad, unknown, unknownArguments } from './spec.ts';
import { struct } from './ready-made.ts';
import { E } from '../uapi/constants.ts';
import type { Answer, RingCall } from './spec.ts';

/** struct io_uring_rsrc_register. */
export function register2(call: RingCall, then: (call: RingCall, address: bigint, count: number) => Answer): Answer {
  if (call.nr_args !== 32) return bad(E.INVAL);
  const reg = call.arg.read(0, 32);
  if (reg === 'fault') return bad(E.FAULT);
  if (Open.is(reg)) return unknownArguments(call.ring, reg);
  const count = reg.u32(0);
  const flags = reg.u32(4);
  const data = reg.u64(16);
  if (count === 0 || reg.u64(8) !== 0n || (flags & ~1) !== 0) return bad(E.INVAL);
  if (flags === 1 && data !== 0n) return bad(E.INVAL);
  // Tags announce when a resource goes away: not modelled.
  if (reg.u64(24) !== 0n) return unknownArguments(call.ring, REGISTER['register-call.tags']);
  return then(call, data, count);
}

/** struct io_uring_rsrc_update2. */
export function update2(
  call: RingCall,
  then: (call: RingCall, offset: number, address: bigint, count: number) => Answer,
): Answer {
  if (call.nr_args !== 32) return bad(E.INVAL);
  const up = call.arg.read(0, 32);
  if (up === 'fault') return bad(E.FAULT);
  if (Open.is(up)) return unknown(call.ring, up);
  const count = up.u32(24);
  if (count === 0 || up.u32(4) !== 0 || up.u32(28) !== 0) return bad(E.INVAL);
  if (up.u64(16) !== 0n) return unknown(call.ring, REGISTER['register-call.tags']);
  return then(call, up.u32(0), up.u64(8), count);
}

/** A struct io_uring_rsrc_register for a ready-made call. */
export const rsrcRegister = (nr: number, flags: number, at: bigint): Uint8Array =>
  struct([4, nr], [4, flags], [8, 0], [8, at], [8, 0]);

/** A struct io_uring_rsrc_update2 for a ready-made call. */
export const rsrcUpdate2 = (offset: number, at: bigint, nr: number): Uint8Array =>
  struct([4, offset], [4, 0], [8, at], [8, 0], [4, nr], [4, 0]);
