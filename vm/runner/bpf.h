/* How the kernel runs BPF programs, and whether it compiled them. */
#ifndef RINGFENCE_BPF_H
#define RINGFENCE_BPF_H

#include "control.h"

/* Opens the settings. Returns the FEATURE bits that say which of them there are. */
u32 bpf_open(void);
/* The settings that a scenario's flags ask for, as far as the kernel has them. Returns 0 or -errno. */
int bpf_set(u32 scenario_flags);
/* After a call that registered a filter: counts it, and whether it was compiled. */
void bpf_registered(void);

#endif
