/** The parts that steps are made of: targets, arguments, SQEs. The steps themselves are in `oracle/steps`. */
import type { Program } from '../bpf/program.ts';

/** Version of the scenario language. */
export const SCENARIO_VERSION = 1;

/** Task number, 0 (root) .. 15. */
export type TaskId = number;
/** Ring slot, 0 .. 15; each slot is created by at most one `ring` step of a scenario. */
export type RingSlot = number;

/** What every step has. */
export interface AnyStep {
  /** Task that does it. */
  readonly task: TaskId;
  /** Its kind. */
  readonly do: string;
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

/** An io_uring_register call with an argument of any bytes. */
export interface RawCall {
  /** u32 without the USE_REGISTERED_RING bit. */
  readonly opcode: number;
  readonly nr_args: number;
  /** Written to ARENA.args, where the argument points unless `raw_arg` is given. */
  readonly bytes?: Uint8Array;
  /** The argument itself. */
  readonly raw_arg?: bigint;
  /** ARENA.args cannot be written while the call runs. */
  readonly read_only?: true;
}
