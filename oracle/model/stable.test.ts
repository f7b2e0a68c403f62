/** What a request was when it was submitted is what it does: its memory, and whose credentials it names. */
import { describe, expect, it } from 'vitest';
import { Open } from '../open-answer.ts';
import { OP } from '../opcodes/index.ts';
import { predict } from '../predict.ts';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { IORING_REGISTER } from '../register/index.ts';
import { ARENA, ARENA_BASE, FD } from '../scenario/layout.ts';
import type { Sqe } from '../scenario/types.ts';
import type { Step } from '../steps/index.ts';
import { plain } from '../testing/plain.ts';
import { AF, AT_FDCWD, CLONE, E, IORING_SETUP, IOSQE, SOCK } from '../uapi/constants.ts';
import { PATH } from '../world/arena.ts';

const AT = ARENA.data + 0xf00;
const RING: Step = { do: 'ring', task: 0, ring: 0, entries: 8, flags: IORING_SETUP.SUBMIT_ALL };

/** What the last of the requests in the last step answers. */
function answerOf(steps: readonly Step[]): unknown {
  const { steps: predicted } = predict(
    { version: 1, suite: 'stable', fixtures: ['file', 'dir'], jit: true, steps: [RING, ...steps] },
    ABI_7_0,
  );
  const { cqes } = predicted.at(-1)!;
  if (Open.is(cqes)) throw new Error('nothing is known');
  return plain(cqes.at(-1)!.res);
}

/** A request behind one that writes over `bytes`, which it points at. */
function late(bytes: Uint8Array, sqe: Sqe): unknown {
  const read = { opcode: OP.READ, fd: FD.file, addr: BigInt(ARENA_BASE + AT), len: 16, flags: IOSQE.IO_LINK };
  return answerOf([
    { do: 'write_memory', task: 0, at: AT, bytes },
    {
      do: 'submit',
      task: 0,
      ring: 0,
      sqes: [
        { ...read, user_data: 1n },
        { ...sqe, user_data: 2n },
      ],
    },
  ]);
}

describe('IORING_FEAT_SUBMIT_STABLE', () => {
  const here = BigInt(ARENA_BASE + AT);
  const opened = { at_least: 0 };
  it('the path of an open', () => {
    const path = new TextEncoder().encode('f0\0');
    expect(late(path, { opcode: OP.OPENAT, fd: AT_FDCWD, addr: here })).toEqual(opened);
    expect(late(new TextEncoder().encode('none\0'), { opcode: OP.OPENAT, fd: AT_FDCWD, addr: here })).toBe(-E.NOENT);
  });
  it('its struct open_how', () => {
    expect(late(new Uint8Array(24), { opcode: OP.OPENAT2, fd: AT_FDCWD, addr: PATH.f0, off: here, len: 24 })).toEqual(
      opened,
    );
  });
  it('the name of what is made', () => {
    const path = new TextEncoder().encode('d0\0');
    expect(late(path, { opcode: OP.MKDIRAT, fd: AT_FDCWD, addr: here, len: 0o755 })).toBe(-E.EXIST);
  });
});

describe('IORING_REGISTER_PERSONALITY', () => {
  const give = (task: number): Step => ({
    do: 'register',
    task,
    on: { kind: 'ring', ring: 0 },
    opcode: IORING_REGISTER.REGISTER_PERSONALITY,
    nr_args: 0,
  });
  const raw = (task: number, personality: number): Step => ({
    do: 'submit',
    task,
    ring: 0,
    sqes: [{ opcode: OP.SOCKET, fd: AF.INET, off: BigInt(SOCK.RAW), len: 255, personality, user_data: 1n }],
  });
  const child: Step = { do: 'spawn', task: 0, how: 'fork', child: 1, flags: CLONE.NEWUSER };
  it('a request is done as who registered: more or less than who submits', () => {
    const steps = [give(0), child, give(1)];
    expect(answerOf([...steps, raw(1, 0)])).toBe(-E.PERM);
    expect(answerOf([...steps, raw(1, 1)])).toEqual({ at_least: 0 });
    expect(answerOf([...steps, raw(0, 2)])).toBe(-E.PERM);
    expect(answerOf([...steps, raw(0, 0x101)])).toBe(-E.INVAL);
  });
});
