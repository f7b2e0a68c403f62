/* LOOK: what a request made, asked from the kernel by other calls than the one that made it. */
#include "look.h"
#include "answer.h"
#include "steps.h"
#include "util.h"

enum { LEVEL_SOCKET = 1, OPTION_TYPE = 3, OPTION_PROTOCOL = 38, OPTION_DOMAIN = 39 };
enum { FCNTL_GETFD = 1, FCNTL_GETFL = 3 };
enum { AT_NO_PATH = 0x1000, STATX_BASIC = 0x7ff };

struct statx256 {
	u32 mask, blksize;
	u64 attributes;
	u32 nlink, uid, gid;
	u16 mode;
	u8 rest[226];
};

void look_forget(void)
{
	CTL->nmade = 0;
}

void look_expect(u64 data)
{
	CTL->made[CTL->nmade++] = (struct made){ data, -1, 0 };
}

void look_note(const struct cqe *c)
{
	u32 i;

	for (i = 0; i < CTL->nmade; i++)
		if (CTL->made[i].data == c->user_data)
			CTL->made[i].res = c->res;
}

/* The descriptor that the newest request with this user_data answered. */
static int made_by(u64 data)
{
	u32 i;

	for (i = 0; i < CTL->nmade; i++)
		if (CTL->made[i].data == data)
			return CTL->made[i].res < 0 ? -1 : CTL->made[i].res;
	return -1;
}

static void answer_option(struct answer *a, int fd, int option)
{
	int value = 0, length = sizeof(value);
	long ret = sys5(NR_getsockopt, fd, LEVEL_SOCKET, option, &value, &length);

	answer_return(a, ret < 0 ? ret : value);
}

static void answer_flags(struct answer *a, int fd)
{
	answer_return(a, sys3(NR_fcntl, fd, FCNTL_GETFD, 0));
	answer_return(a, sys3(NR_fcntl, fd, FCNTL_GETFL, 0));
}

static void look_at_socket(struct answer *a, int fd)
{
	answer_option(a, fd, OPTION_DOMAIN);
	answer_option(a, fd, OPTION_TYPE);
	answer_option(a, fd, OPTION_PROTOCOL);
	answer_flags(a, fd);
}

/* Behind the scenario's own directory, whose name differs each time; the whole place where it is elsewhere. */
static const char *below_directory(const char *place)
{
	char own[24];
	u64 length = (u64)(put_number(put_text(own, "/s/"), CTL->directory) - own);

	if (memcmp(place, own, length) || (place[length] && place[length] != '/'))
		return place;
	return place[length] ? place + length + 1 : ".";
}

static void look_at_file(struct answer *a, int fd)
{
	struct statx256 st = { 0 };
	char link[48], place[512];
	long ret = sys5(NR_statx, fd, "", AT_NO_PATH, STATX_BASIC, &st);

	answer_return(a, ret < 0 ? ret : st.mode);
	answer_flags(a, fd);
	if (fd < 0)
		return;
	put_number(put_text(link, "/proc/thread-self/fd/"), (u32)fd);
	ret = sys4(NR_readlinkat, AT_CWD, link, place, sizeof(place) - 1);
	if (ret >= 0) {
		const char *text;

		place[ret] = 0;
		text = below_directory(place);
		answer_memory(a, text, (u32)strlen(text));
	}
}

static void look_at_peer(struct answer *a, int fd)
{
	u8 address[128];
	u32 length = sizeof(address);
	long ret = sys3(NR_getpeername, fd, address, &length);

	answer_return(a, ret);
	if (ret == 0)
		answer_memory(a, address, length > sizeof(address) ? sizeof(address) : length);
}

void do_look(u32 me, const struct step_look *s)
{
	int fd = s->fd == -1 ? made_by(s->data_low | (u64)s->data_high << 32) : s->fd;
	struct answer a;

	(void)me;
	answer_open(&a);
	switch (s->aspect) {
	case ASPECT_SOCKET:
		look_at_socket(&a, fd);
		break;
	case ASPECT_FILE:
		look_at_file(&a, fd);
		break;
	case ASPECT_PEER:
		look_at_peer(&a, fd);
		break;
	}
	answer_commit(&a);
}
