/** An eventfd that counts completions. */
import { Open } from '../open-answer.ts';
import { REGISTER } from './open.ts';
import { WORLD } from '../world/open.ts';
import { reply, bad, takesNothing, unknown } from './spec.ts';
import { ARGS, argBytes, call, NULL, raw, u32s, UNMAPPED } from './ready-made.ts';
import { rule } from '../rule.ts';
import { E } from '../uapi/constants.ts';
import { FD, isRingFd } from '../scenario/layout.ts';
import type { Answer, RingCall, RegisterFamily } from './spec.ts';

const EVENTFD = rule(
  'register.eventfd',
  'man',
  'One eventfd is registered per ring; a second is -EBUSY, a missing one -ENXIO.',
  'io_uring_register(2), IORING_REGISTER_EVENTFD',
);

function registerEventfd(call: RingCall): Answer {
  const { ring, view } = call;
  if (call.nr_args !== 1) return bad(E.INVAL);
  if (ring.eventfd !== undefined) return reply(-E.BUSY);
  const reg = call.arg.read(0, 4);
  if (reg === 'fault') return bad(E.FAULT);
  if (Open.is(reg)) return unknown(ring, reg);
  const fd = reg.s32(0);
  if (view.ringAt(fd)) return reply(-E.INVAL);
  const file = isRingFd(fd) ? 'closed' : view.sandbox.file(fd);
  if (file === 'unknown') return unknown(ring, WORLD['descriptor.not-ours']);
  if (file === 'closed' || file.kind === 'path') return reply(-E.BADF);
  if (file.kind !== 'eventfd') return reply(-E.INVAL);
  return reply(0, () => {
    ring.eventfd = file;
    // From now on every completion counts on it.
    view.sandbox.taint(file.id, REGISTER['register-call.eventfd-counts']);
  });
}

const eventfd = { fixtures: ['eventfd'] } as const;

/** The opcodes of this family. */
export const eventfds = {
  /** IORING_REGISTER_EVENTFD: has every completion counted on an eventfd. */
  REGISTER_EVENTFD: {
    opcode: 4,
    since: '5.2',
    rule: EVENTFD,
    onRing: registerEventfd,
    forms: [
      call('eventfd', 1, { ...argBytes(u32s(FD.eventfd)), ...eventfd }),
      call('not-eventfd', 1, { ...argBytes(u32s(FD.pipe_read)), fixtures: ['pipe'] }),
      call('closed', 1, argBytes(u32s(FD.closed))),
      call('two', 2, { ...argBytes(u32s(FD.eventfd, FD.eventfd)), ...eventfd }),
      call('null', 1, NULL),
    ],
  },

  /** IORING_UNREGISTER_EVENTFD: gives the eventfd back. */
  UNREGISTER_EVENTFD: {
    opcode: 5,
    since: '5.2',
    rule: EVENTFD,
    onRing: (call) => {
      const { ring } = call;
      if (!takesNothing(call)) return bad(E.INVAL);
      return ring.eventfd === undefined
        ? reply(-E.NXIO)
        : reply(0, () => {
            ring.eventfd = undefined;
          });
    },
    forms: [call('unregister', 0, NULL), call('with-count', 1, NULL), call('with-argument', 0, raw(ARGS))],
  },

  /** IORING_REGISTER_EVENTFD_ASYNC: has completions of workers counted on an eventfd. */
  REGISTER_EVENTFD_ASYNC: {
    opcode: 7,
    since: '5.6',
    rule: EVENTFD,
    onRing: registerEventfd,
    forms: [
      call('eventfd', 1, { ...argBytes(u32s(FD.eventfd)), ...eventfd }),
      call('unmapped', 1, UNMAPPED),
      call('none', 0, { ...argBytes(u32s(FD.eventfd)), ...eventfd }),
    ],
  },
} satisfies RegisterFamily;
