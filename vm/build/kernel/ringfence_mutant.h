/* SPDX-License-Identifier: MIT OR GPL-2.0 */
/* Faults that are compiled into one kernel and chosen on its command line; see vm/build/README.md of ringfence. */
#ifndef _LINUX_RINGFENCE_MUTANT_H
#define _LINUX_RINGFENCE_MUTANT_H

/* 0: no fault, and no report. */
extern unsigned int ringfence_mutant_watched;

/* Every place reports by which cases it was reached, and none is faulty. */
#define RINGFENCE_REACH (~0U)

extern _Bool ringfence_mutant_at(unsigned int number);

/* Whether the fault of that number was chosen. Any context; one load and a comparison where it was not. */
static inline __attribute__((always_inline)) _Bool ringfence_mutant(unsigned int number)
{
	unsigned int watched = *(volatile unsigned int *)&ringfence_mutant_watched;

	if (__builtin_expect(watched != number && watched != RINGFENCE_REACH, 1))
		return 0;
	return ringfence_mutant_at(number);
}

/* The guest's first process begins a case: it forks once for each. */
extern void ringfence_begin_case(void);

static inline __attribute__((always_inline)) void ringfence_mutant_fork(void)
{
	if (__builtin_expect(ringfence_mutant_watched == RINGFENCE_REACH, 0))
		ringfence_begin_case();
}

#endif
