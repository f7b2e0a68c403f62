/* What goes into a ring and comes out of it: entries, calls, CQEs. */
#include "ring.h"
#include "answer.h"
#include "look.h"
#include "steps.h"
#include "util.h"

#define WAIT_NS 999000000u
/* How long CQEs that may be absent are waited for once all others are there. */
#define GRACE_NS 10000000u
/*
 * How often who waits is woken without a new CQE. Each IORING_OP_TIMEOUT that
 * ends wakes, however many CQEs are there.
 */
#define MAX_IDLE 8

static int wide_opcode(const u64 *sqe)
{
#define CASE(opcode) case opcode:
	switch (*(const u8 *)sqe) {
		WIDE_OPCODES(CASE)
		return 1;
	}
#undef CASE
	return 0;
}

/* Writes one SQE at slot `tail`, `half` of it; returns how many slots it took, 0 when there is no room. */
static u32 place(struct ring *r, u32 tail, u32 space, const u64 *sqe, int half)
{
	u32 at = tail & r->sq_mask, used = 1;
	u64 *to = (u64 *)(r->sqes + (u64)at * (r->p->flags & SETUP_SQE128 ? 128 : 64));

	if ((r->p->flags & SETUP_SQE_MIXED) && wide_opcode(sqe) && at != r->sq_mask && !half)
		used = 2;
	if (space < used)
		return 0;
	memcpy(to, sqe, 64);
	if (used == 2 || (r->p->flags & SETUP_SQE128))
		memset(to + 8, 0, 64);
	if (r->array) {
		r->array[at] = at;
		if (used == 2)
			r->array[at + 1] = at + 1;
	}
	return used;
}

/*
 * A polling thread goes on polling when it is done, and an ordinary task gets the processor
 * back from it only at the next tick, milliseconds later. A real-time task gets it at once.
 * Children do not inherit this; where it is not permitted all is the same but slower.
 */
static void urgent(int on)
{
	u32 priority = on ? 1 : 0;

	sys3(NR_sched_setscheduler, 0, on ? 1 /* SCHED_FIFO */ | 0x40000000 /* RESET_ON_FORK */ : 0, &priority);
}

/* The polling thread takes entries on its own; sleeping lets it run. */
static void wait_consumed(struct ring *r, u32 tail)
{
	u64 end = 0;

	while (LOAD(r->sq_head) != tail) {
		if (!end)
			end = now_ns() + WAIT_NS;
		else if (now_ns() > end)
			return;
		sleep_ns(20000);
	}
}

/* The CQE at `head`, which moves on behind it; 0 for an entry that only fills the end of the queue. */
static const struct cqe *next_cqe(struct ring *r, u32 *head)
{
	const struct cqe *c = &r->cqes[(u64)(*head & r->cq_mask) * (r->p->flags & SETUP_CQE32 ? 2 : 1)];
	int mixed = (r->p->flags & SETUP_CQE_MIXED) != 0;

	*head += mixed && c->flags & CQE_WIDE ? 2 : 1;
	return mixed && c->flags & CQE_SKIP ? 0 : c;
}

/* Takes the CQEs that are there; returns how many. */
static u32 reap(struct ring *r, struct answer *a)
{
	u32 head = *r->cq_head, tail = LOAD(r->cq_tail), taken = 0;

	while (head != tail) {
		const struct cqe *c = next_cqe(r, &head);

		if (c) {
			answer_cqe(a, c);
			look_note(c);
			taken++;
		}
	}
	STORE(r->cq_head, tail);
	return taken;
}

/* How many of the CQEs that are there carry the user_data of one of the batch's SQEs. */
static u32 count_own(struct ring *r, const struct step_submit *s)
{
	u32 head = *r->cq_head, tail = LOAD(r->cq_tail), found = 0, i;

	while (head != tail) {
		const struct cqe *c = next_cqe(r, &head);

		for (i = 0; c && i < s->nsqes; i++) {
			if (s->sqes[i][4] == c->user_data) {
				found++;
				break;
			}
		}
	}
	return found;
}

/* CQEs of earlier batches and messages may have filled the count: waits for those of this batch, one by one. */
static void wait_own(struct ring *r, const struct step_submit *s, int fd)
{
	struct timespec64 ts = { 0, 0 };
	struct getevents_arg arg = { .ts = (u64)&ts };

	while (!LOAD(&CTL->late) && count_own(r, s) < s->own) {
		u32 have = LOAD(r->cq_tail) - *r->cq_head;
		int ret;

		if (have >= r->p->cq_entries)
			return;
		ts.nsec = WAIT_NS;
		ret = uring_enter(fd, 0, have + 1,
				  ENTER_GETEVENTS | ENTER_EXT_ARG | (s->enter_flags & ENTER_REGISTERED), &arg,
				  sizeof(arg));
		if (ret < 0 && ret != -E_INTR) {
			STORE(&CTL->late, 1);
			return;
		}
	}
}

/*
 * A polled ring is asked again and again, and tells nothing while there are CQEs that nobody took. Up to a second
 * until `wait` came, and a short while for those that may be absent, `want` in all.
 */
static void poll_and_reap(struct ring *r, struct answer *a, int fd, u32 registered, u32 wait, u32 want)
{
	u32 got = reap(r, a), more;
	u64 end = now_ns() + (got < wait && !LOAD(&CTL->late) ? WAIT_NS : GRACE_NS);

	while (got < want && now_ns() < end) {
		int ret = uring_enter(fd, 0, 0, ENTER_GETEVENTS | registered, 0, 0);

		if (ret < 0 && ret != -E_INTR)
			return;
		more = reap(r, a);
		if (got < wait && got + more >= wait)
			end = now_ns() + GRACE_NS;
		got += more;
		if (!more && got < want)
			sleep_ns(20000);
	}
	if (got < wait)
		STORE(&CTL->late, 1);
}

/*
 * Waits up to a second until `wait` CQEs are there, and then a short while for those that may
 * be absent, `want` in all. Then takes all there are, and says how many.
 */
static u32 wait_and_reap_once(struct ring *r, struct answer *a, int fd, u32 registered, u32 wait, u32 want,
			      const struct step_submit *own)
{
	struct timespec64 ts = { 0, 0 };
	struct getevents_arg arg = { .ts = (u64)&ts };
	u32 round, idle, before = 0, taken = 0;

	if (wait > r->p->cq_entries)
		wait = r->p->cq_entries;
	if (want > r->p->cq_entries)
		want = r->p->cq_entries;
	if (want < wait)
		want = wait;
	if (r->p->flags & SETUP_IOPOLL)
		poll_and_reap(r, a, fd, registered, wait, want);
	for (idle = 0; idle < MAX_IDLE && !(r->p->flags & SETUP_IOPOLL); idle++) {
		u32 have = LOAD(r->cq_tail) - *r->cq_head;
		u32 need = have < wait ? wait : want;
		int ret;

		if (have >= want)
			break;
		if (have > before)
			idle = 0;
		before = have;
		ts.nsec = have < wait && !LOAD(&CTL->late) ? WAIT_NS : GRACE_NS;
		ret = uring_enter(fd, 0, need, ENTER_GETEVENTS | ENTER_EXT_ARG | registered, &arg, sizeof(arg));
		if (ret == -E_TIME && have < wait)
			STORE(&CTL->late, 1);
		if (ret < 0 && ret != -E_INTR)
			break;
	}
	if (own && own->own && !(r->p->flags & SETUP_IOPOLL))
		wait_own(r, own, fd);
	/* Work that waits for the owner to ask, and CQEs the ring had no room for. */
	if (r->p->flags & SETUP_DEFER_TASKRUN)
		uring_enter(fd, 0, 0, ENTER_GETEVENTS | registered, 0, 0);
	taken += reap(r, a);
	for (round = 0; round < 256 && (LOAD(r->sq_flags) & SQ_CQ_OVERFLOW); round++) {
		if (uring_enter(fd, 0, 0, ENTER_GETEVENTS | registered, 0, 0) < 0)
			break;
		taken += reap(r, a);
	}
	return taken;
}

/* The same for any number of CQEs: those that the queue has no room for come when it was emptied. */
static void wait_and_reap(struct ring *r, struct answer *a, int fd, u32 registered, u32 wait, u32 want,
			  const struct step_submit *own)
{
	int turns = wait > r->p->cq_entries && !(r->p->flags & SETUP_IOPOLL);
	u32 got = wait_and_reap_once(r, a, fd, registered, wait, want, own);

	while (turns && got && got < wait) {
		wait -= got;
		want -= got < want ? got : want;
		got = wait_and_reap_once(r, a, fd, registered, wait, want, 0);
	}
}

/* An entry that names no SQE; returns the new tail. */
static u32 place_none(struct ring *r, u32 tail)
{
	if (r->array)
		r->array[tail & r->sq_mask] = 0xffffffff;
	return tail + 1;
}

/*
 * Puts as many SQEs from `*next` on into the queue as there is room for. Returns the new tail.
 * Whoever drops an entry has room for all.
 */
static u32 fill(struct ring *r, const struct step_submit *s, u32 tail, u32 *next)
{
	u32 space = r->p->sq_entries - (r->p->flags & SETUP_SQ_REWIND ? 0 : tail - LOAD(r->sq_head)), used;
	u32 first = *next;

	while (*next < s->nsqes && space) {
		if (s->dropped == *next + 1) {
			tail = place_none(r, tail);
			space--;
		}
		used = place(r, tail, space, s->sqes[*next], s->halved && *next == s->nsqes - 1);
		if (!used)
			break;
		++*next;
		tail += used;
		space -= used;
	}
	if (s->dropped == s->nsqes + 1 && *next == s->nsqes && (first < s->nsqes || !s->nsqes) && space)
		tail = place_none(r, tail);
	if (!(r->p->flags & SETUP_SQ_REWIND))
		STORE(r->sq_tail, tail);
	return tail;
}

/* Submits the batch with as many calls as it takes. Returns how many slots were consumed in all. */
static u32 submit_all(struct ring *r, struct answer *a, const struct step_submit *s, int fd)
{
	u32 flags = s->enter_flags | (r->p->flags & SETUP_SQPOLL ? ENTER_SQ_WAKEUP : 0);
	u32 next = 0, pending = 0, total = 0, tail = r->p->flags & SETUP_SQ_REWIND ? 0 : *r->sq_tail, full;
	u32 dropped = *r->sq_dropped, head;
	int ret;

	do {
		full = fill(r, s, tail, &next);
		pending += full - tail;
		tail = full;
		head = LOAD(r->sq_head);
		ret = uring_enter(fd, s->each && s->each < pending ? s->each : pending, 0, flags, 0, 0);
		answer_return(a, ret);
		/* What a disabled ring refuses its polling thread must leave as well: it gets the time. */
		if (ret == -E_BADFD && r->p->flags & SETUP_SQPOLL)
			sleep_ns(200000);
		if (s->dropped && ret == 0 && LOAD(r->sq_head) != head)
			; /* It was dropped, and the others are still there. */
		else if (ret <= 0)
			break;
		total += (u32)ret;
		if (r->p->flags & SETUP_SQPOLL) {
			wait_consumed(r, tail);
			pending = tail - LOAD(r->sq_head);
			if (pending)
				break;
		} else if (s->dropped) {
			pending = tail - LOAD(r->sq_head);
		} else {
			pending -= (u32)ret < pending ? (u32)ret : pending;
		}
		if (r->p->flags & SETUP_SQ_REWIND) {
			/* The kernel begins at the first entry again. */
			next -= pending;
			pending = 0;
			tail = 0;
		}
	} while ((pending || next < s->nsqes) && a->head->nreturns < 255);
	if (pending && !(r->p->flags & SETUP_SQ_REWIND))
		STORE(r->sq_tail, tail - pending);
	if (*r->sq_dropped != dropped)
		answer_return(a, (int)(*r->sq_dropped - dropped));
	return total;
}

static void submit(struct answer *a, u32 files, const struct step_submit *s)
{
	int fd = s->enter_fd == -1 ? FD_RINGS + (int)s->slot : s->enter_fd;
	struct ring r;
	u32 total;

	if (find_ring(files, s->slot, &r) < 0) {
		answer_return(a, uring_enter(fd, s->nsqes, 0, s->enter_flags, 0, 0));
		return;
	}
	if (r.p->flags & SETUP_SQPOLL)
		urgent(1);
	total = submit_all(&r, a, s, fd);
	wait_and_reap(&r, a, fd, s->enter_flags & ENTER_REGISTERED, total ? s->wait : 0, total ? s->want : 0,
		      total ? s : 0);
	if (r.p->flags & SETUP_SQPOLL)
		urgent(0);
}

void do_submit(u32 me, const struct step_submit *s)
{
	struct answer a;

	answer_open(&a);
	submit(&a, CTL->task[me].files, s);
	answer_commit(&a);
}

void do_reap(u32 me, const struct step_reap *s)
{
	struct answer a;
	struct ring r;

	answer_open(&a);
	if (find_ring(CTL->task[me].files, s->slot, &r) == 0)
		wait_and_reap(&r, &a, FD_RINGS + (int)s->slot, 0, s->wait, s->wait, 0);
	answer_commit(&a);
}
