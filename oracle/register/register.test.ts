import { plain } from '../testing/plain.ts';
import type { PlainAllowed } from '../testing/plain.ts';
import { WORLD } from '../world/open.ts';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ARENA_END, FD, RING_FD } from '../scenario/layout.ts';
import { allows } from '../scenario/prediction.ts';
import { DATA, data } from '../world/arena.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { decisionsOf } from '../quirks/index.ts';
import type { Quirks } from '../quirks/index.ts';
import { Bench } from '../testing/op-context.ts';
import type { RegisterOutcome, RegisterView } from './index.ts';
import { IORING_REGISTER, registerForms, registerOutcome, registerRules, registerSpecs, takesBlind } from './index.ts';

const recorded = JSON.parse(readFileSync(new URL('../opcodes/recorded/7.0.13.json', import.meta.url), 'utf8')) as {
  readonly calls: Readonly<Record<string, readonly [first: number, second: number]>>;
};

class Task {
  readonly bench: Bench;
  readonly registered = new Map<number, number>();
  quirks: Quirks = new Set();
  constructor(bench = new Bench()) {
    this.bench = bench;
  }
  view(slot: number | undefined): RegisterView {
    return {
      abi: this.bench.abi,
      ring: slot === undefined ? undefined : this.bench.ringAt(RING_FD + slot),
      sandbox: this.bench.sandbox,
      registered: this.registered,
      used_io_uring: true,
      decide: (point) => decisionsOf(this.quirks)[point],
      ringAt: (fd) => this.bench.ringAt(fd),
    };
  }
  ask(opcode: number, count: number, argument: Uint8Array | bigint, slot: number | 'task' = 0): RegisterOutcome {
    return registerOutcome(
      { opcode, nr_args: count, ...(typeof argument === 'bigint' ? { raw_arg: argument } : { bytes: argument }) },
      this.view(slot === 'task' ? undefined : slot),
    );
  }
  call(opcode: number, count: number, argument: Uint8Array | bigint, slot: number | 'task' = 0): PlainAllowed {
    const outcome = this.ask(opcode, count, argument, slot);
    outcome.effect?.();
    return plain(outcome.ret);
  }
}

const u32s = (...values: number[]): Uint8Array =>
  new Uint8Array(Uint32Array.from(values, (value) => value >>> 0).buffer);
const u64s = (...values: (number | bigint)[]): Uint8Array =>
  new Uint8Array(BigUint64Array.from(values, (value) => BigInt.asUintN(64, BigInt(value))).buffer);

describe('ready-made register calls', () => {
  it('cover every opcode but those of the core, each under a name of its own', () => {
    const names = registerForms.map(({ opcode, name }) => `${opcode}/${name}`);
    expect(new Set(names).size).toBe(names.length);
    const onRing = new Set(registerForms.filter(({ on }) => on === 'ring').map(({ opcode }) => opcode));
    for (const { opcode, setsRules, enablesRing } of registerSpecs)
      expect([opcode, onRing.has(opcode)]).toEqual([opcode, setsRules === undefined && enablesRing !== true]);
  });

  it('stand under every number once, in the order of the header, without a gap', () => {
    expect(Object.values(IORING_REGISTER)).toEqual(registerSpecs.map((_, i) => i));
    expect(registerSpecs.map(({ opcode }) => opcode)).toEqual(registerSpecs.map((_, i) => i));
    expect([11, 31, 35, 37].map((opcode) => takesBlind(registerSpecs[opcode]!))).toEqual([true, true, true, true]);
    expect(takesBlind(registerSpecs[0]!)).toBe(false);
  });

  it('answer what the real kernel answered, twice in a row', () => {
    for (const form of registerForms.filter(({ opcode }) => opcode < ABI_7_0.register_last)) {
      const answers = recorded.calls[`${form.opcode}/${form.name}`];
      const task = new Task(new Bench({ fixtures: form.fixtures }));
      for (const turn of [0, 1] as const) {
        const outcome = registerOutcome(form, task.view(form.on === 'ring' ? 0 : undefined));
        expect(registerRules.map(({ id }) => id)).toContain(outcome.rule);
        const answer = answers?.[turn] ?? NaN;
        // The core answers for opcodes that do not exist without a ring.
        if (!allows(outcome.ret, answer))
          expect([form.opcode, form.name, turn, answer]).toEqual([form.opcode, form.name, turn, outcome.ret]);
        outcome.effect?.();
      }
    }
  });
});

describe('what a ring keeps', () => {
  it('hands out personalities from 1 on and forgets them', () => {
    const task = new Task();
    expect([
      task.call(9, 0, 0n),
      task.call(9, 0, 0n),
      task.call(10, 1, 0n),
      task.call(10, 1, 0n),
      task.call(9, 0, 0n),
    ]).toEqual([1, 2, 0, -E.INVAL, 3]);
    const ring = task.bench.sandbox.common.ring(0);
    ring.last_personality = 0xffff;
    expect(task.call(9, 0, 0n)).toEqual({ at_least: 1 });
  });

  it('registers, updates and drops files', () => {
    const task = new Task();
    expect(task.call(2, 3, u32s(FD.file, -1, FD.pipe_read))).toBe(0);
    expect(task.call(2, 1, u32s(-1))).toBe(-E.BUSY);
    expect(task.call(6, 1, new Uint8Array([...u32s(1, 0), ...u64s(0x2000_4010n), ...u32s(FD.eventfd)]))).toBe(1);
    expect(task.bench.sandbox.common.ring(0).files?.map((file) => file?.kind)).toEqual(['file', 'eventfd', 'pipe']);
    expect(task.call(6, 2, new Uint8Array([...u32s(0, 0), ...u64s(0x2000_4010n), ...u32s(-1, FD.closed)]))).toBe(1);
    expect(task.call(6, 1, new Uint8Array([...u32s(0, 0), ...u64s(0x2000_4010n), ...u32s(RING_FD)]))).toBe(-E.BADF);
    expect(task.call(6, 1, new Uint8Array([...u32s(0, 0), ...u64s(ARENA_END)]))).toBe(-E.FAULT);
    expect(task.call(6, 2, new Uint8Array([...u32s(2, 0), ...u64s(0)]))).toBe(-E.INVAL);
    expect(task.call(6, 2, new Uint8Array([...u32s(-1, 0), ...u64s(0)]))).toBe(-E.OVERFLOW);
    expect(
      task.call(14, 32, new Uint8Array([...u32s(2, 0), ...u64s(0x2000_4020n, 0), ...u32s(1, 0), ...u32s(-2)])),
    ).toBe(1);
    expect(task.call(25, 0, u32s(1, 2, 0, 0))).toBe(0);
    expect(task.call(25, 0, u32s(1, 3, 0, 0))).toBe(-E.INVAL);
    expect(task.call(3, 0, 0n)).toBe(0);
    expect(task.call(3, 0, 0n)).toBe(-E.NXIO);
    expect(task.call(2, 1, u32s(7))).toBe('any');
    expect(task.call(3, 0, 0n)).toBe('any');
    expect(task.call(2, 1, u32s(-1))).toBe('any');
    expect(task.call(25, 0, u32s(0, 0, 0, 0))).toBe('any');
  });

  it('refuses file tables of impossible size', () => {
    const task = new Task();
    expect(task.call(2, 0x10_0001, u32s(-1))).toBe(-E.MFILE);
    expect(task.call(2, 2000, u32s(-1))).toBe('any');
  });

  it('registers, updates, clones and drops buffers', () => {
    const task = new Task();
    expect(task.call(16, 32, new Uint8Array([...u32s(0, 0), ...u64s(0, 0), ...u32s(1, 0)]))).toBe(-E.NXIO);
    expect(task.call(0, 2, u64s(data(DATA.read), 16, 0, 0))).toBe(0);
    expect(task.call(0, 1, u64s(0, 0))).toBe(-E.BUSY);
    expect(
      task.call(16, 32, new Uint8Array([...u32s(1, 0), ...u64s(0x2000_4020n, 0), ...u32s(1, 0), ...u64s(data(0), 64)])),
    ).toBe(1);
    expect(
      task.call(16, 32, new Uint8Array([...u32s(1, 0), ...u64s(0x2000_4020n, 0), ...u32s(1, 0), ...u64s(data(0), 0)])),
    ).toBe(-E.FAULT);
    expect(task.call(16, 32, new Uint8Array([...u32s(-1, 0), ...u64s(0, 0), ...u32s(2, 0)]))).toBe(-E.OVERFLOW);
    expect(task.bench.sandbox.common.ring(0).buffers?.map((buffer) => buffer?.len)).toEqual([16, 64]);
    expect(task.call(30, 1, u32s(RING_FD, 0, 0, 0, 0, 0, 0, 0), 1)).toBe(0);
    expect(task.call(30, 1, u32s(RING_FD, 0, 0, 0, 0, 0, 0, 0), 1)).toBe(-E.BUSY);
    expect(task.call(1, 0, 0n)).toBe(0);
    expect(task.call(1, 0, 0n)).toBe(-E.NXIO);
    expect(task.call(1, 0, 0n, 1)).toBe(0);
  });

  it('leaves a buffer table open where it cannot tell', () => {
    const iov = u64s(0x7fff_0000_0000n, 16);
    const lost = new Task();
    expect(lost.call(0, 1, iov)).toBe('any');
    expect(lost.call(1, 0, 0n)).toBe('any');
    expect(lost.call(0, 1, iov)).toBe('any');
    expect(lost.call(16, 32, new Uint8Array([...u32s(0, 0), ...u64s(0, 0), ...u32s(1, 0)]))).toBe('any');
    const task = new Task();
    expect(task.call(0, 1, u64s(data(0), 1n << 63n))).toBe(-E.INVAL);
    expect(task.call(0, 1, u64s(1n << 63n, 16))).toBe(-E.FAULT);
    expect(task.call(0, 1, u64s(0, 16))).toBe(-E.FAULT);
    expect(task.call(0, 1, 0x2000_9000n)).toBe('any');
  });

  it('takes no buffer of more than 1 GiB, but on faulty kernels', () => {
    const ask = (length: bigint, address = data(0)): PlainAllowed => new Task().call(0, 1, u64s(address, length));
    const faulty = (length: bigint, address = data(0)): PlainAllowed => {
      const task = new Task();
      task.quirks = new Set(['long-buffers-taken']);
      return task.call(0, 1, u64s(address, length));
    };
    for (const length of [(1n << 30n) + 1n, 1n << 40n, (1n << 40n) + 1n, (1n << 63n) - 1n])
      expect(ask(length)).toBe(-E.FAULT);
    expect(faulty((1n << 30n) + 1n)).toBe(-E.FAULT);
    expect(faulty((1n << 40n) + 1n)).toBe(-E.INVAL);
    expect(faulty(1n << 40n)).toBe(-E.OVERFLOW);
    expect(faulty(1n << 31n, (1n << 64n) - 1n)).toBe(-E.OVERFLOW);
    expect(faulty(1n << 38n)).toEqual([-E.FAULT, -E.NOMEM]);
  });

  it('counts completions on a registered eventfd: its state is not known any more', () => {
    const task = new Task();
    expect(task.call(4, 1, u32s(FD.eventfd))).toBe(0);
    expect(task.bench.sandbox.tainted(['eventfd'])).toBeDefined();
    expect(task.call(7, 1, u32s(FD.eventfd))).toBe(-E.BUSY);
    expect(task.call(5, 0, 0n)).toBe(0);
    expect(task.call(4, 1, u32s(RING_FD))).toBe(-E.INVAL);
    expect(task.call(4, 1, u32s(5))).toBe('any');
    expect(task.call(4, 1, u32s(FD.pipe_read))).toBe(-E.INVAL);
    expect(task.call(4, 1, 0x2000_9000n)).toBe('any');
  });

  it('keeps buffer rings apart from provided buffers', () => {
    const task = new Task();
    const pbuf = (entries: number, group: number, flags: number, addr = 0n): Uint8Array =>
      new Uint8Array([...u64s(addr), ...u32s(entries, group | (flags << 16)), ...u64s(0, 0, 0)]);
    expect(task.call(22, 1, pbuf(8, 2, 1))).toBe(0);
    expect(task.call(22, 1, pbuf(8, 2, 1))).toBe(-E.EXIST);
    expect(task.bench.run({ opcode: 31, fd: 1, addr: data(0), len: 8, buf_index: 2 })).toBe(-E.INVAL);
    expect(task.bench.run({ opcode: 32, fd: 1, buf_index: 2 })).toBe(-E.INVAL);
    expect(task.call(26, 1, u32s(2, 0, 0, 0, 0, 0, 0, 0, 0, 0))).toBe(0);
    expect(task.call(23, 1, pbuf(0, 2, 0))).toBe(0);
    expect(task.call(23, 1, pbuf(0, 2, 0))).toBe(-E.NOENT);
    expect(task.bench.run({ opcode: 31, fd: 1, addr: data(0), len: 8, buf_index: 2 })).toBe(0);
    expect(task.call(22, 1, pbuf(8, 2, 1))).toBe(-E.EXIST);
    expect(task.call(23, 1, pbuf(0, 2, 0))).toBe(-E.INVAL);
    expect(task.call(22, 1, pbuf(8, 3, 0))).toBe(-E.FAULT);
    expect(task.call(22, 1, pbuf(8, 3, 0, 0x2000_3000n))).toBe('any');
    expect(task.call(22, 1, pbuf(65536, 3, 1))).toBe(-E.INVAL);
  });

  it('takes one memory region', () => {
    const region = (
      size: number | bigint,
      flags = 0,
      userAddr: number | bigint = 0,
      regFlags = 0,
      id = 0,
    ): Uint8Array =>
      new Uint8Array([
        ...u64s(0x2000_4020n, regFlags, 0, 0),
        ...u64s(userAddr, size),
        ...u32s(flags, id),
        ...u64s(0, 0, 0, 0, 0),
      ]);
    const task = new Task(new Bench({ rings: [{}, { disabled: true }] }));
    expect(task.call(34, 1, region(4096, 1))).toBe(-E.FAULT);
    expect(task.call(34, 1, region(4096, 2))).toBe(-E.INVAL);
    expect(task.call(34, 1, region(4096, 0, 0, 0, 5))).toBe(-E.INVAL);
    expect(task.call(34, 1, region(4096, 0, 0, 1))).toBe(-E.INVAL);
    expect(task.call(34, 1, region(4096, 0, 0, 2))).toBe(-E.INVAL);
    expect(task.call(34, 1, region(4096))).toBe(0);
    expect(task.call(34, 1, region(4096))).toBe(-E.BUSY);
    expect(task.call(34, 1, region(4096, 1, 0x2000_3000n, 1), 1)).toBe('any');
  });
});

describe('arguments that point elsewhere', () => {
  const ELSEWHERE = 0x2000_9000n;
  const TAGGED = 1n;
  it('are read where they point: any mapped address will do', () => {
    const task = new Task();
    task.bench.sandbox.memory.write(data(0), u32s(FD.eventfd));
    expect(task.call(4, 1, data(0))).toBe(0);
  });
  it('io_uring_register(2): EFAULT for descriptors that cannot be read', () => {
    expect(new Task().call(2, 1, BigInt(ARENA_END))).toBe(-E.FAULT);
    expect(new Task().call(2, 1, ELSEWHERE)).toBe('any');
  });
  it('leave a table unknown, and what is asked of it afterwards', () => {
    const update = (address: bigint): Uint8Array => new Uint8Array([...u32s(0, 0), ...u64s(address), ...u32s(7)]);
    for (const address of [ELSEWHERE, 0x2000_4010n]) {
      const task = new Task();
      expect(task.call(2, 1, u32s(-1))).toBe(0);
      expect(task.call(6, 1, update(address))).toBe('any');
      expect(task.call(6, 1, new Uint8Array([...u32s(5, 0), ...u64s(0)]))).toBe('any');
    }
  });
  it('with tags are not modelled', () => {
    const files = (tags: bigint): Uint8Array =>
      new Uint8Array([...u32s(1, 0), ...u64s(0, 0x2000_4020n, tags), ...u32s(-1)]);
    expect([new Task().call(13, 32, files(0n)), new Task().call(13, 32, files(TAGGED))]).toEqual([0, 'any']);
    const update = (tags: bigint): Uint8Array =>
      new Uint8Array([...u32s(0, 0), ...u64s(0x2000_4020n, tags), ...u32s(1, 0), ...u32s(-1)]);
    const task = new Task();
    expect([task.call(2, 1, u32s(-1)), task.call(14, 32, update(0n)), task.call(14, 32, update(TAGGED))]).toEqual([
      0,
      1,
      'any',
    ]);
  });
  it('io_uring_register(2): EINVAL for buffers beyond the table; one that cannot be told leaves it unknown', () => {
    const update = (offset: number, address: bigint): Uint8Array =>
      new Uint8Array([...u32s(offset, 0), ...u64s(address, 0), ...u32s(1, 0), ...u64s(data(0), 64)]);
    const task = new Task();
    expect(task.call(0, 1, u64s(data(0), 16))).toBe(0);
    expect(task.call(16, 32, update(1, 0x2000_4020n))).toBe(-E.INVAL);
    expect(task.call(16, 32, update(0, 0x2000_4020n))).toBe(1);
    expect(task.call(16, 32, update(0, ELSEWHERE))).toBe('any');
    expect(task.bench.sandbox.common.ring(0).unknown).toBeDefined();
  });
  it('io_uring_register(2): EBADF for an eventfd that is not open; descriptors above those of rings are open', () => {
    expect([new Task().call(4, 1, u32s(RING_FD + 5)), new Task().call(4, 1, u32s(116))]).toEqual([-E.BADF, 'any']);
  });
  it('of buffer rings have reserved words, and a field that newer releases read', () => {
    const pbuf = (minLeft: number, resv: number): Uint8Array =>
      new Uint8Array([...u64s(0), ...u32s(8, 2 | (1 << 16), minLeft, resv), ...u64s(0, 0)]);
    expect([
      new Task().call(22, 1, pbuf(0, 0)),
      new Task().call(22, 1, pbuf(0, 1)),
      new Task().call(22, 1, pbuf(1, 0)),
    ]).toEqual([0, -E.INVAL, 'any']);
  });
  it('of a memory region: the descriptor may be anywhere', () => {
    expect(new Task().call(34, 1, u64s(ELSEWHERE, 0, 0, 0))).toBe('any');
    expect(new Task().call(34, 1, u64s(ARENA_END, 0, 0, 0))).toBe(-E.FAULT);
  });
});

describe('registered ring descriptors', () => {
  it('take slots, and give them back', () => {
    const task = new Task();
    const entry = (offset: number, fd: number): Uint8Array => new Uint8Array([...u32s(offset, 0), ...u64s(fd)]);
    expect(task.call(20, 2, new Uint8Array([...entry(-1, RING_FD), ...entry(3, RING_FD + 1)]))).toBe(2);
    expect([...task.registered]).toEqual([
      [0, 0],
      [3, 1],
    ]);
    expect(task.call(20, 1, entry(3, RING_FD))).toBe(-E.BUSY);
    expect(task.call(20, 2, new Uint8Array([...entry(4, RING_FD), ...entry(5, FD.closed)]))).toBe(1);
    expect(task.call(20, 1, entry(6, RING_FD + 9))).toBe(-E.BADF);
    expect(task.call(20, 1, entry(6, 3))).toBe('any');
    expect(task.call(20, 1, BigInt(ARENA_END))).toBe(-E.FAULT);
    expect(task.call(20, 1, 0x2000_9000n)).toBe('any');
    expect(task.call(21, 2, new Uint8Array([...entry(0, 0), ...entry(16, 0)]))).toBe(1);
    expect(task.call(21, 1, BigInt(ARENA_END))).toBe(-E.FAULT);
    expect(task.call(21, 1, 0x2000_9000n)).toBe('any');
    expect(task.registered.has(0)).toBe(false);
  });
});

describe('a message without a ring', () => {
  const message = (fd: number, flags = 0): Uint8Array => {
    const bytes = new Uint8Array(64);
    const view = new DataView(bytes.buffer);
    view.setUint8(0, 40);
    view.setInt32(4, fd, true);
    view.setBigUint64(8, 0x99n, true);
    view.setUint32(24, 7, true);
    view.setUint32(28, flags, true);
    return bytes;
  };
  it('posts on the target', () => {
    expect(new Task().ask(31, 1, message(RING_FD + 1), 'task')).toEqual({
      ret: 0,
      rule: 'register.send-msg-ring',
      posts: { ring: 1, user_data: 0x99n, res: 7, cflags: 0 },
    });
  });
  it('does not reach a disabled ring, nor what is no ring', () => {
    const task = new Task(new Bench({ rings: [{ disabled: true }] }));
    expect(task.ask(31, 1, message(RING_FD), 'task').ret).toBe(-E.BADFD);
    expect(task.ask(31, 1, message(RING_FD + 5), 'task').ret).toBe(-E.BADF);
    expect(task.call(31, 1, message(4), 'task')).toEqual([-E.BADF, -E.BADFD]);
    expect(task.ask(31, 1, message(RING_FD, 8), 'task').ret).toBe(-E.INVAL);
    expect(task.ask(31, 1, BigInt(ARENA_END), 'task').ret).toBe(-E.FAULT);
    expect(task.call(31, 1, 0x2000_9000n, 'task')).toBe('any');
  });
});

describe('arguments that cannot be read or told', () => {
  const UNMAPPED = BigInt(ARENA_END);
  const ELSEWHERE = 0x2000_9000n;
  const sized: readonly (readonly [opcode: number, count: number])[] = [
    [4, 1],
    [6, 1],
    [8, 1],
    [13, 32],
    [14, 32],
    [15, 32],
    [16, 32],
    [17, 8],
    [19, 2],
    [22, 1],
    [23, 1],
    [24, 1],
    [25, 0],
    [26, 1],
    [27, 1],
    [28, 1],
    [29, 0],
    [30, 1],
    [34, 1],
    [35, 0],
    [36, 0],
  ];
  it('are a fault, or open', () => {
    for (const [opcode, count] of sized) {
      expect([opcode, new Task().call(opcode, count, UNMAPPED)]).toEqual([opcode, -E.FAULT]);
      const open = new Task().call(opcode, count, ELSEWHERE);
      expect([opcode, open === 'any' || Array.isArray(open) || opcode === 28]).toEqual([opcode, true]);
    }
  });
  it('of the wrong count are refused', () => {
    for (const [opcode, count] of [
      [0, 0],
      [1, 1],
      [3, 1],
      [4, 2],
      [5, 1],
      [6, 0],
      [7, 0],
      [8, 257],
      [9, 1],
      [13, 1],
      [14, 1],
      [17, 0],
      [18, 1],
      [19, 1],
      [20, 0],
      [21, 17],
      [22, 0],
      [23, 2],
      [24, 0],
      [25, 1],
      [26, 0],
      [27, 0],
      [28, 0],
      [29, 1],
      [30, 2],
      [32, 0],
      [33, 0],
      [34, 2],
      [35, 1],
      [36, 1],
    ] as const) {
      expect([opcode, new Task().call(opcode, count, new Uint8Array(64))]).toEqual([opcode, -E.INVAL]);
    }
  });
});

describe('the rest', () => {
  it('resizes only deferred rings, to sizes that a ring may have', () => {
    const task = new Task(new Bench({ rings: [{ setup_flags: IORING_SETUP.DEFER_TASKRUN | IORING_SETUP.CQE32 }, {}] }));
    const to = (sq: number, cq = 0, flags = 0): Uint8Array =>
      new Uint8Array([...u32s(sq, cq, flags), ...new Uint8Array(108)]);
    const { CQSIZE, CLAMP, SQPOLL } = IORING_SETUP;
    const answers = [
      [to(0), -E.INVAL],
      [to(64), 0],
      [to(100), 0],
      [to(4), 'any'],
      [to(32769), -E.INVAL],
      [to(32769, 0, CLAMP), 0],
      [to(64, 0, SQPOLL), -E.INVAL],
      [to(64, 0, CQSIZE), -E.INVAL],
      [to(64, 32, CQSIZE), -E.INVAL],
      [to(64, 64, CQSIZE), 0],
      [to(64, 0xffff_ffff, CQSIZE), -E.INVAL],
      [to(64, 0xffff_ffff, CQSIZE | CLAMP), 0],
      [new Uint8Array(119), 'any'],
    ] as const;
    for (const [params, answer] of answers)
      expect([params.subarray(0, 12), task.call(33, 1, params)]).toEqual([params.subarray(0, 12), answer]);
    expect(task.call(33, 1, to(64), 1)).toBe(-E.INVAL);
    expect(task.call(32, 1, new Uint8Array(128))).toBe('any');
  });
  it('tells of every opcode that it is there, as many as there is room for', () => {
    const task = new Task();
    const last = ABI_7_0.op_last - 1;
    const all = task.ask(8, 256, new Uint8Array(16 + 256 * 8)).memory!;
    expect([all.length, all[0], all[1]]).toEqual([16 + 256 * 8, last, last + 1]);
    expect([...all.subarray(16 + 8 * last, 16 + 8 * last + 16)]).toEqual([last, 0, 1, ...new Uint8Array(13)]);
    const two = task.ask(8, 2, new Uint8Array(40)).memory!;
    expect([...two.subarray(0, 2), ...two.subarray(16)]).toEqual([
      last,
      2,
      0,
      0,
      1,
      0,
      0,
      0,
      0,
      0,
      1,
      0,
      1,
      ...new Uint8Array(13),
    ]);
    expect(task.ask(8, 1, new Uint8Array(24).fill(1)).memory).toBeUndefined();
  });
  it('follows queries from header to header', () => {
    const header = (next: bigint, at: bigint, op: number, size: number): Uint8Array =>
      new Uint8Array([...u64s(next, at), ...u32s(op, size, 0, 0, 0, 0)]);
    const task = new Task();
    const first = header(0x2000_4028n, 0x2000_4050n, 0, 16);
    const second = header(0n, 0x2000_4050n, 0, 16);
    expect(task.call(35, 0, new Uint8Array([...first, ...second, ...new Uint8Array(64)]))).toBe(0);
    expect(task.call(35, 0, new Uint8Array([...header(0n, 0n, 0, 5000)]))).toEqual([0, -E['2BIG']]);
    expect(task.call(35, 0, new Uint8Array([...header(0n, BigInt(ARENA_END), 0, 16)]))).toBe(-E.FAULT);
    expect(task.call(35, 0, new Uint8Array([...header(0n, 0x2000_9000n, 0, 16)]))).toBe('any');
    expect(task.call(35, 0, new Uint8Array([...header(0n, 0n, 0, 0)]))).toBe(0);
    expect(task.call(35, 0, new Uint8Array([...header(0x2000_4000n, 0x2000_4000n, 0, 16)]))).toBe('any');
  });
  it('cancels nothing that is there', () => {
    const task = new Task();
    const cancel = (addr: bigint, fd: number, flags: number): Uint8Array =>
      new Uint8Array([...u64s(addr), ...u32s(fd, flags), ...new Uint8Array(48)]);
    expect(task.call(24, 1, cancel(5n, 0, 0))).toBe('any');
    expect(task.call(24, 1, cancel(5n, RING_FD + 4, 2))).toBe(-E.BADF);
    expect(task.call(24, 1, cancel(5n, RING_FD, 2))).toBe('any');
  });
  it('clones only from rings', () => {
    const task = new Task(new Bench({ rings: [{}, { setup_flags: IORING_SETUP.SINGLE_ISSUER }, {}] }));
    const clone = (fd: number, flags = 0, nr = 0): Uint8Array => u32s(fd, flags, 0, 0, nr, 0, 0, 0);
    expect(task.call(30, 1, clone(FD.eventfd))).toBe(-E.OPNOTSUPP);
    expect(task.call(30, 1, clone(RING_FD + 8))).toBe(-E.BADF);
    expect(task.call(30, 1, clone(RING_FD + 2))).toBe(-E.NXIO);
    expect(task.call(30, 1, new Uint8Array([...u32s(RING_FD + 2, 0, 0, 0, 0, 1, 0, 0)]))).toBe(-E.INVAL);
    for (const argument of [clone(3), clone(RING_FD + 1), clone(RING_FD + 2, 0, 1), clone(0, 1)])
      expect(new Task(task.bench).call(30, 1, argument)).toBe('any');
    task.bench.sandbox.common.ring(2).unknown = WORLD['resources.lost'];
    expect(task.call(30, 1, clone(RING_FD + 2))).toBe('any');
  });
  it('knows settings of time and polling', () => {
    const task = new Task();
    expect(task.call(27, 1, new Uint8Array([...u32s(0), 0, 0, 0, 0, ...u32s(5, 0)]))).toBe('any');
    expect(task.call(28, 1, 0n)).toBe(0);
    expect(task.call(36, 0, new Uint8Array(64).fill(1))).toBe('any');
  });
  it('does not know an opcode that the kernel does not know', () => {
    expect(new Task().ask(99, 0, 0n)).toEqual({ ret: -E.INVAL, rule: 'register.unknown-opcode' });
    expect(new Task().ask(9, 0, 0n, 'task')).toEqual({ ret: -E.INVAL, rule: 'register.unknown-opcode' });
  });
});
