/** The parts of steps as C people write them: targets, arguments, restrictions. */
import type { AbiProfile } from '../uapi/abi.ts';
import { hex } from '../uapi/text.ts';
import { IORING_RESTRICTION, IOSQE, USE_REGISTERED_RING } from '../uapi/constants.ts';
import { opName } from '../opcodes/index.ts';
import { flagText } from '../schema/codec.ts';
import { FILTER_FLAGS, REGISTER_OPCODES, RESTRICTIONS } from '../json/names.ts';
import { registerSpec } from '../register/index.ts';
import { decodeSqe } from '../scenario/sqe.ts';
import type { BpfArg, Placement, RawCall, Restriction, Target, TaskRestrictionsArg } from '../scenario/types.ts';
import { bytesText, count, plain } from './numbers.ts';
import { sqeText } from './sqe.ts';

/** `ring 0`, `task` ... as the first argument of io_uring_register. */
function targetText(on: Target): string {
  switch (on.kind) {
    case 'ring':
      return `ring ${on.ring}`;
    case 'registered':
      return `registered ring ${on.index}`;
    case 'task':
      return 'task';
    case 'fd':
      return `fd ${on.fd}`;
  }
}

/** An io_uring_register call; `nrArgs` is undefined where it goes without saying. */
export function registerText(on: Target, opcode: string, arg: string, nrArgs: number | undefined): string {
  const rest = nrArgs === undefined ? '' : `, nr_args=${plain(nrArgs)}`;
  return `io_uring_register(${targetText(on)}, ${opcode}, ${arg}${rest})`;
}

/** IORING_REGISTER_ENABLE_RINGS and the like. */
export function registerName(opcode: number): string {
  const name = REGISTER_OPCODES.get((opcode & ~USE_REGISTERED_RING) >>> 0);
  return name === undefined
    ? `opcode ${plain(opcode)}`
    : `IORING_${name}${opcode >= USE_REGISTERED_RING ? '|USE_REGISTERED_RING' : ''}`;
}

/** An argument of any bytes. */
export function rawArgumentText(step: RawCall, abi: AbiProfile): string {
  if (step.raw_arg !== undefined) return step.raw_arg === 0n ? 'NULL' : hex(step.raw_arg);
  if (step.bytes === undefined) return 'NULL';
  if (registerSpec(step.opcode)?.argument === 'sqe' && step.bytes.length === 64)
    return `{${sqeText(decodeSqe(step.bytes, abi.little_endian), abi)}}`;
  return `{${bytesText(step.bytes)}}`;
}

/** struct io_uring_bpf: every field that is not as usual. */
export function bpfText(arg: BpfArg): string {
  const length = arg.program.length;
  return `{${[
    ...(arg.cmd_type === 1 ? [] : [`cmd_type=${arg.cmd_type}`]),
    ...(arg.cmd_flags === 0 ? [] : [`cmd_flags=${hex(arg.cmd_flags)}`]),
    ...numbers('resv', [arg.resv]),
    `opcode=${opName(arg.opcode)}`,
    ...(arg.flags === 0 ? [] : [`flags=${flagText(FILTER_FLAGS, arg.flags)}`]),
    ...(arg.filter_len === length ? [] : [`filter_len=${plain(arg.filter_len)}`]),
    `pdu_size=${arg.pdu_size}`,
    ...numbers('filter.resv', arg.resv_filter),
    ...numbers('filter.resv2', arg.resv2),
    `prog: ${count(length, 'insn')}${placementText(arg.program_placement)}`,
  ].join(', ')}}${placementText(arg.placement)}`;
}

/** struct io_uring_task_restriction: every field that is not as usual. */
export function taskRestrictionsText({ flags, nr_res, resv, restrictions, placement }: TaskRestrictionsArg): string {
  return `{${[
    ...(flags === 0 ? [] : [`flags=${hex(flags)}`]),
    ...(nr_res === restrictions.length ? [] : [`nr_res=${nr_res}`]),
    ...numbers('resv', resv),
    `restrictions=[${restrictions.map(restrictionText).join(', ')}]`,
  ].join(', ')}}${placementText(placement)}`;
}

/** The numbers, if one of them is not 0. */
function numbers(name: string, values: readonly (number | bigint)[]): string[] {
  if (values.every((value) => Number(value) === 0)) return [];
  return [`${name}=${values.length === 1 ? hex(values[0]!) : `[${values.map(hex).join(' ')}]`}`];
}

/** Where a structure is, if that is not as usual. */
export function placementText(placement: Placement): string {
  if (placement === 'normal') return '';
  if (typeof placement === 'string') return ` (${PLACES[placement]})`;
  return ` (at ${placement.raw === 0n ? 'NULL' : hex(placement.raw)})`;
}

const PLACES = {
  'page-end': 'up to the end of mapped memory',
  straddle: 'last byte not mapped',
  'read-only': 'in read-only memory',
} as const;

/** `SQE_OP NOP`, `SQE_FLAGS_ALLOWED IO_LINK|ASYNC` ... */
export function restrictionText({ opcode, value, resv, resv2 }: Restriction): string {
  const rest = [...numbers('resv', [resv]), ...numbers('resv2', resv2)];
  return [RESTRICTIONS.get(opcode) ?? `kind ${opcode}`, valueText(opcode, value), ...rest].join(' ');
}

function valueText(kind: number, value: number): string {
  if (kind === IORING_RESTRICTION.SQE_OP) return opName(value);
  if (kind === IORING_RESTRICTION.REGISTER_OP) return REGISTER_OPCODES.get(value) ?? String(value);
  if (kind === IORING_RESTRICTION.SQE_FLAGS_ALLOWED || kind === IORING_RESTRICTION.SQE_FLAGS_REQUIRED)
    return flagText(IOSQE, value);
  return String(value);
}
