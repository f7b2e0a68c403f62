/** Rings that fail late or have no descriptor, entries that name no SQE, registrations that cannot be told. */
import { describe, expect, it } from 'vitest';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { predict } from '../predict.ts';
import type { Quirks } from '../quirks/index.ts';
import { IORING_REGISTER } from '../register/index.ts';
import { FD, RING_FD } from '../scenario/layout.ts';
import type { Sqe } from '../scenario/types.ts';
import type { Step } from '../steps/index.ts';
import type { RingStep } from '../steps/kind/ring.ts';
import { OP } from '../opcodes/index.ts';
import { E, IORING_SETUP as S, IOSQE } from '../uapi/constants.ts';
import { EPOLL_EVENT } from '../world/arena.ts';

const run = (steps: readonly Step[]): ReturnType<typeof predict>['steps'] =>
  predict({ version: 1, fixtures: ['epoll'], jit: true, steps }, ABI_7_0).steps;
const returns = (...steps: Step[]): unknown => run(steps).map((step) => step.returns);
const rule = (...steps: Step[]): string | undefined => run(steps).at(-1)!.rule;

const ring = (slot: number, more: Partial<RingStep> = {}): Step => ({
  task: 0,
  do: 'ring',
  ring: slot,
  entries: 8,
  flags: 0,
  ...more,
});
const nop = (userData: bigint, flags = 0): Sqe => ({ opcode: OP.NOP, flags, user_data: userData });
const bad: Sqe = { opcode: 255, user_data: 9n };
const submit = (slot: number, sqes: readonly Sqe[], more: { dropped?: number; registered?: number } = {}): Step => ({
  task: 0,
  do: 'submit',
  ring: slot,
  sqes,
  ...more,
});
const less: Step = { task: 0, do: 'drop_cap_sys_admin' };

describe('io_uring_setup without something that it needs', () => {
  it.each([
    ['params', -E.FAULT, 'setup.fault'],
    ['writable_params', -E.FAULT, 'setup.fault'],
    ['descriptor', -E.MFILE, 'setup.limits'],
  ] as const)('%s: %i, and no ring', (without, errno, id) => {
    const made = ring(0, { without });
    expect([returns(made, submit(0, [nop(1n)])), rule(made)]).toEqual([[[errno], [-E.BADF]], id]);
  });

  it('a file: CAP_SYS_ADMIN of the initial namespace does without', () => {
    const made = ring(0, { without: 'file' });
    expect(returns(made, submit(0, [nop(1n)]))).toEqual([[0], [1]]);
    expect(returns(less, made)).toEqual([[0], [-E.NFILE]]);
    expect(returns({ task: 0, do: 'unshare_user' }, made)).toEqual([[0], [-E.NFILE]]);
  });

  it('what is wrong with its parameters comes first, unless they cannot be read', () => {
    const flags = 0x4000_0000;
    expect(returns(ring(0, { flags, without: 'params' }))).toEqual([[-E.FAULT]]);
    expect(returns(ring(0, { flags, without: 'writable_params' }))).toEqual([[-E.INVAL]]);
    expect(returns(ring(0, { flags: S.ATTACH_WQ, wq_fd: FD.closed, without: 'descriptor' }))).toEqual([[-E.NXIO]]);
  });
});

describe('a ring that is only registered', () => {
  const flags = S.NO_MMAP | S.REGISTERED_FD_ONLY;
  const only = (slot: number): Step => ring(slot, { flags, memory: true });

  it('gets the lowest index that is free, and no descriptor', () => {
    expect(returns(only(0), only(1), submit(1, [nop(1n)], { registered: 1 }), submit(1, [nop(2n)]))).toEqual([
      [0],
      [1],
      [1],
      [-E.BADF],
    ]);
  });

  it('is bound by the rules of its maker', () => {
    const deny: Step = {
      task: 0,
      do: 'register_task_restrictions',
      on: { kind: 'task' },
      nr_args: 1,
      arg: {
        flags: 0,
        nr_res: 1,
        resv: [0, 0, 0],
        restrictions: [{ opcode: 1, value: OP.READ, resv: 0, resv2: [0, 0, 0] }],
        placement: 'normal',
      },
    };
    const { cqes } = run([deny, only(0), submit(0, [nop(1n)], { registered: 0 })])[2]!;
    expect(cqes).toMatchObject([{ res: -E.ACCES }]);
  });

  it('is not made where all sixteen are taken', () => {
    expect(returns(...Array.from({ length: 16 }, (_, slot) => only(slot)))).toEqual(
      Array.from({ length: 16 }, (_, index) => [index]),
    );
    const full = [ring(0), registerRing(16), only(1)];
    expect(returns(...full)).toEqual([[0], [16], [-E.BUSY]]);
  });

  it('is refused without memory', () => {
    expect(returns(ring(0, { flags }))).toEqual([[-E.FAULT]]);
  });
});

/** Registers ring 0 so many times, at any index. */
function registerRing(times: number, more: { read_only?: true } = {}): Step {
  const bytes = new Uint8Array(16 * times);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < bytes.length; at += 16) {
    view.setUint32(at, 0xffff_ffff, true);
    view.setUint32(at + 8, RING_FD, true);
  }
  const opcode = IORING_REGISTER.REGISTER_RING_FDS;
  return { task: 0, do: 'register', on: { kind: 'ring', ring: 0 }, opcode, nr_args: times, bytes, ...more };
}

it('a ring is not registered where nobody can be told at which index', () => {
  expect(returns(ring(0), registerRing(2, { read_only: true }), submit(0, [nop(1n)], { registered: 0 }))).toEqual([
    [0],
    [-E.FAULT],
    [-E.BADF],
  ]);
});

describe('an entry that names no SQE', () => {
  const three = [nop(1n), nop(2n), nop(3n)];
  const of = (sqes: readonly Sqe[], dropped: number, flags = 0): unknown =>
    run([ring(0, { flags }), submit(0, sqes, { dropped })])[1]!.returns;

  it('ends the call; it is counted, and the others come with the next', () => {
    expect([0, 1, 3].map((dropped) => of(three, dropped))).toEqual([
      [0, 3, 1],
      [1, 2, 1],
      [3, 1],
    ]);
    expect(of([], 0)).toEqual([0, 1]);
  });

  it('stands behind a request that ended the call already', () => {
    expect(of([nop(1n), bad, nop(2n)], 2)).toEqual([2, 0, 1, 1]);
    expect(of([nop(1n), bad], 2)).toEqual([2, 0, 1]);
    expect(of([nop(1n), bad, nop(2n)], 2, S.SUBMIT_ALL)).toEqual([2, 1, 1]);
  });

  it('ends a chain', () => {
    const chain = [{ ...bad, flags: IOSQE.IO_LINK }, nop(1n)];
    const res = (dropped?: number): unknown => {
      const { cqes } = run([ring(0), submit(0, chain, dropped === undefined ? {} : { dropped })])[1]!;
      return Array.isArray(cqes) ? cqes.map((cqe) => cqe.res) : cqes;
    };
    expect([res(), res(1)]).toEqual([
      [-E.INVAL, -E.CANCELED],
      [-E.INVAL, 0],
    ]);
  });
});

it('a 128-byte request without its second half is refused, and takes one entry', () => {
  const sqes = [nop(1n), { opcode: OP.NOP128, user_data: 2n }];
  const flags = S.SQE_MIXED | S.SUBMIT_ALL;
  const step = { ...submit(0, sqes), halved: true } as Step;
  const [, { returns: whole }, { returns: half, cqes }] = run([ring(0, { flags }), submit(0, sqes), step]) as [
    unknown,
    ReturnType<typeof run>[number],
    ReturnType<typeof run>[number],
  ];
  expect([whole, half]).toEqual([[3], [2]]);
  expect(cqes).toMatchObject([{ res: 0 }, { res: -E.INVAL }]);
});

it('a polling thread takes 128-byte requests whole; a faulty one cuts them where its turn ends', () => {
  const flags = S.SQPOLL | S.SQE_MIXED;
  const big: Sqe = { opcode: OP.NOP128, user_data: 8n };
  const res = (count: bigint, rings: readonly Step[], quirks: Quirks = new Set(['shared-thread-cuts'])): unknown => {
    const sqes = [...Array.from({ length: Number(count) }, (_, i) => nop(BigInt(i + 1))), big];
    const scenario = { version: 1, fixtures: [], jit: true, steps: [...rings, submit(0, sqes)] } as const;
    const { cqes, returns: values } = predict(scenario, ABI_7_0, { quirks }).steps.at(-1)!;
    return Array.isArray(cqes) ? [values, ...cqes.slice(Number(count)).map((cqe) => [cqe.user_data, cqe.res])] : cqes;
  };
  const shared = [ring(0, { flags, entries: 64 }), ring(1, { flags: S.SQPOLL | S.ATTACH_WQ, wq_fd: RING_FD })];
  expect(res(7n, shared, new Set())).toEqual([[9], [8n, 0]]);
  expect(res(7n, shared)).toEqual([[9], [8n, -E.INVAL], [0n, 0]]);
  expect([res(6n, shared), res(7n, shared.slice(0, 1))]).toEqual([
    [[8], [8n, 0]],
    [[9], [8n, 0]],
  ]);
});

it('an epoll instance watches a ring as any file', () => {
  const watch = (op: number): Sqe => ({
    opcode: OP.EPOLL_CTL,
    fd: FD.epoll,
    off: BigInt(RING_FD + 1),
    len: op,
    addr: EPOLL_EVENT.in,
    user_data: 1n,
  });
  const steps = [ring(0), ring(1), ...[1, 1, 2, 2].map((op) => submit(0, [watch(op)]))];
  const answers = run(steps)
    .slice(2)
    .map(({ cqes }) => cqes);
  expect(answers).toMatchObject([[{ res: 0 }], [{ res: -E.EXIST }], [{ res: 0 }], [{ res: -E.NOENT }]]);
});
