/** Workers of the calling task. */
import { Open } from '../open-answer.ts';
import { REGISTER } from './open.ts';
import { reply, anyAnswer, bad, takesNothing } from './spec.ts';
import { ARGS, argBytes, call, NULL, raw, u32s, u64s, UNMAPPED } from './ready-made.ts';
import { rule } from '../rule.ts';
import { E } from '../uapi/constants.ts';
import type { RegisterFamily } from './spec.ts';

const IOWQ = rule(
  'register.iowq',
  'man',
  'Worker affinity and worker limits are taken when the task has workers of its own.',
  'io_uring_register(2), IORING_REGISTER_IOWQ_AFF, IORING_REGISTER_IOWQ_MAX_WORKERS',
);

/** The opcodes of this family. */
export const workers = {
  /** IORING_REGISTER_IOWQ_AFF: binds workers to processors. */
  REGISTER_IOWQ_AFF: {
    opcode: 17,
    since: '5.14',
    rule: IOWQ,
    onRing: ({ arg, nr_args }) => {
      if (arg.isNull || nr_args === 0) return bad(E.INVAL);
      const mask = arg.read(0, Math.min(nr_args, 8));
      if (mask === 'fault') return bad(E.FAULT);
      // A task that has no workers of its own, or a processor it may not use: -EINVAL.
      return { ret: REGISTER['register-call.workers'].among(0, -E.INVAL) };
    },
    forms: [
      call('first-processor', 8, argBytes(u64s(1))),
      call('none', 0, argBytes(u64s(1))),
      call('unmapped', 8, UNMAPPED),
      call('null', 8, NULL),
    ],
  },

  /** IORING_UNREGISTER_IOWQ_AFF: lets workers run on any processor again. */
  UNREGISTER_IOWQ_AFF: {
    opcode: 18,
    since: '5.14',
    rule: IOWQ,
    onRing: (call) =>
      takesNothing(call) ? { ret: REGISTER['register-call.workers'].among(0, -E.INVAL) } : bad(E.INVAL),
    forms: [call('unregister', 0, NULL), call('with-count', 1, NULL), call('with-argument', 0, raw(ARGS))],
  },

  /** IORING_REGISTER_IOWQ_MAX_WORKERS: limits the number of workers. */
  REGISTER_IOWQ_MAX_WORKERS: {
    opcode: 19,
    since: '5.15',
    rule: IOWQ,
    onRing: ({ arg, nr_args }) => {
      if (arg.isNull || nr_args !== 2) return bad(E.INVAL);
      const counts = arg.read(0, 8);
      if (counts === 'fault') return bad(E.FAULT);
      if (Open.is(counts)) return anyAnswer(counts);
      return reply(counts.u32(0) > 0x7fff_ffff || counts.u32(4) > 0x7fff_ffff ? -E.INVAL : 0);
    },
    forms: [
      call('ask', 2, argBytes(u32s(0, 0))),
      call('negative', 2, argBytes(u32s(-1, 0))),
      call('one', 1, argBytes(u32s(0, 0))),
      call('null', 2, NULL),
    ],
  },
} satisfies RegisterFamily;
