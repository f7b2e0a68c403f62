/** Arbitrary scenarios for tests of the forms a scenario is written in: any value of any field, no thought of sense. */
import fc from 'fast-check';
import type { Program } from '../bpf/program.ts';
import { ARENA_SIZE, FIXTURES } from '../scenario/layout.ts';
import type { BpfArg, Placement, Restriction, Sqe, Target } from '../scenario/types.ts';
import type { Scenario, Step } from '../steps/index.ts';

const u8 = fc.integer({ min: 0, max: 0xff });
const u16 = fc.integer({ min: 0, max: 0xffff });
const u32 = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 0, max: 0xffff_ffff }));
const s32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const u64 = fc.oneof(fc.bigInt({ min: 0n, max: 5n }), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }));
const slot = fc.integer({ min: 0, max: 15 });
const task = fc.oneof(fc.constant(0), slot);
const codes = fc.oneof(fc.constantFrom(0x20, 0x15, 0x06, 0x16, 0x05, 0x04, 0x60, 0x02, 0x80, 0x0e), u16);

export const anyProgram: fc.Arbitrary<Program> = fc.array(
  fc.record({ code: codes, jt: fc.oneof(fc.constant(0), u8), jf: fc.oneof(fc.constant(0), u8), k: u32 }),
  { maxLength: 12 },
);

const placement: fc.Arbitrary<Placement> = fc.oneof(
  { weight: 4, arbitrary: fc.constant('normal' as const) },
  fc.constantFrom('page-end' as const, 'straddle' as const, 'read-only' as const),
  fc.record({ raw: u64 }),
);
const target: fc.Arbitrary<Target> = fc.oneof(
  fc.record({ kind: fc.constant('ring' as const), ring: slot }),
  fc.record({ kind: fc.constant('registered' as const), index: s32 }),
  fc.constant<Target>({ kind: 'task' }),
  fc.record({ kind: fc.constant('fd' as const), fd: s32 }),
);
const usually = <T>(value: T, other: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, other);
const zeros: readonly [bigint, bigint, bigint, bigint, bigint] = [0n, 0n, 0n, 0n, 0n];

const bpfArg: fc.Arbitrary<BpfArg> = anyProgram.chain((program) =>
  fc.record({
    cmd_type: usually(1, u16),
    cmd_flags: usually(0, u16),
    resv: usually(0, u32),
    opcode: u32,
    flags: usually(0, u32),
    filter_len: usually(program.length, u32),
    pdu_size: u8,
    resv_filter: usually<readonly [number, number, number]>([0, 0, 0], fc.tuple(u8, u8, u8)),
    resv2: usually(zeros, fc.tuple(u64, u64, u64, u64, u64)),
    program: fc.constant(program),
    placement,
    program_placement: placement,
  }),
);
const restriction: fc.Arbitrary<Restriction> = fc.record({
  opcode: usually(1, u16),
  value: u8,
  resv: usually(0, u8),
  resv2: usually<readonly [number, number, number]>([0, 0, 0], fc.tuple(u32, u32, u32)),
});
const restrictions = fc.array(restriction, { maxLength: 5 });

/** Any SQE; fields that are 0 are absent. */
export const anySqe: fc.Arbitrary<Sqe> = fc
  .record(
    {
      opcode: u8,
      flags: u8,
      ioprio: u16,
      fd: s32,
      off: u64,
      addr: u64,
      len: u32,
      op_flags: u32,
      user_data: u64,
      buf_index: u16,
      personality: u16,
      file_index: u32,
      addr3: u64,
      pad2: u64,
    },
    { requiredKeys: ['opcode'] },
  )
  .map(
    (sqe) =>
      Object.fromEntries(
        Object.entries(sqe).filter(([name, value]) => name === 'opcode' || (value !== 0 && value !== 0n)),
      ) as unknown as Sqe,
  );

const by = { task };
const made: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    ...by,
    do: fc.constantFrom(
      'no_new_privs' as const,
      'drop_cap_sys_admin' as const,
      'unshare_user' as const,
      'exec' as const,
      'exit' as const,
    ),
  }),
  fc.record({
    ...by,
    do: fc.constant('register_bpf_filter' as const),
    on: target,
    nr_args: usually(1, u32),
    arg: bpfArg,
  }),
  restrictions.chain((list) =>
    fc.record({
      ...by,
      do: fc.constant('register_restrictions' as const),
      on: target,
      nr_args: usually(list.length, u32),
      arg: fc.record({ restrictions: fc.constant(list), placement }),
    }),
  ),
  restrictions.chain((list) =>
    fc.record({
      ...by,
      do: fc.constant('register_task_restrictions' as const),
      on: target,
      nr_args: usually(1, u32),
      arg: fc.record({
        flags: usually(0, u16),
        nr_res: usually(list.length, u16),
        resv: usually<readonly [number, number, number]>([0, 0, 0], fc.tuple(u32, u32, u32)),
        restrictions: fc.constant(list),
        placement,
      }),
    }),
  ),
  fc.record(
    {
      ...by,
      do: fc.constant('register' as const),
      on: target,
      opcode: u32,
      nr_args: u32,
      bytes: fc.uint8Array({ maxLength: 80 }),
      raw_arg: u64,
    },
    { requiredKeys: ['task', 'do', 'on', 'opcode', 'nr_args'] },
  ),
  fc.record(
    {
      ...by,
      do: fc.constant('submit' as const),
      ring: slot,
      registered: s32,
      sqes: fc.array(anySqe, { maxLength: 6 }),
    },
    { requiredKeys: ['task', 'do', 'ring', 'sqes'] },
  ),
  fc.record({
    ...by,
    do: fc.constantFrom('send_ring' as const, 'receive_ring' as const, 'close_ring' as const, 'reap' as const),
    ring: slot,
  }),
  fc.record({ ...by, do: fc.constant('take_ring' as const), from: slot, ring: slot }),
  fc.record({ ...by, do: fc.constant('probe_path' as const), path: fc.constantFrom('n0', 'd0/x', 'no such', 'a..b') }),
  fc.record({ ...by, do: fc.constant('probe_fd' as const), fd: s32 }),
  fc.record({
    ...by,
    do: fc.constant('probe_memory' as const),
    at: fc.integer({ min: 0, max: ARENA_SIZE - 256 }),
    length: fc.integer({ min: 1, max: 256 }),
  }),
  fc.record({ ...by, do: fc.constant('ring' as const), ring: slot, entries: usually(8, u32), flags: u32 }),
  fc.record({
    ...by,
    do: fc.constant('spawn' as const),
    how: fc.constantFrom('fork' as const, 'vfork' as const, 'thread' as const, 'clone_vm' as const, 'clone3' as const),
    child: fc.integer({ min: 1, max: 15 }),
  }),
);

/** Steps in which no ring slot and no task is made twice. */
const steps = fc.array(made, { maxLength: 25 }).map((all) => {
  const seen = new Set<string>();
  return all.filter((step) => {
    const what = step.do === 'ring' ? `r${step.ring}` : step.do === 'spawn' ? `t${step.child}` : undefined;
    if (what === undefined) return true;
    const fresh = !seen.has(what);
    seen.add(what);
    return fresh;
  });
});

export const anyScenario: fc.Arbitrary<Scenario> = fc.record(
  {
    version: fc.constant(1 as const),
    suite: fc.constantFrom('stacking', 'links'),
    fixtures: fc.subarray([...FIXTURES]),
    jit: fc.boolean(),
    steps,
  },
  { requiredKeys: ['version', 'fixtures', 'jit', 'steps'] },
);
