/* System calls without a C library, and the few constants and structures of the Linux ABI we need. */
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

#include "machines.h"

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
	E_ISDIR = 21,
	E_INVAL = 22,
	E_FBIG = 27,
	E_PIPE = 32,
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
