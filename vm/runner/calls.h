/* Steps that are a system call or two: CALL, credentials, the mailbox. */
#ifndef RINGFENCE_CALLS_H
#define RINGFENCE_CALLS_H

/* The mailbox keeps message boundaries, and is inherited by every task. Returns 0 or -errno. */
int mailbox_open(void);
/* In a new user namespace: uid and gid 0 are those outside. Returns 0 or -errno. */
int user_map(void);

#endif
