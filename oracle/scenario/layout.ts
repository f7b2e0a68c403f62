/**
 * The fixed world every scenario finds in the guest: addresses, descriptor
 * numbers and file names. They are constants, so that a scenario is plain data
 * without relocations and a prediction can name them.
 */

/** Virtual address at which every task of a scenario finds the arena. */
export const ARENA_BASE = 0x2000_0000;
/** Arena size in bytes; the page after it is never mapped, so the end is a page boundary to fall off. */
export const ARENA_SIZE = 0x1_8000;
/** First address past the arena (unmapped). */
export const ARENA_END = ARENA_BASE + ARENA_SIZE;

/** Offsets inside the arena. */
export const ARENA = {
  /** Constant image: paths, iovecs, sockaddrs ... (`oracle/world/arena.ts`); restored before every scenario. */
  image: 0x0000,
  image_size: 0x3000,
  /** Data buffers for reads and writes; zero before every scenario. */
  data: 0x3000,
  data_size: 0x1000,
  /** Registration arguments (struct io_uring_bpf, restrictions ...), written by the step that uses them. */
  args: 0x4000,
  args_size: 0x4000,
  /** sock_filter programs: 4096 instructions and slack. */
  program: 0x8000,
  program_size: 0x1_0000,
} as const;

/** Ring slot n (0..15) lives at descriptor RING_FD + n in every task that has it. */
export const RING_FD = 100;
/** Ring slots. */
export const RING_SLOTS = 16;

/** Whether a descriptor is one that only rings have. */
/** Whether a descriptor number is that of a ring slot. */
export function isRingFd(fd: number): boolean {
  return fd >= RING_FD && fd < RING_FD + RING_SLOTS;
}
/** Tasks are numbered 0 (the root) .. MAX_TASKS-1. */
export const MAX_TASKS = 16;

/**
 * Things a scenario may find ready before its first step, created by the root
 * task; each has fixed descriptors (below) or files. Order = bit number in the binary form.
 */
export const FIXTURES = [
  'file', // fd 60: "f0" (regular, 64 bytes "ringfence ..." , read-write), in the scenario's own directory
  'pipe', // fd 61 read end, fd 62 write end
  'socketpair', // fd 63, 64: AF_UNIX SOCK_STREAM
  'eventfd', // fd 65: value 1, EFD_NONBLOCK
  'epoll', // fd 66: empty epoll instance
  'listener', // fd 67: AF_UNIX listener bound to "sock" in the scenario's directory
  'datagram', // fd 68: AF_UNIX SOCK_DGRAM socket, unbound, non-blocking
  'stream', // fd 69: fresh AF_UNIX SOCK_STREAM socket, unbound and unconnected
  'dir', // "d0": empty directory in the scenario's directory
  'pipe_full', // fd 70 read end, fd 71 write end of a second pipe that holds 64 bytes
  // lo is brought up in a network namespace of the guest at boot.
  'loopback', // fd 72: AF_INET TCP listener on 127.0.0.1:7000 (SO_REUSEADDR/PORT)
  'inet', // fd 73: fresh AF_INET SOCK_STREAM socket, non-blocking
] as const;
/** Name of a fixture. */
export type Fixture = (typeof FIXTURES)[number];

/** Descriptor numbers of the fixtures. */
export const FD = {
  file: 60,
  pipe_read: 61,
  pipe_write: 62,
  socketpair_a: 63,
  socketpair_b: 64,
  eventfd: 65,
  epoll: 66,
  listener: 67,
  datagram: 68,
  stream: 69,
  pipe2_read: 70,
  pipe2_write: 71,
  inet_listener: 72,
  inet: 73,
  /** Never open: used where a bad descriptor is wanted. */
  closed: 99,
} as const;

/** The 64 bytes that fixture file "f0" and the full pipe hold. */
export const FILE_CONTENT = 'ringfence: sixty-four bytes of file content, known to everyone.\n';
