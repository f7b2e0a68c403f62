/* One scenario as PID 1 sees it: check, start, watch, clean up, report. */
#ifndef RINGFENCE_SCENARIO_H
#define RINGFENCE_SCENARIO_H

#include "protocol.h"

/* Runs a scenario and leaves its RESULT at the start of CTL->out. Returns its length in bytes. */
u32 scenario_run(const struct scenario_frame *frame, u64 idle_ns);

#endif
