/* Rings: creating, mapping, closing. */
#include "ring.h"
#include "answer.h"
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

enum { LIMIT_DESCRIPTORS = 7 };
/* Room for a ring of as many entries as one in memory of ours may have. */
enum { MEMORY_RINGS = 0x8000, MEMORY_SQES = 0x8000 };

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

int find_ring(u32 files, u32 slot, struct ring *r)
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

void do_close(u32 me, const struct step_close *s)
{
	if (s->keep & 1)
		CTL->keep |= 1u << s->slot;
	else
		ring_forget(CTL->task[me].files, s->slot);
	answer_one(sys_close(FD_RINGS + (int)s->slot));
}
