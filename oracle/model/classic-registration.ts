/** IORING_REGISTER_RESTRICTIONS on a ring and, with fd = -1, on a task. */
import { Open } from '../open-answer.ts';
import { E, IORING_RESTRICTION } from '../uapi/constants.ts';
import { addressKind, effectiveRestrictions } from '../scenario/memory.ts';
import type { Placement, Restriction, RingRestrictionsArg, TaskRestrictionsArg } from '../scenario/types.ts';
import { ownWay, privileged } from './filter-registration.ts';
import type { CallOutcome } from './filter-registration.ts';
import type { FeatureRuleId } from './feature-rules.ts';
import { MODEL } from './open.ts';
import type { Classic } from './ruleset.ts';
import type { Ring, Task, World } from './world.ts';

/** IORING_RESTRICTION_LAST: kinds of restriction entries. */
const RESTRICTION_KINDS = 4;

/** Number of different restrictions: the bound of an array's length. */
function maxRestrictions(world: World): number {
  return RESTRICTION_KINDS + world.abi.register_last + world.abi.op_last;
}

/** Reads an array of struct io_uring_restriction as the kernel does. */
function parse(world: World, entries: readonly Restriction[]): Classic | undefined {
  const classic = {
    sqe_op: new Set<number>(),
    register_op: new Set<number>(),
    sqe_flags_allowed: 0,
    sqe_flags_required: 0,
    names_sqe: entries.length === 0,
    names_register: entries.length === 0,
  };
  for (const { opcode, value, resv, resv2 } of entries) {
    if (resv !== 0 || resv2.some((word) => word !== 0)) world.hit('classic-reg.entry-resv');
    switch (opcode) {
      case IORING_RESTRICTION.REGISTER_OP:
        if (value >= world.abi.register_last) return undefined;
        classic.register_op.add(value);
        classic.names_register = true;
        break;
      case IORING_RESTRICTION.SQE_OP:
        if (value >= world.abi.op_last) return undefined;
        classic.sqe_op.add(value);
        classic.names_sqe = true;
        break;
      case IORING_RESTRICTION.SQE_FLAGS_ALLOWED:
        classic.sqe_flags_allowed = value;
        classic.names_sqe = true;
        break;
      case IORING_RESTRICTION.SQE_FLAGS_REQUIRED:
        classic.sqe_flags_required = value;
        classic.names_sqe = true;
        break;
      default:
        return undefined;
    }
  }
  return classic;
}

type Parsed = { readonly ok: true; readonly classic: Classic } | { readonly ok: false; readonly outcome: CallOutcome };

function parseArray(
  world: World,
  entries: readonly Restriction[],
  count: number,
  placement: Placement,
  refuse: (errno: number, rule: FeatureRuleId) => CallOutcome,
): Parsed {
  const where = addressKind(placement);
  if (where === 'null') return { ok: false, outcome: refuse(E.INVAL, 'classic-reg.nr-args') };
  if (count > maxRestrictions(world)) return { ok: false, outcome: refuse(E.INVAL, 'classic-reg.nr-args') };
  if (where === 'unknown')
    return { ok: false, outcome: { ret: MODEL['filter-reg.pointer'].any, rule: 'classic-reg.fault' } };
  if (where === 'unmapped' && count > 0) return { ok: false, outcome: refuse(E.FAULT, 'classic-reg.fault') };
  const classic = parse(world, effectiveRestrictions(entries, count));
  if (classic === undefined) return { ok: false, outcome: refuse(E.INVAL, 'classic-reg.kind') };
  return { ok: true, classic };
}

/** On a ring: an array of `nrArgs` entries. */
export function registerRestrictionsOnRing(
  world: World,
  ring: Ring,
  nrArgs: number,
  arg: RingRestrictionsArg,
): CallOutcome {
  const refuse = (errno: number, rule: FeatureRuleId): CallOutcome => {
    if (!ring.rules.empty) world.hit('filter-reg.failed-changes-nothing');
    return { ret: -errno, rule: world.hit(rule) };
  };
  if (!ring.disabled) return refuse(E.BADFD, 'classic-reg.not-disabled');
  if (ring.rules.classic !== undefined) return refuse(E.BUSY, 'classic-reg.once');
  const parsed = parseArray(world, arg.restrictions, nrArgs, arg.placement, refuse);
  if (!parsed.ok) return parsed.outcome;
  ring.rules.classic = parsed.classic;
  return { ret: 0, rule: world.hit('classic-reg.accepted') };
}

/** On the calling task: one struct io_uring_task_restriction. */
export function registerRestrictionsOnTask(
  world: World,
  task: Task,
  nrArgs: number,
  arg: TaskRestrictionsArg,
): CallOutcome {
  const refuse = (errno: number, rule: FeatureRuleId): CallOutcome => {
    if (!task.rules.empty) world.hit('filter-reg.failed-changes-nothing');
    return { ret: -errno, rule: world.hit(rule) };
  };
  if (!task.rules.empty) return refuse(E.PERM, 'task-classic-reg.once');
  const allowed = privileged(world, task);
  if (Open.is(allowed)) return { ret: allowed.any, rule: 'task-classic-reg.privilege' };
  if (!allowed) return refuse(E.ACCES, 'task-classic-reg.privilege');
  if (nrArgs !== 1) return refuse(E.INVAL, 'task-classic-reg.nr-args');
  const where = addressKind(arg.placement);
  if (where === 'unknown') return { ret: MODEL['filter-reg.pointer'].any, rule: 'task-classic-reg.fault' };
  // An array that runs over the end of memory leaves its header readable; a lone header does not.
  const headerLost = where === 'unmapped' && (arg.placement !== 'straddle' || arg.nr_res === 0);
  if (where === 'null' || headerLost) return refuse(E.FAULT, 'task-classic-reg.fault');
  if (arg.flags !== 0) return refuse(E.INVAL, 'task-classic-reg.flags');
  if (arg.resv.some((word) => word !== 0)) return refuse(E.INVAL, 'task-classic-reg.resv');
  const parsed = parseArray(world, arg.restrictions, arg.nr_res, arg.placement, refuse);
  if (!parsed.ok) return parsed.outcome;
  task.rules.classic = parsed.classic;
  ownWay(world, task);
  return { ret: 0, rule: world.hit('task-classic-reg.accepted') };
}

/** The task structure read as an array of ring restrictions: its 16-byte header is the first entry. */
export function asRingArg(arg: TaskRestrictionsArg): RingRestrictionsArg {
  const header = { opcode: arg.flags, value: arg.nr_res & 0xff, resv: arg.nr_res >>> 8, resv2: arg.resv };
  return { restrictions: [header, ...arg.restrictions], placement: arg.placement };
}

/** An array of ring restrictions read as the task structure: its first entry is the header. */
export function asTaskArg(arg: RingRestrictionsArg): TaskRestrictionsArg {
  const [header, ...restrictions] = arg.restrictions;
  if (header === undefined) return { flags: 0, nr_res: 0, resv: [0, 0, 0], restrictions: [], placement: arg.placement };
  return {
    flags: header.opcode,
    nr_res: header.value | (header.resv << 8),
    resv: header.resv2,
    restrictions,
    placement: arg.placement,
  };
}
