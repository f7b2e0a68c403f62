/** register_restrictions: classic restrictions as a ring takes them. */
import { asTaskArg, registerRestrictionsOnRing, registerRestrictionsOnTask } from '../../model/classic-registration.ts';
import { predictRegister } from '../../model/register.ts';
import type { RegisterHandler } from '../../model/register.ts';
import { ringRestrictionsArg } from '../../json/parts.ts';
import { ARENA, ARENA_BASE } from '../../scenario/layout.ts';
import { addressOf } from '../../scenario/memory.ts';
import type { RingRestrictionsArg, Target } from '../../scenario/types.ts';
import { required, u32, withDefault } from '../../schema/codec.ts';
import { placementText, registerText, restrictionText } from '../../text/index.ts';
import { IORING_REGISTER } from '../../register/index.ts';
import { ON } from '../fields.ts';
import { REGISTER, registerArgs, structureCall } from '../register-call.ts';
import { asRead, checkRestrictions, restrictionBytes } from '../restriction-array.ts';
import { shrinkRestrictions } from '../shrink.ts';
import { placementSize, restrictionsSize } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { systemCall } from '../system-call.ts';

const OPCODE = IORING_REGISTER.REGISTER_RESTRICTIONS;

/** IORING_REGISTER_RESTRICTIONS with an array of struct io_uring_restriction (ring form). */
export interface RegisterRestrictionsStep extends AnyStep {
  readonly do: 'register_restrictions';
  readonly on: Target;
  readonly nr_args: number;
  readonly arg: RingRestrictionsArg;
}

const HANDLER: RegisterHandler<RegisterRestrictionsStep> = {
  opcode: () => OPCODE,
  onRing: (world, _task, ring, step) => registerRestrictionsOnRing(world, ring, step.nr_args, step.arg),
  onTask: (world, task, step) => registerRestrictionsOnTask(world, task, step.nr_args, asTaskArg(step.arg)),
};

/** See RegisterRestrictionsStep. */
export const registerRestrictions: StepSpec<RegisterRestrictionsStep> = {
  kind: 'register_restrictions',
  json: {
    on: ON,
    arg: required(ringRestrictionsArg, 'struct io_uring_restriction[]'),
    nr_args: withDefault(
      u32,
      (before) => (before['arg'] as RingRestrictionsArg).restrictions.length,
      'nr_args; default: the number of entries',
    ),
  },
  wire: systemCall(REGISTER, ({ on, nr_args, arg }: RegisterRestrictionsStep, le) => {
    const bytes = asRead(restrictionBytes(arg.restrictions, le), on, nr_args, le);
    const at = addressOf(arg.placement, bytes.length, ARENA_BASE + ARENA.args);
    return structureCall(registerArgs(on, OPCODE, at, nr_args), arg.placement, at, bytes);
  }),
  predict: (world, task, step) => predictRegister(world, task, step, HANDLER),
  text: ({ on, nr_args, arg: { restrictions, placement } }) =>
    registerText(
      on,
      'IORING_REGISTER_RESTRICTIONS',
      `[${restrictions.map(restrictionText).join(', ')}]${placementText(placement)}`,
      nr_args === restrictions.length ? undefined : nr_args,
    ),
  check: ({ arg }) => checkRestrictions(arg.restrictions),
  size: ({ nr_args, arg: { restrictions, placement } }) =>
    restrictionsSize(restrictions) + placementSize(placement) + (nr_args === restrictions.length ? 0 : 3),
  *shrink(step) {
    const { nr_args, arg } = step;
    const exact = nr_args === arg.restrictions.length;
    for (const restrictions of shrinkRestrictions(arg.restrictions))
      yield { ...step, nr_args: exact ? restrictions.length : nr_args, arg: { ...arg, restrictions } };
    if (arg.placement !== 'normal') yield { ...step, arg: { ...arg, placement: 'normal' } };
    if (!exact) yield { ...step, nr_args: arg.restrictions.length };
  },
};
