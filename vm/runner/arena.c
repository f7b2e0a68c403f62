/* The arena: memory at one address that scenarios may do anything to. */
#include "control.h"

typedef u64 __attribute__((may_alias)) word;

/* Maps the arena, zeroed; the page after it stays unmapped. Returns 0 or -errno. */
int arena_map(void)
{
	long at = sys6(NR_mmap, ARENA_BASE, ARENA_SIZE, PROT_R | PROT_W, MAP_PRIV | MAP_ANON | MAP_AT, -1, 0);

	if (at != (long)ARENA_BASE)
		return at < 0 ? (int)at : -E_INVAL;
	return 0;
}

/* After a scenario that ended badly nothing is known: begin anew. */
void arena_renew(void)
{
	sys2(NR_munmap, ARENA_BASE, ARENA_SIZE);
	if (arena_map() < 0)
		fatal("the arena cannot be mapped");
}

/*
 * Brings the arena back to the image followed by zeros. Reads everything and writes
 * only where something differs, by pages, so that pages a child shared are not copied.
 */
void arena_restore(void)
{
	u32 image_words = CTL->image_len / 8, at, i;

	for (at = 0; at < ARENA_SIZE / 8; at += 512) {
		word *page = (word *)ARENA + at;
		const word *want = (const word *)CTL->image + at;
		word differs = 0;

		if (at < image_words) {
			for (i = 0; i < 512; i += 4)
				differs |= (page[i] ^ want[i]) | (page[i + 1] ^ want[i + 1]) | (page[i + 2] ^ want[i + 2]) |
					   (page[i + 3] ^ want[i + 3]);
			if (differs)
				memcpy(page, want, 4096);
		} else {
			for (i = 0; i < 512; i += 4)
				differs |= page[i] | page[i + 1] | page[i + 2] | page[i + 3];
			if (differs)
				memset(page, 0, 4096);
		}
	}
}
