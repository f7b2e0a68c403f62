/**
 * The layout of what a filter sees (`struct io_uring_bpf_ctx`, UAPI `linux/io_uring/bpf_filter.h`), for comments in
 * printed programs and for `offsetof`. The members that all opcodes have are here; payloads are their opcodes' affair.
 */

/** A member of a payload. */
export interface PayloadMember {
  readonly name: string;
  /** Byte offset from the start of the payload. */
  readonly offset: number;
  /** Bytes: 1 to 8 for a number, more for an array of bytes. */
  readonly size: number;
}

/** A member of the context's union. */
export interface PayloadLayout {
  /** Name of the union's member, such as `open`. */
  readonly struct: string;
  readonly members: readonly PayloadMember[];
}

/** sizeof(struct io_uring_bpf_ctx) without the payload: where the union starts. */
export const PAYLOAD_OFFSET = 16;

/** A word of a 64-bit member: its first word in memory is the low half on a little-endian machine. */
const half = (name: string, second: boolean, littleEndian: boolean): string =>
  `${name} ${second === littleEndian ? 'high' : 'low'}`;

function headName(word: number, littleEndian: boolean): string {
  if (word < 2) return half('user_data', word === 1, littleEndian);
  return word === 2 ? 'opcode/sqe_flags/pdu_size' : 'pad';
}

/** What a word of the payload, from byte `at` on, holds of a member that reaches into it. */
function partName({ name, offset, size }: PayloadMember, at: number, littleEndian: boolean): string {
  if (size <= 4) return name;
  const from = at - offset;
  return size === 8 ? half(name, from === 4, littleEndian) : `${name}[${from}..${from + 3}]`;
}

/** The name of the context word at a byte offset, or null when the opcode puts nothing there. */
export function fieldName(payload: PayloadLayout | undefined, offset: number, littleEndian: boolean): string | null {
  if (offset % 4 !== 0) return null;
  if (offset < PAYLOAD_OFFSET) return headName(offset / 4, littleEndian);
  const at = offset - PAYLOAD_OFFSET;
  const parts = (payload?.members ?? [])
    .filter((member) => member.offset < at + 4 && member.offset + member.size > at)
    .map((member) => partName(member, at, littleEndian));
  return parts.length === 0 ? null : `${payload!.struct}.${parts.join('/')}`;
}

/** Byte offset of each member that every opcode has, by the name `offsetof` takes. */
const HEAD_OFFSETS: Readonly<Record<string, number>> = { user_data: 0, opcode: 8, sqe_flags: 9, pdu_size: 10, pad: 11 };

/** Byte offset of each member of a context with these payloads, by the name `offsetof` takes. */
export function contextOffsets(payloads: readonly PayloadLayout[] = []): Readonly<Record<string, number>> {
  const members = payloads.flatMap((payload) =>
    payload.members.map(({ name, offset }) => [`${payload.struct}.${name}`, PAYLOAD_OFFSET + offset] as const),
  );
  return { ...HEAD_OFFSETS, ...Object.fromEntries(members) };
}
