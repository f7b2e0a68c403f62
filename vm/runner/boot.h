/* PID 1 before the first frame. */
#ifndef RINGFENCE_BOOT_H
#define RINGFENCE_BOOT_H

void boot(void);

#endif
