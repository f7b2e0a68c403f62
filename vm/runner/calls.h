/* Steps that are a system call or two: CALL, credentials, the mailbox. */
#ifndef RINGFENCE_CALLS_H
#define RINGFENCE_CALLS_H

#include "answer.h"

void do_call(struct answer *a, u32 files, const struct step_call *s);

/* These return 0 or -errno. */
int drop_sys_admin(void);
int unshare_user(void);
/* The mailbox keeps message boundaries, and is inherited by every task. */
int mailbox_open(void);
int mailbox_send(u32 files, u32 slot);
int mailbox_receive(u32 files, u32 slot);
/* Copies a ring's descriptor out of another task, without its help: pidfd_getfd(2). */
int take_ring(u32 files, const struct step_take *s);

#endif
