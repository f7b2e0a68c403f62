/* PID 1 before the first frame: file systems, limits, the port, the first words. */
#include "boot.h"
#include "arena.h"
#include "bpf.h"
#include "control.h"
#include "port.h"
#include "util.h"

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

static void hello(void)
{
	struct hello_frame *h = output_frame(FRAME_HELLO, sizeof(*h), 0);
	char names[6][65];
	u64 mask[16] = { 0 };
	u32 i;

	h->version = PROTOCOL_VERSION;
	sys3(NR_sched_getaffinity, 0, sizeof(mask), mask);
	for (i = 0; i < 1024; i++)
		h->cpus += mask[i / 64] >> (i % 64) & 1;
	sys1(NR_uname, names);
	memcpy(h->release, names[2], 63);
	memcpy(h->machine, names[4], 63);
	h->features = bpf_open();
	if (port_is_line())
		h->features |= FEATURE_LINE;
}

void boot(void)
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
	write_file("/proc/sys/kernel/io_uring_disabled", "0");
	write_file("/proc/sys/kernel/hung_task_timeout_secs", "20");
	if (control_map(1) < 0 || arena_map() < 0)
		power_off();
	port_open();
	/* From here on the kernel does for us what a faulty one may fail at. */
	output_frame(FRAME_BEGIN, sizeof(struct frame), ANNOUNCED_WARM_UP);
	output_flush();
	keep_compiler_warm();
	hello();
	output_flush();
}
