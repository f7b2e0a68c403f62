/* The arena: memory at one address that scenarios may do anything to. */
#ifndef RINGFENCE_ARENA_H
#define RINGFENCE_ARENA_H

#include "control.h"

/* Maps the arena, zeroed; the page after it stays unmapped. Returns 0 or -errno. */
int arena_map(void);
/* Brings the arena back to the image followed by zeros. */
void arena_restore(void);
/* After a scenario that ended badly nothing is known: begins anew. Returns 0 or -errno. */
int arena_renew(void);

#endif
