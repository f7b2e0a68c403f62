/** What a row of the table of machines says: all that depends on a guest's architecture. */
import type { OpenFlagValues } from '../../oracle/uapi/abi.ts';

/** System calls of the runner that have a number on each architecture; the newer ones have one everywhere. */
export const SYSTEM_CALL_NAMES = [
  'bind',
  'capget',
  'capset',
  'chdir',
  'clock_gettime',
  'clone',
  'close',
  'connect',
  'dup3',
  'epoll_create1',
  'eventfd2',
  'execve',
  'exit',
  'exit_group',
  'faccessat',
  'fcntl',
  'ftruncate',
  'futex',
  'getdents64',
  'getpeername',
  'getpid',
  'getsockopt',
  'gettid',
  'ioctl',
  'kill',
  'listen',
  'madvise',
  'mincore',
  'mkdirat',
  'mmap',
  'mount',
  'mprotect',
  'munmap',
  'nanosleep',
  'openat',
  'pipe2',
  'ppoll',
  'prctl',
  'prlimit64',
  'pwrite64',
  'read',
  'readlinkat',
  'reboot',
  'recvmsg',
  'rt_sigaction',
  'rt_sigprocmask',
  'rt_sigtimedwait',
  'sched_getaffinity',
  'sched_setscheduler',
  'sched_yield',
  'sendmsg',
  'set_tid_address',
  'setsockopt',
  'socket',
  'socketpair',
  'statx',
  'syslog',
  'uname',
  'unlinkat',
  'unshare',
  'wait4',
  'write',
] as const;

/** How kernels of this architecture come, and what of them QEMU is given. */
export interface KernelForm {
  /** `payload`: the ELF image inside a bzImage, entered through PVH; `file`: the image as it is. */
  readonly boots: 'payload' | 'file';
  /** What an image has at an offset, in latin1; a vmlinux is known by its ELF header. */
  readonly magic: { readonly at: number; readonly text: string };
  /** `e_machine` of a vmlinux. */
  readonly elfMachine: number;
  /** Below a source tree, what a user gives: for messages. */
  readonly files: string;
  /** Whether kernels are taken out of source trees, and built there. */
  readonly trees: boolean;
}

/** What the host must know about a guest's architecture. */
export interface Machine {
  /** Name of the architecture, as `make ARCH=` and `--arch` take it. */
  readonly arch: string;
  /** What `uname -m` prints. */
  readonly uname: string;
  /** Name of the architecture in Debian's archive. */
  readonly debArch: string;
  /** What Node.js calls a host of this architecture (`process.arch`). */
  readonly host: NodeJS.Architecture;
  readonly littleEndian: boolean;

  /** QEMU binary and the Debian package that holds it. */
  readonly qemu: string;
  readonly qemuPackage: string;
  /** Values of QEMU's `-M` and of `-cpu` under TCG. */
  readonly board: string;
  readonly cpu: string;
  /** QEMU's device that carries virtio-serial ports. */
  readonly serialDevice: string;
  /** Kernel console on the first serial port. */
  readonly console: string;
  /** Kernel parameters that shorten the boot and hide no report. */
  readonly append: readonly string[];
  readonly kernel: KernelForm;

  /** Prefix of the compiler's name where the host is another machine, and Debian's package of it. */
  readonly triplet: string;
  readonly crossPackage: string;
  /** Options of the compiler that only this architecture needs. */
  readonly compilerFlags: readonly string[];

  /** open(2)'s flags, and what the kernel adds to them on its own (O_LARGEFILE). */
  readonly open: OpenFlagValues;
  readonly openForceFlags: number;
  readonly runner: {
    /** The compiler's macro for this architecture. */
    readonly macro: string;
    readonly systemCalls: Readonly<Record<(typeof SYSTEM_CALL_NAMES)[number], number>>;
    /**
     * C: `sys6` makes a system call of six arguments; PROCESS_ENTRY calls `start` with the address of what the kernel
     * left on the stack; `clone_onto` is clone(2) where the child runs `fn(arg)` on a stack of its own and never
     * returns; `cpu_relax` is a pause in a busy loop.
     */
    readonly stub: string;
  };
}
