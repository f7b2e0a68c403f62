/** probe_path: whether a file is there. */
import { defineRules } from '../../rule.ts';
import { ARENA, ARENA_BASE } from '../../scenario/layout.ts';
import { required, text } from '../../schema/codec.ts';
import { answer } from '../answer.ts';
import type { AnyStep, StepSpec } from '../spec.ts';
import { systemCall } from '../system-call.ts';

const MAX_PATH = 255;
/** Offset in the arena at which the path is written; 256 bytes are reserved. */
export const PROBE_PATH_AT = ARENA.args + ARENA.args_size - MAX_PATH - 1;
const AT_FDCWD = -100n;
const BELOW = /^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$))[^\u0000]+$/;

/** Does `path` (relative to the scenario's directory) exist? 0 or -ENOENT. */
export interface ProbePathStep extends AnyStep {
  readonly do: 'probe_path';
  readonly path: string;
}

/** See ProbePathStep. */
export const probePath: StepSpec<ProbePathStep> = {
  kind: 'probe_path',
  json: {
    path: required(text(MAX_PATH, BELOW, `a path below the scenario's directory, at most ${MAX_PATH} characters`)),
  },
  wire: systemCall({ number: 3, name: 'faccessat' }, ({ path }: ProbePathStep) => {
    const name = new TextEncoder().encode(path).subarray(0, MAX_PATH);
    const bytes = new Uint8Array(name.length + 1);
    bytes.set(name);
    return {
      args: [AT_FDCWD, BigInt(ARENA_BASE + PROBE_PATH_AT), 0n],
      writes: [{ offset: PROBE_PATH_AT, bytes }],
    };
  }),
  rules: defineRules({
    'probe.path': [
      'man',
      'A path exists exactly if an allowed request created it.',
      'io_uring_register_bpf_filter(3), DESCRIPTION (denied operations are not performed)',
    ],
  }),
  predict: (world, task, { path }) => answer(task.files.sandbox.probePath(path), world.hit('probe.path')),
  text: ({ path }) => `does ${JSON.stringify(path)} exist?`,
  check: ({ path }) =>
    path.length > 0 && path.length <= MAX_PATH && !path.startsWith('/') && !path.split('/').includes('..')
      ? true
      : 'the path is not inside the scenario directory',
};
