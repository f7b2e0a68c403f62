/*
 * The operations: one function for each, in whichever file it fits. It executes the step of task `me` and writes its
 * answer; a new one in the protocol needs no more than this.
 */
#ifndef RINGFENCE_STEPS_H
#define RINGFENCE_STEPS_H

#include "protocol.h"

#define DECLARE(NAME, name) void do_##name(u32 me, const struct step_##name *s);
OPERATIONS(DECLARE)
#undef DECLARE

#endif
