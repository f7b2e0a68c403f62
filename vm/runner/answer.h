/* Answers of steps, written one after the other into the RESULT frame. */
#ifndef RINGFENCE_ANSWER_H
#define RINGFENCE_ANSWER_H

#include "control.h"

/* An answer under construction; invisible until it is committed. */
struct answer {
	struct answer_head *head;
	u8 *end;
};

void answer_open(struct answer *a);
/* At most 255 values; more are not recorded. */
void answer_return(struct answer *a, s64 value);
void answer_cqe(struct answer *a, const struct cqe *cqe);
void answer_memory(struct answer *a, const void *bytes, u32 length);
void answer_commit(struct answer *a);

/* A whole answer of one value. */
void answer_one(s64 value);
/* The answer of a step that did not happen. */
void answer_not_reached(void);

#endif
