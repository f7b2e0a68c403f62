/* The arena: memory at one address that scenarios may do anything to. */
#include "arena.h"
#include "util.h"

int arena_map(void)
{
	long at = sys6(NR_mmap, ARENA_BASE, ARENA_SIZE, PROT_R | PROT_W, MAP_PRIV | MAP_ANON | MAP_AT, -1, 0);

	if (at != (long)ARENA_BASE)
		return at < 0 ? (int)at : -E_INVAL;
	return 0;
}

int arena_renew(void)
{
	sys2(NR_munmap, ARENA_BASE, ARENA_SIZE);
	return arena_map();
}

/* 16 bytes at once: half the work under emulation. */
typedef u64 pair __attribute__((vector_size(16), may_alias));

static int page_differs(const pair *page, const pair *want)
{
	pair differs = { 0, 0 };
	u32 i;

	for (i = 0; i < 4096 / 16; i += 4)
		differs |= (page[i] ^ want[i]) | (page[i + 1] ^ want[i + 1]) | (page[i + 2] ^ want[i + 2]) |
			   (page[i + 3] ^ want[i + 3]);
	return (differs[0] | differs[1]) != 0;
}

static int page_nonzero(const pair *page)
{
	pair bits = { 0, 0 };
	u32 i;

	for (i = 0; i < 4096 / 16; i += 4)
		bits |= page[i] | page[i + 1] | page[i + 2] | page[i + 3];
	return (bits[0] | bits[1]) != 0;
}

/*
 * Looks at every page that exists and
 * writes only what differs, so that pages a child shared are not copied. What is seldom used
 * is given back instead of zeroed: then the next scenarios need not look at it.
 */
void arena_restore(void)
{
	u32 image_pages = (CTL->image_len + 4095) / 4096, page;
	u8 exists[ARENA_SIZE / 4096];

	if (sys3(NR_mincore, ARENA_BASE, ARENA_SIZE, exists) < 0)
		memset(exists, 1, sizeof(exists));
	for (page = 0; page < ARENA_SIZE / 4096; page++) {
		u8 *at = ARENA + page * 4096;
		const u8 *want = CTL->image + page * 4096;

		if (page < image_pages) {
			if (page_differs((const pair *)at, (const pair *)want))
				memcpy(at, want, 4096);
		} else if ((exists[page] & 1) && page_nonzero((const pair *)at)) {
			if (page * 4096 > ARENA_PROGRAM && page != ARENA_SIZE / 4096 - 1)
				sys3(NR_madvise, at, 4096, 4 /* MADV_DONTNEED */);
			else
				memset(at, 0, 4096);
		}
	}
}
