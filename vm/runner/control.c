/* The control block of this process. */
#include "control.h"
#include "util.h"

int control_map(int make)
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

void task_fail(u32 what, int err)
{
	CTL->error = what << 16 | ((u32)-err & 0xffff);
	exit_process(99);
}
