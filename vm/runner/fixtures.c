/* What a scenario may find ready. Bits in the order of FIXTURES in oracle/world/layout.ts. */
#include "fixtures.h"
#include "protocol.h"

static const char content[] = "ringfence: sixty-four bytes of file content, known to everyone.\n";
_Static_assert(sizeof(content) == 65, "the fixture file holds 64 bytes");

static int move(int fd, int to)
{
	int ret;

	if (fd < 0)
		return fd;
	ret = (int)sys3(NR_dup3, fd, to, 0);
	sys_close(fd);
	return ret < 0 ? ret : 0;
}

static int file(void)
{
	int fd = sys_open("f0", O_BOTH | O_CREATE, 0644);

	if (fd >= 0)
		sys4(NR_pwrite64, fd, content, 64, 0);
	return move(fd, 60);
}

static int two(long call_result, const int *fds, int first)
{
	int ret = (int)call_result;

	if (ret < 0)
		return ret;
	ret = move(fds[0], first);
	return ret < 0 ? ret : move(fds[1], first + 1);
}

static int pipe_at(int first)
{
	int fds[2];

	return two(sys2(NR_pipe2, fds, 0), fds, first);
}

static int pair(void)
{
	int fds[2];

	return two(sys4(NR_socketpair, AF_LOCAL, TYPE_STREAM, 0, fds), fds, 63);
}

static int unix_listener(void)
{
	struct {
		u16 family;
		char path[6];
	} address = { AF_LOCAL, "sock" };
	int fd = (int)sys3(NR_socket, AF_LOCAL, TYPE_STREAM, 0), ret;

	if (fd < 0)
		return fd;
	ret = (int)sys3(NR_bind, fd, &address, 7);
	if (ret == 0)
		ret = (int)sys2(NR_listen, fd, 8);
	return ret < 0 ? ret : move(fd, 67);
}

static int full_pipe(void)
{
	int ret = pipe_at(70);

	return ret < 0 ? ret : (int)(sys3(NR_write, 71, content, 64) == 64 ? 0 : -E_INVAL);
}

static int inet_listener(void)
{
	struct {
		u16 family;
		u8 port[2], address[4], zero[8];
	} address = { AF_IP, { 7000 >> 8, 7000 & 0xff }, { 127, 0, 0, 1 }, { 0 } };
	int fd = (int)sys3(NR_socket, AF_IP, TYPE_STREAM, 0), on = 1, ret;

	if (fd < 0)
		return fd;
	sys5(NR_setsockopt, fd, 1 /* SOL_SOCKET */, 2 /* SO_REUSEADDR */, &on, sizeof(on));
	sys5(NR_setsockopt, fd, 1, 15 /* SO_REUSEPORT */, &on, sizeof(on));
	ret = (int)sys3(NR_bind, fd, &address, sizeof(address));
	if (ret == 0)
		ret = (int)sys2(NR_listen, fd, 8);
	return ret < 0 ? ret : move(fd, 72);
}

static int make(u32 which)
{
	switch (which) {
	case 0:
		return file();
	case 1:
		return pipe_at(61);
	case 2:
		return pair();
	case 3:
		return move((int)sys2(NR_eventfd2, 1, 04000 /* EFD_NONBLOCK */), 65);
	case 4:
		return move((int)sys1(NR_epoll_create1, 0), 66);
	case 5:
		return unix_listener();
	case 6:
		return move((int)sys3(NR_socket, AF_LOCAL, TYPE_DGRAM | TYPE_NONBLOCK, 0), 68);
	case 7:
		return move((int)sys3(NR_socket, AF_LOCAL, TYPE_STREAM, 0), 69);
	case 8:
		return (int)sys3(NR_mkdirat, AT_CWD, "d0", 0755);
	case 9:
		return full_pipe();
	case 10:
		return inet_listener();
	case 11:
		return move((int)sys3(NR_socket, AF_IP, TYPE_STREAM | TYPE_NONBLOCK, 0), 73);
	}
	return -E_INVAL;
}

int fixtures_make(u32 wanted)
{
	u32 which;

	for (which = 0; wanted >> which; which++) {
		int ret = wanted >> which & 1 ? make(which) : 0;

		if (ret < 0)
			return ret - (int)(which << 8);
	}
	return 0;
}
