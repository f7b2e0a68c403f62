/* Memory, text and files: what a C library would bring. */
#ifndef RINGFENCE_UTIL_H
#define RINGFENCE_UTIL_H

#include "sys.h"

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
void *memmove(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);

/* Both return the end of what they put, where a 0 stands. */
char *put_text(char *at, const char *text);
char *put_number(char *at, u32 n);
u32 parse_number(const char *text);

/* Writes a text to a file that exists. Returns 0 or -errno. */
int write_file(const char *path, const char *text);
enum { ENTRY_DIRECTORY = 4 };

/* What getdents64 gives. */
struct dirent64 {
	u64 ino;
	s64 off;
	u16 reclen;
	u8 type;
	char name[];
};

/* Whether a name is "." or "..". */
int is_dots(const char *name);
/* Removes an entry of `dir` with all that is in it; an empty directory costs one call. */
void remove_tree(int dir, const char *name);

/* Takes away what a scenario left there, with an absolute path: the next one must not meet it. */
void root_sweep(void);
/* Moves a descriptor to a number of our own, close-on-exec. */
void move_high(int fd, int to);
void exit_process(int code) __attribute__((noreturn));

#endif
