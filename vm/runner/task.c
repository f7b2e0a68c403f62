/* Tasks: who may run, step by step; spawning, exec, exit. */
#include "task.h"
#include "answer.h"
#include "arena.h"
#include "calls.h"
#include "fixtures.h"
#include "ring.h"
#include "steps.h"
#include "util.h"

#define STACK_SIZE 16384
#define NO_PROCESS 0xffffffff

/* Stacks of tasks that share memory with the one that made them, PID 1 included. */
static u8 stacks[MAX_TASKS][STACK_SIZE] __attribute__((aligned(4096)));

void *task_stack(u32 task)
{
	return stacks[task] + STACK_SIZE;
}

static void task_loop(u32 me) __attribute__((noreturn));

static void wake(u32 task)
{
	u32 *go = &CTL->task[task].go;

	__atomic_add_fetch(go, 1, __ATOMIC_ACQ_REL);
	sys3(NR_futex, go, FUTEX_OP_WAKE, 1);
}

static void finish(u32 me)
{
	u32 i, group = me < MAX_TASKS ? CTL->task[me].tgid : 0;

	STORE(&CTL->done, 1);
	/* Threads of our own process come last: the first one that wakes ends us all. */
	for (i = 0; i < MAX_TASKS; i++)
		if (i != me && CTL->task[i].alive && CTL->task[i].tgid != group)
			wake(i);
	for (i = 0; i < MAX_TASKS; i++)
		if (i != me && CTL->task[i].alive && CTL->task[i].tgid == group)
			wake(i);
}

/* Hands step `turn` to its owner, or ends the scenario. */
void pass_turn(void)
{
	u32 i = CTL->turn, to;

	if (i >= CTL->nsteps) {
		finish(MAX_TASKS);
		return;
	}
	to = step_of(i)->task;
	STORE(&CTL->owner, to + 1);
	wake(to);
}

/* Steps from `i` on whose task does not exist are not reached; the first other one is next. */
static u32 settle(u32 i)
{
	for (; i < CTL->nsteps && !CTL->task[step_of(i)->task].alive; i++)
		answer_not_reached();
	STORE(&CTL->turn, i);
	return i;
}

static int alone_in_group(u32 me)
{
	u32 i;

	for (i = 0; i < MAX_TASKS; i++)
		if (i != me && CTL->task[i].alive && CTL->task[i].tgid == CTL->task[me].tgid)
			return 0;
	return 1;
}

/* Whether a living task beside `me` uses this table of descriptors; threads of process `but` do not count. */
static int files_in_use(u32 files, u32 me, u32 but)
{
	u32 i;

	for (i = 0; i < MAX_TASKS; i++)
		if (i != me && CTL->task[i].alive && CTL->task[i].files == files && CTL->task[i].tgid != but)
			return 1;
	return 0;
}

static void drop_mappings(u32 me)
{
	u32 files = CTL->task[me].files;

	if (!files_in_use(files, me, NO_PROCESS))
		ring_forget_all(files);
}

/*
 * A number for a table of descriptors that begins with what `from` has: the task's own, or another that
 * nobody uses (a task that executed itself away from a shared table may have taken it).
 */
static u32 new_files(u32 me, u32 from)
{
	u32 files = me;

	while (files_in_use(files, me, NO_PROCESS))
		files = (files + 1) % MAX_TASKS;
	memmove(CTL->origin[files], CTL->origin[from], RING_SLOTS);
	return files;
}

/* Ends this task. The next step begins when the kernel is done with it, not before. */
static void leave(u32 me, u32 from) __attribute__((noreturn));
static void leave(u32 me, u32 from)
{
	struct task *t = &CTL->task[me];

	t->alive = 0;
	drop_mappings(me);
	if (settle(from) >= CTL->nsteps) {
		finish(me);
		/* Kernel threads (SQPOLL) are in our group, too: they must not outlive the scenario. */
		exit_process(0);
	} else if (alone_in_group(me)) {
		STORE(&CTL->held_tgid, t->tgid);
		exit_process(0);
	} else {
		t->clear_tid = 1;
		sys1(NR_set_tid_address, &t->clear_tid);
		CTL->gone = me + 1;
		pass_turn();
	}
	for (;;)
		sys1(NR_exit, 0);
}

static int has_step_from(u32 me, u32 i)
{
	for (; i < CTL->nsteps; i++)
		if (step_of(i)->task == me)
			return 1;
	return 0;
}

/* Step `turn` is over. */
static void advance(u32 me)
{
	u32 i = settle(CTL->turn + 1);

	/* Its parent waits for it, so a vfork child with nothing left to do must not stay. */
	if (CTL->task[me].in_vfork && !has_step_from(me, i))
		leave(me, i);
	if (i >= CTL->nsteps)
		finish(me);
	else if (step_of(i)->task + 1u != CTL->owner)
		pass_turn();
}

static void wait_turn(u32 me)
{
	struct task *t = &CTL->task[me];

	for (;;) {
		u32 seen = LOAD(&t->go);

		if (LOAD(&CTL->done))
			exit_process(0);
		if (LOAD(&CTL->owner) == me + 1)
			break;
		sys4(NR_futex, &t->go, FUTEX_OP_WAIT, seen, 0);
	}
	if (CTL->gone) {
		u32 *word = &CTL->task[CTL->gone - 1].clear_tid, value;

		while ((value = LOAD(word)) != 0)
			sys4(NR_futex, word, FUTEX_OP_WAIT, value, 0);
		CTL->gone = 0;
	}
}

/* What a child does before anything else. */
static void begin_child(u32 me)
{
	struct task *t = &CTL->task[me];
	int ret;

	if (!(t->flags & CLONE_USER_NS))
		return;
	ret = user_map();
	if (ret < 0)
		task_fail(ERR_SPAWN, ret);
	STORE(&t->begun, 1);
	sys3(NR_futex, &t->begun, FUTEX_OP_WAKE, 1);
}

/* What a child does before its first turn must not be seen by others: its descriptors may be theirs. */
static void await_child(struct task *t)
{
	while (t->flags & CLONE_USER_NS && !LOAD(&t->begun))
		sys4(NR_futex, &t->begun, FUTEX_OP_WAIT, 0, 0);
}

/* A child that shares memory with its parent begins here, on its own stack. */
static void child_main(void *arg)
{
	u32 me = (u32)(uintptr_t)arg;
	struct task *t = &CTL->task[me];

	begin_child(me);
	if (t->in_vfork) {
		/* The parent cannot: it is suspended until we exec or exit. */
		t->tgid = (u32)sys0(NR_getpid);
		answer_one(t->tgid);
		advance(me);
	}
	task_loop(me);
}

struct clone_args64 {
	u64 flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static long start_child(const struct step_spawn *s, int *pidfd)
{
	/* Every process is a child of PID 1, which so learns of each end at once. */
	u64 flags = s->flags | (s->how == HOW_THREAD ? 0 : CLONE_SAME_PARENT);
	struct clone_args64 args = { .flags = flags, .pidfd = (u64)(uintptr_t)pidfd };
	void *stack = task_stack(s->child), *child = (void *)(uintptr_t)s->child;

	switch (s->how) {
	case HOW_FORK:
		return sys5(NR_clone, flags | SIG_CHILD, 0, pidfd, 0, 0);
	case HOW_VFORK:
		return clone_onto(flags | CLONE_SHARE_VM | CLONE_WAIT_VFORK | SIG_CHILD, stack, pidfd, child_main,
				  child);
	case HOW_THREAD:
		return clone_onto(flags | CLONE_SHARE_VM | CLONE_SHARE_FS | CLONE_SHARE_FILES | CLONE_SHARE_SIGHAND |
					  CLONE_SAME_GROUP | CLONE_SHARE_SYSVSEM,
				  stack, pidfd, child_main, child);
	case HOW_CLONE_VM:
		return clone_onto(flags | CLONE_SHARE_VM | SIG_CHILD, stack, pidfd, child_main, child);
	case HOW_CLONE3:
		return sys2(NR_clone3, &args, sizeof(args));
	}
	return -E_INVAL;
}

void do_spawn(u32 me, const struct step_spawn *s)
{
	struct task *parent = &CTL->task[me], *t = &CTL->task[s->child];
	int thread = s->how == HOW_THREAD, shared = thread || s->flags & CLONE_SHARE_FILES, pidfd = -1;
	long pid;

	if (t->tgid) { /* the number was used before */
		answer_one(-E_INVAL);
		return;
	}
	*t = (struct task){ .alive = 1,
			    .tgid = thread ? parent->tgid : 0,
			    .in_vfork = s->how == HOW_VFORK,
			    .flags = s->flags,
			    .files = shared ? parent->files : new_files(s->child, parent->files) };
	if (s->flags & CLONE_SHARE_FILES)
		CTL->shared_files = 1;
	pid = start_child(s, &pidfd);
	if (pid == 0) {
		ring_after_fork(parent->files, t->files);
		begin_child(s->child);
		task_loop(s->child);
	}
	if (pidfd >= 0)
		sys_close(pidfd);
	if (pid < 0) {
		*t = (struct task){ 0 };
		answer_one(pid);
		return;
	}
	if (s->how == HOW_VFORK)
		return; /* the child has answered, and passed the turn on */
	if (!thread)
		STORE(&t->tgid, (u32)pid);
	await_child(t);
	answer_one(pid);
}

void do_exec(u32 me, const struct step_exec *s)
{
	char number[12];
	const char *argv[] = { "ringfence-task", number, 0 }, *envp[] = { 0 };

	(void)s;
	put_number(number, me);
	/* The old image may be another process's, too. */
	if (!files_in_use(CTL->task[me].files, me, CTL->task[me].tgid))
		ring_forget_all(CTL->task[me].files);
	answer_one(sys3(NR_execve, "/init", argv, envp));
}

void do_exit(u32 me, const struct step_exit *s)
{
	(void)s;
	answer_one(0);
	leave(me, CTL->turn + 1);
}

static void execute(u32 me, const struct step *step)
{
	switch (step->op) {
#define CASE(NAME, name)                                         \
	case OP_##NAME:                                          \
		do_##name(me, (const struct step_##name *)step); \
		break;
		OPERATIONS(CASE)
#undef CASE
	}
}

static void task_loop(u32 me)
{
	for (;;) {
		u32 turn;

		wait_turn(me);
		turn = CTL->turn;
		execute(me, step_of(turn));
		if (LOAD(&CTL->turn) == turn)
			advance(me);
	}
}

void root_main(void *arg)
{
	struct task *t = &CTL->task[0];
	char path[20];
	int ret;

	(void)arg;
	t->tgid = (u32)sys0(NR_getpid);
	if (CTL->directory) {
		put_number(put_text(path, "/s/"), CTL->directory);
		ret = (int)sys3(NR_mkdirat, AT_CWD, path, 0755);
		if (ret == 0)
			ret = (int)sys1(NR_chdir, path);
		if (ret < 0)
			task_fail(ERR_DIRECTORY, ret);
	}
	ret = CTL->fixtures ? fixtures_make(CTL->fixtures) : 0;
	if (ret < 0)
		task_fail(ERR_FIXTURE, ret);
	ret = CTL->needs_mail ? mailbox_open() : 0;
	if (ret < 0)
		task_fail(ERR_MAILBOX, ret);
	CTL->owner = 1;
	if (settle(0) >= CTL->nsteps)
		CTL->done = 1;
	task_loop(0);
}

void exec_main(u32 me)
{
	struct task *t = &CTL->task[me];
	u32 i;

	if (arena_map() < 0)
		task_fail(ERR_ARENA, 0);
	arena_restore();
	t->in_vfork = 0;
	/* The other threads of the old image are gone, and so is the sharing of descriptors. */
	for (i = 0; i < MAX_TASKS; i++)
		if (i != me && CTL->task[i].tgid == t->tgid)
			CTL->task[i].alive = 0;
	t->files = new_files(me, t->files);
	answer_one(0);
	advance(me);
	task_loop(me);
}
