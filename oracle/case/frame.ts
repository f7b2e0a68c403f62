/**
 * The compact binary form of a scenario: one SCENARIO frame of vm/protocol/PROTOCOL.md. Every step
 * becomes one operation of the guest's runner, which knows nothing of BPF or restrictions.
 */
import { FIXTURES } from '../scenario/layout.ts';
import { MAX_FRAME, Writer } from '../scenario/writer.ts';
import { specOf } from '../steps/index.ts';
import type { Scenario, Step } from '../steps/index.ts';
import type { WireContext } from '../steps/wire.ts';

/** What the frame carries beside the scenario. */
export interface EncodeOptions {
  /** Number of the scenario, u32; RESULT and BEGIN repeat it. */
  readonly id: number;
  /** Time until the guest gives the scenario up, milliseconds, 1 .. 600 000. */
  readonly deadline_ms: number;
  /** Per step: CQEs to wait for (submit and reap only). A hint for liveness, never part of the verdict. Absent: 0. */
  readonly waits?: readonly number[];
  /** Per step: CQEs that may come in all, those that may be absent included. Absent: as `waits`. */
  readonly wants?: readonly number[];
  /** Per step: how many of the awaited CQEs are of its own requests; 0 where no others can come between. Absent: 0. */
  readonly owns?: readonly number[];
  /** Byte order of the guest. Default: little-endian. */
  readonly little_endian?: boolean;
}

export { MAX_FRAME };
/** Most steps the guest takes. */
export const MAX_STEPS = 4096;

/** Longest time a scenario may be given, milliseconds. */
export const MAX_DEADLINE_MS = 600_000;
/** Bits of the frame's `flags`. */
export const SCENARIO_FLAGS = { jit: 1, traces: 2, harden: 4, harden_all: 8 } as const;

/** The frame; `encodeScenario` writes its fields in this order. The other frames are in vm/protocol/table.ts. */
export const SCENARIO_FRAME = {
  /** First four bytes, as text in the little-endian order. */
  tag: 'RFSC',
  to: 'guest',
  fields: {
    deadline_ms: { type: 'u32', about: `at most ${MAX_DEADLINE_MS}` },
    fixtures: { type: 'u32', about: 'bit per entry of FIXTURES' },
    flags: {
      type: 'u32',
      about: 'bit 0: BPF JIT on; bit 1: it tells what it compiles; bits 2, 3: bpf_jit_harden is 1, 2',
    },
    nsteps: { type: 'u32' },
  },
  rest: 'then the steps, which fill the frame exactly',
} as const;
const SCENARIO_MAGIC = Array.from(SCENARIO_FRAME.tag).reduceRight(
  (word, letter) => word * 256 + letter.charCodeAt(0),
  0,
);
/** A step's head and the fixed part of its payload, bytes. */
const STEP_ROOM = 128;

const writer = new Writer();

/**
 * Encodes a scenario as one SCENARIO frame.
 * @throws RangeError when it has more than MAX_STEPS steps or more than MAX_FRAME bytes
 */
export function encodeScenario(scenario: Scenario, options: EncodeOptions): Uint8Array<ArrayBuffer> {
  if (scenario.steps.length > MAX_STEPS)
    throw new RangeError(`a scenario of ${scenario.steps.length} steps is too long: at most ${MAX_STEPS}`);
  const w = writer;
  w.start(options.little_endian ?? true);
  w.room(32);
  w.u32(SCENARIO_MAGIC);
  w.u32(0);
  w.u32(options.id);
  w.u32(0);
  w.u32(options.deadline_ms);
  w.u32(scenario.fixtures.reduce((bits, fixture) => bits | (1 << FIXTURES.indexOf(fixture)), 0));
  w.u32(flagsOf(scenario));
  w.u32(scenario.steps.length);
  const { steps } = scenario;
  const context: WireContext = { steps, wait: 0, want: 0, own: 0 };
  for (let i = 0; i < steps.length; i++) {
    context.wait = options.waits?.[i] ?? 0;
    context.want = options.wants?.[i] ?? context.wait;
    context.own = options.owns?.[i] ?? 0;
    encodeStep(w, steps[i]!, context);
  }
  if (w.at > MAX_FRAME)
    throw new RangeError(`a scenario of ${w.at} bytes does not fit in a frame: at most ${MAX_FRAME}`);
  w.u32At(4, w.at);
  return w.finish();
}

function flagsOf({ jit, traces, harden }: Scenario): number {
  const hardening = harden === 2 ? SCENARIO_FLAGS.harden_all : harden === 1 ? SCENARIO_FLAGS.harden : 0;
  return (jit ? SCENARIO_FLAGS.jit : 0) | (traces === true ? SCENARIO_FLAGS.traces : 0) | hardening;
}

/** `u8 op | u8 task | u16 0 | u32 length | payload` */
function encodeStep(w: Writer, step: Step, context: WireContext): void {
  const { wire } = specOf(step);
  const begin = w.at;
  w.room(STEP_ROOM);
  w.u8(wire.operation.number);
  w.u8(step.task);
  w.u16(0);
  w.u32(0); // the length, filled in at the end
  wire.encode(w, step, context);
  w.u32At(begin + 4, w.at - begin);
}
