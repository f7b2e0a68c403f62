/* Files of the guest, for the host: what the kernel says of itself. */
#ifndef RINGFENCE_FILES_H
#define RINGFENCE_FILES_H

#include "protocol.h"

/* Answer READ and WRITE. debugfs is mounted when a path leads there. */
void on_read(const struct frame *f);
void on_write(const struct write_frame *f);

#endif
