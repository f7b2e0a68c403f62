/*
 * What depends on the architecture. Made by `npm run generate` of vm/machine/: change that, not this.
 */
#ifndef RINGFENCE_MACHINES_H
#define RINGFENCE_MACHINES_H

#if defined(__x86_64__)

enum {
	NR_read = 0,
	NR_write = 1,
	NR_close = 3,
	NR_mmap = 9,
	NR_mprotect = 10,
	NR_munmap = 11,
	NR_rt_sigaction = 13,
	NR_rt_sigprocmask = 14,
	NR_ioctl = 16,
	NR_pwrite64 = 18,
	NR_sched_yield = 24,
	NR_mincore = 27,
	NR_madvise = 28,
	NR_nanosleep = 35,
	NR_getpid = 39,
	NR_socket = 41,
	NR_connect = 42,
	NR_sendmsg = 46,
	NR_recvmsg = 47,
	NR_bind = 49,
	NR_listen = 50,
	NR_getpeername = 52,
	NR_socketpair = 53,
	NR_setsockopt = 54,
	NR_getsockopt = 55,
	NR_clone = 56,
	NR_execve = 59,
	NR_exit = 60,
	NR_wait4 = 61,
	NR_kill = 62,
	NR_uname = 63,
	NR_syslog = 103,
	NR_fcntl = 72,
	NR_ftruncate = 77,
	NR_chdir = 80,
	NR_capget = 125,
	NR_capset = 126,
	NR_rt_sigtimedwait = 128,
	NR_sched_setscheduler = 144,
	NR_prctl = 157,
	NR_mount = 165,
	NR_reboot = 169,
	NR_gettid = 186,
	NR_futex = 202,
	NR_sched_getaffinity = 204,
	NR_getdents64 = 217,
	NR_set_tid_address = 218,
	NR_clock_gettime = 228,
	NR_exit_group = 231,
	NR_openat = 257,
	NR_mkdirat = 258,
	NR_unlinkat = 263,
	NR_readlinkat = 267,
	NR_faccessat = 269,
	NR_ppoll = 271,
	NR_unshare = 272,
	NR_eventfd2 = 290,
	NR_epoll_create1 = 291,
	NR_dup3 = 292,
	NR_pipe2 = 293,
	NR_prlimit64 = 302,
	NR_statx = 332,
};

#define FLAG_O_DIRECTORY 0x10000

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

#elif defined(__aarch64__)

enum {
	NR_eventfd2 = 19,
	NR_epoll_create1 = 20,
	NR_dup3 = 24,
	NR_fcntl = 25,
	NR_ioctl = 29,
	NR_mkdirat = 34,
	NR_unlinkat = 35,
	NR_mount = 40,
	NR_ftruncate = 46,
	NR_faccessat = 48,
	NR_chdir = 49,
	NR_openat = 56,
	NR_close = 57,
	NR_pipe2 = 59,
	NR_getdents64 = 61,
	NR_read = 63,
	NR_write = 64,
	NR_pwrite64 = 68,
	NR_ppoll = 73,
	NR_readlinkat = 78,
	NR_capget = 90,
	NR_capset = 91,
	NR_exit = 93,
	NR_exit_group = 94,
	NR_set_tid_address = 96,
	NR_unshare = 97,
	NR_futex = 98,
	NR_nanosleep = 101,
	NR_clock_gettime = 113,
	NR_sched_setscheduler = 119,
	NR_sched_getaffinity = 123,
	NR_sched_yield = 124,
	NR_kill = 129,
	NR_rt_sigaction = 134,
	NR_rt_sigprocmask = 135,
	NR_rt_sigtimedwait = 137,
	NR_reboot = 142,
	NR_syslog = 116,
	NR_uname = 160,
	NR_prctl = 167,
	NR_getpid = 172,
	NR_gettid = 178,
	NR_socket = 198,
	NR_socketpair = 199,
	NR_bind = 200,
	NR_listen = 201,
	NR_connect = 203,
	NR_getpeername = 205,
	NR_setsockopt = 208,
	NR_getsockopt = 209,
	NR_sendmsg = 211,
	NR_recvmsg = 212,
	NR_munmap = 215,
	NR_clone = 220,
	NR_execve = 221,
	NR_mmap = 222,
	NR_mprotect = 226,
	NR_mincore = 232,
	NR_madvise = 233,
	NR_wait4 = 260,
	NR_prlimit64 = 261,
	NR_statx = 291,
};

#define FLAG_O_DIRECTORY 0x4000

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

#else
#error "no machine of vm/machine/ is of this architecture"
#endif

#endif
