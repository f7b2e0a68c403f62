/* PID 1: sets the guest up, then takes frames from the port one after the other. */
#include "bench.h"
#include "boot.h"
#include "control.h"
#include "files.h"
#include "port.h"
#include "scenario.h"
#include "task.h"
#include "util.h"

PROCESS_ENTRY;

static void on_image(const struct frame *f)
{
	u32 length = f->length - (u32)sizeof(*f);

	if (length > ARENA_SIZE)
		fatal("the arena image is larger than the arena");
	memcpy(CTL->image, f + 1, length);
	memset(CTL->image + length, 0, ARENA_SIZE - length);
	CTL->image_len = length;
}

static void on_scenario(const struct scenario_frame *f, u64 idle_ns)
{
	if (f->frame.length < sizeof(*f) || f->nsteps > MAX_STEPS || f->deadline_ms > MAX_DEADLINE_MS)
		fatal("the scenario frame is malformed");
	CTL->id = f->frame.id;
	output_frame(FRAME_BEGIN, sizeof(struct frame), f->frame.id);
	output_flush(); /* the previous RESULT and this BEGIN */
	output_filled(scenario_run(f, idle_ns));
}

static void on_bench(const struct bench_frame *f)
{
	struct benched_frame *answer;

	if (f->frame.length < sizeof(*f))
		fatal("the bench frame is malformed");
	answer = output_frame(FRAME_BENCHED, sizeof(*answer), f->frame.id);
	answer->which = f->which;
	answer->iterations = f->iterations;
	answer->ns = bench_run(f->which, f->iterations);
	output_flush();
}

/* PROCESS_ENTRY calls it. */
void start(u64 *stack);
void start(u64 *stack)
{
	const char **argv = (const char **)(stack + 1);

	if (sys0(NR_getpid) != 1) {
		if (*stack < 2 || control_map(0) < 0)
			exit_process(98);
		exec_main(parse_number(argv[1]));
	}
	boot();
	for (;;) {
		u64 idle_ns;
		struct frame *f = port_next(&idle_ns);

		switch (f->magic) {
		case FRAME_IMAGE:
			on_image(f);
			break;
		case FRAME_SCENARIO:
			on_scenario((struct scenario_frame *)f, idle_ns);
			break;
		case FRAME_BENCH:
			on_bench((struct bench_frame *)f);
			break;
		case FRAME_READ:
			on_read(f);
			break;
		case FRAME_WRITE:
			on_write((struct write_frame *)f);
			break;
		case FRAME_BYE:
			output_frame(FRAME_BEGIN, sizeof(struct frame), ANNOUNCED_POWER_OFF);
			output_flush();
			power_off();
		}
	}
}
