/* How the kernel runs BPF programs, and whether it compiled them. */
#include "bpf.h"
#include "util.h"

enum { CONSOLE_LEVEL = 8 /* of syslog */, QUIET = 3, WARNING = 4 };
/* Values of bpf_jit_enable. */
enum { INTERPRET, COMPILE, COMPILE_AND_TELL };

static u32 features;
static u32 enable = COMPILE, harden;
/* What console_loglevel was. */
static u32 level;

static int set(int fd, u32 value)
{
	char digit = (char)('0' + value);
	long ret = sys4(NR_pwrite64, fd, &digit, 1, 0);

	return ret < 0 ? (int)ret : 0;
}

static int begins(const char *text, const char *with)
{
	while (*with)
		if (*text++ != *with++)
			return 0;
	return 1;
}

/* Says something on the console that the kernel said while it was quiet. */
static void say_again(const char *text)
{
	char line[1024], *at = put_text(line, "<2>");

	while (*text && *text != '\n' && at < line + sizeof(line) - 1)
		*at++ = *text++;
	*at++ = '\n';
	sys3(NR_write, FD_KMSG, line, at - line);
}

enum { DEAF = -1 };

/*
 * Reads what the kernel said since the last time: 1 when it compiled a program, 0 when not, DEAF when that cannot be
 * known. A long dump pushes its own first line out of the kernel's buffer; then what is left of it tells.
 */
static int listen(void)
{
	static char record[8192];
	int compiled = 0, lost = 0;

	for (;;) {
		long got = sys3(NR_read, FD_KMSG, record, sizeof(record) - 1);
		const char *text = record;
		u32 said;

		if (got == -E_PIPE) {
			lost = 1;
			continue;
		}
		if (got <= 0)
			return got == -E_AGAIN ? compiled : DEAF;
		record[got] = 0;
		said = parse_number(record);
		while (*text && *text != ';')
			text++;
		text += *text == ';';
		if (begins(text, "flen="))
			compiled = 1;
		else if (begins(text, "JIT code: "))
			compiled |= lost;
		else if (CTL->listening && said <= WARNING && !begins(text, "bpf_jit_enable = 2"))
			say_again(text);
	}
}

static void quiet(int on)
{
	sys3(NR_syslog, CONSOLE_LEVEL, 0, on ? QUIET : level);
}

/* Whether the kernel tells of a program that it compiles now. */
static int tells(void)
{
	static const u64 accept_all = 6 | 0xffffull << 32; /* ret #0xffff */
	struct {
		u16 length;
		const u64 *program;
	} filter = { 1, &accept_all };
	int fd = (int)sys3(NR_socket, AF_LOCAL, TYPE_DGRAM, 0);

	listen();
	sys5(NR_setsockopt, fd, 1 /* SOL_SOCKET */, 26 /* SO_ATTACH_FILTER */, &filter, sizeof(filter));
	sys_close(fd);
	return listen() == 1;
}

static u32 console_level(void)
{
	char text[32] = { 0 };
	int fd = sys_open("/proc/sys/kernel/printk", O_READ, 0);

	sys3(NR_read, fd, text, sizeof(text) - 1);
	sys_close(fd);
	return parse_number(text);
}

u32 bpf_open(void)
{
	move_high(sys_open("/proc/sys/net/core/bpf_jit_enable", O_BOTH, 0), FD_JIT);
	move_high(sys_open("/proc/sys/net/core/bpf_jit_harden", O_BOTH, 0), FD_HARDEN);
	move_high(sys_open("/dev/kmsg", O_BOTH | O_NOWAIT, 0), FD_KMSG);
	level = console_level();
	if (set(FD_JIT, INTERPRET) == 0)
		features |= FEATURE_INTERPRETER;
	if (set(FD_JIT, COMPILE) == 0)
		features |= FEATURE_JIT;
	if (set(FD_HARDEN, 2) == 0 && set(FD_HARDEN, 0) == 0)
		features |= FEATURE_HARDEN;
	if (!(features & FEATURE_JIT))
		return features;
	quiet(1);
	if (set(FD_JIT, COMPILE_AND_TELL) == 0 && tells())
		features |= FEATURE_TRACES;
	set(FD_JIT, COMPILE);
	quiet(0);
	return features;
}

static u32 wanted(u32 flags)
{
	if (!(flags & SCENARIO_JIT))
		return features & FEATURE_INTERPRETER ? INTERPRET : enable;
	if (!(features & FEATURE_JIT))
		return enable;
	return (flags & SCENARIO_TRACES) && (features & FEATURE_TRACES) ? COMPILE_AND_TELL : COMPILE;
}

static int set_enable(u32 value)
{
	int told = value == COMPILE_AND_TELL || enable == COMPILE_AND_TELL, ret;

	if (value == enable)
		return 0;
	if (told)
		quiet(1);
	ret = set(FD_JIT, value);
	if (told)
		listen();
	if (ret == 0)
		enable = value;
	if (enable != COMPILE_AND_TELL && told)
		quiet(0);
	return ret;
}

int bpf_set(u32 flags)
{
	u32 hardening = flags & SCENARIO_HARDEN_ALL ? 2 : flags & SCENARIO_HARDEN ? 1 : 0;
	int ret = set_enable(wanted(flags));

	CTL->traced = CTL->compiled = 0;
	CTL->listening = (flags & SCENARIO_TRACES) && (features & FEATURE_TRACES);
	if (ret < 0 || hardening == harden || !(features & FEATURE_HARDEN))
		return ret;
	ret = set(FD_HARDEN, hardening);
	if (ret == 0)
		harden = hardening;
	return ret;
}

void bpf_registered(void)
{
	int heard;

	if (!CTL->listening)
		return;
	heard = listen();
	if (heard == DEAF)
		return;
	CTL->traced++;
	CTL->compiled += (u32)heard;
}
