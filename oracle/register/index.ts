/** io_uring_register(2) beside filters, restrictions and ENABLE_RINGS, which the core knows. */
import { E } from '../opcodes/constants.ts';
import type { RegisterStep } from '../scenario/types.ts';
import { Argument, type RegisterOutcome, type RegisterView } from './argument.ts';
import { otherHandlers } from './others.ts';
import { resourceHandlers } from './resources.ts';
import { RingResources } from './state.ts';

export { registerForms, type RegisterForm } from './forms.ts';
export { registerRules } from './rules.ts';
export type { RegisterOutcome, RegisterView } from './argument.ts';
export { RingResources } from './state.ts';

/** Opcodes that exist without a ring, of those handled here: SEND_MSG_RING and QUERY. */
const BLIND = new Set([31, 35]);

/**
 * What a call answers, after the checks that are the same for all opcodes (descriptor,
 * register_op restrictions). `effect` applies what it changes; it is not called here.
 */
export function registerOutcome(step: Pick<RegisterStep, 'opcode' | 'nr_args' | 'bytes' | 'raw_arg'>, view: RegisterView): RegisterOutcome {
  const handler = resourceHandlers[step.opcode] ?? otherHandlers[step.opcode];
  if (handler === undefined || (view.ring === undefined && !BLIND.has(step.opcode))) return { ret: -E.INVAL, rule: 'register.unknown-opcode' };
  const ring = view.ring === undefined ? new RingResources() : view.sandbox.world.ring(view.ring.slot);
  return handler({ arg: new Argument(step, view), nr_args: step.nr_args, view, ring });
}
