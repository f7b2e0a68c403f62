/**
 * A tiny builder, so that hand-written scenarios read like the calls they make. Task 0 does what no `as` says
 * otherwise.
 */
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

/** The task itself: its filters and restrictions bind all it makes from then on. */
export const TASK: Target = { kind: 'task' };
/** The ring in a slot. */
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

/** io_uring_setup(2) with eight entries; the ring goes into `slot`. */
export const ring = (slot = 0, flags = 0): Step => ({ task: 0, do: 'ring', ring: slot, entries: 8, flags });
/** IORING_REGISTER_ENABLE_RINGS, for a ring that was made disabled. */
export const enable = (slot = 0): Step => register(onRing(slot), 12);
/** io_uring_register(2) with a plain opcode and, where there are any, the bytes of its argument. */
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

/** The smallest program that allows. */
export const ALLOW = 'ret #1';
/** The smallest program that denies. */
export const DENY = 'ret #0';
/** IO_URING_BPF_FILTER_DENY_REST. */
export const DENY_REST = 1;
/** IO_URING_BPF_FILTER_SZ_STRICT. */
export const SZ_STRICT = 2;

const entry =
  (opcode: number) =>
  (value: number): Restriction => ({ opcode, value, resv: 0, resv2: [0, 0, 0] });
/** An opcode of requests that is allowed. */
export const sqeOp = entry(IORING_RESTRICTION.SQE_OP);
/** An opcode of io_uring_register(2) that is allowed. */
export const registerOp = entry(IORING_RESTRICTION.REGISTER_OP);
/** SQE flags that may be set. */
export const flagsAllowed = entry(IORING_RESTRICTION.SQE_FLAGS_ALLOWED);
/** SQE flags that must be set. */
export const flagsRequired = entry(IORING_RESTRICTION.SQE_FLAGS_REQUIRED);

/** IORING_REGISTER_RESTRICTIONS on the ring in a slot. */
export const restrictRing = (slot: number, ...restrictions: Restriction[]): Step => ({
  task: 0,
  do: 'register_restrictions',
  on: onRing(slot),
  nr_args: restrictions.length,
  arg: { restrictions, placement: 'normal' },
});
/** IORING_REGISTER_RESTRICTIONS on the task itself. Fields of the argument may be overridden. */
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

/** io_uring_enter(2) with these requests, and their completions. */
export const submit = (slot: number, ...sqes: Sqe[]): Step => ({ task: 0, do: 'submit', ring: slot, sqes });
/** IORING_OP_NOP. */
export const nop = (more: Partial<Sqe> = {}): Sqe => ({ opcode: OP.NOP, ...more });
/** A NOP that answers `res`. */
export const nopResult = (res: number, more: Partial<Sqe> = {}): Sqe => ({
  opcode: OP.NOP,
  op_flags: 1,
  len: res >>> 0,
  ...more,
});
/** IORING_OP_SOCKET. */
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

/** A new task; CLONE_* beside those of its kind. */
export const spawn = (how: SpawnHow, child: TaskId, flags = 0): Step => ({
  task: 0,
  do: 'spawn',
  how,
  child,
  ...(flags === 0 ? {} : { flags }),
});
/** The end of a task. */
export const exit = (task: TaskId): Step => ({ task, do: 'exit' });
/** execve(2) of the same program. */
export const exec = (): Step => ({ task: 0, do: 'exec' });
/** prctl(PR_SET_NO_NEW_PRIVS). */
export const noNewPrivs = (): Step => ({ task: 0, do: 'no_new_privs' });
/** prctl(PR_GET_NO_NEW_PRIVS). */
export const hasNoNewPrivs = (): Step => ({ task: 0, do: 'probe_no_new_privs' });
/** CAP_SYS_ADMIN given up for good. */
export const dropCap = (): Step => ({ task: 0, do: 'drop_cap_sys_admin' });
/** unshare(CLONE_NEWUSER). */
export const unshareUser = (): Step => ({ task: 0, do: 'unshare_user' });
/** Whether a path of the sandbox is there. */
export const exists = (path: string): Step => ({ task: 0, do: 'probe_path', path });
/** The ring in `slot` of task `from`, taken by pidfd_getfd(2). */
export const take = (from: TaskId, slot: number): Step => ({ task: 0, do: 'take_ring', from, ring: slot });
/** close(2) of the ring's descriptor. */
export const closeRing = (slot: number): Step => ({ task: 0, do: 'close_ring', ring: slot });
/** The completions that stand in a ring. */
export const reap = (slot: number): Step => ({ task: 0, do: 'reap', ring: slot });

/** What the request with this user_data made, asked by other calls; `at`: of the one that answered a descriptor. */
export const made = (aspect: 'socket' | 'file' | 'peer', userData: bigint, at?: bigint): Step => ({
  task: 0,
  do: 'probe_made',
  aspect,
  user_data: userData,
  ...(at === undefined ? {} : { at }),
});
/** Bytes at an offset of the arena's data area. */
export const write = (at: number, bytes: Uint8Array): Step => ({ task: 0, do: 'write_memory', at, bytes });
