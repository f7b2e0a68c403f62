/* Rings: creating, mapping, submitting, reaping. */
#include "ring.h"
#include "answer.h"
#include "look.h"
#include "steps.h"
#include "util.h"

struct mapping {
	u8 *rings; /* 0: not mapped */
	u8 *sqes;
	u32 rings_len, sqes_len;
	u32 resized; /* of its ring, when it was mapped */
};

/*
 * Mappings by descriptor table and slot. The table is private memory, so each
 * address space knows its own; tasks that share memory but not descriptors use different rows.
 */
static struct mapping mappings[MAX_TASKS][RING_SLOTS];
static u32 mapped[MAX_TASKS]; /* bit per slot */

/* A ring ready for use. */
struct ring {
	const struct uring_params *p;
	u32 *sq_head, *sq_tail, *sq_flags, *sq_dropped, *array;
	u32 *cq_head, *cq_tail;
	u8 *sqes;
	struct cqe *cqes;
	u32 sq_mask, cq_mask;
};

enum { LIMIT_DESCRIPTORS = 7 };
/* Room for a ring of as many entries as one in memory of ours may have. */
enum { MEMORY_RINGS = 0x8000, MEMORY_SQES = 0x8000 };

#define WAIT_NS 999000000u
/* How long CQEs that may be absent are waited for once all others are there. */
#define GRACE_NS 10000000u
/*
 * How often who waits is woken without a new CQE. Each IORING_OP_TIMEOUT that
 * ends wakes, however many CQEs are there.
 */
#define MAX_IDLE 8

void ring_forget(u32 files, u32 slot)
{
	struct mapping *m = &mappings[files][slot];

	if (!m->rings)
		return;
	sys2(NR_munmap, m->rings, m->rings_len);
	sys2(NR_munmap, m->sqes, m->sqes_len);
	m->rings = 0;
	mapped[files] &= ~(1u << slot);
}

void ring_forget_all(u32 files)
{
	u32 slot;

	for (slot = 0; mapped[files]; slot++)
		ring_forget(files, slot);
}

void ring_sweep(void)
{
	u32 files;

	for (files = 0; files < MAX_TASKS; files++)
		if (mapped[files])
			ring_forget_all(files);
}

void ring_after_fork(u32 parent_files, u32 child_files)
{
	u32 files, slot;

	for (files = 0; files < MAX_TASKS; files++)
		if (files != parent_files && mapped[files])
			ring_forget_all(files);
	if (child_files == parent_files)
		return;
	for (slot = 0; slot < RING_SLOTS; slot++) {
		mappings[child_files][slot] = mappings[parent_files][slot];
		mappings[parent_files][slot].rings = 0;
	}
	mapped[child_files] = mapped[parent_files];
	mapped[parent_files] = 0;
}

static u32 ring_bytes(const struct uring_params *p)
{
	u64 cq = p->cq.cqes + (u64)p->cq_entries * (p->flags & SETUP_CQE32 ? 32 : 16);
	u64 sq = p->flags & SETUP_NO_SQARRAY ? 0 : p->sq.array + (u64)p->sq_entries * 4;

	return (u32)(cq > sq ? cq : sq);
}

static int map_ring(u32 files, u32 slot, const struct uring_params *p)
{
	struct mapping *m = &mappings[files][slot];
	u32 rings_len = ring_bytes(p), sqes_len = p->sq_entries * (p->flags & SETUP_SQE128 ? 128 : 64);
	long rings, sqes;

	rings = sys6(NR_mmap, 0, rings_len, PROT_R | PROT_W, MAP_SHARE | MAP_FILL, FD_RINGS + (int)slot, OFF_RINGS);
	if (rings < 0 && rings > -4096)
		return (int)rings;
	sqes = sys6(NR_mmap, 0, sqes_len, PROT_R | PROT_W, MAP_SHARE | MAP_FILL, FD_RINGS + (int)slot, OFF_SQES);
	if (sqes < 0 && sqes > -4096) {
		sys2(NR_munmap, rings, rings_len);
		return (int)sqes;
	}
	*m = (struct mapping){ (u8 *)rings, (u8 *)sqes, rings_len, sqes_len, CTL->resized[CTL->origin[files][slot]] };
	mapped[files] |= 1u << slot;
	return 0;
}

/* Whether a process that shares our descriptors may have closed this one: then the mapping is not ours to use. */
static int is_gone(u32 slot)
{
	return CTL->shared_files && !(CTL->keep >> slot & 1) &&
	       sys3(NR_fcntl, FD_RINGS + (int)slot, 1 /* F_GETFD */, 0) < 0;
}

/* Finds the ring in a slot, mapping it through its descriptor when needed. Returns 0 or -errno. */
static int find_ring(u32 files, u32 slot, struct ring *r)
{
	u32 origin = CTL->origin[files][slot];
	struct mapping *m = &mappings[files][slot];
	const struct uring_params *p;

	if (origin == NO_ORIGIN)
		return -E_BADF;
	p = &CTL->ring[origin];
	if (m->rings && (m->resized != CTL->resized[origin] || is_gone(slot)))
		ring_forget(files, slot);
	if (!m->rings) {
		int ret = map_ring(files, slot, p);

		if (ret < 0)
			return ret;
	}
	r->p = p;
	r->sq_head = (u32 *)(m->rings + p->sq.head);
	r->sq_tail = (u32 *)(m->rings + p->sq.tail);
	r->sq_flags = (u32 *)(m->rings + p->sq.flags);
	r->sq_dropped = (u32 *)(m->rings + p->sq.dropped);
	r->array = p->flags & SETUP_NO_SQARRAY ? 0 : (u32 *)(m->rings + p->sq.array);
	r->cq_head = (u32 *)(m->rings + p->cq.head);
	r->cq_tail = (u32 *)(m->rings + p->cq.tail);
	r->sqes = m->sqes;
	r->cqes = (struct cqe *)(m->rings + p->cq.cqes);
	r->sq_mask = p->sq_entries - 1;
	r->cq_mask = p->cq_entries - 1;
	return 0;
}

int ring_settle(int fd, u32 slot)
{
	int to = FD_RINGS + (int)slot, ret;

	/* With many files open it may have got that very number. */
	if (fd == to)
		return (int)sys3(NR_fcntl, fd, 2 /* F_SETFD */, 0);
	ret = (int)sys3(NR_dup3, fd, to, 0);
	sys_close(fd);
	return ret;
}

/* With parameters that can be read but not written. */
static int setup_read_only(u32 entries, const struct uring_params *p)
{
	long page = sys6(NR_mmap, 0, 4096, PROT_R | PROT_W, MAP_PRIV | MAP_ANON, -1, 0);
	int ret;

	if (page < 0 && page > -4096)
		return (int)page;
	memcpy((void *)page, p, sizeof(*p));
	sys3(NR_mprotect, page, 4096, PROT_R);
	ret = uring_setup(entries, (struct uring_params *)page);
	sys2(NR_munmap, page, 4096);
	return ret;
}

/* While this process may have no more descriptors. */
static int setup_no_descriptor(u32 entries, struct uring_params *p)
{
	u64 usual[2], none[2];
	int ret;

	sys4(NR_prlimit64, 0, LIMIT_DESCRIPTORS, 0, usual);
	none[0] = 0;
	none[1] = usual[1];
	sys4(NR_prlimit64, 0, LIMIT_DESCRIPTORS, none, 0);
	ret = uring_setup(entries, p);
	sys4(NR_prlimit64, 0, LIMIT_DESCRIPTORS, usual, 0);
	return ret;
}

/* While the system has as many open files as it may. */
static int setup_no_file(u32 entries, struct uring_params *p)
{
	char usual[32];
	int fd = sys_open("/proc/sys/fs/file-max", O_BOTH | O_CLOSE_ON_EXEC, 0), ret;
	long length = fd < 0 ? fd : sys3(NR_read, fd, usual, sizeof(usual));

	if (length > 0) {
		ret = (int)sys4(NR_pwrite64, fd, "0", 1, 0);
		if (ret > 0)
			ret = uring_setup(entries, p);
		sys4(NR_pwrite64, fd, usual, length, 0);
	} else {
		ret = (int)length;
	}
	if (fd >= 0)
		sys_close(fd);
	return ret;
}

/* io_uring_setup(2) without something that it needs. */
static int setup(const struct step_ring *s, struct uring_params *p)
{
	switch (s->without) {
	case WITHOUT_PARAMS:
		return uring_setup(s->entries, (struct uring_params *)(ARENA_BASE + ARENA_SIZE));
	case WITHOUT_WRITABLE_PARAMS:
		return setup_read_only(s->entries, p);
	case WITHOUT_DESCRIPTOR:
		return setup_no_descriptor(s->entries, p);
	case WITHOUT_FILE:
		return setup_no_file(s->entries, p);
	default:
		return uring_setup(s->entries, p);
	}
}

/*
 * A ring in memory of ours: it has no descriptor, only an index in the registered ones. Children see the same memory.
 * Returns the index or -errno.
 */
static int create_in_memory(u32 files, const struct step_ring *s, struct uring_params *p)
{
	struct mapping *m = &mappings[files][s->slot];
	u32 rings_len = MEMORY_RINGS, sqes_len = MEMORY_SQES;
	long rings = sys6(NR_mmap, 0, rings_len + sqes_len, PROT_R | PROT_W, MAP_SHARE | MAP_ANON, -1, 0);
	int ret;

	if (rings < 0 && rings > -4096)
		return (int)rings;
	p->cq.user_addr = (u64)rings;
	p->sq.user_addr = (u64)rings + rings_len;
	ret = setup(s, p);
	if (ret < 0) {
		sys2(NR_munmap, rings, rings_len + sqes_len);
		return ret;
	}
	ring_forget(files, s->slot);
	*m = (struct mapping){ (u8 *)rings, (u8 *)rings + rings_len, rings_len, sqes_len, CTL->resized[s->slot] };
	mapped[files] |= 1u << s->slot;
	CTL->origin[files][s->slot] = (u8)s->slot;
	CTL->keep |= 1u << s->slot;
	return ret;
}

/* Where the descriptors of rings begin that no step names: far from those that requests may name. */
#define FD_OTHERS 700

/* Rings like the one to come, which nobody uses. Returns 0 or -errno. */
static int create_others(u32 count, u32 entries, const struct uring_params *like)
{
	for (; count; count--) {
		struct uring_params p = *like;
		int fd = uring_setup(entries, &p), ret;

		if (fd < 0)
			return fd;
		ret = (int)sys3(NR_fcntl, fd, 0 /* F_DUPFD */, FD_OTHERS);
		sys_close(fd);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Returns 0 (the index of a ring that is only registered) or -errno. */
static int create(u32 files, const struct step_ring *s)
{
	struct uring_params *p = &CTL->ring[s->slot];
	int fd, ret;

	memset(p, 0, sizeof(*p));
	p->flags = s->setup_flags;
	p->cq_entries = s->cq_entries;
	p->wq_fd = (u32)s->wq_fd;
	p->resv[0] = s->resv_0;
	p->resv[1] = s->resv_1;
	p->resv[2] = s->resv_2;
	p->sq_thread_idle = 1; /* ms: an idle polling thread must not eat the only processor */
	ret = create_others(s->others, s->entries, p);
	if (ret < 0)
		return ret;
	if (s->memory)
		return create_in_memory(files, s, p);
	fd = setup(s, p);
	if (fd < 0)
		return fd;
	ring_forget(files, s->slot);
	ret = ring_settle(fd, s->slot);
	if (ret < 0)
		return ret;
	CTL->origin[files][s->slot] = (u8)s->slot;
	ret = map_ring(files, s->slot, p);
	return ret < 0 ? ret : 0;
}

void do_ring(u32 me, const struct step_ring *s)
{
	answer_one(create(CTL->task[me].files, s));
}

void ring_resized(u32 files, int fd, const void *params)
{
	u32 slot = (u32)(fd - FD_RINGS), origin, flags;

	if (slot >= RING_SLOTS || CTL->origin[files][slot] == NO_ORIGIN)
		return;
	origin = CTL->origin[files][slot];
	/* Of its flags the answer has those that matter to the size. */
	flags = CTL->ring[origin].flags;
	memcpy(&CTL->ring[origin], params, sizeof(struct uring_params));
	CTL->ring[origin].flags = flags;
	CTL->resized[origin]++;
	ring_forget(files, slot);
}

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

void do_close(u32 me, const struct step_close *s)
{
	if (s->keep & 1)
		CTL->keep |= 1u << s->slot;
	else
		ring_forget(CTL->task[me].files, s->slot);
	answer_one(sys_close(FD_RINGS + (int)s->slot));
}
