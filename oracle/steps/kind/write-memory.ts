/** write_memory: bytes for requests to point at. */
import { defineRules } from '../../rule.ts';
import { ARENA, ARENA_BASE } from '../../scenario/layout.ts';
import { bytes as bytesJson, int, required } from '../../schema/codec.ts';
import { bytesText, hex } from '../../text/index.ts';
import { answer } from '../answer.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { NO_CALL, systemCall } from '../system-call.ts';

const MAX_LENGTH = 256;

/** Writes bytes to the arena's data area. */
export interface WriteMemoryStep extends AnyStep {
  readonly do: 'write_memory';
  /** Offset in the arena, inside ARENA.data. */
  readonly at: number;
  /** At most 256. */
  readonly bytes: Uint8Array;
}

/** See WriteMemoryStep. */
export const writeMemory: StepSpec<WriteMemoryStep> = {
  kind: 'write_memory',
  json: {
    at: required(int(ARENA.data, ARENA.data + ARENA.data_size - 1), "Offset in the arena's data area, bytes"),
    bytes: required(bytesJson(MAX_LENGTH), 'What is written there, hex'),
  },
  wire: systemCall(NO_CALL, ({ at, bytes }: WriteMemoryStep) => ({
    args: [],
    writes: [{ offset: at, bytes }],
  })),
  rules: defineRules({
    'task.write-memory': ['uapi', 'A task writes to its own memory.', 'the scenario language; no kernel takes part'],
  }),
  predict: (world, task, { at, bytes }) => {
    task.files.sandbox.memory.write(BigInt(ARENA_BASE + at), bytes);
    return answer(0, world.hit('task.write-memory'));
  },
  text: ({ at, bytes }) => `write {${bytesText(bytes)}} to the arena at ${hex(at)}`,
  jsonFault: ({ at, bytes }) => (fits(at, bytes) ? undefined : "the bytes do not fit into the arena's data area"),
  check: ({ at, bytes }) => (fits(at, bytes) ? true : "the bytes do not fit into the arena's data area"),
  size: ({ bytes }) => {
    let size = bytes.length;
    for (const byte of bytes) if (byte !== 0) size += 1;
    return size;
  },
  *shrink(step) {
    const { bytes } = step;
    for (let i = 0; i < bytes.length; i++)
      if (bytes[i] !== 0) yield { ...step, bytes: bytes.map((byte, at) => (at === i ? 0 : byte)) };
  },
};

function fits(at: number, bytes: Uint8Array): boolean {
  return at >= ARENA.data && bytes.length <= MAX_LENGTH && at + bytes.length <= ARENA.data + ARENA.data_size;
}
