/* What requests made: which descriptors their CQEs named. */
#ifndef RINGFENCE_LOOK_H
#define RINGFENCE_LOOK_H

#include "uring.h"

/* Nothing is looked at. */
void look_forget(void);
/* The scenario will look at what the request with this user_data made. */
void look_expect(u64 data);
/* A CQE came. */
void look_note(const struct cqe *c);

#endif
