/** io_uring_register(2) beside filters, restrictions and ENABLE_RINGS, which the core knows. */
import { E } from '../uapi/constants.ts';
import type { RawCall } from '../scenario/types.ts';
import type { RegisterView } from './argument.ts';
import { Argument } from './argument.ts';
import { commonRules } from './register-rules.ts';
import type { Answer, RegisterOutcome } from './spec.ts';
import { registerSpec } from './table.ts';

export { IORING_REGISTER, registerForms, registerRules, registerSpec, registerSpecs, takesBlind } from './table.ts';
export type { RegisterForm, RegisterOutcome, RegisterSpec } from './spec.ts';
export type { RegisterView } from './argument.ts';

/**
 * What a call answers, after the checks that are the same for all opcodes (descriptor,
 * register_op restrictions). `effect` applies what it changes; it is not called here.
 */
export function registerOutcome(step: RawCall, view: RegisterView): RegisterOutcome {
  const { ring: on } = view;
  const spec = registerSpec(step.opcode);
  const call = { arg: new Argument(step, view), nr_args: step.nr_args, view };
  const given: Answer | undefined =
    on === undefined ? spec?.blind?.(call) : spec?.onRing?.({ ...call, on, ring: view.sandbox.common.ring(on.slot) });
  return given === undefined
    ? { ret: -E.INVAL, rule: commonRules['register.unknown-opcode'].id }
    : { ...given, rule: given.rule ?? spec!.rule!.id };
}
