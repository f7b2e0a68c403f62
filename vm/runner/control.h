/* The control block: memory that all tasks of a scenario and PID 1 share. It is a
 * file mapped at one fixed address, so it survives fork and can be found after exec. */
#ifndef RINGFENCE_CONTROL_H
#define RINGFENCE_CONTROL_H

#include "protocol.h"
#include "uring.h"

#define IN_SIZE  (4u << 20)
#define OUT_SIZE MAX_GUEST_FRAME

#define CONTROL_PATH "/control"
#define NO_ORIGIN    0xff

struct task {
	u32 go; /* futex: counts the turns handed to this task */
	u32 alive;
	u32 tgid;      /* 0 until known */
	u32 files;     /* number of the descriptor table: the task that began it */
	u32 clear_tid; /* futex: becomes 0 when an exited thread is really gone */
	u32 in_vfork;  /* the parent is suspended until this task execs or exits */
	u32 flags;     /* CLONE_* it was made with beside those of its kind */
	u32 begun;     /* futex: it is ready for its first turn */
};

/* What the newest CQE with a user_data answered, where a LOOK asks for it. */
struct made {
	u64 data;
	s32 res;
	u32 pad;
};

struct control {
	/* One step at a time: who is the owner of step `turn` executes it. */
	u32 owner; /* task + 1 */
	u32 turn;
	u32 nsteps;
	u32 done;
	u32 held_tgid; /* the turn goes on when PID 1 has reaped this process */
	u32 gone;      /* task + 1: the next owner first waits for its clear_tid */
	u32 error;     /* runner error: (what << 16) | errno */
	u32 directory; /* name of the scenario's directory below /s; 0: it needs none */
	u32 image_len;
	u32 needs_mail;
	u32 fixtures;
	u32 id;
	u32 late;         /* a CQE did not come in time: from now on the scenario waits only shortly */
	u32 shared_files; /* processes may close descriptors of each other */
	u32 keep;         /* bit per slot: its mapping outlives its descriptor */
	/* The kernel tells what it compiles: filters registered so far, and those of them that were compiled. */
	u32 listening, traced, compiled;
	u32 nmade;
	u32 pad;
	u64 answers; /* (how many << 32) | offset of the next one in out, in one word */
	struct task task[MAX_TASKS];
	u8 origin[MAX_TASKS][RING_SLOTS]; /* per descriptor table: slot in which the ring there was created */
	struct uring_params ring[RING_SLOTS];
	u32 resized[RING_SLOTS]; /* how often a ring was: older mappings of it are of no use */
	u32 step_at[MAX_STEPS];  /* offsets in in[] */
	struct made made[MAX_STEPS];
	u8 scratch[ARENA_SIZE];
	u8 image[ARENA_SIZE] __attribute__((aligned(4096)));
	u8 in[IN_SIZE] __attribute__((aligned(4096)));
	u8 out[OUT_SIZE] __attribute__((aligned(4096)));
};

/* Below the arena and far from anything the kernel places on its own. */
#define CTL   ((struct control *)0x10000000UL)
#define ARENA ((u8 *)ARENA_BASE)

#define LOAD(p)     __atomic_load_n(p, __ATOMIC_ACQUIRE)
#define STORE(p, v) __atomic_store_n(p, v, __ATOMIC_RELEASE)

/* Our own descriptors; 0..2 are /dev/null, so that the first free one is 3. */
enum {
	FD_MAIL_IN = FD_RINGS + RING_SLOTS, /* mailbox: the end that is sent to */
	FD_MAIL_OUT,
	FD_PORT,
	FD_JIT,
	FD_HARDEN,
	FD_KMSG,
	FD_SCENARIOS, /* the directory of the scenarios' directories */
	FD_WARM,
};

static inline struct step *step_of(u32 i)
{
	return (struct step *)(CTL->in + CTL->step_at[i]);
}

/* Maps the control block; PID 1 makes the file. Returns 0 or -errno. */
int control_map(int make);

/* Ends the scenario with a runner error: the calling process cannot go on. `err` is -errno or 0. */
void task_fail(u32 what, int err) __attribute__((noreturn));

#endif
