/* The io_uring ABI as far as the runner needs it. Our own definitions: the
 * headers of the build machine may be older than the kernel under test. */
#ifndef RINGFENCE_URING_H
#define RINGFENCE_URING_H

#include "sys.h"

struct sq_offsets {
	u32 head, tail, ring_mask, ring_entries, flags, dropped, array, resv;
	u64 user_addr;
};

struct cq_offsets {
	u32 head, tail, ring_mask, ring_entries, overflow, cqes, flags, resv;
	u64 user_addr;
};

struct uring_params {
	u32 sq_entries, cq_entries, flags, sq_thread_cpu, sq_thread_idle, features, wq_fd, resv[3];
	struct sq_offsets sq;
	struct cq_offsets cq;
};

struct cqe {
	u64 user_data;
	s32 res;
	u32 flags;
};

struct getevents_arg {
	u64 sigmask;
	u32 sigmask_sz;
	u32 min_wait_usec;
	u64 ts;
};

enum {
	SETUP_IOPOLL = 1 << 0,
	SETUP_SQPOLL = 1 << 1,
	SETUP_SQE128 = 1 << 10,
	SETUP_CQE32 = 1 << 11,
	SETUP_DEFER_TASKRUN = 1 << 13,
	SETUP_NO_SQARRAY = 1 << 16,
	SETUP_CQE_MIXED = 1 << 18,
	SETUP_SQE_MIXED = 1 << 19,
	SETUP_SQ_REWIND = 1 << 20,
};
enum { ENTER_GETEVENTS = 1, ENTER_SQ_WAKEUP = 2, ENTER_EXT_ARG = 8, ENTER_REGISTERED = 16 };
enum { SQ_CQ_OVERFLOW = 2 };
enum { CQE_SKIP = 1 << 5, CQE_WIDE = 1 << 15 };
enum { OFF_RINGS = 0, OFF_SQES = 0x10000000 };
enum { REGISTER_RESIZE_RINGS = 33, REGISTER_BPF_FILTER = 37 };

static inline int uring_setup(u32 entries, struct uring_params *p)
{
	return (int)sys2(NR_io_uring_setup, entries, p);
}

static inline int uring_enter(int fd, u32 submit, u32 wait, u32 flags, void *arg, u64 size)
{
	return (int)sys6(NR_io_uring_enter, fd, submit, wait, flags, L(arg), L(size));
}

static inline int uring_register(int fd, u32 opcode, void *arg, u32 nr)
{
	return (int)sys4(NR_io_uring_register, fd, opcode, arg, nr);
}

#endif
