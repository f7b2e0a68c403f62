/* Rings: creating, mapping, closing. */
#ifndef RINGFENCE_RING_H
#define RINGFENCE_RING_H

#include "control.h"

/* A ring ready for use. */
struct ring {
	const struct uring_params *p;
	u32 *sq_head, *sq_tail, *sq_flags, *sq_dropped, *array;
	u32 *cq_head, *cq_tail;
	u8 *sqes;
	struct cqe *cqes;
	u32 sq_mask, cq_mask;
};

/* `files` is the number of a descriptor table everywhere here. */

/* Finds the ring in a slot, mapping it through its descriptor when needed. Returns 0 or -errno. */
int find_ring(u32 files, u32 slot, struct ring *r);
/* Moves a new ring to the descriptor of its slot, where it survives an exec: there it is used again. */
int ring_settle(int fd, u32 slot);
/* Unmaps a ring, or all of a table. */
void ring_forget(u32 files, u32 slot);
void ring_forget_all(u32 files);
/* Unmaps all that tasks left mapped in this address space. */
void ring_sweep(void);
/* A forked child has a copy of all mappings: its parent's are now its own, others go. */
void ring_after_fork(u32 parent_files, u32 child_files);
/* IORING_REGISTER_RESIZE_RINGS succeeded: the old mappings are of no use. */
void ring_resized(u32 files, int fd, const void *params);

#endif
