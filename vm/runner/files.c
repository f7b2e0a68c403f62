/* Files of the guest, for the host: what the kernel says of itself. */
#include "files.h"
#include "control.h"
#include "port.h"
#include "util.h"

#define CHUNK 0x40000u /* bytes of a file in one frame */
#define DEBUG "/sys/kernel/debug"

/* Mounts debugfs for a path below it. Twice is once: the second mount is refused with EBUSY. */
static void reach(const char *path)
{
	if (strlen(path) >= sizeof(DEBUG) - 1 && memcmp(path, DEBUG, sizeof(DEBUG) - 1) == 0)
		sys5(NR_mount, "debugfs", DEBUG, "debugfs", 0, 0);
}

/* Text that ends within the frame; a frame without one is malformed. */
static const char *path_at(const struct frame *f, u32 at)
{
	const char *text = (const char *)f;
	u32 end;

	for (end = at; end < f->length; end++)
		if (!text[end])
			return text + at;
	fatal("the path of a file has no end");
}

static void answer(u32 id, long status, u32 kind, u32 length, u32 last)
{
	struct file_frame *out = (struct file_frame *)CTL->out;
	u32 whole = ((u32)sizeof(*out) + length + 7) & ~7u;

	memset(out->bytes + length, 0, whole - (u32)sizeof(*out) - length);
	out->frame = (struct frame){ FRAME_FILE, whole, id, 0 };
	out->status = (s32)status;
	out->kind = kind;
	out->length = length;
	out->last = last;
	output_filled(whole);
	output_flush();
}

/* Names in an open directory, those of directories with a slash. Returns their bytes or -errno. */
static long names(int fd, u8 *to, u32 room)
{
	u64 buffer[512];
	u8 *at = to;

	for (;;) {
		long got = sys3(NR_getdents64, fd, buffer, sizeof(buffer)), done;

		if (got <= 0)
			return got < 0 ? got : at - to;
		for (done = 0; done < got;) {
			const struct dirent64 *entry = (struct dirent64 *)((u8 *)buffer + done);

			done += entry->reclen;
			if (is_dots(entry->name))
				continue;
			if (strlen(entry->name) + 2 > room - (u32)(at - to))
				return -E_FBIG;
			at = (u8 *)put_text((char *)at, entry->name);
			if (entry->type == ENTRY_DIRECTORY)
				*at++ = '/';
			*at++ = 0;
		}
	}
}

/* As many bytes as there are, up to `room`: some files give a page at a time. */
static long fill(int fd, u8 *to, u32 room)
{
	u32 there = 0;

	while (there < room) {
		long got = sys3(NR_read, fd, to + there, room - there);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		there += (u32)got;
	}
	return there;
}

void on_read(const struct frame *f)
{
	u8 *bytes = ((struct file_frame *)CTL->out)->bytes;
	const char *path = path_at(f, sizeof(*f));
	u32 id = f->id, kind = KIND_FILE;
	long got;
	int fd;

	output_flush();
	reach(path);
	fd = sys_open(path, O_CLOSE_ON_EXEC, 0);
	got = fd < 0 ? fd : fill(fd, bytes, CHUNK);
	if (got == -E_ISDIR) {
		kind = KIND_DIRECTORY;
		got = names(fd, bytes, CHUNK);
	} else {
		while (got == CHUNK) {
			answer(id, 0, kind, CHUNK, 0);
			got = fill(fd, bytes, CHUNK);
		}
	}
	if (fd >= 0)
		sys_close(fd);
	answer(id, got < 0 ? got : 0, kind, got < 0 ? 0 : (u32)got, 1);
}

void on_write(const struct write_frame *f)
{
	const char *path;
	long put;
	int fd;

	if (f->frame.length < sizeof(*f) || f->length > f->frame.length - sizeof(*f))
		fatal("the write frame is malformed");
	path = path_at(&f->frame, (u32)sizeof(*f) + f->length);
	output_flush();
	reach(path);
	fd = sys_open(path, O_WRITE | O_CLOSE_ON_EXEC, 0);
	put = fd < 0 ? fd : sys3(NR_write, fd, f->bytes, f->length);
	if (fd >= 0)
		sys_close(fd);
	answer(f->frame.id, put < 0 ? put : 0, KIND_FILE, 0, 1);
}
