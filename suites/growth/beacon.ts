/**
 * An opcode that no kernel has, with a payload, written as its neighbours in `oracle/opcodes/` are:
 * `suites/growth.test.ts` puts this file into a copy of that folder.
 */
import { E } from '../../oracle/uapi/constants.ts';
import { anySet, prepError, result } from '../../oracle/opcodes/support.ts';
import type { OpSpec, Payload } from '../../oracle/opcodes/types.ts';

const PAYLOAD: Payload = {
  struct: 'beacon',
  since: '7.4',
  size: 8,
  members: [
    { name: 'channel', offset: 0, size: 4 },
    { name: 'colour', offset: 4, size: 4 },
  ],
  fields: (view, { little_endian }) =>
    PAYLOAD.members.map(({ name, offset }) => [name, String(view.getUint32(offset, little_endian))]),
};

/** IORING_OP_BEACON: lights a channel in a colour. */
export const BEACON: OpSpec = {
  opcode: 65,
  since: '7.4',
  payload: PAYLOAD,
  prep: ({ sqe }) =>
    anySet(sqe, 'addr', 'buf_index', 'file_index')
      ? prepError(E.INVAL)
      : { ok: true, adds_flags: 0, payload: Uint32Array.of(sqe.len, sqe.op_flags, 0, 0, 0, 0) },
  issue: () => result(0),
  samples: () => [1, 2, 3].map((len) => ({ len, op_flags: 0xff0000 })),
  meaning: ({ len = 0, op_flags = 0 }) => `beacon(${len}, 0x${op_flags.toString(16)})`,
  forms: [
    { name: 'red', sqe: { len: 1, op_flags: 0xff0000 }, fixtures: [] },
    { name: 'green', sqe: { len: 2, op_flags: 0xff00 }, fixtures: [] },
    { name: 'blue', sqe: { len: 3, op_flags: 0xff }, fixtures: [] },
    { name: 'addr-set', sqe: { len: 3, addr: 1n }, fixtures: [], prep_error: true },
  ],
};
