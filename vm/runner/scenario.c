/* One scenario as PID 1 sees it: check, start, watch, clean up, report. */
#include "scenario.h"
#include "answer.h"
#include "arena.h"
#include "bpf.h"
#include "look.h"
#include "port.h"
#include "ring.h"
#include "stuck.h"
#include "task.h"
#include "util.h"

static u32 directories;

#define DYING_NS 10000000000ull /* for killed tasks to be gone */
#define LOOK_NS  500000000ull   /* between two looks at tasks that make no progress */

/* Whether a step is long enough, and the numbers in it that later serve as an index are in range. */
static int is_sound(const struct step *s)
{
	static const u32 least[OP_END] = {
#define LEAST(NAME, name) [OP_##NAME] = sizeof(struct step_##name),
		OPERATIONS(LEAST)
#undef LEAST
	};

	if (s->op >= OP_END || !least[s->op] || s->length < least[s->op] || s->task >= MAX_TASKS)
		return 0;
#define LIMIT(NAME, name, field, limit)                                                   \
	if (s->op == OP_##NAME && ((const struct step_##name *)s)->field >= (u32)(limit)) \
		return 0;
	LIMITED_FIELDS(LIMIT)
#undef LIMIT
#define COUNT(NAME, name, field, size)                                                                          \
	if (s->op == OP_##NAME && ((const struct step_##name *)s)->field > (s->length - least[s->op]) / (size)) \
		return 0;
	COUNTING_FIELDS(COUNT)
#undef COUNT
	return 1;
}

/*
 * Requests that cannot reach the current directory: all of 7.0 but openat, openat2, renameat, unlinkat,
 * mkdirat, symlinkat, linkat, statx, the four for extended attributes, connect, bind and uring_cmd.
 */
static int may_use_directory(u8 opcode)
{
	static const u64 pathless = ~(1ull << 16 | 1ull << 18 | 1ull << 21 | 1ull << 28 | 1ull << 35 | 1ull << 36 |
				      1ull << 37 | 1ull << 38 | 1ull << 39 | 1ull << 41 | 1ull << 42 | 1ull << 43 |
				      1ull << 44 | 1ull << 46 | 1ull << 56);

	return opcode >= 64 || !(pathless >> opcode & 1);
}

static int needs_directory(const struct step *s)
{
	const struct step_submit *submit = (const struct step_submit *)s;
	u32 i;

	if (s->op == OP_CALL)
		return ((const struct step_call *)s)->call == CALL_FACCESSAT;
	if (s->op == OP_SUBMIT)
		for (i = 0; i < submit->nsqes; i++)
			if (may_use_directory((u8)submit->sqes[i][0]))
				return 1;
	return 0;
}

/* Checks the steps and finds where each begins. Returns the number of the bad one + 1, or 0. */
static u32 index_steps(const struct scenario_frame *f, int *spawns)
{
	const u8 *at = f->steps, *end = (const u8 *)f + f->frame.length;
	u32 i;

	*spawns = 0;
	CTL->needs_mail = 0;
	CTL->directory = 0;
	look_forget();
	for (i = 0; i < f->nsteps; i++) {
		const struct step *s = (const struct step *)at;

		if ((u64)(end - at) < sizeof(*s) || s->length % 8 || s->length > (u64)(end - at) || !is_sound(s))
			return i + 1;
		CTL->step_at[i] = (u32)(at - CTL->in);
		if (s->op == OP_SPAWN)
			*spawns = 1;
		if (s->op == OP_LOOK) {
			const struct step_look *look = (const struct step_look *)s;

			look_expect(look->data_low | (u64)look->data_high << 32);
		}
		if (s->op == OP_SEND || s->op == OP_RECEIVE)
			CTL->needs_mail = 1;
		if (!CTL->directory && (f->fixtures || needs_directory(s)))
			CTL->directory = ++directories;
		at += s->length;
	}
	return at == end ? 0 : i + 1;
}

static void reset(const struct scenario_frame *f)
{
	u32 i;

	for (i = 0; i < MAX_TASKS; i++)
		CTL->task[i] = (struct task){ 0 };
	memset(CTL->origin, NO_ORIGIN, RING_SLOTS); /* others are copied from their parent's */
	CTL->task[0].alive = 1;
	CTL->owner = CTL->turn = CTL->done = CTL->held_tgid = CTL->gone = CTL->error = 0;
	CTL->late = CTL->shared_files = CTL->keep = 0;
	CTL->nsteps = f->nsteps;
	CTL->fixtures = f->fixtures;
	CTL->answers = sizeof(struct result_frame);
}

struct verdict {
	u32 status, detail;
	int killed;
};

static void stop(struct verdict *v, u32 status, u32 detail)
{
	if (v->killed)
		return;
	v->status = status;
	v->detail = detail;
	v->killed = 1;
	sys2(NR_kill, -1, SIG_KILL);
}

static void ended(struct verdict *v, long pid, u32 how)
{
	if (how & 0x7f)
		stop(v, STATUS_SIGNAL, how & 0x7f);
	else if (how >> 8)
		stop(v, STATUS_ERROR, CTL->error ? CTL->error : how);
	else if (LOAD(&CTL->held_tgid) == (u32)pid) {
		CTL->held_tgid = 0;
		pass_turn();
	}
}

/* Since when no step ended while a task slept so that nothing interrupts it. */
struct sleep {
	u64 since;
	u32 turn;
};

/* The parent of a vfork child sleeps like that, too. */
static int in_vfork(void)
{
	u32 i;

	for (i = 0; i < MAX_TASKS; i++)
		if (CTL->task[i].alive && CTL->task[i].in_vfork)
			return 1;
	return 0;
}

/* Whether a task has slept for `patience`, as no task ever should. */
static int overslept(struct sleep *s, u64 now, u64 patience)
{
	if (s->turn != LOAD(&CTL->turn) || in_vfork() || !stuck_waits()) {
		s->turn = LOAD(&CTL->turn);
		s->since = now;
	}
	return now - s->since >= patience;
}

/* Takes note of the processes that ended. Returns 0 when none is left. */
static int reap(struct verdict *v, int spawns)
{
	u32 how = 0;
	long pid;

	while ((pid = sys4(NR_wait4, -1, &how, WAIT_NOHANG | WAIT_ALL, 0)) > 0) {
		ended(v, pid, how);
		if (!spawns)
			return 0;
		/* Whoever was to tell the others that the scenario is over may have died of it. */
		if (LOAD(&CTL->done))
			pass_turn();
	}
	return pid != -E_CHILD;
}

/* Waits until no process of the scenario is left, for `time`, and for those that were killed. */
static void watch(struct verdict *v, u64 begun, u64 time, int spawns)
{
	const u64 child_signal = 1u << (SIG_CHILD - 1);
	u64 now = now_ns(), deadline = begun + time;
	struct sleep sleep = { now, 0 };

	for (;;) {
		u64 left = deadline > now ? deadline - now : 0;
		struct timespec64 ts = { 0, (s64)(left < LOOK_NS ? left : LOOK_NS) };
		long got = sys4(NR_rt_sigtimedwait, &child_signal, 0, &ts, 8);

		if (!reap(v, spawns))
			return;
		now = now_ns();
		if (got != -E_AGAIN || (!overslept(&sleep, now, time / 4) && now < deadline))
			continue;
		if (v->killed)
			stuck_tell();
		stop(v, STATUS_DEADLINE, 0);
		sleep.since = now;
		deadline = now + DYING_NS;
	}
}

static void clean_up(const struct verdict *v)
{
	char name[12];

	ring_sweep();
	if (v->killed && arena_renew() < 0)
		fatal("the arena cannot be mapped");
	if (CTL->directory) {
		put_number(name, CTL->directory);
		remove_tree(FD_SCENARIOS, name);
		root_sweep();
	}
}

u32 scenario_run(const struct scenario_frame *f, u64 idle_ns)
{
	struct result_frame *result = (struct result_frame *)CTL->out;
	struct verdict v = { 0 };
	u64 begun = now_ns();
	u32 bad;
	int spawns, ret;
	long pid;

	bad = index_steps(f, &spawns);
	if (bad)
		fatal("a step of the scenario is malformed");
	reset(f);
	arena_restore();
	ret = bpf_set(f->flags);
	if (ret < 0) {
		v.status = STATUS_ERROR;
		v.detail = ERR_JIT << 16 | (u32)-ret;
	} else {
		pid = clone_onto(CLONE_SHARE_VM | SIG_CHILD, task_stack(0), 0, root_main, 0);
		if (pid < 0) {
			v.status = STATUS_ERROR;
			v.detail = ERR_SPAWN << 16 | (u32)-pid;
		} else {
			watch(&v, begun, f->deadline_ms * 1000000ull, spawns);
			clean_up(&v);
		}
	}
	while (CTL->answers >> 32 < CTL->nsteps)
		answer_not_reached();
	*result = (struct result_frame){
		.frame = { FRAME_RESULT, (u32)CTL->answers, f->frame.id, 0 },
		.status = v.status,
		.detail = v.detail,
		.exec_ns = now_ns() - begun,
		.idle_ns = idle_ns,
		.nsteps = f->nsteps,
		.traced = (u16)CTL->traced,
		.compiled = (u16)CTL->compiled,
	};
	return (u32)CTL->answers;
}
