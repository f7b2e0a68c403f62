import { describe, expect, it } from 'vitest';
import { ARENA, ARENA_BASE, ARENA_END, ARENA_SIZE, RING_FD } from '../scenario/layout.ts';
import { BPF_ARG_SIZE } from '../scenario/memory.ts';
import { PROBE_PATH_AT } from '../steps/kind/probe-path.ts';
import { encodeScenario, MAX_FRAME, MAX_STEPS } from './frame.ts';
import type { BpfArg } from '../scenario/types.ts';
import type { Scenario, Step } from '../steps/index.ts';

const scenario = (steps: readonly Step[], more: Partial<Scenario> = {}): Scenario => ({
  version: 1,
  fixtures: [],
  jit: true,
  steps,
  ...more,
});

interface Op {
  op: number;
  task: number;
  payload: DataView;
}

/** Splits a frame into its steps, checking every length on the way. */
function steps(frame: Uint8Array): Op[] {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  expect(view.getUint32(4, true)).toBe(frame.length);
  const out: Op[] = [];
  let at = 32;
  for (let i = 0; i < view.getUint32(28, true); i++) {
    const length = view.getUint32(at + 4, true);
    expect(length % 8).toBe(0);
    expect(length).toBeGreaterThanOrEqual(8);
    out.push({
      op: view.getUint8(at),
      task: view.getUint8(at + 1),
      payload: new DataView(frame.buffer, frame.byteOffset + at + 8, length - 8),
    });
    at += length;
  }
  expect(at).toBe(frame.length);
  return out;
}

interface Call {
  which: number;
  read_at: number;
  read_len: number;
  mode: number;
  args: bigint[];
  again: number;
  writes: { offset: number; bytes: Uint8Array }[];
}

function call({ payload }: Op): Call {
  const u32 = (at: number): number => payload.getUint32(at, true);
  const writes = [];
  let at = 72;
  for (let i = 0; i < u32(64); i++) {
    const length = u32(at + 4);
    writes.push({ offset: u32(at), bytes: new Uint8Array(payload.buffer, payload.byteOffset + at + 8, length) });
    at += 8 + ((length + 7) & ~7);
  }
  expect(at).toBe(payload.byteLength);
  return {
    which: u32(0),
    read_at: u32(4),
    read_len: u32(8),
    mode: u32(12),
    args: Array.from({ length: 6 }, (_, i) => payload.getBigUint64(16 + 8 * i, true)),
    again: u32(68),
    writes,
  };
}

const encode = (list: readonly Step[], more: Partial<Scenario> = {}, waits: readonly number[] = []): Op[] =>
  steps(encodeScenario(scenario(list, more), { id: 7, deadline_ms: 1000, waits }));
const one = (step: Step): Op => encode([step])[0]!;

const ARG: BpfArg = {
  cmd_type: 1,
  cmd_flags: 2,
  resv: 3,
  opcode: 4,
  flags: 5,
  filter_len: 2,
  pdu_size: 6,
  resv_filter: [7, 8, 9],
  resv2: [10n, 11n, 12n, 13n, 14n],
  program: [
    { code: 0x20, jt: 1, jf: 2, k: 0xdeadbeef },
    { code: 6, jt: 0, jf: 0, k: 1 },
  ],
  placement: 'normal',
  program_placement: 'normal',
};
const bpf = (arg: Partial<BpfArg>): Call =>
  call(one({ do: 'register_bpf_filter', task: 0, on: { kind: 'ring', ring: 3 }, nr_args: 1, arg: { ...ARG, ...arg } }));

describe('encodeScenario', () => {
  it('writes the head of the frame', () => {
    const frame = encodeScenario(scenario([], { fixtures: ['file', 'inet'], jit: false }), {
      id: 0x11223344,
      deadline_ms: 250,
    });
    const view = new DataView(frame.buffer);
    expect(Buffer.from(frame.subarray(0, 4)).toString()).toBe('RFSC');
    expect([4, 8, 16, 20, 24, 28].map((at) => view.getUint32(at, true))).toEqual([
      32,
      0x11223344,
      250,
      1 | (1 << 11),
      0,
      0,
    ]);
  });

  it.each([
    [1, {}],
    [0, { jit: false }],
    [3, { traces: true }],
    [5, { harden: 1 }],
    [11, { harden: 2, traces: true }],
  ] as const)('sets flags %i for %j', (flags, setting) => {
    const frame = encodeScenario(scenario([], setting), { id: 1, deadline_ms: 1 });
    expect(new DataView(frame.buffer).getUint32(24, true)).toBe(flags);
  });

  it('makes a call again', () => {
    const step = { do: 'register_bpf_filter', task: 0, on: { kind: 'ring', ring: 3 }, nr_args: 1, arg: ARG } as const;
    expect(call(one(step)).again).toBe(0);
    expect(call(one({ ...step, times: 2048 })).again).toBe(2047);
  });

  it('gives each step its operation and task', () => {
    const list: Step[] = [
      { do: 'no_new_privs', task: 1 },
      { do: 'ring', task: 2, ring: 3, entries: 8, flags: 64 },
      { do: 'submit', task: 3, ring: 3, sqes: [] },
      { do: 'spawn', task: 4, how: 'clone_vm', child: 5 },
      { do: 'exec', task: 5 },
      { do: 'exit', task: 6 },
      { do: 'send_ring', task: 7, ring: 1 },
      { do: 'receive_ring', task: 8, ring: 2 },
      { do: 'close_ring', task: 9, ring: 4 },
      { do: 'reap', task: 10, ring: 5 },
      { do: 'drop_cap_sys_admin', task: 11 },
      { do: 'unshare_user', task: 12 },
      { do: 'take_ring', task: 13, from: 4, ring: 6 },
    ];
    const ops = encode(list, {}, [0, 0, 9, 0, 0, 0, 0, 0, 0, 4]);
    expect(ops.map(({ op }) => op)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    expect(ops.map(({ task }) => task)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    const words = (i: number, n: number): number[] =>
      Array.from({ length: n }, (_, j) => ops[i]!.payload.getUint32(4 * j, true));
    expect(words(1, 4)).toEqual([3, 8, 64, 0]);
    expect(words(2, 6)).toEqual([3, 0xffffffff, 0, 0, 9, 9]);
    expect(words(3, 2)).toEqual([3, 5]);
    expect(words(9, 2)).toEqual([5, 4]);
    expect(words(12, 4)).toEqual([6, 4, 6, 0]);
    expect(call(ops[0]!)).toMatchObject({ which: 2, args: [38n, 1n, 0n, 0n, 0n, 0n], writes: [] });
  });

  it('writes every field of an SQE', () => {
    const { payload } = one({
      do: 'submit',
      task: 0,
      ring: 0,
      registered: 2,
      sqes: [
        { opcode: 1 },
        {
          opcode: 2,
          flags: 3,
          ioprio: 4,
          fd: -5,
          off: 6n,
          addr: 7n,
          len: 8,
          op_flags: 9,
          user_data: 10n,
          buf_index: 11,
          personality: 12,
          file_index: 13,
          addr3: 14n,
          pad2: 15n,
        },
      ],
    });
    expect([4, 8, 12].map((at) => payload.getUint32(at, true))).toEqual([2, 16, 2]);
    expect(payload.byteLength).toBe(40 + 128);
    expect(new Uint8Array(payload.buffer, payload.byteOffset + 40, 64)).toEqual(
      Uint8Array.from({ length: 64 }, (_, i) => (i === 0 ? 1 : 0)),
    );
    const at = 40 + 64;
    expect([
      payload.getUint8(at),
      payload.getUint8(at + 1),
      payload.getUint16(at + 2, true),
      payload.getInt32(at + 4, true),
    ]).toEqual([2, 3, 4, -5]);
    expect([8, 16, 32, 48, 56].map((o) => payload.getBigUint64(at + o, true))).toEqual([6n, 7n, 10n, 14n, 15n]);
    expect([24, 28, 44].map((o) => payload.getUint32(at + o, true))).toEqual([8, 9, 13]);
    expect([40, 42].map((o) => payload.getUint16(at + o, true))).toEqual([11, 12]);
  });

  it('leaves nothing of one scenario in the next', () => {
    encodeScenario(
      scenario([
        {
          do: 'submit',
          task: 0,
          ring: 0,
          sqes: [{ opcode: 255, pad2: (1n << 64n) - 1n, user_data: (1n << 64n) - 1n, len: 0xffffffff }],
        },
      ]),
      { id: 1, deadline_ms: 1 },
    );
    const { payload } = one({ do: 'submit', task: 0, ring: 0, sqes: [{ opcode: 0 }] });
    expect(new Uint8Array(payload.buffer, payload.byteOffset + 40, 64).every((byte) => byte === 0)).toBe(true);
  });

  it('carries how many CQEs must come, how many may, and how many are its own', () => {
    const step: Step = { do: 'submit', task: 0, ring: 0, sqes: [] };
    const frame = encodeScenario(scenario([step]), { id: 1, deadline_ms: 1, waits: [2], wants: [5], owns: [1] });
    const { payload } = steps(frame)[0]!;
    expect([16, 20, 24, 28].map((at) => payload.getUint32(at, true))).toEqual([2, 5, 1, 0]);
  });

  it('keeps the mapping of a closed ring only for a registered descriptor', () => {
    const keep = (list: Step[]): number => encode(list)[0]!.payload.getUint32(4, true);
    expect(
      keep([
        { do: 'close_ring', task: 0, ring: 1 },
        { do: 'submit', task: 0, ring: 1, sqes: [] },
      ]),
    ).toBe(0);
    expect(
      keep([
        { do: 'close_ring', task: 0, ring: 1 },
        { do: 'submit', task: 0, ring: 1, registered: 0, sqes: [] },
      ]),
    ).toBe(1);
  });

  it('refuses what the guest would not take', () => {
    const long = Array.from({ length: MAX_STEPS + 1 }, (): Step => ({ do: 'exit', task: 0 }));
    expect(() => encodeScenario(scenario(long), { id: 1, deadline_ms: 1 })).toThrow(RangeError);
    const wide: Step = {
      do: 'submit',
      task: 0,
      ring: 0,
      sqes: Array.from({ length: MAX_FRAME / 64 }, () => ({ opcode: 0 })),
    };
    expect(() => encodeScenario(scenario([wide]), { id: 1, deadline_ms: 1 })).toThrow(RangeError);
  });
});

describe('register_bpf_filter', () => {
  it('writes program and structure, and reads the structure back', () => {
    const { which, args, writes, read_at, read_len, mode } = bpf({});
    expect(which).toBe(1);
    expect(args.slice(0, 4)).toEqual([BigInt(RING_FD + 3), 37n, BigInt(ARENA_BASE + ARENA.args), 1n]);
    expect({ read_at, read_len, mode }).toEqual({ read_at: ARENA.args, read_len: BPF_ARG_SIZE, mode: 0 });
    expect(writes.map((w) => w.offset)).toEqual([ARENA.program, ARENA.args]);
    expect([...writes[0]!.bytes]).toEqual([0x20, 0, 1, 2, 0xef, 0xbe, 0xad, 0xde, 6, 0, 0, 0, 1, 0, 0, 0]);
    const view = new DataView(writes[1]!.bytes.buffer, writes[1]!.bytes.byteOffset, BPF_ARG_SIZE);
    expect([0, 2].map((at) => view.getUint16(at, true))).toEqual([1, 2]);
    expect([4, 8, 12, 16].map((at) => view.getUint32(at, true))).toEqual([3, 4, 5, 2]);
    expect([20, 21, 22, 23].map((at) => view.getUint8(at))).toEqual([6, 7, 8, 9]);
    expect([24, 32, 40, 48, 56, 64].map((at) => view.getBigUint64(at, true))).toEqual([
      BigInt(ARENA_BASE + ARENA.program),
      10n,
      11n,
      12n,
      13n,
      14n,
    ]);
  });

  it('puts the structure where its placement says', () => {
    const end = bpf({ placement: 'page-end' });
    expect(end.args[2]).toBe(BigInt(ARENA_END - BPF_ARG_SIZE));
    expect(end.writes[1]).toMatchObject({ offset: ARENA_SIZE - BPF_ARG_SIZE });
    const over = bpf({ placement: 'straddle' });
    expect(over.args[2]).toBe(BigInt(ARENA_END - BPF_ARG_SIZE + 1));
    expect(over.writes[1]!.bytes.length).toBe(BPF_ARG_SIZE - 1);
    expect(over.read_len).toBe(BPF_ARG_SIZE - 1);
    expect(bpf({ placement: 'read-only' })).toMatchObject({ mode: 1, read_at: ARENA.args });
    const raw = bpf({ placement: { raw: 0xffff_8000_0000_0000n } });
    expect(raw).toMatchObject({ read_len: 0 });
    expect(raw.args[2]).toBe(0xffff_8000_0000_0000n);
    expect(raw.writes.map((w) => w.offset)).toEqual([ARENA.program]);
  });

  it('puts the program where its placement says', () => {
    const pointer = (c: Call): bigint =>
      new DataView(c.writes.at(-1)!.bytes.buffer, c.writes.at(-1)!.bytes.byteOffset).getBigUint64(24, true);
    const end = bpf({ program_placement: 'page-end' });
    expect(pointer(end)).toBe(BigInt(ARENA_END - 16));
    expect(end.writes[0]).toMatchObject({ offset: ARENA_SIZE - 16 });
    const over = bpf({ program_placement: 'straddle' });
    expect(pointer(over)).toBe(BigInt(ARENA_END - 15));
    expect(over.writes[0]!.bytes.length).toBe(15);
    const raw = bpf({ program_placement: { raw: 1n } });
    expect(pointer(raw)).toBe(1n);
    expect(raw.writes).toHaveLength(1);
    expect(bpf({ program_placement: 'read-only' }).mode).toBe(0);
  });

  it('writes zeros behind a program that is shorter than filter_len says', () => {
    expect([...bpf({ filter_len: 4 }).writes[0]!.bytes.subarray(16)]).toEqual(Array.from({ length: 16 }, () => 0));
    expect(bpf({ filter_len: 0xffffffff }).writes[0]!.bytes.length).toBe(4096 * 8);
    expect(bpf({ filter_len: 0 }).writes).toHaveLength(1);
  });

  it('aims at rings, registered rings, the task and any descriptor', () => {
    const aim = (on: Parameters<typeof encode>[0][number] & { on: unknown }): bigint[] =>
      call(one(on)).args.slice(0, 2);
    const step = (on: object): Step & { on: unknown } =>
      ({ do: 'register_bpf_filter', task: 0, on, nr_args: 1, arg: ARG }) as Step & { on: unknown };
    expect(aim(step({ kind: 'task' }))).toEqual([(1n << 64n) - 1n, 37n]);
    expect(aim(step({ kind: 'registered', index: 4 }))).toEqual([4n, 0x80000025n]);
    expect(aim(step({ kind: 'fd', fd: 99 }))).toEqual([99n, 37n]);
  });
});

describe('other calls', () => {
  const restriction = { opcode: 1, value: 2, resv: 3, resv2: [4, 5, 6] as const };

  it('writes an array of restrictions, zeros behind it', () => {
    const c = call(
      one({
        do: 'register_restrictions',
        task: 0,
        on: { kind: 'ring', ring: 0 },
        nr_args: 2,
        arg: { restrictions: [restriction], placement: 'normal' },
      }),
    );
    expect(c.args.slice(1, 4)).toEqual([11n, BigInt(ARENA_BASE + ARENA.args), 2n]);
    expect([...c.writes[0]!.bytes]).toEqual([
      1,
      0,
      2,
      3,
      4,
      0,
      0,
      0,
      5,
      0,
      0,
      0,
      6,
      0,
      0,
      0,
      ...Array.from({ length: 16 }, () => 0),
    ]);
    expect(c.read_len).toBe(32);
  });

  it('does not write out a count that nobody could mean', () => {
    const c = call(
      one({
        do: 'register_restrictions',
        task: 0,
        on: { kind: 'ring', ring: 0 },
        nr_args: 0xffffffff,
        arg: { restrictions: [restriction], placement: 'page-end' },
      }),
    );
    expect(c.args[3]).toBe(0xffffffffn);
    expect(c.writes[0]!.bytes.length).toBe(4096);
  });

  it('writes task restrictions with their head', () => {
    const c = call(
      one({
        do: 'register_task_restrictions',
        task: 0,
        on: { kind: 'task' },
        nr_args: 1,
        arg: { flags: 9, nr_res: 1, resv: [7, 8, 9], restrictions: [restriction], placement: 'page-end' },
      }),
    );
    expect(c.args[2]).toBe(BigInt(ARENA_END - 32));
    expect([...c.writes[0]!.bytes.subarray(0, 20)]).toEqual([
      9, 0, 1, 0, 7, 0, 0, 0, 8, 0, 0, 0, 9, 0, 0, 0, 1, 0, 2, 3,
    ]);
  });

  it('hands any register call its bytes or its raw argument', () => {
    const on = { kind: 'ring', ring: 0 } as const;
    expect(call(one({ do: 'register', task: 0, on, opcode: 12, nr_args: 0 }))).toMatchObject({
      args: [100n, 12n, 0n, 0n, 0n, 0n],
      writes: [],
      read_len: 0,
    });
    const c = call(one({ do: 'register', task: 0, on, opcode: 20, nr_args: 1, bytes: Uint8Array.of(1, 2, 3) }));
    expect(c).toMatchObject({ read_at: ARENA.args, read_len: 3, mode: 0 });
    expect(c.args[2]).toBe(BigInt(ARENA_BASE + ARENA.args));
    expect(
      call(one({ do: 'register', task: 0, on, opcode: 20, nr_args: 1, bytes: Uint8Array.of(1), raw_arg: 5n })).args[2],
    ).toBe(5n);
  });

  it('probes paths, descriptors and memory', () => {
    const path = call(one({ do: 'probe_path', task: 0, path: 'n0' }));
    expect(path).toMatchObject({
      which: 3,
      args: [(1n << 64n) - 100n, BigInt(ARENA_BASE + PROBE_PATH_AT), 0n, 0n, 0n, 0n],
    });
    expect(path.writes).toEqual([{ offset: PROBE_PATH_AT, bytes: Uint8Array.of(110, 48, 0) }]);
    expect(call(one({ do: 'probe_fd', task: 0, fd: 60 }))).toMatchObject({
      which: 4,
      args: [60n, 1n, 0n, 0n, 0n, 0n],
      mode: 4,
    });
    expect(call(one({ do: 'probe_memory', task: 0, at: 0x3000, length: 16 }))).toMatchObject({
      which: 5,
      read_at: 0x3000,
      read_len: 16,
      mode: 2,
    });
  });
});
