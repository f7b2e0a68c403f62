/* What a scenario may find ready. */
#ifndef RINGFENCE_FIXTURES_H
#define RINGFENCE_FIXTURES_H

#include "sys.h"

/* Makes the fixtures whose bits are set. Returns 0, or -errno with the number of the fixture in bits 8..15. */
int fixtures_make(u32 wanted);

#endif
