/* The port to the host: frames in, frames out. */
#include "port.h"
#include "control.h"
#include "util.h"

static u32 in_start, in_end; /* unread input in CTL->in */
static u32 out_end;          /* output in CTL->out that is not sent yet */
static int on_line;          /* the port is a serial line */

void power_off(void)
{
	for (;;) {
		sys4(NR_reboot, (int)0xfee1dead, 672274793, 0x4321fedc, 0);
		sys4(NR_reboot, (int)0xfee1dead, 672274793, 0x01234567, 0);
		sleep_ns(1000000000);
	}
}

/* Waits until the port is ready; a host that hung up ends the guest. Returns how long it took. */
static u64 wait_port(u16 events)
{
	struct pollfd32 poll = { FD_PORT, events, 0 };
	u64 begun = now_ns();

	sys5(NR_ppoll, &poll, 1, 0, 0, 0);
	if (poll.revents & POLL_HANGUP)
		power_off();
	return now_ns() - begun;
}

static void send(const void *bytes, u32 length)
{
	const u8 *at = bytes;

	while (length) {
		long put = sys3(NR_write, FD_PORT, at, length);

		if (put > 0) {
			at += put;
			length -= (u32)put;
		} else if (put == -E_AGAIN) {
			wait_port(POLL_OUT);
		} else if (put != -E_INTR) {
			power_off();
		}
	}
}

void *output_frame(u32 magic, u32 length, u32 id)
{
	struct frame *f = (struct frame *)(CTL->out + out_end);

	memset(f, 0, length);
	*f = (struct frame){ magic, length, id, 0 };
	out_end += length;
	return f;
}

void output_filled(u32 length)
{
	out_end = length;
}

void output_flush(void)
{
	u32 length = out_end;

	out_end = 0;
	send(CTL->out, length);
}

void fatal(const char *text)
{
	u64 bytes[32] = { 0 };
	struct frame *f = (struct frame *)bytes;

	put_text((char *)(f + 1), text);
	*f = (struct frame){ FRAME_ERROR, (u32)(sizeof(*f) + strlen(text) + 7) & ~7u, CTL->id, 0 };
	output_flush();
	send(bytes, f->length);
	power_off();
}

static int is_frame(const struct frame *f)
{
	switch (f->magic) {
	case FRAME_IMAGE:
	case FRAME_SCENARIO:
	case FRAME_BENCH:
	case FRAME_READ:
	case FRAME_WRITE:
	case FRAME_BYE:
		return f->length >= sizeof(*f) && f->length % 8 == 0 && f->length <= MAX_FRAME;
	}
	return 0;
}

struct frame *port_next(u64 *idle_ns)
{
	*idle_ns = 0;
	for (;;) {
		struct frame *f = (struct frame *)(CTL->in + in_start);
		u32 there = in_end - in_start;
		long got;

		if (there >= sizeof(*f)) {
			if (!is_frame(f))
				fatal("the frame from the host is malformed");
			if (there >= f->length) {
				in_start += f->length;
				return f;
			}
		}
		if (there == 0) {
			in_start = in_end = 0;
		} else if (in_start > IN_SIZE - 2 * MAX_FRAME) {
			memmove(CTL->in, CTL->in + in_start, there);
			in_start = 0;
			in_end = there;
		}
		got = sys3(NR_read, FD_PORT, CTL->in + in_end, IN_SIZE - in_end);
		if (got > 0) {
			in_end += (u32)got;
		} else if (got == -E_AGAIN) {
			output_flush();
			*idle_ns += wait_port(POLL_IN);
		} else if (got != -E_INTR) {
			output_flush();
			power_off();
		}
	}
}

/* Whether a virtio port has the right name; `node` is like "vport0p1". */
static int port_is_ours(const char *node)
{
	static const char want[] = PORT_NAME "\n";
	char path[64], name[sizeof(want)];
	long got;
	int fd;

	put_text(put_text(put_text(path, "/sys/class/virtio-ports/"), node), "/name");
	fd = sys_open(path, O_CLOSE_ON_EXEC, 0);
	if (fd < 0)
		return 0;
	got = sys3(NR_read, fd, name, sizeof(name));
	sys_close(fd);
	return got == (long)sizeof(want) - 1 && memcmp(name, want, sizeof(want) - 1) == 0;
}

/* The second serial line as the port, for kernels without virtio console: slower, but built in everywhere. */
static int open_line(void)
{
	struct {
		u32 iflag, oflag, cflag, lflag;
		u8 line, cc[19];
	} raw = { 0, 0, 0x18b2 /* B115200 | CS8 | CREAD | CLOCAL */, 0, 0, { 0 } };
	int fd = sys_open("/dev/ttyS1", O_BOTH | O_NOWAIT | O_CLOSE_ON_EXEC | 0400 /* O_NOCTTY */, 0);

	if (fd < 0)
		return 0;
	raw.cc[6] = 1; /* VMIN */
	if (sys3(NR_ioctl, fd, 0x5402 /* TCSETS */, &raw) < 0) {
		sys_close(fd);
		return 0;
	}
	move_high(fd, FD_PORT);
	on_line = 1;
	return 1;
}

/* Whether the kernel has a driver for virtio ports; they may still be on their way. */
static int has_ports(void)
{
	int fd = sys_open("/sys/class/virtio-ports", FLAG_O_DIRECTORY | O_CLOSE_ON_EXEC, 0);

	if (fd >= 0)
		sys_close(fd);
	return fd >= 0;
}

int port_is_line(void)
{
	return on_line;
}

/* Whether both ends are open: ours is, and the kernel learns a moment later that the host's is, too. */
static int wait_host(void)
{
	u32 round;

	for (round = 0; round < 2000; round++) {
		struct pollfd32 poll = { FD_PORT, POLL_OUT, 0 };
		struct timespec64 none = { 0, 0 };

		sys5(NR_ppoll, &poll, 1, &none, 0, 0);
		if ((poll.revents & (POLL_OUT | POLL_HANGUP)) == POLL_OUT)
			return 1;
		sleep_ns(5000000);
	}
	return 0;
}

void port_open(void)
{
	char node[16] = "vport0p0", path[24];
	u32 round, i;

	for (round = 0; round < 2000; round++) {
		if ((round == 500 || !has_ports()) && open_line())
			return;
		for (i = 0; i < 32; i++) {
			int fd;

			node[5] = (char)('0' + i / 8);
			node[7] = (char)('0' + i % 8);
			if (!port_is_ours(node))
				continue;
			put_text(put_text(path, "/dev/"), node);
			fd = sys_open(path, O_BOTH | O_NOWAIT | O_CLOSE_ON_EXEC, 0);
			if (fd < 0)
				continue;
			move_high(fd, FD_PORT);
			if (wait_host())
				return;
			break;
		}
		sleep_ns(10000000);
	}
	power_off();
}
