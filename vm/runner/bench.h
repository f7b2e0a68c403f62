/* The same steps as bare C loops: what a scenario's step is compared with. */
#ifndef RINGFENCE_BENCH_H
#define RINGFENCE_BENCH_H

#include "sys.h"

/* Runs a loop in a process of its own, so that PID 1 never becomes a user of io_uring. Nanoseconds. */
u64 bench_run(u32 which, u32 iterations);

#endif
