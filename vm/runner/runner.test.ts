/** The runner on a real kernel: what one task does, and everything that may go wrong. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeScenario } from '../../oracle/case/frame.ts';
import type { SockFilter } from '../../oracle/bpf/program.ts';
import { ARENA, ARENA_BASE, FD, FILE_CONTENT, FIXTURES } from '../../oracle/scenario/layout.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import type { Step } from '../../oracle/steps/index.ts';
import {
  benchFrame,
  BENCHES,
  byeFrame,
  imageFrame,
  PROTOCOL_VERSION,
  readFrame,
  STATUS,
  writeFrame,
} from '../protocol/frames.ts';
import { ANNOUNCED } from '../protocol/table.ts';
import type { FilePart } from '../protocol/frames.ts';
import { bootLine } from '../testing/runner-line.ts';
import type { Line } from '../testing/runner-line.ts';
import { filter, nops, R, ret, ring, seen, simple, spawn, submit } from '../testing/runner-steps.ts';

const BYTES = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
let line: Line;
beforeAll(async () => {
  line = await bootLine();
  await line.guest.send(imageFrame(BYTES));
}, 300_000);
afterAll(async () => {
  await line?.guest.kill();
});

describe('a scenario with one task', { timeout: 60_000 }, () => {
  it('says hello first', async () => {
    await line.until(({ type }) => (type === 'hello' ? true : undefined));
    expect(line.frames[0]).toMatchObject({
      type: 'hello',
      hello: {
        version: PROTOCOL_VERSION,
        cpus: 1,
        machine: 'x86_64',
        interpreter: true,
        jit: true,
        harden: true,
        traces: true,
      },
    });
    expect(line.announced).toEqual([{ type: 'begin', id: ANNOUNCED.warm_up }]);
  });

  it('is reached over the second serial line, too, where the kernel has no virtio console', async () => {
    const other = await bootLine('initcall_blacklist=virtio_console_init');
    try {
      // Larger than all buffers on the way.
      const long = Array.from({ length: 4095 }, (): SockFilter => ({ code: 0, jt: 0, jf: 0, k: 7 }));
      const filters = [1, 2, 3].map(() => filter(0, R(0), [...long, ...ret(1)]));
      expect(seen(await other.run([ring(0, 0), ...filters, submit(0, 0, nops(8))]))).toEqual([
        [[0]],
        [[0]],
        [[0]],
        [[0]],
        [[8], [0, 0, 0, 0, 0, 0, 0, 0]],
      ]);
      expect(other.frames[0]).toMatchObject({ type: 'hello', hello: { line: true } });
    } finally {
      await other.guest.kill();
    }
  });

  it('creates a ring, submits and reaps', async () => {
    const result = await line.run([ring(0, 0), submit(0, 0, nops(3))]);
    expect(result.status).toBe(STATUS.done);
    expect(result.observation.steps[1]!.cqes).toEqual(
      [0n, 1n, 2n].map((userData) => ({ user_data: userData, res: 0, flags: 0 })),
    );
    expect(result.exec_ns).toBeGreaterThan(1000);
  });

  it('waits for the CQEs of the batch, when one of an earlier batch fills the count', async () => {
    const spans = new BigInt64Array([0n, 30_000_000n, 0n, 150_000_000n]);
    await line.guest.send(imageFrame(new Uint8Array(spans.buffer)));
    const timeout = (at: number, userData: bigint): Sqe => ({
      opcode: 11,
      addr: BigInt(ARENA_BASE + at),
      len: 1,
      user_data: userData,
    });
    const steps = [ring(0, 0), submit(0, 0, [timeout(0, 1n)]), submit(0, 0, [timeout(16, 2n)])];
    const answers = async (owns: number[]): Promise<bigint[]> => {
      const bytes = encodeScenario(
        { version: 1, fixtures: [], jit: true, steps },
        { id: 9000 + owns[2]!, deadline_ms: 5000, waits: [0, 0, 1], owns },
      );
      return (await line.raw(bytes)).observation.steps[2]!.cqes.map(({ user_data }) => user_data);
    };
    expect(await answers([0, 0, 0])).toEqual([1n]);
    expect(await answers([0, 0, 1])).toEqual([1n, 2n]);
    await line.guest.send(imageFrame(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
  });

  it('creates a ring whose descriptor is the one of its slot already', async () => {
    // Descriptors 3 to 99, and 101: ring 0 has 100, so the next one is that of slot 2.
    const sockets = (n: number): Sqe[] =>
      Array.from({ length: n }, (_, i) => ({ opcode: 45, fd: 1, off: 1n, user_data: BigInt(i) }));
    const result = await line.run([
      ring(0, 0, 0, 64),
      submit(0, 0, sockets(49)),
      submit(0, 0, sockets(49)),
      ring(0, 2),
      submit(0, 2, nops(2)),
    ]);
    expect(result.observation.steps[2]!.cqes.at(-1)!.res).toBe(101);
    expect(seen(result).slice(3)).toEqual([[[0]], [[2], [0, 0]]]);
  });

  it.each([true, false])('denies by a filter (jit %s)', async (jit) => {
    expect(
      seen(
        await line.run(
          [
            ring(0, 0),
            filter(0, R(0), ret(0)),
            submit(0, 0, nops(1)),
            submit(0, 0, nops(1, { opcode: 22, fd: FD.closed })),
          ],
          { jit },
        ),
      ),
    ).toEqual([[[0]], [[0]], [[1], [-13]], [[1], [-9]]]);
  });

  it('registers a filter over and over until it is refused', async () => {
    const many = (times: number, more: object = {}): Step => ({ ...filter(0, R(0), ret(1), 0, more), times }) as Step;
    const before = await line.run([ring(0, 0), many(3000), submit(0, 0, nops(1)), filter(0, R(0), ret(0))]);
    expect(seen(before)).toEqual([[[0]], [[0]], [[1], [0]], [[0]]]);
    expect(seen(await line.run([ring(0, 0), many(3000, { resv: 1 }), submit(0, 0, nops(1))]))).toEqual([
      [[0]],
      [[-22]],
      [[1], [0]],
    ]);
  });

  it('tells how many filters the kernel compiled', async () => {
    const steps = (times: number): Step[] => [ring(0, 0), { ...filter(0, R(0), ret(1)), times } as Step];
    const counts = async (times: number, more: object): Promise<readonly number[]> => {
      const { traced, compiled } = await line.run(steps(times), more);
      return [traced, compiled];
    };
    expect(await counts(2, {})).toEqual([0, 0]);
    expect(await counts(7, { traces: true })).toEqual([7, 7]);
    expect(await counts(7, { traces: true, harden: 2 })).toEqual([7, 7]);
    // What a compiler that gives up looks like.
    expect(await counts(7, { traces: true, jit: false })).toEqual([7, 0]);
    // More than the kernel's log holds.
    const long = Array.from({ length: 4000 }, (): SockFilter => ({ code: 0x3c, jt: 0, jf: 0, k: 0 }));
    const { traced, compiled } = await line.run([ring(0, 0), filter(0, R(0), [...long, ...ret(1)])], { traces: true });
    expect([traced, compiled]).toEqual([1, 1]);
    expect(line.guest.console).not.toContain('JIT code');
  });

  it.each([
    ['SQPOLL', 1 << 1, [8, 4]],
    ['SUBMIT_ALL', 1 << 7, [8, 4]],
    ['SQE128', 1 << 10, [8, 4]],
    ['CQE32', 1 << 11, [8, 4]],
    ['DEFER_TASKRUN', (1 << 12) | (1 << 13), [8, 4]],
    ['NO_SQARRAY', 1 << 16, [8, 4]],
    ['CQE_MIXED', 1 << 18, [8, 4]],
    ['SQE_MIXED', 1 << 19, [8, 4]],
    ['SQ_REWIND', (1 << 16) | (1 << 20), [8, 4]],
  ])('fills a ring with %s twice and goes round', async (_name, flags, returns) => {
    const twelve = Array.from({ length: 12 }, () => 0);
    expect(seen(await line.run([ring(0, 0, flags), submit(0, 0, nops(12)), submit(0, 0, nops(12))]))).toEqual([
      [[0]],
      [returns, twelve],
      [returns, twelve],
    ]);
  });

  it('gives 128-byte requests two slots of a mixed ring', async () => {
    const wide = { opcode: 63 };
    // Slots 0 and 1, 2, 3 and 4, 5, 6; the last one would wrap around at 7 and is refused there.
    expect(
      seen(await line.run([ring(0, 0, 1 << 19), submit(0, 0, [wide, ...nops(1), wide, ...nops(2), wide])])),
    ).toEqual([[[0]], [[8], [0, 0, 0, 0, 0, -22]]]);
  });

  it('reaps more CQEs than the ring holds', async () => {
    const [, step] = (await line.run([ring(0, 0, 0, 1), submit(0, 0, nops(20))])).observation.steps;
    expect(step!.cqes).toHaveLength(20);
  });

  it('waits for a late one, too, when others have filled the queue', async () => {
    await line.guest.send(imageFrame(new Uint8Array(new BigInt64Array([0n, 100_000_000n]).buffer)));
    const late: Sqe = { opcode: 11, addr: BigInt(ARENA_BASE), len: 1, off: 1000n };
    const [, step] = (await line.run([ring(0, 0, 0, 1), submit(0, 0, [late, ...nops(20)])])).observation.steps;
    await line.guest.send(imageFrame(BYTES));
    expect(step!.cqes.map(({ res }) => res)).toEqual([...Array.from({ length: 20 }, () => 0), -62]);
  });

  it('withdraws what a disabled ring does not take', async () => {
    const enable: Step = { do: 'register', task: 0, on: R(0), opcode: 12, nr_args: 0 };
    for (const flags of [1 << 6, (1 << 6) | (1 << 1)]) {
      expect(seen(await line.run([ring(0, 0, flags), submit(0, 0, nops(2)), enable, submit(0, 0, nops(1))]))).toEqual([
        [[0]],
        [[-77]],
        [[0]],
        [[1], [0]],
      ]);
    }
  });

  it('goes on through a registered ring when its descriptor is closed', async () => {
    const bytes = Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0, 100, 0, 0, 0, 0, 0, 0, 0);
    const steps: Step[] = [
      ring(0, 0),
      { do: 'register', task: 0, on: R(0), opcode: 20, nr_args: 1, bytes },
      { do: 'close_ring', task: 0, ring: 0 },
      submit(0, 0, nops(1), 0),
      submit(0, 0, nops(1)),
      filter(0, { kind: 'registered', index: 0 }, ret(0)),
      submit(0, 0, nops(1), 0),
    ];
    const result = await line.run(steps);
    expect(seen(result)).toEqual([[[0]], [[1]], [[0]], [[1], [0]], [[-9]], [[0]], [[1], [-13]]]);
    expect([...result.observation.steps[1]!.memory!]).toEqual([0, 0, 0, 0, ...bytes.subarray(4)]);
  });

  it('reports what the kernel wrote back, and only that', async () => {
    const [, same, differs] = (await line.run([ring(0, 0), filter(0, R(0), ret(1)), filter(0, R(0), ret(1), 45)]))
      .observation.steps;
    expect(same!.memory).toBeUndefined();
    expect(differs!.memory![20]).toBe(12);
  });

  it('puts structures at the edges of memory', async () => {
    const edges = ['page-end', 'straddle', 'read-only', { raw: 0n }].map((placement) =>
      filter(0, R(0), ret(1), 45, { placement }),
    );
    expect(seen(await line.run([ring(0, 0), ...edges]))).toEqual([[[0]], [[0]], [[-14]], [[-14]], [[-14]]]);
  });

  it('has every fixture', async () => {
    const fds = Object.values(FD).filter((fd) => fd !== FD.closed);
    const probes: Step[] = [...fds, FD.closed, 3, 116, 118].map((fd) => ({ do: 'probe_fd', task: 0, fd }));
    const paths: Step[] = ['f0', 'd0', 'sock', 'n0'].map((path) => ({ do: 'probe_path', task: 0, path }));
    const read: Step = submit(0, 0, [
      { opcode: 22, fd: FD.file, addr: BigInt(0x2000_0000 + ARENA.data), len: 64, off: 0n },
    ]);
    const result = await line.run(
      [...probes, ...paths, ring(0, 0), read, { do: 'probe_memory', task: 0, at: ARENA.data, length: 64 }],
      { fixtures: [...FIXTURES] },
    );
    expect(seen(result).slice(0, probes.length)).toEqual([...fds.map(() => [[0]]), [[-9]], [[-9]], [[-9]], [[0]]]);
    expect(seen(result).slice(probes.length, -1)).toEqual([[[0]], [[0]], [[0]], [[-2]], [[0]], [[1], [64]]]);
    expect(Buffer.from(result.observation.steps.at(-1)!.memory!).toString()).toBe(FILE_CONTENT);
  });
});

/** A frame with one CALL of prctl, which the scenario language does not have. */
function prctl(id: number, ...args: number[]): Uint8Array {
  const frame = encodeScenario(
    { version: 1, fixtures: [], jit: true, steps: [simple('no_new_privs', 0), simple('no_new_privs', 0)] },
    { id, deadline_ms: 2000 },
  );
  const view = new DataView(frame.buffer);
  for (const [i, arg] of args.entries()) view.setBigUint64(32 + 8 + 16 + 8 * i, BigInt(arg), true);
  return frame;
}

describe('trouble', { timeout: 60_000 }, () => {
  it('a scenario that hangs ends by its deadline, and the next one is clean', async () => {
    // The parent waits for its vfork child, which waits for its turn.
    const result = await line.run([ring(0, 0), spawn(0, 'vfork', 1), submit(0, 0, nops(1)), submit(1, 0, nops(1))], {
      deadline: 300,
    });
    expect(result).toMatchObject({ status: STATUS.deadline });
    expect(seen(result).slice(2)).toEqual([null, null]);
    expect(result.exec_ns).toBeGreaterThan(300e6);
    expect(seen(await line.run([ring(0, 0), submit(0, 0, nops(1))]))).toEqual([[[0]], [[1], [0]]]);
  });

  it('a task that a signal ends is reported', async () => {
    // PR_SET_SECCOMP, SECCOMP_MODE_STRICT: the next system call kills.
    expect(await line.raw(prctl(90_001, 22, 1))).toMatchObject({ status: STATUS.signal, detail: 9 });
    expect((await line.run([ring(0, 0)])).status).toBe(STATUS.done);
  });

  it('leaves nothing in the root directory behind', async () => {
    await line.guest.send(imageFrame(new TextEncoder().encode('/x')));
    const make: Sqe = { opcode: 37, fd: -100, addr: 0x2000_0000n, len: 0o755 };
    expect(seen(await line.run([ring(0, 0), submit(0, 0, [make, make])]))).toEqual([[[0]], [[2], [0, -17]]]);
    expect(seen(await line.run([ring(0, 0), submit(0, 0, [make])]))).toEqual([[[0]], [[1], [0]]]);
    await line.guest.send(imageFrame(BYTES));
  });

  it('leaves no file, no memory and no process behind', async () => {
    const create: Sqe = { opcode: 37, fd: -100, addr: 0x2000_0000n, len: 0o700 };
    for (let round = 0; round < 2; round++) {
      const result = await line.run(
        [
          { do: 'probe_memory', task: 0, at: ARENA.data, length: 8 },
          { do: 'probe_memory', task: 0, at: ARENA.program, length: 8 },
          ring(0, 0),
          submit(0, 0, [create]),
          filter(0, R(0), ret(1)),
          submit(0, 0, [{ opcode: 22, fd: FD.file, addr: BigInt(0x2000_0000 + ARENA.data), len: 64 }]),
          filter(0, R(0), ret(1), 0, { program_placement: 'page-end' }),
          spawn(0, 'fork', 1),
          submit(1, 0, [create]),
        ],
        { fixtures: ['file'] },
      );
      expect(result.observation.steps.slice(0, 2).map(({ memory }) => [...memory!])).toEqual([
        [0, 0, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
      ]);
      expect(seen(result).slice(3)).toMatchObject([[[1], [0]], [[0]], [[1], [64]], [[0]], {}, [[1], [-17]]]);
    }
  });

  it('runs the bare loops', async () => {
    for (const which of BENCHES.keys()) {
      await line.guest.send(benchFrame(which, which, 20));
      const { benched } = await line.until((frame) =>
        frame.type === 'benched' && frame.benched.which === which ? frame : undefined,
      );
      expect(benched.iterations).toBe(20);
      expect(benched.ns).toBeGreaterThan(1000);
    }
  });

  it('reads and writes files, and says why it cannot', async () => {
    let id = 100;
    const ask = async (frame: Buffer): Promise<{ status: number; directory: boolean; text: string; parts: number }> => {
      await line.guest.send(frame);
      const parts = await line.until(() => {
        const mine = line.frames.flatMap((one): FilePart[] =>
          one.type === 'file' && one.part.id === id ? [one.part] : [],
        );
        return mine.at(-1)?.last === true ? mine : undefined;
      });
      const { status, directory } = parts.at(-1)!;
      return {
        status,
        directory,
        text: Buffer.concat(parts.map(({ bytes }) => bytes)).toString(),
        parts: parts.length,
      };
    };
    const read = (path: string): ReturnType<typeof ask> => ask(readFrame(++id, path));
    const write = (path: string, text: string): ReturnType<typeof ask> =>
      ask(writeFrame(++id, path, Buffer.from(text)));

    expect(await read('/proc/sys/kernel/ostype')).toEqual({ status: 0, directory: false, text: 'Linux\n', parts: 1 });
    expect(await write('/proc/sys/kernel/hostname', 'abc')).toMatchObject({ status: 0, text: '', parts: 1 });
    expect(await read('/proc/sys/kernel/hostname')).toMatchObject({ text: 'abc\n' });
    expect(await read('/nothing')).toMatchObject({ status: -2, text: '', parts: 1 });
    expect(await write('/nothing', 'x')).toMatchObject({ status: -2 });
    expect(await write('/proc/sys/kernel/randomize_va_space', 'x')).toMatchObject({ status: -22 });
    const names = await read('/proc/sys/kernel');
    expect(names).toMatchObject({ status: 0, directory: true });
    expect(names.text.split('\0')).toEqual(expect.arrayContaining(['hostname', 'random/']));
    // Longer than a frame.
    const symbols = await read('/proc/kallsyms');
    expect(symbols.parts).toBeGreaterThan(1);
    expect(symbols.text.split('\n').filter((symbol) => !/^[0-9a-f]{16} \w /.test(symbol))).toEqual(['']);
    // Scenarios run as before.
    expect(seen(await line.run([ring(0, 0), submit(0, 0, nops(1))]))).toEqual([[[0]], [[1], [0]]]);
  });

  it('announces each scenario before it answers it', () => {
    const order = line.frames.flatMap((frame) =>
      frame.type === 'begin' ? [`begin ${frame.id}`] : frame.type === 'result' ? [`result ${frame.result.id}`] : [],
    );
    for (let i = 0; i < order.length; i += 2) expect(order[i + 1]).toBe(order[i]!.replace('begin', 'result'));
    expect(order.length).toBeGreaterThan(40);
  });

  it('powers off when told to', async () => {
    await line.guest.send(byeFrame());
    expect(await line.guest.exited).toMatchObject({ code: 0 });
  });

  const step = (length: number, op: number): Buffer => {
    const frame = Buffer.alloc(40);
    frame.write('RFSC');
    for (const [at, value] of [
      [4, 40],
      [8, 3],
      [16, 1000],
      [28, 1],
      [36, length],
    ] as const)
      frame.writeUInt32LE(value, at);
    frame[32] = op;
    return frame;
  };
  /** With its last bytes, zeros, overwritten. */
  const malformed = (frame: Buffer, filler: string): Buffer => frame.fill(filler, frame.indexOf(0, 24));
  const overlong = (frame: Buffer): Buffer => {
    frame.writeUInt32LE(0xffff_fff0, 16);
    return frame;
  };
  it.each([
    ['noise', Buffer.from('this is not a frame at all, but it is long enough to be one.....')],
    ['an impossible length', Buffer.concat([Buffer.from('RFSC'), Buffer.alloc(28, 0xff)])],
    ['a step that is longer than its frame', step(4096, 5)],
    ['a step of an unknown kind', step(8, 99)],
    ['a step without its payload', step(8, 3)],
    ['a path without an end', malformed(readFrame(1, '/dev/nul'), 'x')],
    ['a write of more than its frame', overlong(writeFrame(1, '/dev/null', Buffer.from('x')))],
  ])('calls %s an error and powers off', async (_name, bytes) => {
    const other = await bootLine();
    try {
      await other.guest.send(
        encodeScenario({ version: 1, fixtures: [], jit: true, steps: [ring(0, 0)] }, { id: 1, deadline_ms: 1000 }),
      );
      await other.guest.send(bytes);
      expect(await other.guest.exited).toMatchObject({ code: 0 });
      expect(other.frames.slice(1).filter(({ type }) => type !== 'begin')).toMatchObject([
        { type: 'result' },
        { type: 'error', text: expect.stringMatching(/malformed|has no end/) as string },
      ]);
    } finally {
      await other.guest.kill();
    }
  });
});
