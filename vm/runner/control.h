/* The control block: memory that all tasks of a scenario and PID 1 share. It is a
 * file mapped at one fixed address, so it survives fork and can be found after exec. */
#ifndef RINGFENCE_CONTROL_H
#define RINGFENCE_CONTROL_H

#include "protocol.h"
#include "uring.h"

#define ARENA_BASE      0x20000000UL
#define ARENA_SIZE      0x18000UL
#define ARENA_ARGS      0x4000UL
#define ARENA_ARGS_SIZE 0x4000UL
#define ARENA_PROGRAM   0x8000UL
#define MAX_TASKS       16
#define RING_SLOTS      16
#define MAX_STEPS       4096
#define MAX_FRAME       (1u << 20)
#define IN_SIZE         (4u << 20)
#define OUT_SIZE        (2u << 20)

#define CONTROL_PATH "/control"
#define NO_ORIGIN    0xff

struct task {
	u32 go; /* futex: counts the turns handed to this task */
	u32 alive;
	u32 tgid;      /* 0 until known */
	u32 files;     /* number of the descriptor table: the task that began it */
	u32 clear_tid; /* futex: becomes 0 when an exited thread is really gone */
	u32 in_vfork;  /* the parent is suspended until this task execs or exits */
	u32 pad[2];
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
	u32 late; /* a CQE did not come in time: from now on the scenario waits only shortly */
	u32 pad[2];
	u64 answers; /* (how many << 32) | offset of the next one in out, in one word */
	struct task task[MAX_TASKS];
	u8 origin[MAX_TASKS][RING_SLOTS]; /* per descriptor table: slot in which the ring there was created */
	struct uring_params ring[RING_SLOTS];
	u32 step_at[MAX_STEPS]; /* offsets in in[] */
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

/* What `error` says went wrong. */
enum { ERR_DIRECTORY = 1, ERR_FIXTURE, ERR_MAILBOX, ERR_ANSWERS_FULL, ERR_JIT, ERR_SPAWN, ERR_ARENA };

static inline struct step *step_of(u32 i)
{
	return (struct step *)(CTL->in + CTL->step_at[i]);
}

/* An answer under construction; invisible until it is committed. */
struct answer {
	struct answer_head *head;
	u8 *end;
};

/* util.c */
void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
char *put_text(char *at, const char *text);
char *put_number(char *at, u32 n);
u32 parse_number(const char *text);
int write_file(const char *path, const char *text);
void remove_tree(int dir, const char *name);

/* arena.c */
int arena_map(void);
void arena_restore(void);
void arena_renew(void);

/* answer.c */
void answer_open(struct answer *a);
void answer_return(struct answer *a, s64 value);
void answer_cqe(struct answer *a, const struct cqe *cqe);
void answer_memory(struct answer *a, const void *bytes, u32 length);
void answer_commit(struct answer *a);
void answer_not_reached(void);

/* ring.c */
void ring_create(struct answer *a, u32 files, const struct step_ring *s);
void ring_submit(struct answer *a, u32 files, const struct step_submit *s);
void ring_reap(struct answer *a, u32 files, const struct step_slot *s);
int ring_settle(int fd, u32 slot);
void ring_forget(u32 files, u32 slot);
void ring_forget_all(u32 files);
void ring_after_fork(u32 parent_files, u32 child_files);
void ring_sweep(void);
void ring_resized(u32 files, int fd, const void *params);

/* calls.c */
void do_call(struct answer *a, u32 files, const struct step_call *s);
int drop_sys_admin(void);
int unshare_user(void);
int mailbox_open(void);
int mailbox_send(u32 files, u32 slot);
int mailbox_receive(u32 files, u32 slot);
int take_ring(u32 files, const struct step_take *s);

/* fixtures.c */
int fixtures_make(u32 wanted);

/* task.c */
void root_main(void *arg);
void exec_main(u32 me);
void pass_turn(void);
void task_fail(u32 what, int err) __attribute__((noreturn));
void *task_stack(u32 task);

/* scenario.c */
void scenario_run(const struct scenario_frame *frame, u64 idle_ns);
int scenario_set_jit(int on);

/* bench.c */
u64 bench_run(u32 which, u32 iterations);

/* main.c */
void output_flush(void);
void fatal(const char *text) __attribute__((noreturn));

#endif
