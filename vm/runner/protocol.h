/*
 * What travels between host and guest, and the fixed world that every scenario finds. Made by `npm run generate`
 * of vm/protocol/table.ts, oracle/steps/kind/ and oracle/scenario/layout.ts: change those, not this.
 */
#ifndef RINGFENCE_PROTOCOL_H
#define RINGFENCE_PROTOCOL_H

#include "sys.h"

#define PROTOCOL_VERSION 3
#define PORT_NAME        "org.ringfence.0"
#define MAX_FRAME        0x100000u
#define MAX_GUEST_FRAME  0x200000u
#define MAX_STEPS        4096
#define MAX_DEADLINE_MS  600000u

enum {
	FRAME_IMAGE = 0x4d494652,
	FRAME_SCENARIO = 0x43534652,
	FRAME_BENCH = 0x4e424652,
	FRAME_READ = 0x44524652,
	FRAME_WRITE = 0x52574652,
	FRAME_BYE = 0x59424652,
	FRAME_HELLO = 0x49484652,
	FRAME_BEGIN = 0x4f474652,
	FRAME_RESULT = 0x45524652,
	FRAME_BENCHED = 0x44424652,
	FRAME_FILE = 0x4c464652,
	FRAME_STUCK = 0x54534652,
	FRAME_ERROR = 0x52454652,
};

struct frame {
	u32 magic;
	u32 length;
	u32 id;
	u32 extra;
};

struct scenario_frame {
	struct frame frame;
	u32 deadline_ms;
	u32 fixtures;
	u32 flags;
	u32 nsteps;
	u8 steps[];
};
_Static_assert(sizeof(struct scenario_frame) == 32, "scenario_frame");

struct bench_frame {
	struct frame frame;
	u32 which;
	u32 iterations;
};
_Static_assert(sizeof(struct bench_frame) == 24, "bench_frame");

struct write_frame {
	struct frame frame;
	u32 length;
	u32 zero;
	u8 bytes[];
};
_Static_assert(sizeof(struct write_frame) == 24, "write_frame");

struct hello_frame {
	struct frame frame;
	u32 version;
	u32 cpus;
	char release[64];
	char machine[64];
	u32 features;
	u32 zero;
};
_Static_assert(sizeof(struct hello_frame) == 160, "hello_frame");

struct result_frame {
	struct frame frame;
	u32 status;
	u32 detail;
	u64 exec_ns;
	u64 idle_ns;
	u32 nsteps;
	u16 traced;
	u16 compiled;
	u8 steps[];
};
_Static_assert(sizeof(struct result_frame) == 48, "result_frame");

struct benched_frame {
	struct frame frame;
	u32 which;
	u32 iterations;
	u64 ns;
};
_Static_assert(sizeof(struct benched_frame) == 32, "benched_frame");

struct file_frame {
	struct frame frame;
	s32 status;
	u32 kind;
	u32 length;
	u32 last;
	u8 bytes[];
};
_Static_assert(sizeof(struct file_frame) == 32, "file_frame");

enum {
	SCENARIO_JIT = 1,
	SCENARIO_TRACES = 2,
	SCENARIO_HARDEN = 4,
	SCENARIO_HARDEN_ALL = 8,
};

enum {
	FEATURE_INTERPRETER = 1,
	FEATURE_LINE = 2,
	FEATURE_JIT = 4,
	FEATURE_HARDEN = 8,
	FEATURE_TRACES = 16,
};

enum {
	KIND_FILE = 0,
	KIND_DIRECTORY = 1,
};

enum {
	BENCH_RING = 0,
	BENCH_FORK = 1,
	BENCH_VFORK = 2,
	BENCH_REGISTER = 3,
	BENCH_REFUSE = 4,
	BENCH_NOP = 5,
	BENCH_NOP64 = 6,
};

struct step {
	u8 op;
	u8 task;
	u16 flags;
	u32 length;
	u8 payload[];
};
_Static_assert(sizeof(struct step) == 8, "step");

enum {
	OP_CALL = 1,
	OP_RING = 2,
	OP_SUBMIT = 3,
	OP_SPAWN = 4,
	OP_EXEC = 5,
	OP_EXIT = 6,
	OP_SEND = 7,
	OP_RECEIVE = 8,
	OP_CLOSE = 9,
	OP_REAP = 10,
	OP_DROPCAP = 11,
	OP_UNSHARE = 12,
	OP_TAKE = 13,
	OP_LOOK = 14,
	OP_END = 15,
};

struct step_call {
	struct step step;
	u32 call;
	u32 read_at;
	u32 read_len;
	u32 mode;
	u64 args[6];
	u32 nwrites;
	u32 again;
	u8 writes[];
};
_Static_assert(sizeof(struct step_call) == 80, "step_call");

struct step_ring {
	struct step step;
	u32 slot;
	u32 entries;
	u32 setup_flags;
	u32 cq_entries;
	s32 wq_fd;
	u32 resv_0;
	u32 resv_1;
	u32 resv_2;
	u32 without;
	u32 memory;
	u32 others;
	u32 zero;
};
_Static_assert(sizeof(struct step_ring) == 56, "step_ring");

struct step_submit {
	struct step step;
	u32 slot;
	s32 enter_fd;
	u32 enter_flags;
	u32 nsqes;
	u32 wait;
	u32 want;
	u32 own;
	u32 each;
	u32 dropped;
	u32 halved;
	u64 sqes[][8];
};
_Static_assert(sizeof(struct step_submit) == 48, "step_submit");

struct step_spawn {
	struct step step;
	u32 how;
	u32 child;
	u32 flags;
	u32 zero;
};
_Static_assert(sizeof(struct step_spawn) == 24, "step_spawn");

struct step_exec {
	struct step step;
};
_Static_assert(sizeof(struct step_exec) == 8, "step_exec");

struct step_exit {
	struct step step;
};
_Static_assert(sizeof(struct step_exit) == 8, "step_exit");

struct step_send {
	struct step step;
	u32 slot;
	u32 zero;
};
_Static_assert(sizeof(struct step_send) == 16, "step_send");

struct step_receive {
	struct step step;
	u32 slot;
	u32 zero;
};
_Static_assert(sizeof(struct step_receive) == 16, "step_receive");

struct step_close {
	struct step step;
	u32 slot;
	u32 keep;
};
_Static_assert(sizeof(struct step_close) == 16, "step_close");

struct step_reap {
	struct step step;
	u32 slot;
	u32 wait;
};
_Static_assert(sizeof(struct step_reap) == 16, "step_reap");

struct step_dropcap {
	struct step step;
};
_Static_assert(sizeof(struct step_dropcap) == 8, "step_dropcap");

struct step_unshare {
	struct step step;
};
_Static_assert(sizeof(struct step_unshare) == 8, "step_unshare");

struct step_take {
	struct step step;
	u32 slot;
	u32 from_task;
	u32 from_slot;
	u32 zero;
};
_Static_assert(sizeof(struct step_take) == 24, "step_take");

struct step_look {
	struct step step;
	u32 aspect;
	s32 fd;
	u32 data_low;
	u32 data_high;
};
_Static_assert(sizeof(struct step_look) == 24, "step_look");

enum {
	CALL_REGISTER = 1,
	CALL_PRCTL = 2,
	CALL_FACCESSAT = 3,
	CALL_FCNTL = 4,
	CALL_NONE = 5,
};

enum {
	MODE_READ_ONLY = 1,
	MODE_REPORT_ALWAYS = 2,
	MODE_POSITIVE_IS_ZERO = 4,
};

enum {
	WITHOUT_NOTHING = 0,
	WITHOUT_PARAMS = 1,
	WITHOUT_WRITABLE_PARAMS = 2,
	WITHOUT_DESCRIPTOR = 3,
	WITHOUT_FILE = 4,
};

enum {
	HOW_FORK = 0,
	HOW_VFORK = 1,
	HOW_THREAD = 2,
	HOW_CLONE_VM = 3,
	HOW_CLONE3 = 4,
};

enum {
	ASPECT_SOCKET = 0,
	ASPECT_FILE = 1,
	ASPECT_PEER = 2,
};

struct write_head {
	u32 offset;
	u32 length;
	u8 bytes[];
};
_Static_assert(sizeof(struct write_head) == 8, "write_head");

/* X(NAME, name) for each operation. */
/* clang-format off */
#define OPERATIONS(X) \
	X(CALL, call) \
	X(RING, ring) \
	X(SUBMIT, submit) \
	X(SPAWN, spawn) \
	X(EXEC, exec) \
	X(EXIT, exit) \
	X(SEND, send) \
	X(RECEIVE, receive) \
	X(CLOSE, close) \
	X(REAP, reap) \
	X(DROPCAP, dropcap) \
	X(UNSHARE, unshare) \
	X(TAKE, take) \
	X(LOOK, look)
/* clang-format on */

/* X(NAME, name, field, limit) for each field that must be less than its limit. */
/* clang-format off */
#define LIMITED_FIELDS(X) \
	X(RING, ring, slot, 16) \
	X(RING, ring, without, 5) \
	X(SUBMIT, submit, slot, 16) \
	X(SPAWN, spawn, how, 5) \
	X(SPAWN, spawn, child, 16) \
	X(SEND, send, slot, 16) \
	X(RECEIVE, receive, slot, 16) \
	X(CLOSE, close, slot, 16) \
	X(REAP, reap, slot, 16) \
	X(TAKE, take, slot, 16) \
	X(TAKE, take, from_task, 16) \
	X(TAKE, take, from_slot, 16) \
	X(LOOK, look, aspect, 3)
/* clang-format on */

/* X(NAME, name, field, size) for each field that counts items of `size` bytes, which fill the rest of the step. */
/* clang-format off */
#define COUNTING_FIELDS(X) \
	X(SUBMIT, submit, nsqes, 64)
/* clang-format on */

/* X(opcode) for each request whose entry takes 128 bytes. */
/* clang-format off */
#define WIDE_OPCODES(X) \
	X(63) \
	X(64)
/* clang-format on */

#define ANNOUNCED_WARM_UP   0xfffffffeu
#define ANNOUNCED_POWER_OFF 0xffffffffu

enum {
	STATUS_DONE = 0,
	STATUS_DEADLINE = 1,
	STATUS_SIGNAL = 2,
	STATUS_ERROR = 3,
};

enum {
	ERR_DIRECTORY = 1,
	ERR_FIXTURE = 2,
	ERR_MAILBOX = 3,
	ERR_ANSWERS_FULL = 4,
	ERR_JIT = 5,
	ERR_SPAWN = 6,
	ERR_ARENA = 7,
};

struct answer_head {
	u8 reached;
	u8 nreturns;
	u16 ncqes;
	u32 memory_len;
};
_Static_assert(sizeof(struct answer_head) == 8, "answer_head");

#define ARENA_BASE      0x20000000UL
#define ARENA_SIZE      0x18000UL
#define ARENA_ARGS      0x4000UL
#define ARENA_ARGS_SIZE 0x4000UL
#define ARENA_PROGRAM   0x8000UL
#define MAX_TASKS       16
#define RING_SLOTS      16

/* Fixtures, by bit; their descriptors, and that of the first ring. */
enum {
	FIXTURE_FILE = 0,
	FIXTURE_PIPE = 1,
	FIXTURE_SOCKETPAIR = 2,
	FIXTURE_EVENTFD = 3,
	FIXTURE_EPOLL = 4,
	FIXTURE_LISTENER = 5,
	FIXTURE_DATAGRAM = 6,
	FIXTURE_STREAM = 7,
	FIXTURE_DIR = 8,
	FIXTURE_PIPE_FULL = 9,
	FIXTURE_LOOPBACK = 10,
	FIXTURE_INET = 11,
};

enum {
	FD_FILE = 60,
	FD_PIPE_READ = 61,
	FD_PIPE_WRITE = 62,
	FD_SOCKETPAIR_A = 63,
	FD_SOCKETPAIR_B = 64,
	FD_EVENTFD = 65,
	FD_EPOLL = 66,
	FD_LISTENER = 67,
	FD_DATAGRAM = 68,
	FD_STREAM = 69,
	FD_PIPE2_READ = 70,
	FD_PIPE2_WRITE = 71,
	FD_INET_LISTENER = 72,
	FD_INET = 73,
	FD_CLOSED = 99,
	FD_RINGS = 100,
};

/* Content of the fixture file and of the full pipe. */
#define FILE_CONTENT "ringfence: sixty-four bytes of file content, known to everyone.\n"

#endif
