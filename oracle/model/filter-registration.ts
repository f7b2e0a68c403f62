/** IORING_REGISTER_BPF_FILTER: the checks of struct io_uring_bpf in their order, then the program. */
import { Open } from '../open-answer.ts';
import { validate } from '../bpf/validate.ts';
import { BPF_MAXINSNS } from '../bpf/program.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { E } from '../uapi/constants.ts';
import type { Allowed } from '../scenario/prediction.ts';
import { addressKind, bpfArgBytes, BPF_PDU_SIZE_OFFSET, effectiveProgram } from '../scenario/memory.ts';
import type { BpfArg } from '../scenario/types.ts';
import type { FeatureRuleId } from './feature-rules.ts';
import { MODEL } from './open.ts';
import type { RuleSet } from './ruleset.ts';
import type { Task, Tri, World } from './world.ts';

/** IO_URING_BPF_FILTER_DENY_REST. */
export const FILTER_DENY_REST = 1;
/** IO_URING_BPF_FILTER_SZ_STRICT. */
export const FILTER_SZ_STRICT = 2;
/** IO_URING_BPF_CMD_FILTER. */
export const CMD_FILTER = 1;

/** What an io_uring_register call answers. */
export interface CallOutcome {
  readonly ret: Allowed;
  readonly rule: string;
  /** The argument structure after the call, where it differs from what was passed. */
  readonly memory?: Uint8Array | Open;
  /** Offsets in `memory` of bytes that are not judged; absent: none. */
  readonly memory_open?: readonly number[];
}

/** no_new_privs or CAP_SYS_ADMIN over the task's own user namespace. */
export function privileged(world: World, task: Task): Tri {
  if (task.no_new_privs) {
    world.hit('filter-reg.privilege.nnp');
    return true;
  }
  if (task.cap_sys_admin === true)
    world.hit(task.in_user_ns ? 'filter-reg.privilege.userns' : 'filter-reg.privilege.cap');
  return task.cap_sys_admin;
}

/** A task-level registration took effect: what was made before must not notice. */
export function ownWay(world: World, task: Task): void {
  for (const ring of world.rings.values()) {
    if (ring.creator !== task) continue;
    world.hit('inherit.ring-not-later');
    break;
  }
  if (world.tasks.size > 1) world.hit('inherit.child-own-way');
}

/** A call, or several of one kind. */
export interface FilterCall {
  readonly nr_args: number;
  readonly arg: BpfArg;
  /** How often it is made, while it succeeds; absent: once. */
  readonly times?: number;
}

/** Registers on the calling task (fd = -1). */
export function registerFilterOnTask(world: World, task: Task, call: FilterCall): CallOutcome {
  const allowed = privileged(world, task);
  if (Open.is(allowed)) return { ret: allowed.any, rule: 'filter-reg.privilege', memory: allowed };
  if (!allowed) return { ret: -E.ACCES, rule: world.hit('filter-reg.privilege') };
  const outcome = registerFilter(world, task.rules, call);
  if (outcome.ret === 0) ownWay(world, task);
  return outcome;
}

/** Registers on a rule set; the checks are those of a task and a ring alike. */
export function registerFilter(world: World, rules: RuleSet, call: FilterCall): CallOutcome {
  const { abi } = world;
  const { nr_args: nrArgs, arg, times = 1 } = call;
  const refuse = (errno: number, rule: FeatureRuleId, memory?: Uint8Array): CallOutcome => {
    if (!rules.empty) world.hit('filter-reg.failed-changes-nothing');
    return { ret: -errno, rule: world.hit(rule), ...(memory === undefined ? {} : { memory }) };
  };
  if (nrArgs !== 1) return refuse(E.INVAL, 'filter-reg.nr-args');
  const where = addressKind(arg.placement);
  const nowhere = MODEL['filter-reg.pointer'];
  if (where === 'unknown') return { ret: nowhere.any, rule: 'filter-reg.fault', memory: nowhere };
  if (where !== 'readable' && where !== 'read-only') return refuse(E.FAULT, 'filter-reg.fault');
  const wrong = wrongField(arg, abi);
  if (wrong !== undefined) return refuse(E.INVAL, wrong);

  const size = abi.pdu_size[arg.opcode]!;
  if (where === 'read-only') return refuse(E.FAULT, 'filter-reg.pdu.write-back-fault');
  let memory: Uint8Array | undefined;
  if (arg.pdu_size !== size) {
    memory = bpfArgBytes(arg, abi.little_endian);
    memory[BPF_PDU_SIZE_OFFSET] = size;
    world.hit('filter-reg.pdu.write-back');
    if ((arg.flags & FILTER_SZ_STRICT) !== 0) return refuse(E.MSGSIZE, 'filter-reg.pdu.strict', memory);
    if (arg.pdu_size > size) return refuse(E.MSGSIZE, 'filter-reg.pdu.larger', memory);
    world.hit('filter-reg.pdu.smaller');
  } else world.hit('filter-reg.pdu.equal');

  const at = addressKind(arg.program_placement);
  if (at === 'null') return refuse(E.INVAL, 'filter-reg.program-null', memory);
  if (at === 'unknown') return { ret: nowhere.any, rule: 'filter-reg.program-fault', memory: memory ?? nowhere };
  if (at === 'unmapped') return refuse(E.FAULT, 'filter-reg.program-fault', memory);

  const program = effectiveProgram(arg);
  const checked = validate(program, abi);
  if (checked.verdict === 'rejected') {
    world.hit(checked.rule);
    world.trace?.({ kind: 'program', step: world.step, accepted: false, rule: checked.rule, pc: checked.pc });
    return refuse(-checked.errno, 'filter-reg.program-invalid', memory);
  }
  world.hit(checked.rule);
  world.trace?.({ kind: 'program', step: world.step, accepted: true });
  // Each of the calls finds the same, but for what the ones before have added.
  for (let n = 0; n < times; n++)
    rules.add(arg.opcode, program, (arg.flags & FILTER_DENY_REST) !== 0, abi.op_last, world.step);
  return { ret: 0, rule: world.hit('filter-reg.accepted'), ...(memory === undefined ? {} : { memory }) };
}

/** The rule of the first field whose own value is refused, in the order of the checks. */
function wrongField(arg: BpfArg, abi: AbiProfile): FeatureRuleId | undefined {
  if (arg.cmd_type !== CMD_FILTER) return 'filter-reg.cmd-type';
  if (arg.cmd_flags !== 0) return 'filter-reg.cmd-flags';
  if (arg.resv !== 0) return 'filter-reg.resv';
  if (arg.opcode >= abi.op_last) return 'filter-reg.opcode';
  if ((arg.flags & ~abi.filter_flags) !== 0) return 'filter-reg.flags';
  if (arg.resv_filter.some((byte) => byte !== 0)) return 'filter-reg.filter-resv';
  if (arg.resv2.some((word) => word !== 0n)) return 'filter-reg.filter-resv2';
  if (arg.filter_len === 0 || arg.filter_len > BPF_MAXINSNS) return 'filter-reg.len';
  return undefined;
}
