/**
 * Numbers of the io_uring UAPI (`linux/io_uring.h`) and the errnos and other
 * Linux constants the specification names. Values are the same on x86-64 and
 * arm64; what differs by architecture is in the ABI profile.
 */

/** errno values (asm-generic), without the E. */
export const E = {
  PERM: 1,
  NOENT: 2,
  INTR: 4,
  IO: 5,
  NXIO: 6,
  '2BIG': 7,
  BADF: 9,
  CHILD: 10,
  AGAIN: 11,
  NOMEM: 12,
  ACCES: 13,
  FAULT: 14,
  BUSY: 16,
  EXIST: 17,
  XDEV: 18,
  NODEV: 19,
  NOTDIR: 20,
  ISDIR: 21,
  INVAL: 22,
  NFILE: 23,
  MFILE: 24,
  NOTTY: 25,
  FBIG: 27,
  NOSPC: 28,
  SPIPE: 29,
  ROFS: 30,
  PIPE: 32,
  RANGE: 34,
  NAMETOOLONG: 36,
  NOTEMPTY: 39,
  LOOP: 40,
  NODATA: 61,
  TIME: 62,
  BADFD: 77,
  OVERFLOW: 75,
  NOTSOCK: 88,
  DESTADDRREQ: 89,
  MSGSIZE: 90,
  PROTONOSUPPORT: 93,
  PROTOTYPE: 91,
  SOCKTNOSUPPORT: 94,
  OPNOTSUPP: 95,
  AFNOSUPPORT: 97,
  ADDRINUSE: 98,
  ADDRNOTAVAIL: 99,
  NOBUFS: 105,
  ISCONN: 106,
  NOTCONN: 107,
  CONNREFUSED: 111,
  ALREADY: 114,
  INPROGRESS: 115,
  CANCELED: 125,
  OWNERDEAD: 130,
} as const;

/** io_uring_params.flags. */
export const IORING_SETUP = {
  IOPOLL: 1 << 0,
  SQPOLL: 1 << 1,
  SQ_AFF: 1 << 2,
  CQSIZE: 1 << 3,
  CLAMP: 1 << 4,
  ATTACH_WQ: 1 << 5,
  R_DISABLED: 1 << 6,
  SUBMIT_ALL: 1 << 7,
  COOP_TASKRUN: 1 << 8,
  TASKRUN_FLAG: 1 << 9,
  SQE128: 1 << 10,
  CQE32: 1 << 11,
  SINGLE_ISSUER: 1 << 12,
  DEFER_TASKRUN: 1 << 13,
  NO_MMAP: 1 << 14,
  REGISTERED_FD_ONLY: 1 << 15,
  NO_SQARRAY: 1 << 16,
  HYBRID_IOPOLL: 1 << 17,
  CQE_MIXED: 1 << 18,
  SQE_MIXED: 1 << 19,
  SQ_REWIND: 1 << 20,
} as const;

/** io_uring_sqe.flags. */
export const IOSQE = {
  FIXED_FILE: 1 << 0,
  IO_DRAIN: 1 << 1,
  IO_LINK: 1 << 2,
  IO_HARDLINK: 1 << 3,
  ASYNC: 1 << 4,
  BUFFER_SELECT: 1 << 5,
  CQE_SKIP_SUCCESS: 1 << 6,
} as const;

/** io_uring_cqe.flags. */
export const CQE_F = {
  BUFFER: 1 << 0,
  MORE: 1 << 1,
  SOCK_NONEMPTY: 1 << 2,
  NOTIF: 1 << 3,
  BUF_MORE: 1 << 4,
  SKIP: 1 << 5,
  F_32: 1 << 15,
} as const;
/** cqe.flags >> this = buffer id when CQE_F.BUFFER is set. */
export const CQE_BUFFER_SHIFT = 16;

/** Flags of io_uring_enter(2). */
export const IORING_ENTER = {
  GETEVENTS: 1 << 0,
  SQ_WAKEUP: 1 << 1,
  SQ_WAIT: 1 << 2,
  EXT_ARG: 1 << 3,
  REGISTERED_RING: 1 << 4,
  ABS_TIMER: 1 << 5,
  EXT_ARG_REG: 1 << 6,
  NO_IOWAIT: 1 << 7,
} as const;

/** Flags of clone(2) that a child may be made with beside those that its kind has. */
export const CLONE = {
  FS: 0x200,
  FILES: 0x400,
  SIGHAND: 0x800,
  PIDFD: 0x1000,
  NEWNS: 0x2_0000,
  SYSVSEM: 0x4_0000,
  UNTRACED: 0x80_0000,
  NEWUTS: 0x400_0000,
  NEWIPC: 0x800_0000,
  NEWUSER: 0x1000_0000,
  NEWPID: 0x2000_0000,
  IO: 0x8000_0000,
} as const;

/** Bit of io_uring_register's opcode that says `fd` is a registered-ring index. */
export const USE_REGISTERED_RING = 0x8000_0000;

/** struct io_uring_restriction.opcode. */
export const IORING_RESTRICTION = {
  REGISTER_OP: 0,
  SQE_OP: 1,
  SQE_FLAGS_ALLOWED: 2,
  SQE_FLAGS_REQUIRED: 3,
} as const;

/** sqe.nop_flags. */
export const IORING_NOP = {
  INJECT_RESULT: 1 << 0,
  FILE: 1 << 1,
  FIXED_FILE: 1 << 2,
  FIXED_BUFFER: 1 << 3,
  TW: 1 << 4,
  CQE32: 1 << 5,
} as const;

/** sqe.timeout_flags. */
export const IORING_TIMEOUT = {
  ABS: 1 << 0,
  UPDATE: 1 << 1,
  BOOTTIME: 1 << 2,
  REALTIME: 1 << 3,
  LINK_TIMEOUT_UPDATE: 1 << 4,
  ETIME_SUCCESS: 1 << 5,
  MULTISHOT: 1 << 6,
  IMMEDIATE_ARG: 1 << 7,
} as const;

/** sqe.len of POLL_ADD and POLL_REMOVE. */
export const IORING_POLL = {
  ADD_MULTI: 1 << 0,
  UPDATE_EVENTS: 1 << 1,
  UPDATE_USER_DATA: 1 << 2,
  ADD_LEVEL: 1 << 3,
} as const;

/** sqe.cancel_flags. */
export const IORING_ASYNC_CANCEL = {
  ALL: 1 << 0,
  FD: 1 << 1,
  ANY: 1 << 2,
  FD_FIXED: 1 << 3,
  USERDATA: 1 << 4,
  OP: 1 << 5,
} as const;

/** ioprio bits of the send and receive family. */
export const IORING_RECVSEND = {
  POLL_FIRST: 1 << 0,
  RECV_MULTISHOT: 1 << 1,
  FIXED_BUF: 1 << 2,
  SEND_ZC_REPORT_USAGE: 1 << 3,
  BUNDLE: 1 << 4,
  SEND_VECTORIZED: 1 << 5,
} as const;

/** sqe.ioprio of ACCEPT. */
export const IORING_ACCEPT = { MULTISHOT: 1 << 0, DONTWAIT: 1 << 1, POLL_FIRST: 1 << 2 } as const;
/** Commands of MSG_RING, in sqe.addr. */
export const IORING_MSG = { DATA: 0, SEND_FD: 1 } as const;
/** sqe.msg_ring_flags. */
export const IORING_MSG_RING = { CQE_SKIP: 1 << 0, FLAGS_PASS: 1 << 1 } as const;
/** sqe.install_fd_flags. */
export const IORING_FIXED_FD_NO_CLOEXEC = 1;
/** sqe.fsync_flags. */
export const IORING_FSYNC_DATASYNC = 1;
/** sqe.uring_cmd_flags. */
export const IORING_URING_CMD = { FIXED: 1 << 0, MULTISHOT: 1 << 1 } as const;
/** Commands of URING_CMD on a socket. */
export const SOCKET_URING_OP = {
  SIOCINQ: 0,
  SIOCOUTQ: 1,
  GETSOCKOPT: 2,
  SETSOCKOPT: 3,
  TX_TIMESTAMP: 4,
  GETSOCKNAME: 5,
} as const;
/** sqe.splice_flags: splice_fd_in is a direct descriptor. */
export const SPLICE_F_FD_IN_FIXED = 0x8000_0000;

/** file_index that asks the kernel to pick a direct descriptor. */
export const FILE_INDEX_ALLOC = 0xffff_ffff;

/** The working directory, as a descriptor. */
export const AT_FDCWD = -100;
/** unlinkat(2): remove a directory. */
export const AT_REMOVEDIR = 0x200;

/** Address families of socket(2). */
export const AF = { UNSPEC: 0, UNIX: 1, INET: 2, INET6: 10, NETLINK: 16, PACKET: 17, MAX: 46 } as const;
/** Types of socket(2), flags that go with them, and the mask that tells them apart. */
export const SOCK = {
  STREAM: 1,
  DGRAM: 2,
  RAW: 3,
  RDM: 4,
  SEQPACKET: 5,
  PACKET: 10,
  NONBLOCK: 0o4000,
  CLOEXEC: 0o2000000,
  TYPE_MASK: 0xf,
} as const;
/** Flags of send(2) and recv(2). */
export const MSG = { PEEK: 2, DONTWAIT: 0x40, WAITALL: 0x100, NOSIGNAL: 0x4000, FASTOPEN: 0x2000_0000 } as const;
/** Flags of preadv2(2) and pwritev2(2). */
export const RWF = { HIPRI: 1, DSYNC: 2, SYNC: 4, NOWAIT: 8, APPEND: 0x10 } as const;
/** Flags of splice(2). */
export const SPLICE_F = { MOVE: 1, NONBLOCK: 2, MORE: 4, GIFT: 8 } as const;
/** Events of poll(2). */
export const POLL = { IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 0x10, RDNORM: 0x40, WRNORM: 0x100, RDHUP: 0x2000 } as const;
/** open_how.resolve of openat2(2). */
export const RESOLVE = {
  NO_XDEV: 1,
  NO_MAGICLINKS: 2,
  NO_SYMLINKS: 4,
  BENEATH: 8,
  IN_ROOT: 0x10,
  CACHED: 0x20,
} as const;

/** A 32-bit value as the signed number the kernel stores in cqe.res. */
export function asS32(value: number): number {
  return value | 0;
}

/** A signed or oversized number as the u32 the kernel reads. */
export function asU32(value: number): number {
  return value >>> 0;
}
