// SPDX-License-Identifier: MIT OR GPL-2.0
/* The choice among faults compiled into one kernel: ringfence_mutant=N, or ringfence_reach to see who reaches which. */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include <linux/ringfence_mutant.h>

/* Places have numbers below this. */
#define PLACES 8192
/* A place that so many cases come to is no longer told of each. */
#define OFTEN 400
/* Numbers on a line of the console. */
#define ON_LINE 100

unsigned int ringfence_mutant_watched __read_mostly;
EXPORT_SYMBOL_GPL(ringfence_mutant_watched);

/* Reported for good. */
static DECLARE_BITMAP(reported, PLACES);
/* Reached by the case that runs. */
static DECLARE_BITMAP(reached, PLACES);
/* Cases that came there. */
static u16 count[PLACES];
/* Cases that were begun. */
static unsigned int begun;

/* What no process of a case does may be the late doing of any. */
static bool beside_cases(void)
{
	return !in_task() || (current->flags & PF_KTHREAD);
}

static void note_place(unsigned int number)
{
	if (test_bit(number, reported))
		return;
	if (ringfence_mutant_watched == RINGFENCE_REACH && !beside_cases()) {
		if (!test_bit(number, reached))
			set_bit(number, reached);
	} else if (!test_and_set_bit(number, reported)) {
		printk_deferred(KERN_WARNING "ringfence: mutant %u reached\n", number);
	}
}

/* A kernel that starts is as it should be: it uses filters, files and sockets itself. */
bool ringfence_mutant_at(unsigned int number)
{
	if (system_state != SYSTEM_RUNNING)
		return false;
	if (number < PLACES)
		note_place(number);
	return READ_ONCE(ringfence_mutant_watched) == number;
}
EXPORT_SYMBOL_GPL(ringfence_mutant_at);

/* Tells what the last case came to. */
void ringfence_begin_case(void)
{
	unsigned int number, on_line = 0;

	if (!is_global_init(current))
		return;
	for_each_set_bit(number, reached, PLACES)
	{
		clear_bit(number, reached);
		if (++count[number] >= OFTEN) {
			if (!test_and_set_bit(number, reported))
				printk(KERN_WARNING "ringfence: mutant %u reached\n", number);
			continue;
		}
		if (on_line++ % ON_LINE == 0)
			printk(KERN_WARNING "ringfence: case %u:", begun);
		printk(KERN_CONT " %u", number);
	}
	if (on_line)
		printk(KERN_CONT "\n");
	begun++;
}

static int __init choose_mutant(char *text)
{
	unsigned int number;

	if (kstrtouint(text, 10, &number) == 0 && number < PLACES)
		ringfence_mutant_watched = number;
	return 1;
}
__setup("ringfence_mutant=", choose_mutant);

static int __init choose_reach(char *text)
{
	ringfence_mutant_watched = RINGFENCE_REACH;
	return 1;
}
__setup("ringfence_reach", choose_reach);
