/** io_uring_register(2) beside filters, restrictions and ENABLE_RINGS, which the core knows. */
import { E } from '../uapi/constants.ts';
import type { RawCall } from '../scenario/types.ts';
import type { RegisterOutcome, RegisterView } from './argument.ts';
import { Argument } from './argument.ts';
import { blindHandlers, otherHandlers } from './others.ts';
import { resourceHandlers } from './resources.ts';

export { registerForms, type RegisterForm } from './forms.ts';
export { registerRules } from './register-rules.ts';
export type { RegisterOutcome, RegisterView } from './argument.ts';
export { RingResources } from '../world/ring-resources.ts';

/**
 * What a call answers, after the checks that are the same for all opcodes (descriptor,
 * register_op restrictions). `effect` applies what it changes; it is not called here.
 */
export function registerOutcome(step: RawCall, view: RegisterView): RegisterOutcome {
  const { ring: on } = view;
  const call = { arg: new Argument(step, view), nr_args: step.nr_args, view };
  const outcome =
    on === undefined
      ? blindHandlers[step.opcode]?.(call)
      : (resourceHandlers[step.opcode] ?? otherHandlers[step.opcode])?.({
          ...call,
          on,
          ring: view.sandbox.world.ring(on.slot),
        });
  return outcome ?? { ret: -E.INVAL, rule: 'register.unknown-opcode' };
}
