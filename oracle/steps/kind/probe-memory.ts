/** probe_memory: what requests wrote. */
import { WORLD } from '../../world/open.ts';
import { defineRules } from '../../rule.ts';
import { ARENA_BASE, ARENA_SIZE } from '../../scenario/layout.ts';
import { int, required } from '../../schema/codec.ts';
import { count, hex } from '../../text/index.ts';
import { numberSize } from '../size.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { MODE, NO_CALL, systemCall } from '../system-call.ts';

const MAX_LENGTH = 256;

/** Reads back arena memory; the bytes are the step's `memory`. */
export interface ProbeMemoryStep extends AnyStep {
  readonly do: 'probe_memory';
  /** Offset in the arena. */
  readonly at: number;
  /** Bytes, 1 .. 256. */
  readonly length: number;
}

/** See ProbeMemoryStep. */
export const probeMemory: StepSpec<ProbeMemoryStep> = {
  kind: 'probe_memory',
  json: {
    at: required(int(0, ARENA_SIZE - 1), 'Offset in the arena, bytes'),
    length: required(int(1, MAX_LENGTH), 'Bytes to read back'),
  },
  wire: systemCall(NO_CALL, ({ at, length }: ProbeMemoryStep) => ({
    args: [],
    read: { at, length },
    mode: MODE.report_always,
  })),
  rules: defineRules({
    'probe.memory': [
      'man',
      'Memory changes only by allowed requests.',
      'io_uring_register_bpf_filter(3), DESCRIPTION (denied operations are not performed)',
    ],
  }),
  predict: (world, task, { at, length }) => {
    const bytes = task.files.sandbox.memory.read(BigInt(ARENA_BASE + at), length);
    const memory = bytes === 'fault' ? WORLD['memory.outside'] : bytes;
    return { reached: true, returns: [0], cqes: [], memory, rule: world.hit('probe.memory') };
  },
  text: ({ at, length }) => `read ${count(length, 'byte')} of the arena at ${hex(at)}`,
  jsonFault: ({ at, length }) =>
    at + length > ARENA_SIZE ? `at + length is ${at + length}, beyond the arena's ${ARENA_SIZE} bytes` : undefined,
  check: ({ at, length }) =>
    length >= 1 && length <= MAX_LENGTH && at >= 0 && at + length <= ARENA_SIZE
      ? true
      : 'the memory range is outside the arena',
  size: ({ length }) => numberSize(length),
};
