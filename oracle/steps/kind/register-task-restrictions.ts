/** register_task_restrictions: classic restrictions as a task takes them. */
import { asRingArg, registerRestrictionsOnRing, registerRestrictionsOnTask } from '../../model/classic-registration.ts';
import { predictRegister } from '../../model/register.ts';
import type { RegisterHandler } from '../../model/register.ts';
import { taskRestrictionsArg } from '../../json/parts.ts';
import { ARENA, ARENA_BASE } from '../../scenario/layout.ts';
import { addressOf, TASK_RESTRICTION_HEADER } from '../../scenario/memory.ts';
import type { Target, TaskRestrictionsArg } from '../../scenario/types.ts';
import { required } from '../../schema/codec.ts';
import { registerText, taskRestrictionsText } from '../../text/index.ts';
import { IORING_REGISTER } from '../../register/index.ts';
import { NR_ARGS_ONE, ON } from '../fields.ts';
import { REGISTER, registerArgs, structureCall } from '../register-call.ts';
import { asRead, checkRestrictions, restrictionBytes } from '../restriction-array.ts';
import { shrinkRestrictions } from '../shrink.ts';
import { numberSize, placementSize, restrictionsSize } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { systemCall } from '../system-call.ts';

const OPCODE = IORING_REGISTER.REGISTER_RESTRICTIONS;

/** IORING_REGISTER_RESTRICTIONS with a struct io_uring_task_restriction (task form; `on` may still be a ring). */
export interface RegisterTaskRestrictionsStep extends AnyStep {
  readonly do: 'register_task_restrictions';
  readonly on: Target;
  readonly nr_args: number;
  readonly arg: TaskRestrictionsArg;
}

const HANDLER: RegisterHandler<RegisterTaskRestrictionsStep> = {
  opcode: () => OPCODE,
  onRing: (world, _task, ring, step) => registerRestrictionsOnRing(world, ring, step.nr_args, asRingArg(step.arg)),
  onTask: (world, task, step) => registerRestrictionsOnTask(world, task, step.nr_args, step.arg),
};

/** See RegisterTaskRestrictionsStep. */
export const registerTaskRestrictions: StepSpec<RegisterTaskRestrictionsStep> = {
  kind: 'register_task_restrictions',
  json: { on: ON, arg: required(taskRestrictionsArg, 'struct io_uring_task_restriction'), nr_args: NR_ARGS_ONE },
  wire: systemCall(REGISTER, ({ on, nr_args, arg }: RegisterTaskRestrictionsStep, le) => {
    const bytes = asRead(structure(arg, le), on, nr_args, le);
    const at = addressOf(arg.placement, bytes.length, ARENA_BASE + ARENA.args);
    return structureCall(registerArgs(on, OPCODE, at, nr_args), arg.placement, at, bytes);
  }),
  predict: (world, task, step) => predictRegister(world, task, step, HANDLER),
  text: ({ on, nr_args, arg }) =>
    registerText(on, 'IORING_REGISTER_RESTRICTIONS', taskRestrictionsText(arg), nr_args === 1 ? undefined : nr_args),
  check: ({ arg }) => checkRestrictions(arg.restrictions),
  size: ({ nr_args, arg }) => {
    let size =
      restrictionsSize(arg.restrictions) +
      placementSize(arg.placement) +
      numberSize(arg.flags) +
      (nr_args === 1 ? 0 : 3);
    for (const word of arg.resv) size += numberSize(word);
    return size + (arg.nr_res === arg.restrictions.length ? 0 : 3);
  },
  *shrink(step) {
    for (const arg of shrinkArg(step.arg)) yield { ...step, arg };
    if (step.nr_args !== 1) yield { ...step, nr_args: 1 };
  },
};

/** struct io_uring_task_restriction as bytes. */
function structure(arg: TaskRestrictionsArg, le: boolean): Uint8Array<ArrayBuffer> {
  const bytes = restrictionBytes(arg.restrictions, le, TASK_RESTRICTION_HEADER);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, arg.flags, le);
  view.setUint16(2, arg.nr_res, le);
  for (const [i, word] of arg.resv.entries()) view.setUint32(4 + 4 * i, word, le);
  return bytes;
}

function* shrinkArg(arg: TaskRestrictionsArg): Generator<TaskRestrictionsArg> {
  const exact = arg.nr_res === arg.restrictions.length;
  for (const restrictions of shrinkRestrictions(arg.restrictions))
    yield { ...arg, restrictions, nr_res: exact ? restrictions.length : arg.nr_res };
  if (arg.placement !== 'normal') yield { ...arg, placement: 'normal' };
  if (arg.flags !== 0) yield { ...arg, flags: 0 };
  if (arg.resv.some((word) => word !== 0)) yield { ...arg, resv: [0, 0, 0] };
  if (!exact) yield { ...arg, nr_res: arg.restrictions.length };
}
