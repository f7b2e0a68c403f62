/** Requests of one batch that meet over a resource: nothing is said of what nobody ordered. */
import { plainStep } from '../testing/plain.ts';
import type { PlainStep } from '../testing/plain.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { describe, expect, it } from 'vitest';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { ARENA, ARENA_BASE, FD } from '../scenario/layout.ts';
import { OP } from '../opcodes/index.ts';
import { predict } from '../predict.ts';
import type { Sqe } from '../scenario/types.ts';
import { PATH } from '../world/arena.ts';
import type { Scenario } from '../steps/index.ts';

const PATH_N0 = PATH.n0;
const EIGHT_BYTES = 0x2000_0690n;
const ASYNC = 16;
const HARDLINK = 8;
const RING: Scenario['steps'][number] = { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 };
const scenario = (fixtures: Scenario['fixtures'], sqes: readonly Sqe[], more: Scenario['steps'] = []): Scenario => ({
  version: 1,
  fixtures,
  jit: true,
  steps: [RING, { task: 0, do: 'submit', ring: 0, sqes }, ...more],
});
const stepOf = (of: Scenario, abi: AbiProfile, step: number): PlainStep => plainStep(predict(of, abi).steps[step]!);
const data = BigInt(ARENA_BASE + ARENA.data);

it('a read that a later request of the batch may overtake leaves its memory unknown', () => {
  const sqes: Sqe[] = [
    { opcode: OP.READ, fd: FD.eventfd, addr: data, len: 8, flags: ASYNC, user_data: 1n },
    { opcode: OP.WRITE, fd: FD.eventfd, addr: EIGHT_BYTES, len: 8, user_data: 2n },
  ];
  const look: Scenario['steps'][number] = { task: 0, do: 'probe_memory', at: ARENA.data, length: 8 };
  expect(stepOf(scenario(['eventfd'], sqes, [look]), ABI_7_0, 2).memory).toBe('any');
  // In one chain they have an order.
  const [read, write] = sqes as [Sqe, Sqe];
  expect(
    stepOf(scenario(['eventfd'], [{ ...read, flags: ASYNC | HARDLINK }, write], [look]), ABI_7_0, 2).memory,
  ).toEqual(Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0));
});

it('a path below a descriptor races with its being closed', () => {
  const mkdir: Sqe = { opcode: OP.MKDIRAT, fd: FD.file, addr: PATH_N0, len: 0o755, user_data: 1n };
  const close: Sqe = { opcode: OP.CLOSE, fd: FD.file, user_data: 2n };
  const cqes = (sqes: readonly Sqe[]) => stepOf(scenario(['file'], sqes), ABI_7_0, 1).cqes;
  expect(cqes([mkdir, close])).toEqual(
    expect.arrayContaining([expect.objectContaining({ user_data: 1n, res: 'any' })]),
  );
  expect(cqes([mkdir])).toEqual([expect.objectContaining({ user_data: 1n, res: -20 })]);
});

it('a read that may come before its descriptor is closed leaves its memory unknown', () => {
  const close: Sqe = { opcode: OP.CLOSE, fd: FD.file, flags: ASYNC, user_data: 1n };
  const read: Sqe = { opcode: OP.READ, fd: FD.file, addr: data, len: 8, flags: ASYNC, user_data: 2n };
  const look: Scenario['steps'][number] = { task: 0, do: 'probe_memory', at: ARENA.data, length: 8 };
  expect(stepOf(scenario(['file'], [close, read], [look]), ABI_7_0, 2).memory).toBe('any');
  expect(stepOf(scenario(['file'], [{ ...close, flags: HARDLINK }, read], [look]), ABI_7_0, 2).memory).toEqual(
    new Uint8Array(8),
  );
});

it('a NOP that looks up a file races with its being closed', () => {
  const nop: Sqe = { opcode: OP.NOP, op_flags: 2, fd: FD.file, flags: ASYNC, user_data: 1n };
  const close: Sqe = { opcode: OP.CLOSE, fd: FD.file, user_data: 2n };
  const first = (sqes: readonly Sqe[]) => stepOf(scenario(['file'], sqes), ABI_7_0, 1).cqes;
  expect(first([nop, close])).toEqual(expect.arrayContaining([expect.objectContaining({ user_data: 1n, res: 'any' })]));
  expect(first([nop])).toEqual([expect.objectContaining({ user_data: 1n, res: 0 })]);
});

it('a cancellation that may hit anything leaves the whole step open', () => {
  const get: Sqe = { opcode: OP.FGETXATTR, fd: FD.closed, addr: PATH_N0, user_data: 0n };
  const step = (cancel: Partial<Sqe>) =>
    stepOf(scenario([], [get, { opcode: OP.ASYNC_CANCEL, user_data: 5n, ...cancel }]), ABI_7_0, 1);
  expect(step({ addr: 0n })).toMatchObject({ returns: 'any', cqes: 'any', most: 2 });
  expect(step({ addr: 0xfeed_feed_feed_feedn })).toMatchObject({ returns: [2] });
});

it('where so many descriptors are open that some may stand among the rings, nothing is said of an empty slot', () => {
  const sockets = (n: number): Scenario['steps'] => [
    {
      task: 0,
      do: 'submit',
      ring: 0,
      sqes: Array.from({ length: n }, (_, i): Sqe => ({ opcode: OP.SOCKET, fd: 1, off: 1n, user_data: BigInt(i) })),
    },
  ];
  const after = (n: number, ...more: Scenario['steps']) =>
    predict({ version: 1, fixtures: [], jit: true, steps: [{ ...RING, entries: 64 }, ...sockets(n), ...more] }, ABI_7_0)
      .steps.slice(2)
      .map(plainStep);
  const enter: Scenario['steps'][number] = {
    task: 0,
    do: 'submit',
    ring: 7,
    sqes: [{ opcode: OP.NOP, user_data: 1n }],
  };
  const register: Scenario['steps'][number] = {
    task: 0,
    do: 'register',
    on: { kind: 'ring', ring: 7 },
    opcode: 12,
    nr_args: 0,
  };
  const use: Scenario['steps'][number] = {
    task: 0,
    do: 'submit',
    ring: 0,
    sqes: [{ opcode: OP.FSYNC, fd: 107, user_data: 1n }],
  };
  expect(after(5, enter, register, use)).toMatchObject([{ returns: [-9] }, { returns: [-9] }, { cqes: [{ res: -9 }] }]);
  expect(after(60, enter, register, use)).toMatchObject([
    { returns: 'any' },
    { returns: [[-9, -95]] },
    { cqes: [{ res: 'any' }, { res: 'any', optional: true }] },
  ]);
});

it('a request that fails in this order may have succeeded in another: neither answer is known', () => {
  const control = (len: number, more: Partial<Sqe>): Sqe => ({
    opcode: OP.EPOLL_CTL,
    fd: FD.epoll,
    off: BigInt(FD.eventfd),
    addr: 0x2000_05f0n,
    len,
    ...more,
  });
  const add: Scenario['steps'][number] = { task: 0, do: 'submit', ring: 0, sqes: [control(1, {})] };
  const cqes = (sqes: readonly Sqe[]) =>
    stepOf(
      {
        version: 1,
        fixtures: ['eventfd', 'epoll'],
        jit: true,
        steps: [RING, add, { task: 0, do: 'submit', ring: 0, sqes }],
      },
      ABI_7_0,
      2,
    ).cqes;
  const [first, second] = [control(2, { flags: ASYNC, user_data: 1n }), control(2, { user_data: 2n })];
  expect(cqes([first])).toEqual([expect.objectContaining({ user_data: 1n, res: 0 })]);
  expect(cqes([first, second])).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ user_data: 1n, res: 'any' }),
      expect.objectContaining({ user_data: 2n, res: 'any' }),
    ]),
  );
});

it('what two requests of a batch write to is unknown, also behind the second one', () => {
  const sqes: Sqe[] = [
    { opcode: OP.READ, fd: FD.file, addr: data, len: 8, user_data: 1n },
    { opcode: OP.READ, fd: FD.eventfd, addr: data, len: 8, user_data: 2n },
  ];
  const look: Scenario['steps'][number] = { task: 0, do: 'probe_memory', at: ARENA.data, length: 8 };
  expect(stepOf(scenario(['file', 'eventfd'], sqes, [look]), ABI_7_0, 2).memory).toBe('any');
  expect(stepOf(scenario(['file', 'eventfd'], sqes.slice(1), [look]), ABI_7_0, 2).memory).toEqual(
    Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0),
  );
});

describe('what racing requests leave behind is unknown', () => {
  const link: Sqe = { opcode: OP.LINKAT, fd: -100, addr: PATH.f0, len: -100 >>> 0, off: PATH.n1, user_data: 1n };
  const unlink: Sqe = { opcode: OP.UNLINKAT, fd: -100, addr: PATH.f0, user_data: 2n };
  const look: Scenario['steps'][number] = { task: 0, do: 'probe_path', path: 'n1' };
  const seen = (sqes: readonly Sqe[]) => stepOf(scenario(['file'], sqes, [look]), ABI_7_0, 2).returns;

  it('of the one that was overtaken', () => {
    expect(seen([link, unlink])).toEqual(['any']);
    expect(seen([{ ...link, flags: HARDLINK }, unlink])).toEqual([0]);
  });

  it('of the one that came too late', () => {
    expect(seen([unlink, link])).toEqual(['any']);
    expect(seen([{ ...unlink, flags: HARDLINK }, link])).toEqual([-2]);
  });
});

it('a path races with the directory on its way', () => {
  const rmdir: Sqe = { opcode: OP.UNLINKAT, fd: -100, addr: PATH.d0, op_flags: 0x200, user_data: 1n };
  const mkdir: Sqe = { opcode: OP.MKDIRAT, fd: -100, addr: PATH.in_dir, len: 0o755, user_data: 2n };
  const last = (flags: number) => stepOf(scenario(['dir'], [{ ...rmdir, flags }, mkdir]), ABI_7_0, 1).cqes;
  expect(last(0)).toEqual(expect.arrayContaining([expect.objectContaining({ user_data: 2n, res: 'any' })]));
  expect(last(HARDLINK)).toEqual(expect.arrayContaining([expect.objectContaining({ user_data: 2n, res: -2 })]));
});

it('a direct descriptor races with its being closed', () => {
  const table: Scenario['steps'][number] = {
    task: 0,
    do: 'register',
    on: { kind: 'ring', ring: 0 },
    opcode: 2,
    nr_args: 1,
    bytes: Uint8Array.of(FD.file, 0, 0, 0),
  };
  const close: Sqe = { opcode: OP.CLOSE, file_index: 1, user_data: 1n };
  // A NOP names no resource of its own.
  const uses: readonly Sqe[] = [
    { opcode: OP.FSYNC, fd: 0, flags: 1, user_data: 2n },
    { opcode: OP.NOP, op_flags: 6, fd: 0, user_data: 2n },
  ];
  for (const use of uses) {
    const last = (flags: number) => {
      const sqes = [{ ...close, flags }, use];
      const steps: Scenario['steps'] = [RING, table, { task: 0, do: 'submit', ring: 0, sqes }];
      return stepOf({ version: 1, fixtures: ['file'], jit: true, steps }, ABI_7_0, 2).cqes;
    };
    expect(last(0)).toEqual(expect.arrayContaining([expect.objectContaining({ user_data: 2n, res: 'any' })]));
    expect(last(HARDLINK)).toEqual(expect.arrayContaining([expect.objectContaining({ user_data: 2n, res: -9 })]));
  }
});

it('a request that posts no CQE when it succeeds may be cancelled by an execve behind it', () => {
  const skipped: Sqe = { opcode: OP.NOP, flags: ASYNC | 64, user_data: 1n };
  const plain: Scenario['steps'][number] = {
    task: 0,
    do: 'submit',
    ring: 0,
    sqes: [{ opcode: OP.NOP, flags: 0, user_data: 2n }],
  };
  const cqes = (...more: Scenario['steps']): unknown =>
    predict(scenario([], [skipped], [...more, plain]), ABI_7_0).steps.at(-1)!.cqes;
  expect(cqes()).toMatchObject([{ user_data: 2n }]);
  const optional = { id: 'skip.cancelled' };
  expect(cqes({ task: 0, do: 'exec' })).toMatchObject([{ user_data: 2n }, { user_data: 1n, flags: 0, optional }]);
});

it('who races and is open itself may have changed what the others met', () => {
  const target = BigInt(FD.eventfd);
  const change = (op: number, userData: bigint, flags = 0): Sqe => ({
    opcode: OP.EPOLL_CTL,
    fd: FD.epoll,
    off: target,
    addr: BigInt(ARENA_BASE) + 0x5f0n,
    len: op,
    flags,
    user_data: userData,
  });
  const nop: Sqe = { opcode: OP.NOP, flags: HARDLINK, user_data: 9n };
  const second = { task: 0, do: 'submit', ring: 0, sqes: [change(0, 1n), nop, change(2, 2n), change(2, 3n)] } as const;
  const cqes = stepOf(scenario(['eventfd', 'epoll'], [change(1, 5n)], [second]), ABI_7_0, 2).cqes;
  // The second of the two that take it away may come before the first, whose chain waits for a NOP.
  expect(cqes).toEqual(expect.arrayContaining([expect.objectContaining({ user_data: 2n, res: 'any' })]));
});
