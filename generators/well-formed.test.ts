import { expect, test } from 'vitest';
import { ABI_7_0 } from '../oracle/probe/abi-documented.ts';
import { CLONE } from '../oracle/uapi/constants.ts';
import type { Scenario, Step } from '../oracle/steps/index.ts';
import { bpfArg } from './args.ts';
import { isWellFormed } from './well-formed.ts';

const of = (...steps: Step[]): Scenario => ({ version: 1, fixtures: [], jit: true, steps });
const ring = (task: number, slot: number, flags = 0, entries = 4): Step => ({
  do: 'ring',
  task,
  ring: slot,
  entries,
  flags,
});
const spawn = (
  task: number,
  child: number,
  how: 'fork' | 'vfork' | 'thread' | 'clone_vm' = 'fork',
  flags = 0,
): Step => ({
  do: 'spawn',
  task,
  how,
  child,
  flags,
});
const submit = (slot: number, ...opcodes: number[]): Step => ({
  do: 'submit',
  task: 0,
  ring: slot,
  sqes: opcodes.map((opcode) => ({ opcode })),
});
const exit = (task: number): Step => ({ do: 'exit', task });
const SQE_MIXED = 1 << 19;

test.each<[string, Scenario, string]>([
  ['version', { ...of(), version: 2 as never }, 'scenario version 2'],
  ['fixture', { ...of(), fixtures: ['cat' as never] }, 'no fixture cat'],
  ['fixture twice', { ...of(), fixtures: ['pipe', 'pipe'] }, 'named twice'],
  ['slot twice', of(ring(0, 1), ring(0, 1)), 'step 1 (ring): ring slot 1 is created twice'],
  ['slot 16', of(ring(0, 16)), 'out of range'],
  ['no such task', of(exit(3)), 'task 3 does not exist here'],
  ['not yet', of(ring(1, 0), spawn(0, 1)), 'task 1 does not exist here'],
  ['ended', of(spawn(0, 1), exit(1), exit(1)), 'task 1 has ended'],
  ['child twice', of(spawn(0, 1), spawn(0, 1)), 'task 1 is created twice'],
  ['child 16', of(spawn(0, 16)), 'out of range'],
  ['vfork parent', of(spawn(0, 1, 'vfork'), ring(0, 0)), 'waits for its vfork child 1'],
  ['killed by exec', of(spawn(0, 1, 'thread'), { do: 'exec', task: 1 }, ring(0, 0)), 'task 0 has ended'],
  ['batch too large', of(ring(0, 0), submit(0, 0, 0, 0, 0, 0)), 'a batch of 5 entries on a ring of 4'],
  ['mixed batch', of(ring(0, 0, SQE_MIXED), submit(0, 63, 63, 0)), 'a batch of 5 entries'],
  ['user namespace with threads', of(spawn(0, 1, 'thread'), { do: 'unshare_user', task: 0 }), 'shares its memory'],
  ['user namespace after a ring', of(ring(0, 0), { do: 'unshare_user', task: 0 }), 'after a ring'],
  ['taken from nobody', of({ do: 'take_ring', task: 0, from: 1, ring: 0 }), 'task 1 does not exist here'],
  [
    'taken from a task that has ended',
    of(spawn(0, 1), exit(1), { do: 'take_ring', task: 0, from: 1, ring: 0 }),
    'task 1 has ended',
  ],
  [
    'taken from a process without its first thread',
    of(spawn(0, 1), spawn(1, 2, 'thread'), exit(1), { do: 'take_ring', task: 0, from: 2, ring: 0 }),
    'the first thread of task 2',
  ],
  ['slot 16 taken', of(spawn(0, 1), { do: 'take_ring', task: 0, from: 1, ring: 16 }), 'out of range'],
  [
    "user namespace after requests on another task's ring",
    of(ring(0, 0), spawn(0, 1), { ...submit(0, 0), task: 1 }, { do: 'unshare_user', task: 1 }),
    'after a ring',
  ],
  ['pid namespace, children', of(spawn(0, 1, 'fork', CLONE.NEWPID), spawn(1, 2)), 'makes no others'],
  ['pid namespace, exec', of(spawn(0, 1, 'fork', CLONE.NEWPID), { do: 'exec', task: 1 }), 'process 1'],
  [
    'pid namespace, taking',
    of(spawn(0, 1, 'fork', CLONE.NEWPID), { do: 'take_ring', task: 1, from: 0, ring: 0 }),
    'another pid namespace',
  ],
  ['clone flags', of(spawn(0, 1, 'fork', CLONE.SIGHAND)), 'without a common memory'],
  ['thread with flags', of(spawn(0, 1, 'thread', CLONE.FILES)), 'no flags but PIDFD'],
  ['vfork with a pidfd', of(spawn(0, 1, 'vfork', CLONE.PIDFD)), 'vfork child'],
  ['unknown clone flag', of(spawn(0, 1, 'fork', 1)), 'flags other than'],
  ['path', of({ do: 'probe_path', task: 0, path: '../x' }), 'not inside'],
  ['memory', of({ do: 'probe_memory', task: 0, at: 0x1_7fff, length: 2 }), 'outside the arena'],
  [
    'program',
    of({
      do: 'register_bpf_filter',
      task: 0,
      on: { kind: 'task' },
      nr_args: 1,
      arg: bpfArg(ABI_7_0, 0, new Array(4097).fill({ code: 6, jt: 0, jf: 0, k: 0 })),
    }),
    'more than 4096',
  ],
])('%s', (_, scenario, wanted) => {
  expect(isWellFormed(scenario)).toContain(wanted);
});

test.each<[string, Scenario]>([
  ['nothing', of()],
  ['vfork parent after exit', of(spawn(0, 1, 'vfork'), exit(1), ring(0, 0))],
  ['vfork parent after exec', of(spawn(0, 1, 'vfork'), { do: 'exec', task: 1 }, ring(1, 1), ring(0, 0))],
  ['a full batch, twice', of(ring(0, 0), submit(0, 0, 0, 0, 0), submit(0, 0, 0, 0, 0))],
  ['a mixed ring that wraps', of(ring(0, 0, SQE_MIXED), submit(0, 0, 0, 0), submit(0, 63, 0, 0, 0))],
  ['a ring that is not there', of(submit(3, 0))],
  [
    'a ring taken from a thread that became the process by exec',
    of(spawn(0, 1), spawn(1, 2, 'thread'), { do: 'exec', task: 2 }, ring(2, 0), {
      do: 'take_ring',
      task: 0,
      from: 2,
      ring: 0,
    }),
  ],
  [
    'a ring taken from a parent that waits',
    of(ring(0, 0), spawn(0, 1, 'vfork'), { do: 'take_ring', task: 1, from: 0, ring: 0 }),
  ],
  ['user namespace in a forked child', of(ring(0, 0), spawn(0, 1), { do: 'unshare_user', task: 1 })],
])('%s is fine', (_, scenario) => {
  expect(isWellFormed(scenario)).toBe(true);
});
