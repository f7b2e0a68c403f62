/* What a scenario may find ready. */
#include "fixtures.h"
#include "protocol.h"

static const char content[] = FILE_CONTENT;
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
	return move(fd, FD_FILE);
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

	return two(sys4(NR_socketpair, AF_LOCAL, TYPE_STREAM, 0, fds), fds, FD_SOCKETPAIR_A);
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
	return ret < 0 ? ret : move(fd, FD_LISTENER);
}

static int full_pipe(void)
{
	int ret = pipe_at(FD_PIPE2_READ);

	return ret < 0 ? ret : (int)(sys3(NR_write, FD_PIPE2_WRITE, content, 64) == 64 ? 0 : -E_INVAL);
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
	return ret < 0 ? ret : move(fd, FD_INET_LISTENER);
}

static int make(u32 which)
{
	switch (which) {
	case FIXTURE_FILE:
		return file();
	case FIXTURE_PIPE:
		return pipe_at(FD_PIPE_READ);
	case FIXTURE_SOCKETPAIR:
		return pair();
	case FIXTURE_EVENTFD:
		return move((int)sys2(NR_eventfd2, 1, 04000 /* EFD_NONBLOCK */), FD_EVENTFD);
	case FIXTURE_EPOLL:
		return move((int)sys1(NR_epoll_create1, 0), FD_EPOLL);
	case FIXTURE_LISTENER:
		return unix_listener();
	case FIXTURE_DATAGRAM:
		return move((int)sys3(NR_socket, AF_LOCAL, TYPE_DGRAM | TYPE_NONBLOCK, 0), FD_DATAGRAM);
	case FIXTURE_STREAM:
		return move((int)sys3(NR_socket, AF_LOCAL, TYPE_STREAM, 0), FD_STREAM);
	case FIXTURE_DIR:
		return (int)sys3(NR_mkdirat, AT_CWD, "d0", 0755);
	case FIXTURE_PIPE_FULL:
		return full_pipe();
	case FIXTURE_LOOPBACK:
		return inet_listener();
	case FIXTURE_INET:
		return move((int)sys3(NR_socket, AF_IP, TYPE_STREAM | TYPE_NONBLOCK, 0), FD_INET);
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
