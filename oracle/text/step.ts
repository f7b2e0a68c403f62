/** A step as the call it makes, on one line. */
import type { AbiProfile } from '../uapi/abi.ts';
import { hex } from '../uapi/text.ts';
import { IORING_RESTRICTION, IORING_SETUP, IOSQE, USE_REGISTERED_RING } from '../uapi/constants.ts';
import { opName } from '../opcodes/index.ts';
import { flagText } from '../schema/codec.ts';
import { FILTER_FLAGS, REGISTER_OPCODES, RESTRICTIONS } from '../scenario/json/names.ts';
import { decodeSqe } from '../scenario/sqe.ts';
import type { BpfArg, Placement, Restriction, RegisterStep, Step, Target } from '../scenario/types.ts';
import { bytesText, count, plain } from './numbers.ts';
import { sqeText } from './sqe.ts';

/** The call, without the task that makes it. */
export function stepText(step: Step, abi: AbiProfile): string {
  switch (step.do) {
    case 'no_new_privs':
      return 'prctl(PR_SET_NO_NEW_PRIVS, 1)';
    case 'drop_cap_sys_admin':
      return 'drop CAP_SYS_ADMIN';
    case 'unshare_user':
      return 'unshare(CLONE_NEWUSER)';
    case 'ring':
      return `ring ${step.ring} = io_uring_setup(${plain(step.entries)}, {flags=${flagText(IORING_SETUP, step.flags)}})`;
    case 'register_bpf_filter':
      return register(
        step.on,
        'IORING_REGISTER_BPF_FILTER',
        bpfText(step.arg),
        step.nr_args === 1 ? undefined : step.nr_args,
      );
    case 'register_restrictions': {
      const { restrictions, placement } = step.arg;
      return register(
        step.on,
        'IORING_REGISTER_RESTRICTIONS',
        `[${restrictions.map(restrictionText).join(', ')}]${at(placement)}`,
        step.nr_args === restrictions.length ? undefined : step.nr_args,
      );
    }
    case 'register_task_restrictions': {
      const { flags, nr_res, resv, restrictions, placement } = step.arg;
      const header = [
        ...(flags === 0 ? [] : [`flags=${hex(flags)}`]),
        ...(nr_res === restrictions.length ? [] : [`nr_res=${nr_res}`]),
        ...numbers('resv', resv),
        `restrictions=[${restrictions.map(restrictionText).join(', ')}]`,
      ];
      return register(
        step.on,
        'IORING_REGISTER_RESTRICTIONS',
        `{${header.join(', ')}}${at(placement)}`,
        step.nr_args === 1 ? undefined : step.nr_args,
      );
    }
    case 'register':
      return register(step.on, registerName(step.opcode), argument(step, abi), step.nr_args);
    case 'submit':
      return `io_uring_enter(${step.registered === undefined ? `ring ${step.ring}` : `registered ring ${step.registered}`}, ${count(step.sqes.length, 'SQE')})`;
    case 'spawn':
      return `${{ fork: 'fork()', vfork: 'vfork()', thread: 'thread', clone_vm: 'clone(CLONE_VM)', clone3: 'clone3()' }[step.how]} -> task ${step.child}`;
    case 'exec':
      return 'execve(self)';
    case 'exit':
      return 'exit';
    case 'send_ring':
      return `send ring ${step.ring} by SCM_RIGHTS`;
    case 'receive_ring':
      return `receive ring ${step.ring} by SCM_RIGHTS`;
    case 'take_ring':
      return `take ring ${step.ring} of task ${step.from} by pidfd_getfd(2)`;
    case 'close_ring':
      return `close(ring ${step.ring})`;
    case 'probe_path':
      return `does ${JSON.stringify(step.path)} exist?`;
    case 'probe_fd':
      return `is descriptor ${step.fd} open?`;
    case 'probe_memory':
      return `read ${count(step.length, 'byte')} of the arena at ${hex(step.at)}`;
    case 'reap':
      return `reap the CQEs of ring ${step.ring}`;
  }
}

/** `ring 0`, `task` ... as the first argument of io_uring_register. */
export function targetText(on: Target): string {
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

function register(on: Target, opcode: string, arg: string, nr_args: number | undefined): string {
  return `io_uring_register(${targetText(on)}, ${opcode}, ${arg}${nr_args === undefined ? '' : `, nr_args=${plain(nr_args)}`})`;
}

/** IORING_REGISTER_ENABLE_RINGS and the like. */
export function registerName(opcode: number): string {
  const name = REGISTER_OPCODES.get((opcode & ~USE_REGISTERED_RING) >>> 0);
  return name === undefined
    ? `opcode ${plain(opcode)}`
    : `IORING_${name}${opcode >= USE_REGISTERED_RING ? '|USE_REGISTERED_RING' : ''}`;
}

function argument(step: RegisterStep, abi: AbiProfile): string {
  if (step.raw_arg !== undefined) return step.raw_arg === 0n ? 'NULL' : hex(step.raw_arg);
  if (step.bytes === undefined) return 'NULL';
  // IORING_REGISTER_SEND_MSG_RING takes an SQE.
  if (step.opcode === 31 && step.bytes.length === 64)
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
    `prog: ${count(length, 'insn')}${at(arg.program_placement)}`,
  ].join(', ')}}${at(arg.placement)}`;
}

/** The numbers, if one of them is not 0. */
function numbers(name: string, values: readonly (number | bigint)[]): string[] {
  if (values.every((value) => Number(value) === 0)) return [];
  return [`${name}=${values.length === 1 ? hex(values[0]!) : `[${values.map(hex).join(' ')}]`}`];
}

function at(placement: Placement): string {
  if (placement === 'normal') return '';
  return typeof placement === 'string'
    ? ` (${{ 'page-end': 'up to the end of mapped memory', straddle: 'last byte not mapped', 'read-only': 'in read-only memory' }[placement]})`
    : ` (at ${placement.raw === 0n ? 'NULL' : hex(placement.raw)})`;
}

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
