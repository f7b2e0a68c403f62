/** An SQE as one line. */
import { AT_FDCWD, FILE_INDEX_ALLOC, IOSQE } from '../uapi/constants.ts';
import { opName, opSpec } from '../opcodes/index.ts';
import { RING_FD, RING_SLOTS } from '../scenario/layout.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { flagText } from '../schema/codec.ts';
import type { Sqe } from '../scenario/types.ts';
import { hex } from '../uapi/text.ts';
import { plain } from './numbers.ts';

type Field = Exclude<keyof Sqe, 'opcode'>;

const ORDER: readonly Field[] = [
  'user_data',
  'flags',
  'fd',
  'off',
  'addr',
  'len',
  'op_flags',
  'ioprio',
  'buf_index',
  'personality',
  'file_index',
  'addr3',
  'pad2',
];

/**
 * The opcode's name, padded to `width`, then every field that is not 0, then what it means where that is known:
 * `NOP user_data=0x1 flags=IO_LINK`.
 */
export function sqeText(sqe: Sqe, abi: AbiProfile, width = 0): string {
  const fields = ORDER.filter((field) => sqe[field] !== undefined && Number(sqe[field]) !== 0).map(
    (field) => `${field}=${fieldText(field, sqe[field]!)}`,
  );
  const meaning = meaningOf(sqe, abi);
  return [
    opName(sqe.opcode).padEnd(fields.length === 0 && meaning === undefined ? 0 : width),
    ...fields,
    ...(meaning === undefined ? [] : [`; ${meaning}`]),
  ].join(' ');
}

function fieldText(field: Field, value: number | bigint): string {
  if (typeof value === 'bigint') return hex(value);
  if (field === 'flags') return flagText(IOSQE, value);
  if (field === 'file_index' && value === FILE_INDEX_ALLOC) return 'ALLOC';
  if (field === 'fd') return value === AT_FDCWD ? 'AT_FDCWD' : String(value);
  return plain(value);
}

function meaningOf(sqe: Sqe, abi: AbiProfile): string | undefined {
  const own = opSpec(sqe.opcode)?.meaning?.(sqe, abi);
  if (own !== undefined) return own;
  const fd = sqe.fd ?? 0;
  return fd >= RING_FD && fd < RING_FD + RING_SLOTS ? `fd of ring ${fd - RING_FD}` : undefined;
}
