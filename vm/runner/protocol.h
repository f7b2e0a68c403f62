/* Frames and steps as they travel; described in ../PROTOCOL.md. */
#ifndef RINGFENCE_PROTOCOL_H
#define RINGFENCE_PROTOCOL_H

#include "sys.h"

#define PROTOCOL_VERSION 1
#define TAG(a, b, c, d)  ((u32)(a) | (u32)(b) << 8 | (u32)(c) << 16 | (u32)(d) << 24)

enum {
	FRAME_IMAGE = (int)TAG('R', 'F', 'I', 'M'),
	FRAME_SCENARIO = (int)TAG('R', 'F', 'S', 'C'),
	FRAME_BENCH = (int)TAG('R', 'F', 'B', 'N'),
	FRAME_BYE = (int)TAG('R', 'F', 'B', 'Y'),
	FRAME_HELLO = (int)TAG('R', 'F', 'H', 'I'),
	FRAME_BEGIN = (int)TAG('R', 'F', 'G', 'O'),
	FRAME_RESULT = (int)TAG('R', 'F', 'R', 'E'),
	FRAME_BENCHED = (int)TAG('R', 'F', 'B', 'D'),
	FRAME_ERROR = (int)TAG('R', 'F', 'E', 'R'),
};

struct frame {
	u32 magic, length, id, extra;
};

struct scenario_frame {
	struct frame frame;
	u32 deadline_ms, fixtures, flags, nsteps;
	u8 steps[];
};
enum { SCENARIO_JIT = 1 };

struct step {
	u8 op, task;
	u16 flags;
	u32 length;
	u8 payload[];
};

enum {
	OP_CALL = 1,
	OP_RING,
	OP_SUBMIT,
	OP_SPAWN,
	OP_EXEC,
	OP_EXIT,
	OP_SEND,
	OP_RECEIVE,
	OP_CLOSE,
	OP_REAP,
	OP_DROPCAP,
	OP_UNSHARE,
	OP_TAKE,
	OP_END,
};

struct write_head {
	u32 offset, length;
	u8 bytes[];
};

struct step_call {
	struct step step;
	u32 call, read_at, read_len, mode;
	u64 args[6];
	u32 nwrites, zero;
	u8 writes[];
};
enum { CALL_REGISTER = 1, CALL_PRCTL, CALL_FACCESSAT, CALL_FCNTL, CALL_NONE };
enum { MODE_READ_ONLY = 1, MODE_REPORT_ALWAYS = 2, MODE_POSITIVE_IS_ZERO = 4 };

struct step_ring {
	struct step step;
	u32 slot, entries, setup_flags, zero;
};

struct step_submit {
	struct step step;
	u32 slot;
	s32 enter_fd;
	u32 enter_flags, nsqes, wait, want, own, zero;
	u64 sqes[][8];
};

struct step_spawn {
	struct step step;
	u32 how, child;
};
enum { HOW_FORK, HOW_VFORK, HOW_THREAD, HOW_CLONE_VM, HOW_CLONE3, HOW_END };

/* SEND, RECEIVE, CLOSE (arg bit 0: keep the mapping), REAP (arg: CQEs to wait for). */
struct step_slot {
	struct step step;
	u32 slot, arg;
};

struct step_take {
	struct step step;
	u32 slot, from_task, from_slot, zero;
};

struct hello_frame {
	struct frame frame;
	u32 version, cpus;
	char release[64], machine[64];
	u32 features, zero;
};
enum { FEATURE_INTERPRETER = 1, FEATURE_LINE = 2 };

struct result_frame {
	struct frame frame;
	u32 status, detail;
	u64 exec_ns, idle_ns;
	u32 nsteps, zero;
	u8 steps[];
};
enum { STATUS_DONE, STATUS_DEADLINE, STATUS_SIGNAL, STATUS_ERROR };

struct answer_head {
	u8 reached, nreturns;
	u16 ncqes;
	u32 memory_len;
};

struct bench_frame {
	struct frame frame;
	u32 which, iterations;
};

struct benched_frame {
	struct frame frame;
	u32 which, iterations;
	u64 ns;
};

#endif
