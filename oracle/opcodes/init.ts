/**
 * The checks a submission passes before its opcode's prep step. The order is the
 * kernel's; classic restrictions are checked between the flag checks and the ioprio
 * check, and are the core's business.
 */
import { E, IORING_SETUP, IOSQE } from '../uapi/constants.ts';
import type { opcodeRules } from './opcode-rules.ts';
import { opSpec } from './table.ts';
import type { OpContext } from './types.ts';

/** Id of a rule about these checks. */
export type InitRule = keyof typeof opcodeRules & `init.${string}`;
/** Passed, or what refuses the submission: errno (positive) and rule. */
export type InitOutcome =
  | { readonly ok: true }
  | {
      readonly ok?: false;
      readonly errno: number;
      readonly rule: InitRule;
      /** On which side of the classic restrictions the check comes. */
      readonly stage: 'before-restrictions' | 'after-restrictions';
    };

/** State of the submission that the SQE alone does not tell. */
export interface InitState {
  /**
   * True once a request with IOSQE_CQE_SKIP_SUCCESS was seen on this ring (it is never forgotten), this request's own
   * bit not counted.
   */
  readonly drain_disabled?: boolean;
  /** Entries left in this submission, this one included; a mixed ring needs two for a 128-byte opcode. */
  readonly left?: number;
  /** True when the SQE is in the last slot of the submission queue's array. */
  readonly last_slot?: boolean;
}

function fail(
  errno: number,
  rule: InitRule,
  stage: 'before-restrictions' | 'after-restrictions' = 'before-restrictions',
): InitOutcome {
  return { errno, rule, stage };
}

/** The checks up to (not including) the classic restrictions: opcode, SQE size, flag bits, buffer selection, drain. */
export function initCheckFlags(c: OpContext, state: InitState = {}): InitOutcome {
  const { opcode, flags } = c.sqe;
  if (opcode >= c.abi.op_last) return fail(E.INVAL, 'init.opcode');
  const spec = opSpec(opcode);
  if (spec?.takesTwoSlots === true && (c.setup_flags & IORING_SETUP.SQE128) === 0) {
    const room = (state.left ?? 1) >= 2 && state.last_slot !== true;
    if ((c.setup_flags & IORING_SETUP.SQE_MIXED) === 0 || !room) return fail(E.INVAL, 'init.big-sqe');
  }
  if ((flags & ~c.abi.sqe_flags) !== 0) return fail(E.INVAL, 'init.sqe-flags');
  if ((flags & IOSQE.BUFFER_SELECT) !== 0 && spec?.selectsBuffer !== true)
    return fail(E.OPNOTSUPP, 'init.buffer-select');
  const skips = state.drain_disabled === true || (flags & IOSQE.CQE_SKIP_SUCCESS) !== 0;
  if ((flags & IOSQE.IO_DRAIN) !== 0 && skips) return fail(E.OPNOTSUPP, 'init.drain-skip');
  return { ok: true };
}

/** The checks after the classic restrictions: ioprio, polling, personality. */
export function initCheckRest(c: OpContext): InitOutcome {
  const spec = opSpec(c.sqe.opcode);
  if (c.sqe.ioprio !== 0 && spec?.takesIoprio !== true) return fail(E.INVAL, 'init.ioprio', 'after-restrictions');
  if ((c.setup_flags & IORING_SETUP.IOPOLL) !== 0 && spec?.takesIopoll !== true)
    return fail(E.INVAL, 'init.iopoll', 'after-restrictions');
  const { personality } = c.sqe;
  if (personality !== 0 && !c.sandbox.common.ring(c.ring).personalities.has(personality))
    return fail(E.INVAL, 'init.personality', 'after-restrictions');
  return { ok: true };
}

/** All of it, for a ring without classic restrictions. */
export function initCheck(c: OpContext, state: InitState = {}): InitOutcome {
  const first = initCheckFlags(c, state);
  return first.ok ? initCheckRest(c) : first;
}
