/** x86-64 on QEMU's q35 board. */
import { OPEN_X86_64 } from '../../oracle/uapi/abi.ts';
import type { Machine } from './machine.ts';

/** See Machine. */
export const X86_64: Machine = {
  arch: 'x86_64',
  uname: 'x86_64',
  debArch: 'amd64',
  host: 'x64',
  littleEndian: true,

  qemu: 'qemu-system-x86_64',
  qemuPackage: 'qemu-system-x86',
  board: 'q35,vmport=off,smm=off,graphics=off',
  cpu: 'max',
  serialDevice: 'virtio-serial-pci',
  console: 'ttyS0',
  append: [
    // The clock is QEMU's: nothing to calibrate, and no false alarm about it when the host is busy.
    'tsc=reliable',
    'no_timer_check',
    // A quarter of the boot: self-tests of crypto, random numbers from jitter, certificates for modules.
    'cryptomgr.notests=1',
    'initcall_blacklist=jent_mod_init,load_system_certificate_list',
    // Security modules without a policy only slow down open and fork.
    'lsm=',
    'audit=0',
  ],
  kernel: {
    boots: 'payload',
    magic: { at: 0x202, text: 'HdrS' },
    elfMachine: 62,
    files: 'arch/x86/boot/bzImage or vmlinux',
    trees: true,
  },

  triplet: 'x86_64-linux-gnu',
  crossPackage: 'gcc-x86-64-linux-gnu',
  compilerFlags: [],

  open: OPEN_X86_64,
  openForceFlags: OPEN_X86_64.O_LARGEFILE,
  runner: {
    macro: '__x86_64__',
    systemCalls: {
      read: 0,
      write: 1,
      close: 3,
      mmap: 9,
      mprotect: 10,
      munmap: 11,
      rt_sigaction: 13,
      rt_sigprocmask: 14,
      ioctl: 16,
      pwrite64: 18,
      sched_yield: 24,
      mincore: 27,
      madvise: 28,
      nanosleep: 35,
      getpid: 39,
      socket: 41,
      connect: 42,
      sendmsg: 46,
      recvmsg: 47,
      bind: 49,
      listen: 50,
      getpeername: 52,
      socketpair: 53,
      setsockopt: 54,
      getsockopt: 55,
      clone: 56,
      execve: 59,
      exit: 60,
      wait4: 61,
      kill: 62,
      uname: 63,
      syslog: 103,
      fcntl: 72,
      ftruncate: 77,
      chdir: 80,
      capget: 125,
      capset: 126,
      rt_sigtimedwait: 128,
      sched_setscheduler: 144,
      prctl: 157,
      mount: 165,
      reboot: 169,
      gettid: 186,
      futex: 202,
      sched_getaffinity: 204,
      getdents64: 217,
      set_tid_address: 218,
      clock_gettime: 228,
      exit_group: 231,
      openat: 257,
      mkdirat: 258,
      unlinkat: 263,
      readlinkat: 267,
      faccessat: 269,
      ppoll: 271,
      unshare: 272,
      eventfd2: 290,
      epoll_create1: 291,
      dup3: 292,
      pipe2: 293,
      prlimit64: 302,
      statx: 332,
    },
    stub: String.raw`
static inline long sys6(long n, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	register long r9 __asm__("r9") = f;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
}

#define PROCESS_ENTRY \
	__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n\thlt\n")

static inline long clone_onto(u64 flags, void *stack_top, void *parent_tid, void (*fn)(void *), void *arg)
{
	register void *r8 __asm__("r8") = 0;
	register void *r10 __asm__("r10") = 0;
	register void *r12 __asm__("r12") = (void *)fn;
	register void *r13 __asm__("r13") = arg;
	long ret;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tmov %%r13, %%rdi\n\tcall "
			 "*%%r12\n\thlt\n1:"
			 : "=a"(ret)
			 : "a"((long)NR_clone), "D"(flags), "S"(stack_top), "d"(parent_tid), "r"(r10), "r"(r8),
			   "r"(r12), "r"(r13)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}
`,
  },
};
