/* PID 1: sets the guest up, then takes frames from the port one after the other. */
#include "control.h"

PROCESS_ENTRY;

static u32 in_start, in_end; /* unread input in CTL->in */
static u32 out_end;          /* output in CTL->out that is not sent yet */
static u64 idle_ns;

static void power_off(void) __attribute__((noreturn));
static void power_off(void)
{
	for (;;) {
		sys4(NR_reboot, (int)0xfee1dead, 672274793, 0x4321fedc, 0);
		sys4(NR_reboot, (int)0xfee1dead, 672274793, 0x01234567, 0);
		sleep_ns(1000000000);
	}
}

/* Waits until the port is ready; a host that hung up ends the guest. */
static void wait_port(u16 events)
{
	struct pollfd32 poll = { FD_PORT, events, 0 };
	u64 begun = now_ns();

	sys5(NR_ppoll, &poll, 1, 0, 0, 0);
	if (poll.revents & 0x10 /* POLLHUP */)
		power_off();
	if (events == 1)
		idle_ns += now_ns() - begun;
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
			wait_port(4 /* POLLOUT */);
		} else if (put != -E_INTR) {
			power_off();
		}
	}
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

static struct frame *next_frame(void)
{
	idle_ns = 0;
	for (;;) {
		struct frame *f = (struct frame *)(CTL->in + in_start);
		u32 there = in_end - in_start;
		long got;

		if (there >= sizeof(*f)) {
			if ((f->magic != FRAME_IMAGE && f->magic != FRAME_SCENARIO && f->magic != FRAME_BENCH &&
			     f->magic != FRAME_BYE) ||
			    f->length < sizeof(*f) || f->length % 8 || f->length > MAX_FRAME)
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
			wait_port(1 /* POLLIN */);
		} else if (got != -E_INTR) {
			output_flush();
			power_off();
		}
	}
}

static void on_image(const struct frame *f)
{
	u32 length = f->length - (u32)sizeof(*f);

	if (length > ARENA_SIZE)
		fatal("the arena image is larger than the arena");
	memcpy(CTL->image, f + 1, length);
	memset(CTL->image + length, 0, ARENA_SIZE - length);
	CTL->image_len = length;
}

static void on_scenario(const struct scenario_frame *f)
{
	if (f->frame.length < sizeof(*f) || f->nsteps > MAX_STEPS || f->deadline_ms > 600000)
		fatal("the scenario frame is malformed");
	CTL->id = f->frame.id;
	*(struct frame *)(CTL->out + out_end) = (struct frame){ FRAME_BEGIN, sizeof(struct frame), f->frame.id, 0 };
	out_end += sizeof(struct frame);
	output_flush(); /* the previous RESULT and this BEGIN */
	scenario_run(f, idle_ns);
	out_end = (u32)CTL->answers;
}

static void on_bench(const struct bench_frame *f)
{
	struct benched_frame *answer;

	if (f->frame.length < sizeof(*f))
		fatal("the bench frame is malformed");
	answer = (struct benched_frame *)(CTL->out + out_end);
	*answer = (struct benched_frame){ { FRAME_BENCHED, sizeof(*answer), f->frame.id, 0 },
					  f->which,
					  f->iterations,
					  bench_run(f->which, f->iterations) };
	out_end += sizeof(*answer);
	output_flush();
}

/* Whether a virtio port has the right name; `node` is like "vport0p1". */
static int port_is_ours(const char *node)
{
	static const char want[] = "org.ringfence.0\n";
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

static void move_high(int fd, int to)
{
	if (fd < 0)
		return;
	sys3(NR_dup3, fd, to, O_CLOSE_ON_EXEC);
	sys_close(fd);
}

static int on_line; /* the port is a serial line */

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

static void open_port(void)
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
			/* Our end is open; the kernel learns a moment later that the host's is, too. */
			for (i = 0; i < 2000; i++) {
				struct pollfd32 poll = { FD_PORT, 4, 0 };
				struct timespec64 none = { 0, 0 };

				sys5(NR_ppoll, &poll, 1, &none, 0, 0);
				if ((poll.revents & 0x14) == 4)
					return;
				sleep_ns(5000000);
			}
		}
		sleep_ns(10000000);
	}
	power_off();
}

struct ifreq16 {
	char name[16];
	u16 flags;
	u8 rest[22];
};

static void loopback_up(void)
{
	struct ifreq16 request = { "lo", 0x1 /* IFF_UP */, { 0 } };
	int fd = (int)sys3(NR_socket, AF_IP, TYPE_DGRAM, 0);

	sys3(NR_ioctl, fd, 0x8914 /* SIOCSIFFLAGS */, &request);
	sys_close(fd);
}

/*
 * Keeps one compiled program in the kernel. Without it every scenario that frees the only
 * one makes the kernel free, and the next allocate and fill, two megabytes for its compiler.
 */
static void keep_compiler_warm(void)
{
	static const u64 accept_all = 6 | 0xffffull << 32; /* ret #0xffff */
	struct {
		u16 length;
		const u64 *program;
	} filter = { 1, &accept_all };
	int fd = (int)sys3(NR_socket, AF_LOCAL, TYPE_DGRAM, 0);

	sys5(NR_setsockopt, fd, 1 /* SOL_SOCKET */, 26 /* SO_ATTACH_FILTER */, &filter, sizeof(filter));
	move_high(fd, FD_WARM);
}

static void limit(u32 which, u64 value)
{
	u64 both[2] = { value, value };

	sys4(NR_prlimit64, 0, which, both, 0);
}

static void mount(const char *type, const char *at)
{
	sys3(NR_mkdirat, AT_CWD, at, 0755);
	sys5(NR_mount, type, at, type, 0, 0);
}

/* Maps the control block; PID 1 makes the file. */
static int map_control(int make)
{
	int fd = sys_open(CONTROL_PATH, O_BOTH | O_CLOSE_ON_EXEC | (make ? O_CREATE : 0), 0600);
	long at;

	if (fd < 0)
		return fd;
	if (make)
		sys2(NR_ftruncate, fd, sizeof(struct control));
	at = sys6(NR_mmap, L(CTL), sizeof(struct control), PROT_R | PROT_W, MAP_SHARE | MAP_AT, fd, 0);
	sys_close(fd);
	return at == (long)CTL ? 0 : -E_INVAL;
}

static void hello(void)
{
	struct hello_frame *h = (struct hello_frame *)CTL->out;
	char names[6][65];
	u64 mask[16] = { 0 };
	u32 i;

	memset(h, 0, sizeof(*h));
	h->frame = (struct frame){ FRAME_HELLO, sizeof(*h), 0, 0 };
	h->version = PROTOCOL_VERSION;
	sys3(NR_sched_getaffinity, 0, sizeof(mask), mask);
	for (i = 0; i < 1024; i++)
		h->cpus += mask[i / 64] >> (i % 64) & 1;
	sys1(NR_uname, names);
	memcpy(h->release, names[2], 63);
	memcpy(h->machine, names[4], 63);
	if (scenario_set_jit(0) == 0 && scenario_set_jit(1) == 0)
		h->features |= FEATURE_INTERPRETER;
	if (on_line)
		h->features |= FEATURE_LINE;
	out_end = sizeof(*h);
}

static void boot(void)
{
	u64 signals = 1u << (SIG_CHILD - 1) | 1u << (SIG_PIPE - 1);
	int fd;

	mount("devtmpfs", "/dev");
	mount("proc", "/proc");
	mount("sysfs", "/sys");
	mount("tmpfs", "/s");
	for (fd = 0; fd < 3; fd++) {
		int null = sys_open("/dev/null", O_BOTH, 0);

		if (null != fd) {
			sys3(NR_dup3, null, fd, 0);
			sys_close(null);
		}
	}
	/* SIGCHLD is waited for. A broken pipe must be an error code, in the tasks too. */
	sys4(NR_rt_sigprocmask, 0 /* SIG_BLOCK */, &signals, 0, 8);
	sys5(NR_prctl, 29 /* PR_SET_TIMERSLACK */, 1, 0, 0, 0); /* short sleeps are short; tasks inherit it */
	limit(4 /* RLIMIT_CORE */, 0);
	limit(6 /* RLIMIT_NPROC */, ~0ull);
	limit(8 /* RLIMIT_MEMLOCK */, ~0ull);
	loopback_up();
	/* The current directory of scenarios that have no use for one. */
	sys3(NR_mkdirat, AT_CWD, "/s/none", 0555);
	sys1(NR_chdir, "/s/none");
	move_high(sys_open("/s", FLAG_O_DIRECTORY, 0), FD_SCENARIOS);
	move_high(sys_open("/proc/sys/net/core/bpf_jit_enable", O_BOTH, 0), FD_JIT);
	write_file("/proc/sys/kernel/io_uring_disabled", "0");
	keep_compiler_warm();
	if (map_control(1) < 0 || arena_map() < 0)
		power_off();
	open_port();
	hello();
	output_flush();
}

void start(u64 *stack)
{
	const char **argv = (const char **)(stack + 1);

	if (sys0(NR_getpid) != 1) {
		if (*stack < 2 || map_control(0) < 0)
			sys1(NR_exit_group, 98);
		exec_main(parse_number(argv[1]));
	}
	boot();
	for (;;) {
		struct frame *f = next_frame();

		switch (f->magic) {
		case FRAME_IMAGE:
			on_image(f);
			break;
		case FRAME_SCENARIO:
			on_scenario((struct scenario_frame *)f);
			break;
		case FRAME_BENCH:
			on_bench((struct bench_frame *)f);
			break;
		case FRAME_BYE:
			output_flush();
			power_off();
		}
	}
}
