/** Credentials that requests may name. */
import { REGISTER } from './open.ts';
import { reply, bad, takesNothing } from './spec.ts';
import { ARGS, call, NULL, raw } from './ready-made.ts';
import { rule } from '../rule.ts';
import { E } from '../uapi/constants.ts';
import type { Answer, RingCall, RegisterFamily } from './spec.ts';

const PERSONALITY = rule(
  'register.personality',
  'man',
  'Registering a personality answers its id, at least 1; unregistering an unknown one is -EINVAL.',
  'io_uring_register(2), IORING_REGISTER_PERSONALITY',
);

function personality(call: RingCall): Answer {
  const { ring } = call;
  if (!takesNothing(call)) return bad(E.INVAL);
  const id = ring.last_personality + 1;
  if (id > 0xffff) return { ret: REGISTER['register-call.personality-wraps'].atLeast(1) };
  return reply(id, () => {
    ring.last_personality = id;
    ring.personalities.set(id, call.view.netRaw);
  });
}

/** The opcodes of this family. */
export const personalities = {
  /** IORING_REGISTER_PERSONALITY: registers the credentials of the caller. */
  REGISTER_PERSONALITY: {
    opcode: 9,
    since: '5.6',
    rule: PERSONALITY,
    suppliesRequests: true,
    onRing: personality,
    forms: [call('register', 0, NULL), call('with-count', 1, NULL), call('with-argument', 0, raw(ARGS))],
  },

  /** IORING_UNREGISTER_PERSONALITY: gives credentials back. */
  UNREGISTER_PERSONALITY: {
    opcode: 10,
    since: '5.6',
    rule: PERSONALITY,
    onRing: (call) => {
      if (!call.arg.isNull) return bad(E.INVAL);
      const { personalities } = call.ring;
      const id = call.nr_args;
      return personalities.has(id) ? reply(0, () => void personalities.delete(id)) : reply(-E.INVAL);
    },
    forms: [call('first', 1, NULL), call('unknown', 77, NULL), call('with-argument', 1, raw(ARGS))],
  },
} satisfies RegisterFamily;
