/* What the kernel says of processes that do not end. */
#ifndef RINGFENCE_STUCK_H
#define RINGFENCE_STUCK_H

#include "control.h"

/* Whether a thread of the scenario is in a sleep that nothing interrupts. */
int stuck_waits(void);
/* Tells the host, and on the console, of all that is left of the scenario, and powers off. */
void stuck_tell(void) __attribute__((noreturn));

#endif
