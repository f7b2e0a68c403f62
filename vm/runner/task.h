/* Tasks: who may run, step by step; spawning, exec, exit. */
#ifndef RINGFENCE_TASK_H
#define RINGFENCE_TASK_H

#include "control.h"

/* The root task of a scenario, sharing memory with PID 1. */
void root_main(void *arg);
/* A task goes on in a new image: all it knew is in the control block. */
void exec_main(u32 me) __attribute__((noreturn));
/* Hands the next step to its owner, or ends the scenario. */
void pass_turn(void);
/* Top of the stack of a task that shares memory with the one that made it. */
void *task_stack(u32 task);

#endif
