// SPDX-License-Identifier: MIT OR GPL-2.0
/* The choice among faults compiled into one kernel: ringfence_mutant=N, or ringfence_reach to see which are reached. */
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/cache.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/printk.h>

#include <linux/ringfence_mutant.h>

/* Reports are printed once for each number below this. */
#define REPORTED 8192

unsigned int ringfence_mutant_watched __read_mostly;
EXPORT_SYMBOL_GPL(ringfence_mutant_watched);

static DECLARE_BITMAP(reported, REPORTED);

/* A kernel that starts is as it should be: it uses filters, files and sockets itself. */
bool ringfence_mutant_at(unsigned int number)
{
	if (system_state != SYSTEM_RUNNING)
		return false;
	if (number < REPORTED && !test_bit(number, reported) && !test_and_set_bit(number, reported))
		printk_deferred(KERN_WARNING "ringfence: mutant %u reached\n", number);
	return READ_ONCE(ringfence_mutant_watched) == number;
}
EXPORT_SYMBOL_GPL(ringfence_mutant_at);

static int __init choose_mutant(char *text)
{
	unsigned int number;

	if (kstrtouint(text, 10, &number) == 0 && number < REPORTED)
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
