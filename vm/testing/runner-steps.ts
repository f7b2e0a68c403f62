/** Steps for the tests of the runner, and what came back of them. */
import type { SockFilter } from '../../oracle/bpf/program.ts';
import type { Sqe, Target } from '../../oracle/scenario/types.ts';
import type { Step } from '../../oracle/steps/index.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import type { RunnerResult } from '../protocol/frames.ts';

/** The task: fd = -1. */
export const T = { kind: 'task' } as const;
/** A ring, by its slot. */
export const R = (ring: number): Target => ({ kind: 'ring', ring });
/** NOPs whose user_data are 0, 1, and so on. */
export const nops = (n: number, more: Partial<Sqe> = {}): Sqe[] =>
  Array.from({ length: n }, (_, i) => ({ opcode: 0, user_data: BigInt(i), ...more }));
/** A new ring. */
export const ring = (task: number, slot: number, flags = 0, entries = 8): Step => ({
  do: 'ring',
  task,
  ring: slot,
  entries,
  flags,
});
/** Requests on a ring, or through its registered descriptor. */
export const submit = (task: number, slot: number, sqes: readonly Sqe[], registered?: number): Step => ({
  do: 'submit',
  task,
  ring: slot,
  sqes,
  ...(registered === undefined ? {} : { registered }),
});
/** A child. */
export const spawn = (task: number, how: SpawnHow, child: number, flags = 0): Step => ({
  do: 'spawn',
  task,
  how,
  child,
  flags,
});
/** A step that needs no more than its kind and task. */
export const simple = (
  what: 'exec' | 'exit' | 'no_new_privs' | 'drop_cap_sys_admin' | 'unshare_user',
  task: number,
): Step => ({ do: what, task });
/** The program that returns a value. */
export const ret = (k: number): SockFilter[] => [{ code: 6, jt: 0, jf: 0, k }];
/** Registers a filter. */
export const filter = (
  task: number,
  on: Target,
  program: readonly SockFilter[],
  opcode = 0,
  more: object = {},
): Step => ({
  do: 'register_bpf_filter',
  task,
  on,
  nr_args: 1,
  arg: {
    cmd_type: 1,
    cmd_flags: 0,
    resv: 0,
    opcode,
    flags: 0,
    filter_len: program.length,
    pdu_size: 0,
    resv_filter: [0, 0, 0],
    resv2: [0n, 0n, 0n, 0n, 0n],
    program,
    placement: 'normal',
    program_placement: 'normal',
    ...more,
  },
});

/** Short form of what came back: returns, then results of the CQEs; null where a step was not reached. */
export const seen = (result: RunnerResult): (number[][] | null)[] =>
  result.observation.steps.map(({ reached, returns, cqes }) =>
    reached ? (cqes.length > 0 ? [[...returns], cqes.map(({ res }) => res)] : [[...returns]]) : null,
  );
