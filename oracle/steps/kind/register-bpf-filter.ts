/** register_bpf_filter: a filter on a ring or on the task. */
import { encodeProgram, BPF_MAXINSNS } from '../../bpf/program.ts';
import { registerFilter, registerFilterOnTask } from '../../model/filter-registration.ts';
import { predictRegister } from '../../model/register.ts';
import type { RegisterHandler } from '../../model/register.ts';
import { bpfArg } from '../../json/parts.ts';
import {
  BPF_ARG_SIZE,
  BPF_PDU_SIZE_OFFSET,
  bpfArgAddress,
  bpfArgBytes,
  effectiveProgram,
  programAddress,
} from '../../scenario/memory.ts';
import type { BpfArg, Target } from '../../scenario/types.ts';
import { int, maybe, required } from '../../schema/codec.ts';
import { bpfText, registerText } from '../../text/index.ts';
import { IORING_REGISTER } from '../../register/index.ts';
import { NR_ARGS_ONE, ON } from '../fields.ts';
import { clipped, REGISTER, registerArgs, structureCall } from '../register-call.ts';
import { shrinkBpfArg } from '../shrink.ts';
import { bpfArgSize } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { systemCall } from '../system-call.ts';
import type { Write } from '../system-call.ts';

/** Most filters that one step registers. */
const MOST_TIMES = 8192;
const TIMES = maybe(int(1, MOST_TIMES), 'How often the call is made, while it answers 0; absent: once');

const OPCODE = IORING_REGISTER.REGISTER_BPF_FILTER;
/** BPF_LD | BPF_W | BPF_ABS; user_data are the first 8 bytes of the context. */
const LD_W_ABS = 0x20;
const USER_DATA_SIZE = 8;

/** IORING_REGISTER_BPF_FILTER with a struct io_uring_bpf. */
export interface RegisterBpfStep extends AnyStep {
  readonly do: 'register_bpf_filter';
  readonly on: Target;
  readonly nr_args: number;
  readonly arg: BpfArg;
  /** How often the call is made: again while it answers 0, so that one step makes a deep stack. Absent: once. */
  readonly times?: number;
}

const HANDLER: RegisterHandler<RegisterBpfStep> = {
  opcode: () => OPCODE,
  onRing: (world, _task, ring, step) => {
    const outcome = registerFilter(world, ring.rules, step);
    if (outcome.ret === 0) world.hit('inherit.ring-level-stays');
    return outcome;
  },
  onTask: (world, task, step) => registerFilterOnTask(world, task, step),
};

/** See RegisterBpfStep. */
export const registerBpfFilter: StepSpec<RegisterBpfStep> = {
  kind: 'register_bpf_filter',
  json: { on: ON, arg: required(bpfArg, 'struct io_uring_bpf'), nr_args: NR_ARGS_ONE, times: TIMES },
  wire: systemCall(REGISTER, ({ on, nr_args, arg, times }: RegisterBpfStep, le) => {
    const at = bpfArgAddress(arg);
    const args = registerArgs(on, OPCODE, at, nr_args);
    const made = structureCall(args, arg.placement, at, bpfArgBytes(arg, le), programWrite(arg, le));
    return times === undefined ? made : { ...made, times };
  }),
  predict: (world, task, step) => predictRegister(world, task, step, HANDLER),
  text: ({ on, nr_args, arg, times }) =>
    registerText(on, 'IORING_REGISTER_BPF_FILTER', bpfText(arg), nr_args === 1 ? undefined : nr_args) +
    (times === undefined ? '' : `, ${times} times`),
  check: ({ times = 1 }) =>
    Number.isInteger(times) && times >= 1 && times <= MOST_TIMES ? true : `times is not from 1 to ${MOST_TIMES}`,
  track: (_tracked, _task, { arg }) =>
    arg.program.length > BPF_MAXINSNS ? `a program of more than ${BPF_MAXINSNS} instructions` : true,
  size: ({ nr_args, arg, times }) =>
    bpfArgSize(arg) + (nr_args === 1 ? 0 : 3) + (times === undefined ? 0 : 2 + Math.log2(times)),
  *shrink(step) {
    yield* fewer(step);
    for (const arg of shrinkBpfArg(step.arg)) yield { ...step, arg };
    if (step.nr_args !== 1) yield { ...step, nr_args: 1 };
  },
  refersTo: ({ arg }) => ({ data: arg.program.some(({ code, k }) => code === LD_W_ABS && k < USER_DATA_SIZE) }),
  filter: ({ arg }) => arg,
  writtenBack: (bytes) =>
    bytes.length === BPF_ARG_SIZE ? `pdu_size ${bytes[BPF_PDU_SIZE_OFFSET]} is written back` : undefined,
};

/** The same made less often: once, half as often, once less. */
function* fewer({ times, ...once }: RegisterBpfStep): Generator<RegisterBpfStep> {
  if (times === undefined) return;
  yield once;
  for (const less of new Set([times >>> 1, times - (times >>> 2), times - 1]))
    if (less > 1 && less < times) yield { ...once, times: less };
}

function programWrite(arg: BpfArg, le: boolean): readonly Write[] {
  const bytes = encodeProgram(effectiveProgram(arg), le);
  return typeof arg.program_placement === 'object' || bytes.length === 0 ? [] : [clipped(programAddress(arg), bytes)];
}
