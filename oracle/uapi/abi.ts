/**
 * The ABI profile: everything about the kernel under test that differs between
 * kernels or architectures. It is probed from the running kernel (see
 * `oracle/probe/probe.ts`), never guessed from a version string.
 */
export interface AbiProfile {
  /** `uname -r` of the guest. */
  readonly release: string;
  /** `uname -m` of the guest. */
  readonly machine: string;
  /** Byte order of the guest; classic-BPF context loads use it. */
  readonly little_endian: boolean;
  /** IORING_OP_LAST: opcodes 0 .. op_last-1 exist (65 on 7.0). */
  readonly op_last: number;
  /** IORING_REGISTER_LAST: register opcodes 0 .. register_last-1 exist. */
  readonly register_last: number;
  /** sizeof(struct io_uring_bpf_ctx) in bytes (40 on 7.0); the value of `len`. */
  readonly ctx_size: number;
  /** Payload size in bytes per opcode, as the kernel writes it back (`pdu_size`). */
  readonly pdu_size: readonly number[];
  /** Mask of the flags that `io_uring_bpf_filter.flags` may carry. */
  readonly filter_flags: number;
  /** Mask of the `IOSQE_*` bits the kernel knows. */
  readonly sqe_flags: number;
  /** Mask of the `IORING_SETUP_*` flags the kernel accepts, of those the scenario language uses. */
  readonly setup_flags: number;
  /**
   * Whether prep turns IORING_NOP_FIXED_FILE into the request flag that filters see as IOSQE_FIXED_FILE (from 7.1.8 on;
   * 7.0 looks later). Absent: not probed.
   */
  readonly nop_shows_fixed_file?: boolean;
  /**
   * Whether prep sends a BIND that names a file to a worker, which filters see as IOSQE_ASYNC (7.0.13 does, 7.0.10
   * not). Absent: it does.
   */
  readonly bind_shows_async?: boolean;
  /**
   * Whether struct io_uring_buf_reg has `min_left`, where it had reserved bytes before (7.0.7 has it, 7.0.4 not).
   * Absent: it has.
   */
  readonly pbuf_min_left?: boolean;
  /** Flag bits that openat(2) adds on its own on this architecture (O_LARGEFILE: 0x8000 on x86-64). */
  readonly open_force_flags: number;
  /** Values of open flags on this architecture. */
  readonly open: OpenFlagValues;
}

/** Architecture-dependent open(2) flag values. */
export interface OpenFlagValues {
  readonly O_CREAT: number;
  readonly O_EXCL: number;
  readonly O_TRUNC: number;
  readonly O_APPEND: number;
  readonly O_NONBLOCK: number;
  /** Absent in profiles of x86-64: 0x4000. */
  readonly O_DIRECT?: number;
  readonly O_DIRECTORY: number;
  readonly O_NOFOLLOW: number;
  readonly O_LARGEFILE: number;
  readonly O_CLOEXEC: number;
  readonly O_PATH: number;
  readonly O_TMPFILE: number;
  readonly O_SYNC: number;
  readonly O_DSYNC: number;
}

/** asm-generic open flags, as x86-64 uses them (UAPI `asm-generic/fcntl.h`). */
export const OPEN_X86_64: OpenFlagValues = {
  O_CREAT: 0o100,
  O_EXCL: 0o200,
  O_TRUNC: 0o1000,
  O_APPEND: 0o2000,
  O_NONBLOCK: 0o4000,
  O_DIRECTORY: 0o200000,
  O_NOFOLLOW: 0o400000,
  O_LARGEFILE: 0o100000,
  O_CLOEXEC: 0o2000000,
  O_PATH: 0o10000000,
  O_TMPFILE: 0o20200000,
  O_SYNC: 0o4010000,
  O_DSYNC: 0o10000,
};
