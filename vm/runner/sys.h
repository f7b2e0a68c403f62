/* System calls without a C library: one inline stub per architecture, the call
 * numbers, and the few constants and structures of the Linux ABI we need. */
#ifndef RINGFENCE_SYS_H
#define RINGFENCE_SYS_H

#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t s32;
typedef int64_t s64;

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
	NR_setsockopt = 54,
	NR_socketpair = 53,
	NR_clone = 56,
	NR_execve = 59,
	NR_exit = 60,
	NR_wait4 = 61,
	NR_kill = 62,
	NR_uname = 63,
	NR_fcntl = 72,
	NR_ftruncate = 77,
	NR_chdir = 80,
	NR_capget = 125,
	NR_capset = 126,
	NR_sched_setscheduler = 144,
	NR_rt_sigtimedwait = 128,
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
	NR_faccessat = 269,
	NR_ppoll = 271,
	NR_unshare = 272,
	NR_eventfd2 = 290,
	NR_epoll_create1 = 291,
	NR_dup3 = 292,
	NR_pipe2 = 293,
	NR_prlimit64 = 302,
};

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

/* The process begins here; the kernel leaves argc and argv on the stack. */
#define PROCESS_ENTRY \
	__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n\thlt\n")

/* clone(2) where the child runs fn(arg) on a stack of its own and never returns. */
static inline long clone_onto(u64 flags, void *stack_top, void (*fn)(void *), void *arg)
{
	register void *r8 __asm__("r8") = 0;
	register void *r10 __asm__("r10") = 0;
	register void *r12 __asm__("r12") = (void *)fn;
	register void *r13 __asm__("r13") = arg;
	long ret;

	__asm__ volatile("syscall\n\ttest %%rax, %%rax\n\tjnz 1f\n\txor %%ebp, %%ebp\n\tmov %%r13, %%rdi\n\tcall "
			 "*%%r12\n\thlt\n1:"
			 : "=a"(ret)
			 : "a"((long)NR_clone), "D"(flags), "S"(stack_top), "d"(0), "r"(r10), "r"(r8), "r"(r12),
			   "r"(r13)
			 : "rcx", "r11", "memory");
	return ret;
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#define FLAG_O_DIRECTORY 0200000

#elif defined(__aarch64__)

enum {
	NR_fcntl = 25,
	NR_dup3 = 24,
	NR_eventfd2 = 19,
	NR_epoll_create1 = 20,
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
	NR_capget = 90,
	NR_capset = 91,
	NR_exit = 93,
	NR_exit_group = 94,
	NR_set_tid_address = 96,
	NR_unshare = 97,
	NR_futex = 98,
	NR_sched_setscheduler = 119,
	NR_nanosleep = 101,
	NR_clock_gettime = 113,
	NR_sched_getaffinity = 123,
	NR_sched_yield = 124,
	NR_kill = 129,
	NR_rt_sigaction = 134,
	NR_rt_sigprocmask = 135,
	NR_rt_sigtimedwait = 137,
	NR_reboot = 142,
	NR_uname = 160,
	NR_prctl = 167,
	NR_getpid = 172,
	NR_gettid = 178,
	NR_socket = 198,
	NR_socketpair = 199,
	NR_bind = 200,
	NR_listen = 201,
	NR_connect = 203,
	NR_setsockopt = 208,
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
};

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

static inline long clone_onto(u64 flags, void *stack_top, void (*fn)(void *), void *arg)
{
	register long x8 __asm__("x8") = NR_clone;
	register u64 x0 __asm__("x0") = flags;
	register void *x1 __asm__("x1") = stack_top;
	register long x2 __asm__("x2") = 0;
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

#define FLAG_O_DIRECTORY 040000

#else
#error "no system call stub for this architecture"
#endif

/* These have one number everywhere. */
enum {
	NR_io_uring_setup = 425,
	NR_io_uring_enter = 426,
	NR_io_uring_register = 427,
	NR_pidfd_open = 434,
	NR_clone3 = 435,
	NR_pidfd_getfd = 438
};

#define L(x)                   ((long)(x))
#define sys0(n)                sys6(n, 0, 0, 0, 0, 0, 0)
#define sys1(n, a)             sys6(n, L(a), 0, 0, 0, 0, 0)
#define sys2(n, a, b)          sys6(n, L(a), L(b), 0, 0, 0, 0)
#define sys3(n, a, b, c)       sys6(n, L(a), L(b), L(c), 0, 0, 0)
#define sys4(n, a, b, c, d)    sys6(n, L(a), L(b), L(c), L(d), 0, 0)
#define sys5(n, a, b, c, d, e) sys6(n, L(a), L(b), L(c), L(d), L(e), 0)

enum {
	E_PERM = 1,
	E_NOENT = 2,
	E_INTR = 4,
	E_BADF = 9,
	E_CHILD = 10,
	E_AGAIN = 11,
	E_INVAL = 22,
	E_TIME = 62,
	E_BADFD = 77,
};

#define AT_CWD        (-100)
#define AT_REMOVE_DIR 0x200

enum {
	O_READ = 0,
	O_WRITE = 1,
	O_BOTH = 2,
	O_CREATE = 0100,
	O_TRUNCATE = 01000,
	O_NOWAIT = 04000,
	O_CLOSE_ON_EXEC = 02000000,
};

enum { PROT_R = 1, PROT_W = 2 };
enum { MAP_SHARE = 1, MAP_PRIV = 2, MAP_AT = 0x10, MAP_ANON = 0x20, MAP_FILL = 0x8000 };
enum { FUTEX_OP_WAIT = 0, FUTEX_OP_WAKE = 1 };

enum {
	CLONE_SHARE_VM = 0x100,
	CLONE_SHARE_FS = 0x200,
	CLONE_SHARE_FILES = 0x400,
	CLONE_SHARE_SIGHAND = 0x800,
	CLONE_WAIT_VFORK = 0x4000,
	CLONE_SAME_PARENT = 0x8000,
	CLONE_SAME_GROUP = 0x10000,
	CLONE_SHARE_SYSVSEM = 0x40000,
	CLONE_USER_NS = 0x10000000,
};

enum { SIG_KILL = 9, SIG_PIPE = 13, SIG_CHILD = 17 };
enum { WAIT_NOHANG = 1, WAIT_ALL = 0x40000000 };

enum { AF_LOCAL = 1, AF_IP = 2, TYPE_STREAM = 1, TYPE_DGRAM = 2, TYPE_SEQPACKET = 5, TYPE_NONBLOCK = 04000 };
enum { MSG_NOBLOCK = 0x40 };

struct timespec64 {
	s64 sec;
	s64 nsec;
};

struct iovec64 {
	void *base;
	u64 len;
};

struct msghdr64 {
	void *name;
	u32 namelen;
	struct iovec64 *iov;
	u64 iovlen;
	void *control;
	u64 controllen;
	u32 flags;
};

/* A control message with one descriptor. */
struct rights {
	u64 len;
	s32 level;
	s32 type;
	s32 fd;
	u32 pad;
};

enum { POLL_IN = 1, POLL_OUT = 4, POLL_HANGUP = 0x10 };

struct pollfd32 {
	s32 fd;
	u16 events;
	u16 revents;
};

static inline int sys_close(int fd)
{
	return (int)sys1(NR_close, fd);
}
static inline int sys_open(const char *path, int flags, int mode)
{
	return (int)sys4(NR_openat, AT_CWD, path, flags, mode);
}

static inline u64 now_ns(void)
{
	struct timespec64 ts;

	sys2(NR_clock_gettime, 1 /* CLOCK_MONOTONIC */, &ts);
	return (u64)ts.sec * 1000000000u + (u64)ts.nsec;
}

static inline void sleep_ns(u64 ns)
{
	struct timespec64 ts = { (s64)(ns / 1000000000u), (s64)(ns % 1000000000u) };

	sys2(NR_nanosleep, &ts, 0);
}

#endif
