/**
 * Names of the context's words, for comments in printed programs
 * (`struct io_uring_bpf_ctx`, UAPI `linux/io_uring/bpf_filter.h`).
 */

/** Which member of the payload union an opcode fills; `plain` for an opcode without a payload. */
export type ContextKind = 'plain' | 'socket' | 'open' | 'connect';

/** sizeof(struct io_uring_bpf_ctx) without the payload: where the union starts. */
export const PAYLOAD_OFFSET = 16;

/** Opcodes with a payload (UAPI `linux/io_uring.h`: CONNECT 16, OPENAT 18, OPENAT2 28, SOCKET 45). */
export function contextKind(opcode: number): ContextKind {
  if (opcode === 45) return 'socket';
  if (opcode === 18 || opcode === 28) return 'open';
  if (opcode === 16) return 'connect';
  return 'plain';
}

/** A word of a 64-bit member: its first word in memory is the low half on a little-endian machine. */
const half = (name: string, second: boolean) => (littleEndian: boolean) =>
  `${name} ${second === littleEndian ? 'high' : 'low'}`;
const word = (name: string) => () => name;

type Namer = (littleEndian: boolean) => string;

const HEAD: readonly Namer[] = [
  half('user_data', false),
  half('user_data', true),
  word('opcode/sqe_flags/pdu_size'),
  word('pad'),
];

const PAYLOAD: { readonly [K in ContextKind]: readonly Namer[] } = {
  plain: [],
  socket: [word('socket.family'), word('socket.type'), word('socket.protocol')],
  open: [
    half('open.flags', false),
    half('open.flags', true),
    half('open.mode', false),
    half('open.mode', true),
    half('open.resolve', false),
    half('open.resolve', true),
  ],
  connect: [
    word('connect.family'),
    word('connect.port'),
    word('connect.v4_addr/v6_addr[0..3]'),
    word('connect.v6_addr[4..7]'),
    word('connect.v6_addr[8..11]'),
    word('connect.v6_addr[12..15]'),
  ],
};

/** The name of the context word at a byte offset, or null when the opcode puts nothing there. */
export function fieldName(kind: ContextKind, offset: number, littleEndian: boolean): string | null {
  if (offset % 4 !== 0) return null;
  const namer = offset < PAYLOAD_OFFSET ? HEAD[offset / 4] : PAYLOAD[kind][(offset - PAYLOAD_OFFSET) / 4];
  return namer === undefined ? null : namer(littleEndian);
}

/** Byte offset of each member, by the name `offsetof` takes. */
export const FIELD_OFFSETS: Readonly<Record<string, number>> = {
  user_data: 0,
  opcode: 8,
  sqe_flags: 9,
  pdu_size: 10,
  pad: 11,
  'socket.family': 16,
  'socket.type': 20,
  'socket.protocol': 24,
  'open.flags': 16,
  'open.mode': 24,
  'open.resolve': 32,
  'connect.family': 16,
  'connect.port': 20,
  'connect.v4_addr': 24,
  'connect.v6_addr': 24,
};
