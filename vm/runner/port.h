/* The port to the host: frames in, frames out. */
#ifndef RINGFENCE_PORT_H
#define RINGFENCE_PORT_H

#include "protocol.h"

/* Opens the port; powers the guest off when there is none. */
void port_open(void);
/* Whether it is a serial line, which loses what nobody reads. */
int port_is_line(void);

/*
 * The next frame from the host, whole and of a known kind; it stays where it is until the call after it.
 * Sends what is in the output first when none is there. `idle_ns` is how long it was waited for.
 */
struct frame *port_next(u64 *idle_ns);

/* Appends a frame of `length` bytes to the output, zeroed behind its head. Returns it. */
void *output_frame(u32 magic, u32 length, u32 id);
/* The first `length` bytes of the output, which was empty, have been written in place. */
void output_filled(u32 length);
void output_flush(void);

/* Says why the runner cannot go on, and powers off. */
void fatal(const char *text) __attribute__((noreturn));
void power_off(void) __attribute__((noreturn));

#endif
