/** What must have been made, from the words that filters see: values that the documents give. */
import { describe, expect, test } from 'vitest';
import { documentedAbi } from '../probe/abi-documented.ts';
import { SPECIFIED } from '../quirks/index.ts';
import { Sandbox } from '../world/sandbox.ts';
import { fileMade, NOTHING_SHOWN, peerMade, socketMade } from './made.ts';
import type { Shown } from './made.ts';
import { fullSqe } from './support.ts';

const abi = documentedAbi('7.3');
const shown = (payload: readonly number[], off = 0n): Shown => ({
  context: {
    abi,
    decisions: SPECIFIED,
    sqe: fullSqe({ opcode: 0, off }),
    setup_flags: 0,
    ring: 0,
    linked: false,
    sandbox: new Sandbox([], abi),
    ringAt: () => undefined,
  },
  payload: Uint32Array.from({ length: 6 }, (_, i) => payload[i] ?? 0),
});

describe('sockets', () => {
  test.each([
    ['AF_INET SOCK_STREAM 0', [2, 1, 0], 1, [2, 1, 6, 0, 2]],
    ['AF_INET6 SOCK_DGRAM|SOCK_CLOEXEC 17', [10, 2, 17], 0o2000002, [10, 2, 17, 1, 2]],
    ['AF_UNIX SOCK_RAW|SOCK_NONBLOCK', [1, 3, 0], 0o4003, [1, 2, 0, 0, 0o4002]],
    ['AF_NETLINK SOCK_RAW 15', [16, 3, 15], 3, [16, 3, 15, 0, 2]],
    // A kernel of the finding socket-type-flags shows them.
    ['AF_INET SOCK_DGRAM|SOCK_CLOEXEC, shown with its flags', [2, 0o2000002, 0], 0o2000002, [2, 2, 17, 1, 2]],
  ])('%s', (_name, payload, type, returns) => {
    expect(socketMade(shown(payload, BigInt(type))).returns).toEqual(returns);
  });
  test('(AF_INET, SOCK_PACKET) hinges on a decision', () => {
    expect(socketMade(shown([2, 10, 3], 10n))).toMatchObject({ hinges_on: 'inetPacketFamily' });
  });
});

describe('files', () => {
  test.each([
    ['status flags stay, creation flags go', 0o102301, 0o100001 | 0o2000, 0],
    ['O_SYNC brings O_DSYNC', 0o4100000, 0o4110000, 0],
    ['O_CLOEXEC is of the descriptor', 0o2100000, 0o100000, 1],
  ])('%s', (_name, flags, getfl, cloexec) => {
    const { returns } = fileMade({ ...shown([flags, 0, 0o7666]), fresh: true }, 'n0');
    expect(returns).toEqual([0o100000 | (0o7666 & ~0o022), cloexec, getfl]);
  });
});

describe('peers', () => {
  test('a kernel that shows filters no address may have connected it to anybody, or to nobody', () => {
    const { returns } = peerMade({ ...shown([]), payload: NOTHING_SHOWN }, 2);
    expect(returns).toMatchObject([{ values: [0, -107] }]);
    expect(peerMade(shown([]), 2).returns).toEqual([-107]);
  });
  const port = 0x581b;
  const memory = (payload: readonly number[], own: number): string =>
    Buffer.from(peerMade(shown(payload), own).memory as Uint8Array).toString('hex');
  test.each([
    ['127.1.2.3', [2, port, 0x0302017f], 2, '02001b587f0102030000000000000000'],
    ['0.0.0.0', [2, port, 0], 2, '02001b587f0000010000000000000000'],
    ['::', [10, port], 10, `0a001b58${'00'.repeat(19)}0100000000`],
    ['127.0.0.1 of an IPv6 socket', [2, port, 0x0100007f], 10, `0a001b58${'00'.repeat(14)}ffff7f00000100000000`],
    ['::ffff:0.0.0.0', [10, port, 0, 0, 0xffff0000], 10, `0a001b58${'00'.repeat(14)}ffff7f00000100000000`],
  ])('%s', (_name, payload, own, bytes) => {
    expect(memory(payload, own)).toBe(bytes);
  });
});
