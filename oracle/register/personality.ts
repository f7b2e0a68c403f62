/** Credentials that requests may name. */
import { answer, bad, takesNothing } from './spec.ts';
import { ARGS, form, NULL, raw } from './ready-made.ts';
import { rule } from '../rule.ts';
import { E } from '../uapi/constants.ts';
import type { Answer, Call, RegisterFamily } from './spec.ts';

const PERSONALITY = rule(
  'register.personality',
  'man',
  'Registering a personality answers its id, at least 1; unregistering an unknown one is -EINVAL.',
  'io_uring_register(2), IORING_REGISTER_PERSONALITY',
);

function personality(call: Call): Answer {
  const { ring } = call;
  if (!takesNothing(call)) return bad(E.INVAL);
  const id = ring.last_personality + 1;
  if (id > 0xffff) return { ret: { at_least: 1 } };
  return answer(id, () => {
    ring.last_personality = id;
    ring.personalities.add(id);
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
    forms: [form('register', 0, NULL), form('with-count', 1, NULL)],
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
      return personalities.has(id) ? answer(0, () => void personalities.delete(id)) : answer(-E.INVAL);
    },
    forms: [form('first', 1, NULL), form('unknown', 77, NULL), form('with-argument', 1, raw(ARGS))],
  },
} satisfies RegisterFamily;
