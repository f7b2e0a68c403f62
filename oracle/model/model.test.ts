/**
 * Whole scenarios at the edge of what is described: where pointers, privilege or order leave the answer open, and what
 * must hold all the same.
 */
import { plainStep } from '../testing/plain.ts';
import type { PlainStep } from '../testing/plain.ts';
import { describe, expect, it } from 'vitest';
import type { AbiProfile } from '../uapi/abi.ts';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { ARENA_BASE, ARENA_END, RING_FD } from '../scenario/layout.ts';
import { TIMESPEC } from '../world/arena.ts';
import { E, IORING_NOP, IORING_SETUP as SETUP, IOSQE } from '../uapi/constants.ts';
import { OP, opSpecs } from '../opcodes/index.ts';
import { predict } from '../predict.ts';
import { Open } from '../open-answer.ts';
import type { Quirks } from '../quirks/index.ts';
import { FD } from '../scenario/layout.ts';
import { BPF_PDU_SIZE_OFFSET } from '../scenario/memory.ts';
import type { BpfArg, Placement, Sqe, Target, TaskRestrictionsArg } from '../scenario/types.ts';
import type { Step } from '../steps/index.ts';
import type { RegisterBpfStep } from '../steps/kind/register-bpf-filter.ts';
import type { RegisterStep } from '../steps/kind/register.ts';
import { contextWords } from './evaluate.ts';

/** Inside the arena, or anywhere else the runner may have something. */
const ELSEWHERE: Placement = { raw: BigInt(ARENA_BASE) + 0x3000n };
const NOWHERE: Placement = { raw: BigInt(ARENA_END) };
const TASK: Target = { kind: 'task' };
const ON: Target = { kind: 'ring', ring: 0 };
const NO_WAY = [-E.ACCES] as const;

const ring = (flags = 0, slot = 0, entries = 8): Step => ({ task: 0, do: 'ring', ring: slot, entries, flags });
const filter = (on: Target, fields: Partial<BpfArg> = {}): RegisterBpfStep => ({
  task: 0,
  do: 'register_bpf_filter',
  on,
  nr_args: 1,
  arg: {
    cmd_type: 1,
    cmd_flags: 0,
    resv: 0,
    opcode: OP.OPENAT,
    flags: 0,
    filter_len: 1,
    pdu_size: 24,
    resv_filter: [0, 0, 0],
    resv2: [0n, 0n, 0n, 0n, 0n],
    program: [{ code: 6, jt: 0, jf: 0, k: 1 }],
    placement: 'normal',
    program_placement: 'normal',
    ...fields,
  },
});
const restrictRing = (placement: Placement): Step => ({
  task: 0,
  do: 'register_restrictions',
  on: ON,
  nr_args: 1,
  arg: { restrictions: [{ opcode: 1, value: OP.NOP, resv: 0, resv2: [0, 0, 0] }], placement },
});
const restrictTask = (fields: Partial<TaskRestrictionsArg> = {}): Step => ({
  task: 0,
  do: 'register_task_restrictions',
  on: TASK,
  nr_args: 1,
  arg: { flags: 0, nr_res: 0, resv: [0, 0, 0], restrictions: [], placement: 'normal', ...fields },
});
const register = (on: Target, opcode: number, nrArgs: number, bytes?: Uint8Array): RegisterStep => ({
  task: 0,
  do: 'register',
  on,
  opcode,
  nr_args: nrArgs,
  ...(bytes === undefined ? {} : { bytes }),
});
const submit = (slot: number, ...sqes: readonly Sqe[]): Step => ({ task: 0, do: 'submit', ring: slot, sqes });
const through = (index: number, step: Step): Step => ({ ...step, registered: index }) as Step;
const as = (task: number, step: Step): Step => ({ ...step, task });
const reap = (slot: number): Step => ({ task: 0, do: 'reap', ring: slot });
const spawn = (child: number): Step => ({ task: 0, do: 'spawn', how: 'fork', child });

function run(steps: readonly Step[], abi: AbiProfile = ABI_7_0): readonly PlainStep[] {
  return predict({ version: 1, fixtures: [], jit: true, steps }, abi).steps.map(plainStep);
}
/** What the last step returns. */
const returns = (...steps: readonly Step[]): PlainStep['returns'] => run(steps).at(-1)!.returns;
const memory = (...steps: readonly Step[]): PlainStep['memory'] => run(steps).at(-1)!.memory;
/** user_data, result and whether it may be missing, of the last step's completions. */
function completions(...steps: readonly Step[]): unknown {
  const { cqes } = run(steps).at(-1)!;
  return cqes === 'any' ? 'any' : cqes.map(({ user_data, res, optional }) => [user_data, res, optional === true]);
}
const message = (userData: bigint, more: Partial<Sqe> = {}): Sqe => ({
  opcode: OP.MSG_RING,
  fd: RING_FD + 1,
  off: userData,
  ...more,
});
/** struct io_uring_rsrc_update: a registered ring descriptor. */
const ringFd = (index: number, fd: number): Uint8Array =>
  new Uint8Array([
    ...new Uint8Array(Uint32Array.of(index, 0).buffer),
    ...new Uint8Array(BigUint64Array.of(BigInt(fd)).buffer),
  ]);

describe('pointers to where the runner may have something', () => {
  it('leave a registration open, where one to nothing is -EFAULT', () => {
    const disabled = ring(SETUP.R_DISABLED);
    const calls: readonly ((placement: Placement) => readonly Step[])[] = [
      (placement) => [filter(TASK, { placement })],
      (placement) => [filter(TASK, { program_placement: placement })],
      (placement) => [ring(), filter(ON, { placement })],
      (placement) => [disabled, restrictRing(placement)],
      (placement) => [restrictTask({ placement })],
    ];
    for (const call of calls)
      expect([returns(...call(NOWHERE)), returns(...call(ELSEWHERE))]).toEqual([[-E.FAULT], ['any']]);
  });
  it('leave every field open, also one that would be refused', () => {
    expect([returns(restrictTask({ flags: 1 })), returns(restrictTask({ placement: ELSEWHERE, flags: 1 }))]).toEqual([
      [-E.INVAL],
      ['any'],
    ]);
    expect([
      returns(filter(TASK, { cmd_type: 9 })),
      returns(filter(TASK, { placement: ELSEWHERE, cmd_type: 9 })),
    ]).toEqual([[-E.INVAL], ['any']]);
  });
  it('do not hide the payload size that was written back before the program was read', () => {
    expect(memory(filter(TASK, { program_placement: ELSEWHERE }))).toBe('any');
    const written = memory(filter(TASK, { program_placement: ELSEWHERE, pdu_size: 8 }));
    expect(written instanceof Uint8Array && written[BPF_PDU_SIZE_OFFSET]).toBe(24);
  });
});

describe('set-up', () => {
  it('io_uring_setup(2), IORING_SETUP_NO_MMAP: memory that is not there', () => {
    expect([SETUP.NO_MMAP, SETUP.NO_MMAP | SETUP.REGISTERED_FD_ONLY].map((flags) => returns(ring(flags)))).toEqual([
      [-E.FAULT],
      [-E.FAULT],
    ]);
    expect(returns(ring(SETUP.REGISTERED_FD_ONLY))).toEqual([-E.INVAL]);
  });
});

describe('privilege', () => {
  it('is not known where a polling thread may have kept the process out of its new user namespace', () => {
    const unsure: readonly Step[] = [
      ring(SETUP.SQPOLL),
      { task: 0, do: 'drop_cap_sys_admin' },
      { task: 0, do: 'unshare_user' },
    ];
    expect(returns(...unsure)).toEqual([[0, -E.INVAL]]);
    expect([returns(...unsure, filter(TASK)), returns(...unsure, restrictTask())]).toEqual([['any'], ['any']]);
    const without = unsure.slice(0, 2);
    expect([returns(...without, filter(TASK)), returns(...without, restrictTask())]).toEqual([NO_WAY, NO_WAY]);
    expect(returns(...unsure, { task: 0, do: 'no_new_privs' }, filter(TASK))).toEqual([0]);
    // Who still has the capability keeps it either way.
    expect(returns(unsure[0]!, unsure[2]!, filter(TASK))).toEqual([0]);
  });
});

describe('register calls', () => {
  it("of the feature whose bytes are the caller's own are not judged", () => {
    expect(returns(ring(SETUP.R_DISABLED), register(ON, 11, 1, new Uint8Array(16)))).toEqual(['any']);
    expect(returns(ring(), register(ON, 37, 1, new Uint8Array(72)))).toEqual(['any']);
  });
  it('io_uring_setup(2): EINVAL for flags the kernel does not know', () => {
    const old = { ...ABI_7_0, setup_flags: SETUP.SUBMIT_ALL };
    expect([
      run([ring(SETUP.SUBMIT_ALL)], old)[0]!.returns,
      run([ring(SETUP.SUBMIT_ALL | SETUP.COOP_TASKRUN)], old)[0]!.returns,
    ]).toEqual([[0], [-E.INVAL]]);
  });
});

describe('registered ring descriptors', () => {
  const give = (index: number): Step => register(ON, 20, 1, ringFd(index, RING_FD));
  const nop = submit(0, { opcode: OP.NOP, user_data: 1n });
  it('belong to the task that registered them', () => {
    const child = [ring(), give(0), spawn(1)];
    expect(returns(...child, as(1, through(0, nop)))).toEqual([-E.INVAL]);
    expect(returns(...child, as(1, give(3)), as(1, through(0, nop)))).toEqual([-E.BADF]);
    expect(returns(...child, as(1, give(3)), as(1, through(3, nop)))).toEqual([1]);
  });
  it('a task that never used io_uring has none to give back', () => {
    const back = (index: number): Step => register(ON, 21, 1, ringFd(index, 0));
    expect(returns(ring(), back(16))).toEqual([-E.INVAL]);
    expect(returns(ring(), spawn(1), as(1, back(16)))).toEqual([0]);
    expect(returns(ring(), spawn(1), as(1, register(ON, 21, 17, ringFd(0, 0))))).toEqual([-E.INVAL]);
  });
  it('name a ring, not the queue that was filled', () => {
    const other = (flags: number): readonly Step[] => [ring(flags), give(0)];
    expect(returns(...other(0), through(0, submit(5, { opcode: OP.NOP })))).toEqual([0]);
    expect(completions(...other(0), through(0, submit(5, { opcode: OP.NOP })))).toEqual([]);
    expect(returns(...other(SETUP.SQPOLL), through(0, submit(5, { opcode: OP.NOP })))).toBe('any');
    const waiting = [
      ...other(0),
      ring(0, 1),
      submit(0, message(9n)),
      through(0, submit(1, { opcode: OP.NOP, user_data: 2n })),
    ];
    expect(completions(...waiting)).toEqual([[9n, 0, false]]);
    expect(completions(...waiting, reap(1))).toEqual([]);
  });
});

describe('descriptors', () => {
  it('that may be of the runner are refused, whichever way, and nothing else is in doubt', () => {
    const doubtful = filter({ kind: 'fd', fd: 3 });
    const [, , , last] = run([
      ring(),
      filter(ON, { opcode: OP.NOP, pdu_size: 0 }),
      doubtful,
      submit(0, { opcode: OP.NOP }),
    ]);
    expect([run([doubtful])[0]!.returns, last!.cqes]).toEqual([
      [[-E.BADF, -E.OPNOTSUPP]],
      [expect.objectContaining({ res: 0 })],
    ]);
  });
  it('of rings are open where the ring is', () => {
    const probe = (fd: number): Step => ({ task: 0, do: 'probe_fd', fd });
    const closed: Step = { task: 0, do: 'close_ring', ring: 0 };
    expect([
      returns(ring(), probe(RING_FD)),
      returns(ring(), probe(RING_FD + 1)),
      returns(ring(), closed, probe(RING_FD)),
    ]).toEqual([[0], [-E.BADF], [-E.BADF]]);
  });
  it(
    'io_uring_setup(2): what is posted to a DEFER_TASKRUN ring comes when its own task enters it, whoever looks ' +
      'before',
    () => {
      const rings = [ring(), ring(SETUP.DEFER_TASKRUN | SETUP.SINGLE_ISSUER, 1), spawn(1), submit(0, message(9n))];
      expect(completions(...rings, reap(1))).toEqual([[9n, 0, false]]);
      expect(completions(...rings, as(1, reap(1)))).toEqual([[9n, 0, true]]);
    },
  );
});

describe('requests', () => {
  it('of which there are none are no error on a ring that takes some', () => {
    expect([returns(ring(), submit(0)), returns(ring(SETUP.R_DISABLED), submit(0))]).toEqual([[0], [-E.BADFD]]);
  });
  it('of a polling thread whose process ended, or executed a program, are taken by nobody', () => {
    const asked = as(1, submit(0, { opcode: OP.NOP }, { opcode: OP.NOP, user_data: 5n }));
    for (const end of ['exit', 'exec'] as const) {
      const gone: readonly Step[] = [ring(SETUP.SQPOLL), spawn(1), { task: 0, do: end }];
      expect([returns(...gone, asked), completions(...gone, asked)]).toEqual([[-E.OWNERDEAD], []]);
    }
    expect(returns(ring(SETUP.SQPOLL), spawn(1), asked)).toEqual([2]);
  });
  it('that a drain holds back are started when all before them have ended, but on faulty kernels', () => {
    const steps = (...flags: number[]): readonly Step[] => [
      ring(),
      submit(0, ...flags.map((flag) => ({ opcode: OP.SEND_ZC, fd: FD.closed, flags: flag }))),
      submit(0, { opcode: OP.NOP }),
    ];
    const open = (quirks: Quirks, ...flags: number[]): boolean[] =>
      predict({ version: 1, fixtures: [], jit: true, steps: [...steps(...flags)] }, ABI_7_0, { quirks }).steps.map(
        ({ cqes }) => Open.is(cqes),
      );
    const stuck: Quirks = new Set(['drained-send-stuck']);
    expect(open(new Set(), IOSQE.IO_DRAIN)).toEqual([false, false, false]);
    expect(open(stuck, IOSQE.IO_DRAIN)).toEqual([false, true, true]);
    expect(open(stuck, IOSQE.IO_LINK, IOSQE.IO_DRAIN)).toEqual([false, true, true]);
    expect(open(stuck, 0)).toEqual([false, false, false]);
  });
  it('of opcodes newer than the specification are not judged', () => {
    const opcode = opSpecs.length;
    const newer = { ...ABI_7_0, op_last: opcode + 1 };
    const steps = [ring(SETUP.SUBMIT_ALL), submit(0, { opcode, user_data: 1n })];
    const alone = [ring(), submit(0, { opcode, user_data: 1n }, { opcode: OP.NOP })];
    // A ring that goes on after a failed request takes all; where another one may stop is open.
    expect([run(steps)[1]!.returns, run(steps, newer)[1]!.returns]).toEqual([[1], [1]]);
    expect([run(alone, newer)[1]!.returns, run(alone, newer)[1]!.cqes]).toEqual(['any', 'any']);
    expect(completions(...steps)).toEqual([[1n, -E.INVAL, false]]);
    expect(run(steps, newer)[1]!.cqes).toMatchObject([
      { user_data: 1n, res: 'any', optional: true },
      { user_data: 1n, res: 'any', optional: true, sqe: -1 },
    ]);
    expect(contextWords(ABI_7_0, 66, 0, 0n, undefined)).toEqual(Uint32Array.of(0, 0, 66, 0, 0, 0, 0, 0, 0, 0));
  });
  it('of two slots that do not fit before the end of a mixed queue are refused, and take the last', () => {
    const mixed = ring(SETUP.SQE_MIXED, 0, 2);
    const [nop, big] = [submit(0, { opcode: OP.NOP }), submit(0, { opcode: OP.NOP128, user_data: 7n })];
    expect([returns(mixed, big), completions(mixed, big)]).toEqual([[2], [[7n, 0, false]]]);
    expect([returns(mixed, nop, big), completions(mixed, nop, big)]).toEqual([[1], [[7n, -E.INVAL, false]]]);
  });
  it('behind one that may wait send a message or not', () => {
    const rings = [ring(), ring(0, 1)];
    const wait = (flags: number): Sqe => ({ opcode: OP.TIMEOUT, addr: TIMESPEC.hour, len: 1, flags });
    expect(completions(...rings, submit(0, { opcode: OP.NOP, flags: IOSQE.IO_LINK }, message(9n)), reap(1))).toEqual([
      [9n, 0, false],
    ]);
    expect(completions(...rings, submit(0, wait(IOSQE.IO_LINK), message(9n)), reap(1))).toEqual([[9n, 0, true]]);
    // Beside something unknown nobody knows what is posted elsewhere.
    const newer = { ...ABI_7_0, op_last: opSpecs.length + 1 };
    expect(run([...rings, submit(0, { opcode: opSpecs.length }, message(9n)), reap(1)], newer).at(-1)!.cqes).toEqual([
      expect.objectContaining({ user_data: 9n, res: 'any', optional: true }),
    ]);
  });
  it('that still wait may complete with any later step: no more completions are certain than those of the step', () => {
    const waiting: readonly Step[] = [
      ring(),
      submit(0, { opcode: OP.TIMEOUT, addr: TIMESPEC.hour, len: 1, user_data: 1n }),
      submit(0, { opcode: OP.NOP, user_data: 2n }, { opcode: OP.NOP, user_data: 3n }),
    ];
    expect(completions(...waiting)).toEqual([
      [2n, 0, false],
      [3n, 0, false],
      [1n, 'any', true],
    ]);
    expect(run(waiting)[2]!.most).toBe(2);
    expect(run([ring(), waiting[2]!])[1]!.most).toBeUndefined();
  });
  it('io_uring_enter(2): a failed head that skips its CQE hides its chain, except a link timeout', () => {
    const failing = {
      opcode: OP.NOP,
      op_flags: IORING_NOP.INJECT_RESULT,
      len: -E.IO >>> 0,
      flags: IOSQE.IO_LINK | IOSQE.CQE_SKIP_SUCCESS,
      user_data: 1n,
    };
    const timeout = { opcode: OP.LINK_TIMEOUT, addr: TIMESPEC.hour, len: 1, user_data: 2n };
    expect(completions(ring(), submit(0, failing, { opcode: OP.NOP, user_data: 2n }))).toEqual([[1n, -E.IO, false]]);
    expect(completions(ring(), submit(0, failing, timeout))).toEqual([
      [1n, -E.IO, false],
      [2n, -E.CANCELED, false],
    ]);
    const silent = { ...timeout, flags: IOSQE.CQE_SKIP_SUCCESS };
    expect(completions(ring(), submit(0, failing, silent))).toEqual([[1n, -E.IO, false]]);
  });
});

describe('after a registration of which nobody can know what it set up', () => {
  const nop = submit(0, { opcode: OP.NOP, user_data: 1n });
  it.each([
    ['raw bytes on a ring', [ring(), register(ON, 37, 1, new Uint8Array(64))]],
    ['raw bytes on the task', [{ task: 0, do: 'no_new_privs' }, ring(), register(TASK, 11, 1, new Uint8Array(64))]],
    ['a program somewhere', [ring(), filter(ON, { program_placement: ELSEWHERE })]],
  ] as [string, Step[]][])('%s: nothing is said of later steps', (_, steps) => {
    const predicted = run([...steps, nop, ring(0, 1)]);
    expect(predicted[steps.length - 1]!.returns).toEqual(['any']);
    expect(predicted.slice(-2)).toMatchObject([
      { reached: true, returns: 'any', cqes: 'any', memory: 'any', most: 2 },
      { reached: true, returns: 'any', cqes: 'any', memory: 'any' },
    ]);
  });
  it('one that is refused, or of another kind, changes nothing', () => {
    expect(run([ring(), register(ON, 37, 1, new Uint8Array(64)), nop])[2]).toMatchObject({ returns: 'any' });
    expect(run([ring(), filter(ON, { placement: NOWHERE }), nop])[2]).toMatchObject({ returns: [1] });
    expect(run([ring(), register(ON, 20, 1, new Uint8Array(16)), nop])[2]).toMatchObject({ returns: [1] });
  });
});
