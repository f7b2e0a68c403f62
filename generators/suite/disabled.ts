/** A ring that is not enabled yet, and stays so whatever is done with it; then it is, and its rules hold. */
import { OP } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { RING_FD } from '../../oracle/scenario/layout.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import { IORING_MSG, IORING_RESTRICTION, IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import { restriction } from '../args.ts';
import { onRing, TASK } from '../builder.ts';
import type { Builder } from '../builder.ts';
import { retValue } from '../program/body.ts';
import { messageSqe, resizeParams, ringFdUpdate } from '../registers.ts';
import { drawRegister, registerFiles } from './register-calls.ts';

type Planned = (b: Builder) => void;
type Act = (scene: Scene) => void;

const S = IORING_SETUP;
const R = IORING_REGISTER;
const NOP: Sqe = { opcode: OP.NOP, user_data: 1n };
const RET_K = 0x06;

interface Scene {
  readonly b: Builder;
  readonly ring: number;
  /** An enabled one of the same task. */
  readonly other: number;
  /** Both are polled, by one thread. */
  readonly polled: boolean;
}

/** What may be done with a ring before it is enabled. */
const ACTS: readonly Act[] = [
  ({ b, ring }) => b.drawFilter(0, onRing(ring), b.crew({ opcodes: [OP.READ], count: 1 }), OP.READ),
  ({ b, ring }) => registerFiles(b, 0, onRing(ring)),
  ({ b, ring }) => b.register(0, onRing(ring), R.REGISTER_PERSONALITY),
  ({ b, ring }) => b.register(0, onRing(ring), R.REGISTER_RESIZE_RINGS, 1, resizeParams(b.abi, 64)),
  ({ b, ring }) => drawRegister(b, 0, onRing(ring)),
  ({ b, ring }) => drawRegister(b, 0, onRing(ring)),
  ({ b, ring }) => {
    b.register(0, onRing(ring), R.REGISTER_RING_FDS, 1, ringFdUpdate(b.abi, ring, 3));
    b.push({ do: 'submit', task: 0, ring, registered: 3, sqes: [NOP] });
  },
  ({ b, ring }) => {
    const child = b.spawn(0, b.d.pick(['fork', 'clone3', 'thread']));
    if (child === undefined) return;
    b.push({ do: 'submit', task: child, ring, sqes: [NOP] });
    b.push({ do: 'exit', task: child });
  },
  ({ b, other }) => b.push({ do: 'submit', task: 0, ring: other, sqes: [NOP] }),
  // A command that is no command of its own enables nothing.
  ({ b, ring }) => b.register(0, onRing(ring), R.REGISTER_ENABLE_RINGS, 1),
];

/** It takes no requests, not even none, no messages and no files. */
function stillDisabled({ b, ring, other, polled }: Scene): void {
  const { d } = b;
  // The thread that has just taken something goes on looking for a while.
  if (polled) b.push({ do: 'submit', task: 0, ring: other, sqes: [NOP] });
  b.push({ do: 'submit', task: 0, ring, sqes: [NOP] });
  if (d.chance(0.5)) b.push({ do: 'submit', task: 0, ring, sqes: [] });
  const message = { opcode: OP.MSG_RING, fd: RING_FD + ring, user_data: 0x5e9d_0000n };
  if (d.chance(0.6)) b.push({ do: 'submit', task: 0, ring: other, sqes: [{ ...message, off: 7n }] });
  const file = { ...message, addr: BigInt(IORING_MSG.SEND_FD), file_index: 2 };
  if (d.chance(0.6)) b.push({ do: 'submit', task: 0, ring: other, sqes: [file] });
  if (d.chance(0.4)) b.register(0, TASK, R.REGISTER_SEND_MSG_RING, 1, messageSqe(b.abi, ring, 1, 8n));
}

/** A ring with these set-up flags. */
export function disabledRing(setup: number): Planned {
  return (b) => {
    const { d } = b;
    const polled = (setup & S.SQPOLL) !== 0;
    const other = b.ring(0, (S.SUBMIT_ALL | (setup & S.SQPOLL)) >>> 0, 8, {});
    if (other === undefined) return;
    const shared = polled ? S.ATTACH_WQ : 0;
    const flags = (setup | shared | S.R_DISABLED | S.SUBMIT_ALL) >>> 0;
    const ring = b.ring(0, flags, 8, polled ? { wq_fd: RING_FD + other } : {});
    if (ring === undefined) return;
    registerFiles(b, 0, onRing(other));
    const scene: Scene = { b, ring, other, polled };
    stillDisabled(scene);
    for (const act of d.shuffle(ACTS)) {
      act(scene);
      stillDisabled(scene);
    }
    if (d.chance(0.6))
      b.restrict(0, onRing(ring), [
        restriction(IORING_RESTRICTION.SQE_OP, OP.NOP),
        restriction(IORING_RESTRICTION.SQE_FLAGS_ALLOWED, d.pick([0x7f, 0x7f & ~IOSQE.ASYNC])),
      ]);
    b.filter(0, onRing(ring), OP.NOP, [
      { code: 0x20, jt: 0, jf: 0, k: b.abi.little_endian ? 0 : 4 },
      { code: 0x15, jt: 0, jf: 1, k: 2 },
      { code: RET_K, jt: 0, jf: 0, k: 0 },
      { code: RET_K, jt: 0, jf: 0, k: retValue(d, true) },
    ]);
    stillDisabled(scene);
    b.enable(0, ring);
    // What was refused left nothing behind.
    for (const flags of [0, IOSQE.ASYNC]) {
      const sqes = [1n, 2n, 3n].map((data) => ({ ...NOP, flags, user_data: data }));
      b.push({ do: 'submit', task: 0, ring, sqes });
    }
    b.push({ do: 'submit', task: 0, ring, sqes: [{ opcode: OP.SOCKET, fd: -1, user_data: 4n }] });
  };
}
