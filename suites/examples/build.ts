/** A tiny builder, so that hand-written scenarios read like the calls they make. Task 0 does what no `as` says otherwise. */
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import type { SuiteName } from '../../generators/suites.ts';
import { parseAsm } from '../../oracle/bpf/asm.ts';
import type { Program } from '../../oracle/bpf/program.ts';
import type { Fixture } from '../../oracle/scenario/layout.ts';
import { IORING_RESTRICTION } from '../../oracle/uapi/constants.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import type { BpfArg, Restriction, Sqe, Target, TaskId, TaskRestrictionsArg } from '../../oracle/scenario/types.ts';
import { withRequests } from '../../oracle/steps/index.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';

/** A documented scenario. */
export interface Example {
  readonly suite: SuiteName;
  readonly title: string;
  /** One line: what would be lost if the kernel did otherwise. */
  readonly why: string;
  readonly scenario: Scenario;
}

/** Pieces of a suite's file. */
export type Draft = Omit<Example, 'suite'>;

/** Puts steps together; SQEs without user_data are numbered from 1. */
export function example(
  title: string,
  why: string,
  steps: readonly Step[],
  more: { readonly fixtures?: readonly Fixture[]; readonly jit?: boolean } = {},
): Draft {
  let next = 1n;
  const numbered = steps.map((step) => withRequests(step, (sqe) => ({ ...sqe, user_data: sqe.user_data ?? next++ })));
  return {
    title,
    why,
    scenario: { version: 1, fixtures: more.fixtures ?? [], jit: more.jit ?? true, steps: numbered },
  };
}

/** The examples of one suite. */
export function suite(name: SuiteName, drafts: readonly Draft[]): readonly Example[] {
  return drafts.map((draft) => ({ suite: name, ...draft, scenario: { ...draft.scenario, suite: name } }));
}

export const TASK: Target = { kind: 'task' };
export const onRing = (ring: number): Target => ({ kind: 'ring', ring });

/** The step, done by another task. */
export function as(task: TaskId, step: Step): Step {
  return { ...step, task };
}

/** A program in the language of bpf_asm. @throws Error on a text that is none */
export function asm(text: string): Program {
  const parsed = parseAsm(text);
  if (!parsed.ok) throw new Error(`no program: ${text}: ${JSON.stringify(parsed.errors)}`);
  return parsed.program;
}

export const ring = (slot = 0, flags = 0): Step => ({ task: 0, do: 'ring', ring: slot, entries: 8, flags });
export const enable = (slot = 0): Step => register(onRing(slot), 12);
export const register = (
  on: Target,
  opcode: number,
  more: { readonly nr_args?: number; readonly bytes?: Uint8Array } = {},
): Step => ({
  task: 0,
  do: 'register',
  on,
  opcode,
  nr_args: more.nr_args ?? 0,
  ...(more.bytes === undefined ? {} : { bytes: more.bytes }),
});

/** Registers a filter; `program` as text or instructions. Fields of the argument may be overridden. */
export function filter(
  on: Target,
  opcode: number,
  program: string | Program,
  fields: Partial<BpfArg> & { readonly nr_args?: number } = {},
): Step {
  const { nr_args = 1, ...rest } = fields;
  const instructions = typeof program === 'string' ? asm(program) : program;
  const arg: BpfArg = {
    cmd_type: 1,
    cmd_flags: 0,
    resv: 0,
    opcode,
    flags: 0,
    filter_len: instructions.length,
    pdu_size: ABI_7_0.pdu_size[opcode] ?? 0,
    resv_filter: [0, 0, 0],
    resv2: [0n, 0n, 0n, 0n, 0n],
    program: instructions,
    placement: 'normal',
    program_placement: 'normal',
    ...rest,
  };
  return { task: 0, do: 'register_bpf_filter', on, nr_args, arg };
}

export const ALLOW = 'ret #1';
export const DENY = 'ret #0';
export const DENY_REST = 1;
export const SZ_STRICT = 2;

const entry =
  (opcode: number) =>
  (value: number): Restriction => ({ opcode, value, resv: 0, resv2: [0, 0, 0] });
export const sqeOp = entry(IORING_RESTRICTION.SQE_OP);
export const registerOp = entry(IORING_RESTRICTION.REGISTER_OP);
export const flagsAllowed = entry(IORING_RESTRICTION.SQE_FLAGS_ALLOWED);
export const flagsRequired = entry(IORING_RESTRICTION.SQE_FLAGS_REQUIRED);

export const restrictRing = (slot: number, ...restrictions: Restriction[]): Step => ({
  task: 0,
  do: 'register_restrictions',
  on: onRing(slot),
  nr_args: restrictions.length,
  arg: { restrictions, placement: 'normal' },
});
export function restrictTask(
  restrictions: readonly Restriction[],
  fields: Partial<TaskRestrictionsArg> & { readonly nr_args?: number } = {},
): Step {
  const { nr_args = 1, ...rest } = fields;
  return {
    task: 0,
    do: 'register_task_restrictions',
    on: TASK,
    nr_args,
    arg: { flags: 0, nr_res: restrictions.length, resv: [0, 0, 0], restrictions, placement: 'normal', ...rest },
  };
}

export const submit = (slot: number, ...sqes: Sqe[]): Step => ({ task: 0, do: 'submit', ring: slot, sqes });
export const nop = (more: Partial<Sqe> = {}): Sqe => ({ opcode: OP.NOP, ...more });
/** A NOP that answers `res`. */
export const nopResult = (res: number, more: Partial<Sqe> = {}): Sqe => ({
  opcode: OP.NOP,
  op_flags: 1,
  len: res >>> 0,
  ...more,
});
export const socket = (family: number, type: number, protocol: number, more: Partial<Sqe> = {}): Sqe => ({
  opcode: OP.SOCKET,
  fd: family,
  off: BigInt(type),
  len: protocol,
  ...more,
});
/** openat(AT_FDCWD, path, flags, mode); `path` is an address of the arena image. */
export const openat = (path: bigint, flags: number, mode = 0, more: Partial<Sqe> = {}): Sqe => ({
  opcode: OP.OPENAT,
  fd: -100,
  addr: path,
  op_flags: flags,
  len: mode,
  ...more,
});

export const spawn = (how: SpawnHow, child: TaskId): Step => ({ task: 0, do: 'spawn', how, child });
export const exit = (task: TaskId): Step => ({ task, do: 'exit' });
export const exec = (): Step => ({ task: 0, do: 'exec' });
export const noNewPrivs = (): Step => ({ task: 0, do: 'no_new_privs' });
export const dropCap = (): Step => ({ task: 0, do: 'drop_cap_sys_admin' });
export const unshareUser = (): Step => ({ task: 0, do: 'unshare_user' });
export const exists = (path: string): Step => ({ task: 0, do: 'probe_path', path });
/** The ring in `slot` of task `from`, taken by pidfd_getfd(2). */
export const take = (from: TaskId, slot: number): Step => ({ task: 0, do: 'take_ring', from, ring: slot });
export const reap = (slot: number): Step => ({ task: 0, do: 'reap', ring: slot });
