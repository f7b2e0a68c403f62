/**
 * The scenario language: one typed, serialisable description of everything a user of the
 * feature can do. A scenario is a list of steps in one global order; each step belongs
 * to one task of a tree whose root is task 0. A step runs to its end before the next
 * one starts, whichever task owns it, so a run is deterministic.
 */
import type { Program } from '../bpf/program.ts';
import type { Fixture } from './layout.ts';

export const SCENARIO_VERSION = 1;

/** Task number, 0 (root) .. 15. */
export type TaskId = number;
/** Ring slot, 0 .. 15; each slot is created by at most one `ring` step of a scenario. */
export type RingSlot = number;

export interface Scenario {
  readonly version: typeof SCENARIO_VERSION;
  /** Suite that drew it; information only. */
  readonly suite?: string;
  readonly fixtures: readonly Fixture[];
  /** Value of net.core.bpf_jit_enable while the scenario runs. */
  readonly jit: boolean;
  readonly steps: readonly Step[];
}

/** What an io_uring_register(2) call is aimed at. */
export type Target =
  /** `fd` = the ring's descriptor. */
  | { readonly kind: 'ring'; readonly ring: RingSlot }
  /** `fd` = index in the task's registered ring descriptors, opcode | IORING_REGISTER_USE_REGISTERED_RING. */
  | { readonly kind: 'registered'; readonly index: number }
  /** `fd` = -1: the calling task ("blind" registration). */
  | { readonly kind: 'task' }
  /** Any raw descriptor number. */
  | { readonly kind: 'fd'; readonly fd: number };

/** Where an argument structure is put. */
export type Placement =
  | 'normal'
  /** Ends exactly at the last mapped byte of the arena. */
  | 'page-end'
  /** Its last byte lies beyond the arena: a bad pointer in the middle of the structure. */
  | 'straddle'
  /** In memory that is read-only while the call runs (write-back fails). */
  | 'read-only'
  /** The pointer is this address; nothing is written there. Decimal or 0x hex in JSON. */
  | { readonly raw: bigint };

/** struct io_uring_bpf, every field free. */
export interface BpfArg {
  readonly cmd_type: number; // u16
  readonly cmd_flags: number; // u16
  readonly resv: number; // u32
  readonly opcode: number; // u32
  readonly flags: number; // u32
  /** u32; usually program.length, but free. */
  readonly filter_len: number;
  readonly pdu_size: number; // u8
  readonly resv_filter: readonly [number, number, number]; // u8[3]
  readonly resv2: readonly [bigint, bigint, bigint, bigint, bigint]; // u64[5]
  readonly program: Program;
  /** Where the structure is. */
  readonly placement: Placement;
  /** Where the program is (filter_ptr). */
  readonly program_placement: Placement;
}

/** struct io_uring_restriction: 16 bytes. */
export interface Restriction {
  readonly opcode: number; // u16: IORING_RESTRICTION_*
  readonly value: number; // u8: register_op | sqe_op | sqe_flags
  readonly resv: number; // u8
  readonly resv2: readonly [number, number, number]; // u32[3]
}

/** Argument of IORING_REGISTER_RESTRICTIONS on a ring: an array, nr_args entries. */
export interface RingRestrictionsArg {
  readonly restrictions: readonly Restriction[];
  readonly placement: Placement;
}

/** struct io_uring_task_restriction, for fd = -1. */
export interface TaskRestrictionsArg {
  readonly flags: number; // u16
  /** u16; usually restrictions.length, but free. */
  readonly nr_res: number;
  readonly resv: readonly [number, number, number]; // u32[3]
  readonly restrictions: readonly Restriction[];
  readonly placement: Placement;
}

/** One submission queue entry; an absent field is 0. */
export interface Sqe {
  readonly opcode: number; // u8
  readonly flags?: number; // u8, IOSQE_*
  readonly ioprio?: number; // u16
  readonly fd?: number; // s32
  readonly off?: bigint; // u64 @8
  readonly addr?: bigint; // u64 @16
  readonly len?: number; // u32 @24
  readonly op_flags?: number; // u32 @28
  readonly user_data?: bigint; // u64 @32
  readonly buf_index?: number; // u16 @40
  readonly personality?: number; // u16 @42
  readonly file_index?: number; // u32 @44
  readonly addr3?: bigint; // u64 @48
  readonly pad2?: bigint; // u64 @56
}

export type SpawnHow = 'fork' | 'vfork' | 'thread' | 'clone_vm' | 'clone3';

interface By {
  readonly task: TaskId;
}

/** prctl(PR_SET_NO_NEW_PRIVS, 1). */
export interface NoNewPrivsStep extends By {
  readonly do: 'no_new_privs';
}
/** Drops CAP_SYS_ADMIN from the bounding, permitted, effective and inheritable sets (in this order). */
export interface DropCapStep extends By {
  readonly do: 'drop_cap_sys_admin';
}
/** unshare(CLONE_NEWUSER), then maps uid and gid 0 to themselves: all capabilities, but only inside the new namespace. */
export interface UnshareUserStep extends By {
  readonly do: 'unshare_user';
}
/** io_uring_setup(entries, {flags, ...}); the descriptor is moved to RING_FD + ring, the ring mapped. */
export interface RingStep extends By {
  readonly do: 'ring';
  readonly ring: RingSlot;
  readonly entries: number;
  readonly flags: number; // IORING_SETUP_*
}
/** IORING_REGISTER_BPF_FILTER with a struct io_uring_bpf. */
export interface RegisterBpfStep extends By {
  readonly do: 'register_bpf_filter';
  readonly on: Target;
  readonly nr_args: number;
  readonly arg: BpfArg;
}
/** IORING_REGISTER_RESTRICTIONS with an array of struct io_uring_restriction (ring form). */
export interface RegisterRestrictionsStep extends By {
  readonly do: 'register_restrictions';
  readonly on: Target;
  readonly nr_args: number;
  readonly arg: RingRestrictionsArg;
}
/** IORING_REGISTER_RESTRICTIONS with a struct io_uring_task_restriction (task form; `on` may still be a ring). */
export interface RegisterTaskRestrictionsStep extends By {
  readonly do: 'register_task_restrictions';
  readonly on: Target;
  readonly nr_args: number;
  readonly arg: TaskRestrictionsArg;
}
/** Any io_uring_register opcode; `bytes` (if any) are written to ARENA.args and `arg` points there unless `raw_arg` is given. */
export interface RegisterStep extends By {
  readonly do: 'register';
  readonly on: Target;
  readonly opcode: number; // u32 without the USE_REGISTERED_RING bit
  readonly nr_args: number;
  readonly bytes?: Uint8Array;
  readonly raw_arg?: bigint;
}
/** Writes SQEs and calls io_uring_enter until all are consumed or no progress is made; see PROTOCOL.md. */
export interface SubmitStep extends By {
  readonly do: 'submit';
  readonly ring: RingSlot;
  /** Enter through this registered-ring index instead of the descriptor. */
  readonly registered?: number;
  readonly sqes: readonly Sqe[];
}
export interface SpawnStep extends By {
  readonly do: 'spawn';
  readonly how: SpawnHow;
  readonly child: TaskId;
}
/** execve of the runner itself; the task goes on with its next step in the new image. */
export interface ExecStep extends By {
  readonly do: 'exec';
}
export interface ExitStep extends By {
  readonly do: 'exit';
}
/** Sends the ring's descriptor by SCM_RIGHTS into the scenario's mailbox (a queue). */
export interface SendRingStep extends By {
  readonly do: 'send_ring';
  readonly ring: RingSlot;
}
/** Receives the oldest descriptor of the mailbox and puts it at RING_FD + ring. */
export interface ReceiveRingStep extends By {
  readonly do: 'receive_ring';
  readonly ring: RingSlot;
}
/** Takes the ring at RING_FD + ring of another task by pidfd_getfd(2) and puts it at RING_FD + ring of its own descriptors. */
export interface TakeRingStep extends By {
  readonly do: 'take_ring';
  /** The task it is taken from; its thread group's first thread must be there. */
  readonly from: TaskId;
  readonly ring: RingSlot;
}
/** close(RING_FD + ring). */
export interface CloseRingStep extends By {
  readonly do: 'close_ring';
  readonly ring: RingSlot;
}
/** Does `path` (relative to the scenario's directory) exist? 0 or -ENOENT. */
export interface ProbePathStep extends By {
  readonly do: 'probe_path';
  readonly path: string;
}
/** fcntl(fd, F_GETFD) reduced to 0 (open) or -EBADF. */
export interface ProbeFdStep extends By {
  readonly do: 'probe_fd';
  readonly fd: number;
}
/** Reads back arena memory; the bytes are the step's `memory`. */
export interface ProbeMemoryStep extends By {
  readonly do: 'probe_memory';
  readonly at: number; // offset in the arena
  readonly length: number; // 1..256
}
/** Reaps the CQEs that are in the ring now (for messages from other rings). */
export interface ReapStep extends By {
  readonly do: 'reap';
  readonly ring: RingSlot;
}

export type Step =
  | NoNewPrivsStep
  | DropCapStep
  | UnshareUserStep
  | RingStep
  | RegisterBpfStep
  | RegisterRestrictionsStep
  | RegisterTaskRestrictionsStep
  | RegisterStep
  | SubmitStep
  | SpawnStep
  | ExecStep
  | ExitStep
  | SendRingStep
  | ReceiveRingStep
  | TakeRingStep
  | CloseRingStep
  | ProbePathStep
  | ProbeFdStep
  | ProbeMemoryStep
  | ReapStep;

export type StepKind = Step['do'];
