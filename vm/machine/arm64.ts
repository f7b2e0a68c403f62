/** arm64 on QEMU's virt board. */
import { OPEN_X86_64 } from '../../oracle/uapi/abi.ts';
import type { Machine } from './machine.ts';

/** Five of the generic values have changed places (UAPI `asm/fcntl.h` of arm64). */
const OPEN = {
  ...OPEN_X86_64,
  O_DIRECT: 0o200000,
  O_DIRECTORY: 0o40000,
  O_NOFOLLOW: 0o100000,
  O_LARGEFILE: 0o400000,
  O_TMPFILE: 0o20040000,
};

/** See Machine. */
export const ARM64: Machine = {
  arch: 'arm64',
  uname: 'aarch64',
  debArch: 'arm64',
  host: 'arm64',
  littleEndian: true,

  qemu: 'qemu-system-aarch64',
  qemuPackage: 'qemu-system-arm',
  board: 'virt',
  // Pointer authentication in QEMU's own, quick way.
  cpu: 'max,pauth-impdef=on',
  serialDevice: 'virtio-serial-pci',
  console: 'ttyAMA0',
  append: [
    // A quarter of the boot: self-tests of crypto, random numbers from jitter, certificates for modules.
    'cryptomgr.notests=1',
    'initcall_blacklist=jent_mod_init,load_system_certificate_list',
    // Security modules without a policy only slow down open and fork.
    'lsm=',
    'audit=0',
  ],
  kernel: {
    boots: 'file',
    magic: { at: 0x38, text: 'ARMd' },
    elfMachine: 183,
    files: 'arch/arm64/boot/Image',
    trees: false,
  },

  triplet: 'aarch64-linux-gnu',
  crossPackage: 'gcc-aarch64-linux-gnu',
  // Atomic operations in line: there is no libgcc to call.
  compilerFlags: ['-mno-outline-atomics'],

  open: OPEN,
  openForceFlags: OPEN.O_LARGEFILE,
  runner: {
    macro: '__aarch64__',
    systemCalls: {
      eventfd2: 19,
      epoll_create1: 20,
      dup3: 24,
      fcntl: 25,
      ioctl: 29,
      mkdirat: 34,
      unlinkat: 35,
      mount: 40,
      ftruncate: 46,
      faccessat: 48,
      chdir: 49,
      openat: 56,
      close: 57,
      pipe2: 59,
      getdents64: 61,
      read: 63,
      write: 64,
      pwrite64: 68,
      ppoll: 73,
      readlinkat: 78,
      capget: 90,
      capset: 91,
      exit: 93,
      exit_group: 94,
      set_tid_address: 96,
      unshare: 97,
      futex: 98,
      nanosleep: 101,
      clock_gettime: 113,
      sched_setscheduler: 119,
      sched_getaffinity: 123,
      sched_yield: 124,
      kill: 129,
      rt_sigaction: 134,
      rt_sigprocmask: 135,
      rt_sigtimedwait: 137,
      reboot: 142,
      syslog: 116,
      uname: 160,
      prctl: 167,
      getpid: 172,
      gettid: 178,
      socket: 198,
      socketpair: 199,
      bind: 200,
      listen: 201,
      connect: 203,
      getpeername: 205,
      setsockopt: 208,
      getsockopt: 209,
      sendmsg: 211,
      recvmsg: 212,
      munmap: 215,
      clone: 220,
      execve: 221,
      mmap: 222,
      mprotect: 226,
      mincore: 232,
      madvise: 233,
      wait4: 260,
      prlimit64: 261,
      statx: 291,
    },
    stub: String.raw`
static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long x8 __asm__("x8") = n;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;
	register long x5 __asm__("x5") = f;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
}

#define PROCESS_ENTRY                                                                                             \
	__asm__(".globl _start\n_start:\n\tmov x29, xzr\n\tmov x30, xzr\n\tmov x0, sp\n\tand sp, x0, #-16\n\tbl " \
		"start\n\tbrk #1\n")

static inline long clone_onto(u64 flags, void *stack_top, void *parent_tid, void (*fn)(void *), void *arg)
{
	register long x8 __asm__("x8") = NR_clone;
	register u64 x0 __asm__("x0") = flags;
	register void *x1 __asm__("x1") = stack_top;
	register void *x2 __asm__("x2") = parent_tid;
	register long x3 __asm__("x3") = 0;
	register long x4 __asm__("x4") = 0;
	register void *x20 __asm__("x20") = (void *)fn;
	register void *x21 __asm__("x21") = arg;

	__asm__ volatile("svc 0\n\tcbnz x0, 1f\n\tmov x29, xzr\n\tmov x0, x21\n\tblr x20\n\tbrk #1\n1:"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x20), "r"(x21)
			 : "memory", "x30");
	return (long)x0;
}

static inline void cpu_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}
`,
  },
};
