/* What the kernel says of processes that do not end. */
#include "stuck.h"
#include "port.h"
#include "util.h"

#define WORDS     0x8000u /* bytes that are told */
#define LOUD      8       /* the console shows everything */
#define SET_LEVEL 8       /* of syslog */

/* A thread of the scenario: "/proc/PID/task/TID", its state, and its line of "stat". */
struct thread {
	char path[48], stat[256];
	char state;
};

static char *end_of_words;

/* The beginning of a file as a text. Returns 0 where there is none. */
static int read_text(const char *at, const char *name, char *to, u32 room)
{
	char path[80];
	int fd;
	long got;

	to[0] = 0;
	put_text(put_text(path, at), name);
	fd = sys_open(path, O_CLOSE_ON_EXEC, 0);
	if (fd < 0)
		return 0;
	got = sys3(NR_read, fd, to, room - 1);
	sys_close(fd);
	to[got > 0 ? got : 0] = 0;
	return got > 0;
}

/* What stands behind the name of a process, which may have any sign in it. */
static const char *behind_name(const char *stat)
{
	const char *found = stat, *at;

	for (at = stat; *at; at++)
		if (*at == ')')
			found = at + 1;
	return *found == ' ' ? found + 1 : found;
}

/* The first process and those of the kernel, whose parent is the second one, are of no scenario. */
static int is_ours(u32 pid)
{
	char path[24], stat[256];
	const char *at;
	u32 parent;

	if (pid <= 2)
		return 0;
	put_number(put_text(path, "/proc/"), pid);
	if (!read_text(path, "/stat", stat, sizeof(stat)))
		return 0;
	at = behind_name(stat);
	parent = at[0] && at[1] ? parse_number(at + 2) : 0;
	return parent != 2;
}

/* Calls back with each number that is a name in a directory; the first answer that is not 0 ends it. */
static int each_number(const char *path, int (*call)(u32 number, void *with), void *with)
{
	u64 buffer[256];
	int fd = sys_open(path, FLAG_O_DIRECTORY | O_CLOSE_ON_EXEC, 0), answer = 0;
	long got, done;

	if (fd < 0)
		return 0;
	while (!answer && (got = sys3(NR_getdents64, fd, buffer, sizeof(buffer))) > 0)
		for (done = 0; done < got && !answer;) {
			const struct dirent64 *entry = (struct dirent64 *)((u8 *)buffer + done);

			done += entry->reclen;
			if (entry->name[0] >= '0' && entry->name[0] <= '9')
				answer = call(parse_number(entry->name), with);
		}
	sys_close(fd);
	return answer;
}

struct visit {
	int (*call)(struct thread *t);
	char tasks[32]; /* "/proc/PID/task" */
};

static int visit_thread(u32 tid, void *with)
{
	static struct thread t;
	struct visit *v = with;

	put_number(put_text(put_text(t.path, v->tasks), "/"), tid);
	if (!read_text(t.path, "/stat", t.stat, sizeof(t.stat)))
		return 0;
	t.state = *behind_name(t.stat);
	return v->call(&t);
}

static int visit_process(u32 pid, void *with)
{
	struct visit *v = with;

	if (!is_ours(pid))
		return 0;
	put_text(put_number(put_text(v->tasks, "/proc/"), pid), "/task");
	return each_number(v->tasks, visit_thread, v);
}

static int each_thread(int (*call)(struct thread *t))
{
	struct visit v = { call, "" };

	return each_number("/proc", visit_process, &v);
}

static int sleeps_deeply(struct thread *t)
{
	return t->state == 'D';
}

int stuck_waits(void)
{
	return each_thread(sleeps_deeply);
}

static void say(const char *text)
{
	char *begin = (char *)CTL->out + sizeof(struct frame);

	if (end_of_words + strlen(text) < begin + WORDS)
		end_of_words = put_text(end_of_words, text);
}

/* "pid 61 (ringfence) state D in io_uring_register", and its stack. */
static int tell_thread(struct thread *t)
{
	char text[4096], state[2] = { t->state, 0 };
	u32 i;

	for (i = 0; t->stat[i] && t->stat + i < behind_name(t->stat); i++)
		text[i] = t->stat[i];
	text[i] = 0;
	say("pid ");
	say(text);
	say("state ");
	say(state);
	if (read_text(t->path, "/wchan", text, 64) && text[0] != '0') {
		say(" in ");
		say(text);
	}
	say("\n");
	if (read_text(t->path, "/stack", text, sizeof(text)))
		say(text);
	return 0;
}

void stuck_tell(void)
{
	static const char *const keys[] = { "w", "t", "d" };
	struct frame *f = (struct frame *)CTL->out;
	u32 i, length;

	end_of_words = (char *)(f + 1);
	*end_of_words = 0;
	each_thread(tell_thread);
	length = (u32)(end_of_words - (char *)f) + 1;
	while (length % 8)
		((u8 *)f)[length++] = 0;
	*f = (struct frame){ FRAME_STUCK, length, CTL->id, 0 };
	/* Who waits, who runs, and who holds which lock. */
	sys3(NR_syslog, SET_LEVEL, 0, LOUD);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		write_file("/proc/sysrq-trigger", keys[i]);
	output_filled(length);
	output_flush();
	power_off();
}
