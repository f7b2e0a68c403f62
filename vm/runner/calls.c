/* Steps that are a system call or two: CALL, credentials, the mailbox. */
#include "calls.h"
#include "answer.h"
#include "bpf.h"
#include "ring.h"
#include "steps.h"
#include "util.h"

enum { NO_SUCH_CALL = -38 };

/* Applies the writes of a CALL; what would fall off the arena is cut. */
static void apply_writes(const struct step_call *s)
{
	const u8 *at = s->writes, *end = (const u8 *)s + s->step.length;
	u32 i;

	for (i = 0; i < s->nwrites && at + sizeof(struct write_head) <= end; i++) {
		const struct write_head *w = (const struct write_head *)at;
		u64 length = w->length;

		if (length > (u64)(end - w->bytes))
			return;
		at = w->bytes + ((length + 7) & ~7ul);
		if (w->offset >= ARENA_SIZE)
			continue;
		if (length > ARENA_SIZE - w->offset)
			length = ARENA_SIZE - w->offset;
		memcpy(ARENA + w->offset, w->bytes, length);
	}
}

static s64 call_once(const struct step_call *s)
{
	const u64 *v = s->args;

	switch (s->call) {
	case CALL_REGISTER:
		/* The result of the call is an int. */
		return (s32)sys4(NR_io_uring_register, v[0], v[1], v[2], v[3]);
	case CALL_PRCTL:
		return sys5(NR_prctl, v[0], v[1], v[2], v[3], v[4]);
	case CALL_FACCESSAT:
		return sys3(NR_faccessat, v[0], v[1], v[2]);
	case CALL_FCNTL:
		return sys3(NR_fcntl, v[0], v[1], v[2]);
	case CALL_NONE:
		return 0;
	}
	return NO_SUCH_CALL;
}

enum { REGISTERED_RING = 1u << 31 };

/* The call, again and again while it answers 0, as often as the step says. */
static s64 call(const struct step_call *s)
{
	int registers = s->call == CALL_REGISTER && ((u32)s->args[1] & ~REGISTERED_RING) == REGISTER_BPF_FILTER;
	u32 again = s->again;
	s64 ret;

	do {
		ret = call_once(s);
		if (registers && ret == 0)
			bpf_registered();
	} while (ret == 0 && again--);
	return ret;
}

/* A ring that was resized has new mappings, and the kernel said where. */
static void look_for_resize(u32 files, const struct step_call *s)
{
	u64 at = s->args[2];

	if (s->call == CALL_REGISTER && (u32)s->args[1] == REGISTER_RESIZE_RINGS && at >= ARENA_BASE &&
	    at <= ARENA_BASE + ARENA_SIZE - sizeof(struct uring_params))
		ring_resized(files, (int)s->args[0], (const void *)at);
}

void do_call(u32 me, const struct step_call *s)
{
	u32 at = s->read_at, length = s->read_len;
	int watch = length && !(s->mode & MODE_REPORT_ALWAYS);
	struct answer a;
	s64 ret;

	answer_open(&a);
	apply_writes(s);
	if (at >= ARENA_SIZE)
		length = 0;
	else if (length > ARENA_SIZE - at)
		length = (u32)(ARENA_SIZE - at);
	if (watch)
		memcpy(CTL->scratch, ARENA + at, length);
	if (s->mode & MODE_READ_ONLY)
		sys3(NR_mprotect, ARENA_BASE + ARENA_ARGS, ARENA_ARGS_SIZE, PROT_R);
	ret = call(s);
	if (s->mode & MODE_READ_ONLY)
		sys3(NR_mprotect, ARENA_BASE + ARENA_ARGS, ARENA_ARGS_SIZE, PROT_R | PROT_W);
	if (ret == 0)
		look_for_resize(CTL->task[me].files, s);
	if (ret > 0 && (s->mode & MODE_POSITIVE_IS_ZERO))
		ret = 0;
	answer_return(&a, ret);
	if (length && (!watch || memcmp(CTL->scratch, ARENA + at, length)))
		answer_memory(&a, ARENA + at, length);
	answer_commit(&a);
}

struct cap_header {
	u32 version;
	s32 pid;
};
struct cap_data {
	u32 effective, permitted, inheritable;
};
enum { CAP_VERSION_3 = 0x20080522, CAP_BIT_SYS_ADMIN = 21, PRCTL_CAPBSET_DROP = 24 };

static int drop_sys_admin(void)
{
	struct cap_header header = { CAP_VERSION_3, 0 };
	struct cap_data data[2];
	u32 keep = ~(1u << CAP_BIT_SYS_ADMIN);
	int ret = (int)sys5(NR_prctl, PRCTL_CAPBSET_DROP, CAP_BIT_SYS_ADMIN, 0, 0, 0);

	if (ret < 0)
		return ret;
	ret = (int)sys2(NR_capget, &header, data);
	if (ret < 0)
		return ret;
	data[0].permitted &= keep;
	data[0].effective &= keep;
	data[0].inheritable &= keep;
	ret = (int)sys2(NR_capset, &header, data);
	return ret < 0 ? ret : 0;
}

void do_dropcap(u32 me, const struct step_dropcap *s)
{
	(void)me;
	(void)s;
	answer_one(drop_sys_admin());
}

int user_map(void)
{
	int ret = write_file("/proc/self/setgroups", "deny");

	if (ret == 0)
		ret = write_file("/proc/self/uid_map", "0 0 1");
	if (ret == 0)
		ret = write_file("/proc/self/gid_map", "0 0 1");
	return ret;
}

void do_unshare(u32 me, const struct step_unshare *s)
{
	int ret = (int)sys1(NR_unshare, CLONE_USER_NS);

	(void)me;
	(void)s;
	answer_one(ret == 0 ? user_map() : ret);
}

int mailbox_open(void)
{
	int pair[2], ret = (int)sys4(NR_socketpair, AF_LOCAL, TYPE_SEQPACKET, 0, pair);

	if (ret < 0)
		return ret;
	ret = (int)sys3(NR_dup3, pair[0], FD_MAIL_IN, 0);
	if (ret >= 0)
		ret = (int)sys3(NR_dup3, pair[1], FD_MAIL_OUT, 0);
	sys_close(pair[0]);
	sys_close(pair[1]);
	return ret < 0 ? ret : 0;
}

enum { LEVEL_SOCKET = 1, TYPE_RIGHTS = 1 };

/* The message itself says where the ring was created: the receiver needs its layout. */
static int mail(u32 files, u32 slot)
{
	u64 origin = CTL->origin[files][slot];
	struct rights rights = { 20, LEVEL_SOCKET, TYPE_RIGHTS, FD_RINGS + (int)slot, 0 };
	struct iovec64 iov = { &origin, sizeof(origin) };
	struct msghdr64 msg = { .iov = &iov, .iovlen = 1, .control = &rights, .controllen = sizeof(rights) };
	long ret = sys3(NR_sendmsg, FD_MAIL_IN, &msg, MSG_NOBLOCK);

	return ret < 0 ? (int)ret : 0;
}

void do_send(u32 me, const struct step_send *s)
{
	answer_one(mail(CTL->task[me].files, s->slot));
}

static int adopt(u32 files, u32 slot, int fd, u8 origin)
{
	int ret;

	ring_forget(files, slot);
	ret = ring_settle(fd, slot);
	if (ret < 0)
		return ret;
	CTL->origin[files][slot] = origin;
	return 0;
}

static int fetch(u32 files, u32 slot)
{
	u64 origin = NO_ORIGIN;
	struct rights rights = { 0 };
	struct iovec64 iov = { &origin, sizeof(origin) };
	struct msghdr64 msg = { .iov = &iov, .iovlen = 1, .control = &rights, .controllen = sizeof(rights) };
	long ret = sys3(NR_recvmsg, FD_MAIL_OUT, &msg, MSG_NOBLOCK);

	if (ret < 0)
		return (int)ret;
	if (msg.controllen < 20 || rights.type != TYPE_RIGHTS)
		return -E_BADF;
	return adopt(files, slot, rights.fd, (u8)origin);
}

void do_receive(u32 me, const struct step_receive *s)
{
	answer_one(fetch(CTL->task[me].files, s->slot));
}

/* Copies a ring's descriptor out of another task, without its help: pidfd_getfd(2). */
static int take(u32 files, const struct step_take *s)
{
	const struct task *from = &CTL->task[s->from_task];
	int pidfd, fd;

	if (!from->alive)
		return -E_NOENT;
	pidfd = (int)sys2(NR_pidfd_open, from->tgid, 0);
	if (pidfd < 0)
		return pidfd;
	fd = (int)sys3(NR_pidfd_getfd, pidfd, FD_RINGS + s->from_slot, 0);
	sys_close(pidfd);
	if (fd < 0)
		return fd;
	return adopt(files, s->slot, fd, CTL->origin[from->files][s->from_slot]);
}

void do_take(u32 me, const struct step_take *s)
{
	answer_one(take(CTL->task[me].files, s));
}
