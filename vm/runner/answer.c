/* Answers of steps, written one after the other into the RESULT frame. */
#include "answer.h"
#include "util.h"

static void room(struct answer *a, u32 length)
{
	/* Half a frame is left for the end of the RESULT and the frames after it. */
	if (a->end + length > CTL->out + OUT_SIZE - MAX_FRAME / 2)
		task_fail(ERR_ANSWERS_FULL, 0);
}

void answer_open(struct answer *a)
{
	a->head = (struct answer_head *)(CTL->out + (u32)CTL->answers);
	a->end = (u8 *)(a->head + 1);
	room(a, 0);
	*a->head = (struct answer_head){ .reached = 1 };
}

void answer_return(struct answer *a, s64 value)
{
	if (a->head->nreturns == 255)
		return;
	room(a, 8);
	*(s64 *)a->end = value;
	a->end += 8;
	a->head->nreturns++;
}

void answer_cqe(struct answer *a, const struct cqe *cqe)
{
	if (a->head->ncqes == 0xffff)
		return;
	room(a, sizeof(*cqe));
	*(struct cqe *)a->end = *cqe;
	a->end += sizeof(*cqe);
	a->head->ncqes++;
}

void answer_memory(struct answer *a, const void *bytes, u32 length)
{
	u32 padded = (length + 7) & ~7u;

	room(a, padded);
	memset(a->end, 0, padded);
	memcpy(a->end, bytes, length);
	a->end += padded;
	a->head->memory_len = length;
}

void answer_commit(struct answer *a)
{
	STORE(&CTL->answers, ((CTL->answers >> 32) + 1) << 32 | (u32)(a->end - CTL->out));
}

void answer_one(s64 value)
{
	struct answer a;

	answer_open(&a);
	answer_return(&a, value);
	answer_commit(&a);
}

void answer_not_reached(void)
{
	struct answer a;

	answer_open(&a);
	a.head->reached = 0;
	answer_commit(&a);
}
