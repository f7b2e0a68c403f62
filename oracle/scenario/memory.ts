/**
 * How argument structures lie in the guest's memory. The encoder writes them from here and
 * the oracle reads them from here, so that both mean the same bytes.
 */
import type { SockFilter } from '../bpf/program.ts';
import { BPF_MAXINSNS } from '../bpf/program.ts';
import { ARENA, ARENA_BASE, ARENA_END } from './layout.ts';
import type { BpfArg, Placement, Restriction } from './types.ts';

/** sizeof(struct io_uring_bpf) in bytes. */
export const BPF_ARG_SIZE = 72;
/** Offset of filter.pdu_size inside struct io_uring_bpf. */
export const BPF_PDU_SIZE_OFFSET = 20;
/** sizeof(struct io_uring_restriction). */
export const RESTRICTION_SIZE = 16;
/** Bytes of struct io_uring_task_restriction before its entries. */
export const TASK_RESTRICTION_HEADER = 16;

/** What the kernel meets at a placement. */
export type AddressKind = 'readable' | 'read-only' | 'null' | 'unmapped' | 'unknown';

/** First address above user space on every supported architecture. */
export const USER_END = 1n << 56n;

/** Classifies a placement; 'unknown' where the runner may have something mapped. */
export function addressKind(placement: Placement): AddressKind {
  if (placement === 'normal' || placement === 'page-end') return 'readable';
  if (placement === 'read-only') return 'read-only';
  if (placement === 'straddle') return 'unmapped';
  const { raw } = placement;
  if (raw === 0n) return 'null';
  if (raw < 0x1000n || raw >= USER_END) return 'unmapped';
  if (raw >= BigInt(ARENA_END) && raw < BigInt(ARENA_END) + 0x1000n) return 'unmapped';
  return 'unknown';
}

/**
 * Address at which `size` bytes lie for a placement; `base` is where they go normally. A
 * straddling structure has its last byte beyond the arena.
 */
export function addressOf(placement: Placement, size: number, base: number): bigint {
  switch (placement) {
    case 'normal':
    case 'read-only':
      return BigInt(base);
    case 'page-end':
      return BigInt(ARENA_END - size);
    case 'straddle':
      return BigInt(ARENA_END - Math.max(size - 1, 0));
    default:
      return BigInt.asUintN(64, placement.raw);
  }
}

const ZERO: SockFilter = { code: 0, jt: 0, jf: 0, k: 0 };

/** The instructions the kernel reads: `filter_len` of them, zeros (ld #0) behind the written ones. */
export function effectiveProgram(arg: BpfArg): readonly SockFilter[] {
  if (arg.filter_len === arg.program.length) return arg.program;
  const length = Math.min(arg.filter_len, BPF_MAXINSNS);
  return Array.from({ length }, (_, i) => arg.program[i] ?? ZERO);
}

const NO_RESTRICTION: Restriction = { opcode: 0, value: 0, resv: 0, resv2: [0, 0, 0] };

/** The restrictions the kernel reads: `count` of them, zeros behind the written ones. */
export function effectiveRestrictions(entries: readonly Restriction[], count: number): readonly Restriction[] {
  if (count === entries.length) return entries;
  return Array.from({ length: count }, (_, i) => entries[i] ?? NO_RESTRICTION);
}

/** Address of the program of `arg` in the guest. */
export function programAddress(arg: BpfArg): bigint {
  return addressOf(arg.program_placement, Math.min(arg.filter_len, BPF_MAXINSNS) * 8, ARENA_BASE + ARENA.program);
}

/** Address of struct io_uring_bpf. Only one thing fits at the end of the arena: a program that wants it has it. */
export function bpfArgAddress(arg: BpfArg): bigint {
  const taken = arg.program_placement === 'page-end' || arg.program_placement === 'straddle';
  const placement = arg.placement === 'page-end' && taken ? 'normal' : arg.placement;
  return addressOf(placement, BPF_ARG_SIZE, ARENA_BASE + ARENA.args);
}

/** struct io_uring_bpf as bytes. */
export function bpfArgBytes(arg: BpfArg, littleEndian: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(BPF_ARG_SIZE);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, arg.cmd_type, littleEndian);
  view.setUint16(2, arg.cmd_flags, littleEndian);
  view.setUint32(4, arg.resv, littleEndian);
  view.setUint32(8, arg.opcode, littleEndian);
  view.setUint32(12, arg.flags, littleEndian);
  view.setUint32(16, arg.filter_len, littleEndian);
  view.setUint8(BPF_PDU_SIZE_OFFSET, arg.pdu_size);
  for (const [i, byte] of arg.resv_filter.entries()) view.setUint8(21 + i, byte);
  view.setBigUint64(24, programAddress(arg), littleEndian);
  for (const [i, word] of arg.resv2.entries()) view.setBigUint64(32 + 8 * i, word, littleEndian);
  return bytes;
}
