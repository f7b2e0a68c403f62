/** Arguments that are far off, and what they leave open or settle: each was once predicted otherwise. */
import { expect, it } from 'vitest';
import { plainStep } from '../testing/plain.ts';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { predict } from '../predict.ts';
import { ARENA_BASE, FD } from '../scenario/layout.ts';
import type { Sqe } from '../scenario/types.ts';
import type { Scenario } from '../steps/index.ts';
import { RingResources } from '../world/ring-resources.ts';
import { OP } from './index.ts';

const RING: Scenario['steps'][number] = { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 };
const answers = (fixtures: Scenario['fixtures'], sqe: Sqe) =>
  plainStep(
    predict(
      { version: 1, fixtures, jit: true, steps: [RING, { task: 0, do: 'submit', ring: 0, sqes: [sqe] }] },
      ABI_7_0,
    ).steps[1]!,
  ).cqes as readonly unknown[];
const one = (fixtures: Scenario['fixtures'], sqe: Sqe, res: unknown): void =>
  expect(answers(fixtures, sqe)[0]).toMatchObject({ res });
const EIGHT_BYTES = 0x2000_06a0n;

it('a send that runs out of mapped memory goes as far as it comes', () => {
  const send = (addr: bigint, len: number): Sqe => ({ opcode: OP.SEND, fd: FD.socketpair_b, addr, len });
  one(['socketpair'], send(EIGHT_BYTES, 8), 8);
  one(['socketpair'], send(EIGHT_BYTES, 0x8_0010), 'any');
  one(['socketpair'], send(0x8n, 8), -14);
  // Nobody knows what stands outside of the arena.
  one(['socketpair'], send(0x1000_0000_0000n, 8), 'any');
});

it('a long datagram may be refused for its length before its socket', () => {
  const send = (len: number): Sqe => ({ opcode: OP.SEND, fd: FD.datagram, addr: EIGHT_BYTES, len });
  one(['datagram'], send(8), -107);
  one(['datagram'], send(0x10_0010), 'any');
});

it('a zero-copy send with MSG_FASTOPEN is not modelled', () => {
  const send = (flags: number): Sqe => ({
    opcode: OP.SEND_ZC,
    fd: FD.inet,
    addr: EIGHT_BYTES,
    len: 8,
    op_flags: flags,
  });
  expect(answers(['inet'], send(0))).toEqual(expect.arrayContaining([expect.objectContaining({ res: -32 })]));
  expect(answers(['inet'], send(0x2000_0000))).toEqual(
    expect.arrayContaining([expect.objectContaining({ res: 'any' })]),
  );
});

it('no address of a vector for a registered buffer is looked at before the file', () => {
  const vector = (opcode: number): Sqe => ({ opcode, fd: FD.closed, addr: BigInt(ARENA_BASE + 0x130), len: 1 });
  one([], vector(OP.READV_FIXED), -9);
});

it('a message sends a file to a slot: 0 is none', () => {
  const ring = new RingResources();
  ring.setFiles([undefined]);
  const file = { kind: 'other' } as const;
  expect([ring.tryInstall(file, 1), ring.tryInstall(file, 0), ring.tryInstall(file, 2)]).toEqual([0, -22, -22]);
});
