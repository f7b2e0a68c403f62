/** The measure by which a shrunk scenario is smaller, for the parts of steps. Every part counts, so shrinking ends. */
import type { Program } from '../bpf/program.ts';
import type { BpfArg, Placement, Restriction, Sqe, Target } from '../scenario/types.ts';

/** Bits that are set. */
export function bits(value: number): number {
  let n = 0;
  for (let v = value >>> 0; v !== 0; v &= v - 1) n++;
  return n;
}

/** 0 for 0, 1 for 1, and more for what is longer to read. */
export function numberSize(value: number | bigint): number {
  if (value === 0 || value === 0n) return 0;
  if (value === 1 || value === 1n) return 1;
  return 1 + value.toString(16).length;
}

/** Size of a request. */
export function sqeSize(sqe: Sqe): number {
  let size = 40 + (sqe.opcode === 0 ? 0 : 5);
  size += 2 * bits(sqe.flags ?? 0);
  const { opcode: _opcode, flags: _flags, ...rest } = sqe;
  for (const value of Object.values(rest)) if (value !== undefined) size += numberSize(value);
  return size;
}

/** Size of a program. */
export function programSize(program: Program): number {
  let size = 0;
  for (const { code, jt, jf, k } of program) {
    size += 20 + (jt !== 0 ? 1 : 0) + (jf !== 0 ? 1 : 0) + numberSize(k) + (code === 0x06 ? 0 : 1);
  }
  return size;
}

/** Size of a placement. */
export function placementSize(placement: Placement): number {
  return placement === 'normal' ? 0 : typeof placement === 'string' ? 3 : 4 + numberSize(placement.raw);
}

/** Size of a target. */
export function targetSize(on: Target): number {
  return on.kind === 'ring' ? 0 : on.kind === 'task' ? 1 : 3;
}

/** Size of struct io_uring_bpf and its program. */
export function bpfArgSize(arg: BpfArg): number {
  let size = programSize(arg.program) + placementSize(arg.placement) + placementSize(arg.program_placement);
  size +=
    numberSize(arg.cmd_type) +
    numberSize(arg.cmd_flags) +
    numberSize(arg.resv) +
    2 * bits(arg.flags) +
    numberSize(arg.pdu_size);
  size += arg.opcode === 0 ? 0 : 3;
  size += arg.filter_len === arg.program.length ? 0 : 3 + numberSize(arg.filter_len);
  for (const byte of arg.resv_filter) size += numberSize(byte);
  for (const word of arg.resv2) size += numberSize(word);
  return size;
}

/** Size of an array of restrictions. */
export function restrictionsSize(list: readonly Restriction[]): number {
  let size = 0;
  for (const { opcode, value, resv, resv2 } of list) {
    size += 15 + numberSize(opcode) + numberSize(value) + numberSize(resv);
    for (const word of resv2) size += numberSize(word);
  }
  return size;
}
