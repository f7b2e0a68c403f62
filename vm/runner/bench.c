/* The same steps as bare C loops: what a scenario's step is compared with. */
#include "bench.h"
#include "task.h"
#include "util.h"

static void quit(void *arg)
{
	(void)arg;
	exit_process(0);
}

static int ring_of(u32 entries, struct uring_params *p)
{
	memset(p, 0, sizeof(*p));
	return uring_setup(entries, p);
}

static void bench_rings(u32 n)
{
	struct uring_params p;

	while (n--)
		sys_close(ring_of(64, &p));
}

static void bench_forks(u32 n, u64 flags)
{
	while (n--) {
		long pid = flags ? clone_onto(flags | SIG_CHILD, task_stack(1), 0, quit, 0)
				 : sys5(NR_clone, SIG_CHILD, 0, 0, 0, 0);

		if (pid == 0)
			quit(0);
		sys4(NR_wait4, pid, 0, WAIT_ALL, 0);
	}
}

struct bpf_arg {
	u16 cmd_type, cmd_flags;
	u32 resv, opcode, flags, filter_len;
	u8 pdu_size, resv1[3];
	u64 filter_ptr, resv2[5];
};

/* Filters pile up on a ring, so it is renewed now and then. */
static void bench_filters(u32 n, u16 code)
{
	static const u64 allow = 6 | 1ull << 32;
	u64 insn = (allow & ~0xffffull) | code;
	struct uring_params p;
	int fd = -1;

	for (; n; n--) {
		struct bpf_arg arg = {
			.cmd_type = 1, .opcode = 0 /* NOP */, .filter_len = 1, .filter_ptr = (u64)&insn
		};

		if (n % 256 == 0 || fd < 0) {
			sys_close(fd);
			fd = ring_of(8, &p);
		}
		uring_register(fd, REGISTER_BPF_FILTER, &arg, 1);
	}
	sys_close(fd);
}

static void bench_nops(u32 n, u32 batch)
{
	struct uring_params p;
	int fd = ring_of(64, &p);
	u8 *rings, *sqes;
	u32 *tail, *array, *cq_head, *cq_tail, i;

	if (fd < 0)
		return;
	rings = (u8 *)sys6(NR_mmap, 0, p.sq.array + 64 * 4, PROT_R | PROT_W, MAP_SHARE | MAP_FILL, fd, OFF_RINGS);
	sqes = (u8 *)sys6(NR_mmap, 0, 64 * 64, PROT_R | PROT_W, MAP_SHARE | MAP_FILL, fd, OFF_SQES);
	tail = (u32 *)(rings + p.sq.tail);
	array = (u32 *)(rings + p.sq.array);
	cq_head = (u32 *)(rings + p.cq.head);
	cq_tail = (u32 *)(rings + p.cq.tail);
	for (; n; n--) {
		for (i = 0; i < batch; i++) {
			u32 at = (*tail + i) & 63;

			memset(sqes + 64 * at, 0, 64);
			array[at] = at;
		}
		STORE(tail, *tail + batch);
		uring_enter(fd, batch, 0, 0, 0, 0);
		STORE(cq_head, LOAD(cq_tail));
	}
	sys2(NR_munmap, rings, p.sq.array + 64 * 4);
	sys2(NR_munmap, sqes, 64 * 64);
	sys_close(fd);
}

static void bench_main(void *arg)
{
	u32 which = *(u32 *)arg, n = *((u32 *)arg + 1);
	u64 begun = now_ns();

	switch (which) {
	case BENCH_RING:
		bench_rings(n);
		break;
	case BENCH_FORK:
		bench_forks(n, 0);
		break;
	case BENCH_VFORK:
		bench_forks(n, CLONE_SHARE_VM | CLONE_WAIT_VFORK);
		break;
	case BENCH_REGISTER:
		bench_filters(n, 6 /* ret #k */);
		break;
	case BENCH_REFUSE:
		bench_filters(n, 0xffff);
		break;
	case BENCH_NOP:
		bench_nops(n, 1);
		break;
	case BENCH_NOP64:
		bench_nops(n, 64);
		break;
	}
	*(u64 *)CTL->scratch = now_ns() - begun;
	quit(0);
}

u64 bench_run(u32 which, u32 iterations)
{
	u32 arg[2] = { which, iterations };
	long pid;

	*(u64 *)CTL->scratch = 0;
	pid = clone_onto(CLONE_SHARE_VM | SIG_CHILD, task_stack(0), 0, bench_main, arg);
	if (pid > 0)
		sys4(NR_wait4, pid, 0, WAIT_ALL, 0);
	return *(u64 *)CTL->scratch;
}
