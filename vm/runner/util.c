/* Memory, text and files: what a C library would bring. */
#include "util.h"

/* The compiler must not turn these loops into calls of themselves. */
#pragma GCC optimize("no-tree-loop-distribute-patterns")

typedef u64 __attribute__((may_alias, aligned(1))) word;

/* Plain loads and stores: string instructions are slow under emulation. */
void *memcpy(void *to, const void *from, size_t n)
{
	u8 *t = to;
	const u8 *f = from;

	for (; n >= 32; n -= 32, t += 32, f += 32) {
		word a = ((const word *)f)[0], b = ((const word *)f)[1], c = ((const word *)f)[2],
		     d = ((const word *)f)[3];
		((word *)t)[0] = a;
		((word *)t)[1] = b;
		((word *)t)[2] = c;
		((word *)t)[3] = d;
	}
	for (; n >= 8; n -= 8, t += 8, f += 8)
		*(word *)t = *(const word *)f;
	while (n--)
		*t++ = *f++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	u8 *t = to;
	const u8 *f = from;

	if (t <= f)
		return memcpy(to, from, n); /* memcpy goes upwards and reads 32 bytes before it writes them */
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int c, size_t n)
{
	u8 *t = to;
	word w = 0x0101010101010101u * (u8)c;

	for (; n >= 32; n -= 32, t += 32) {
		((word *)t)[0] = w;
		((word *)t)[1] = w;
		((word *)t)[2] = w;
		((word *)t)[3] = w;
	}
	while (n--)
		*t++ = (u8)c;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n >= 8 && *(const word *)x == *(const word *)y; n -= 8)
		x += 8, y += 8;
	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x < *y ? -1 : 1;
	return 0;
}

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

char *put_text(char *at, const char *text)
{
	while (*text)
		*at++ = *text++;
	*at = 0;
	return at;
}

char *put_number(char *at, u32 n)
{
	char digits[10];
	int count = 0;

	do
		digits[count++] = (char)('0' + n % 10);
	while (n /= 10);
	while (count)
		*at++ = digits[--count];
	*at = 0;
	return at;
}

u32 parse_number(const char *text)
{
	u32 n = 0;

	for (; *text >= '0' && *text <= '9'; text++)
		n = n * 10 + (u32)(*text - '0');
	return n;
}

int write_file(const char *path, const char *text)
{
	int fd = sys_open(path, O_WRITE | O_CLOSE_ON_EXEC, 0);
	long ret;

	if (fd < 0)
		return fd;
	ret = sys3(NR_write, fd, text, strlen(text));
	sys_close(fd);
	return ret < 0 ? (int)ret : 0;
}

int is_dots(const char *name)
{
	return name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0));
}

void remove_tree(int dir, const char *name)
{
	u64 buffer[128];
	int round, fd;
	long got, at;

	for (round = 0; round < 64; round++) {
		if (sys3(NR_unlinkat, dir, name, AT_REMOVE_DIR) == 0)
			return;
		if (sys3(NR_unlinkat, dir, name, 0) == 0)
			return;
		fd = (int)sys4(NR_openat, dir, name, FLAG_O_DIRECTORY | O_CLOSE_ON_EXEC, 0);
		if (fd < 0)
			return;
		got = sys3(NR_getdents64, fd, buffer, sizeof(buffer));
		for (at = 0; at < got;) {
			struct dirent64 *entry = (struct dirent64 *)((u8 *)buffer + at);

			at += entry->reclen;
			if (!is_dots(entry->name))
				remove_tree(fd, entry->name);
		}
		sys_close(fd);
	}
}

/* Whether a name stands in the root directory from the start: what the image and the kernel put there. */
static int is_of_root(const char *name)
{
	static const char names[][8] = { "init", "dev", "proc", "sys", "s", "tmp", "root", "control" };
	u32 i, at;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		for (at = 0; names[i][at] && names[i][at] == name[at]; at++)
			;
		if (names[i][at] == name[at])
			return 1;
	}
	return is_dots(name);
}

void root_sweep(void)
{
	u64 buffer[512];
	int fd = sys_open("/", FLAG_O_DIRECTORY, 0);
	long got = sys3(NR_getdents64, fd, buffer, sizeof(buffer)), at;

	for (at = 0; at < got;) {
		const struct dirent64 *entry = (const struct dirent64 *)((u8 *)buffer + at);

		at += entry->reclen;
		if (!is_of_root(entry->name))
			remove_tree(fd, entry->name);
	}
	sys_close(fd);
}

void move_high(int fd, int to)
{
	if (fd < 0)
		return;
	sys3(NR_dup3, fd, to, O_CLOSE_ON_EXEC);
	sys_close(fd);
}

void exit_process(int code)
{
	for (;;)
		sys1(NR_exit_group, code);
}
