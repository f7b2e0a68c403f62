import { plainStep } from '../testing/plain.ts';
import { describe, expect, test } from 'vitest';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import { predict } from '../predict.ts';
import type { Step } from './index.ts';
import type { SpawnHow } from './kind/spawn.ts';

const ring = (task: number, slot: number, flags = 0): Step => ({ do: 'ring', task, ring: slot, entries: 8, flags });
const spawn = (task: number, child: number, how: SpawnHow = 'fork'): Step => ({ do: 'spawn', task, how, child });
const take = (task: number, from: number, slot: number): Step => ({ do: 'take_ring', task, from, ring: slot });
const simple = (what: 'exec' | 'exit' | 'unshare_user' | 'drop_cap_sys_admin', task: number): Step => ({
  do: what,
  task,
});
const nop = (task: number, slot: number): Step => ({ do: 'submit', task, ring: slot, sqes: [{ opcode: 0 }] });
const deny = (task: number, slot?: number): Step => ({
  do: 'register_bpf_filter',
  task,
  on: slot === undefined ? { kind: 'task' } : { kind: 'ring', ring: slot },
  nr_args: 1,
  arg: {
    cmd_type: 1,
    cmd_flags: 0,
    resv: 0,
    opcode: 0,
    flags: 0,
    filter_len: 1,
    pdu_size: 0,
    resv_filter: [0, 0, 0],
    resv2: [0n, 0n, 0n, 0n, 0n],
    program: [{ code: 6, jt: 0, jf: 0, k: 0 }],
    placement: 'normal',
    program_placement: 'normal',
  },
});
const of = (...steps: Step[]) => predict({ version: 1, fixtures: [], jit: true, steps }, ABI_7_0);
/** Of the last step: rule, return, result of the first CQE. */
const last = (...steps: Step[]): unknown[] => {
  const { rule, returns, cqes } = plainStep(of(...steps).steps.at(-1)!);
  return [rule, returns === 'any' ? 'any' : returns[0], ...(cqes === 'any' || cqes.length === 0 ? [] : [cqes[0]!.res])];
};

describe('a taken ring', () => {
  test('is the ring that it was, with the rules it was made under', () => {
    const steps = [spawn(0, 1), deny(1), ring(1, 0), take(0, 1, 0), nop(0, 0)];
    expect(last(...steps.slice(0, 4))).toEqual(['task.take-ring', 0]);
    expect(last(...steps)).toEqual(['enter.count', 1, -13]);
    const { hits } = of(...steps);
    expect([hits.has('inherit.ring-shared'), hits.has('inherit.ring-taken')]).toEqual([true, false]);
  });

  test('is not bound by the rules of who takes it', () => {
    const steps = [spawn(0, 1), ring(1, 0), deny(0), take(0, 1, 0), nop(0, 0)];
    expect(last(...steps)).toEqual(['enter.count', 1, 0]);
    expect(of(...steps).hits.has('inherit.ring-taken')).toBe(true);
    expect(of(...steps, nop(1, 0)).hits.get('inherit.ring-taken')).toBe(1);
  });

  test('feels later rules of the ring, whoever registers them', () => {
    expect(last(spawn(0, 1), ring(1, 0), take(0, 1, 0), deny(1, 0), nop(0, 0))).toEqual(['enter.count', 1, -13]);
    expect(last(spawn(0, 1), ring(1, 0), take(0, 1, 0), deny(0, 0), nop(1, 0))).toEqual(['enter.count', 1, -13]);
  });

  test('outlives the descriptor and the task it was taken from, and execve', () => {
    expect(last(spawn(0, 1), ring(1, 0), take(0, 1, 0), { do: 'close_ring', task: 1, ring: 0 }, nop(0, 0))).toEqual([
      'enter.count',
      1,
      0,
    ]);
    expect(last(spawn(0, 1), ring(1, 0), take(0, 1, 0), simple('exit', 1), simple('exec', 0), nop(0, 0))).toEqual([
      'enter.count',
      1,
      0,
    ]);
  });

  test("of SINGLE_ISSUER is still its submitter's", () => {
    expect(last(spawn(0, 1), ring(1, 0, 1 << 12), take(0, 1, 0), nop(0, 0))).toEqual(['enter.single-issuer', -17]);
  });

  test('belongs to all threads of the taker', () => {
    expect(last(spawn(0, 1), ring(1, 0), spawn(0, 2, 'thread'), take(2, 1, 0), nop(0, 0))).toEqual([
      'enter.count',
      1,
      0,
    ]);
  });
});

describe('who may take', () => {
  test('nothing comes of a descriptor that is not open', () => {
    expect(last(spawn(0, 1), take(0, 1, 0))).toEqual(['task.take-ring.bad-fd', -9]);
    expect(last(spawn(0, 1), take(0, 1, 0), nop(0, 0))).toEqual(['enter.bad-fd', -9]);
  });

  test('capabilities dropped or not, within one user namespace', () => {
    expect(last(ring(0, 0), spawn(0, 1), simple('drop_cap_sys_admin', 1), take(1, 0, 0))).toEqual([
      'task.take-ring',
      0,
    ]);
  });

  test.each<[string, number, Step[], string]>([
    [
      'from a namespace below',
      0,
      [spawn(0, 1), simple('unshare_user', 1), ring(1, 0), take(0, 1, 0)],
      'task.take-ring',
    ],
    [
      'from two below',
      0,
      [spawn(0, 1), simple('unshare_user', 1), spawn(1, 2), simple('unshare_user', 2), ring(2, 0), take(0, 2, 0)],
      'task.take-ring',
    ],
    [
      'within a namespace',
      0,
      [spawn(0, 1), simple('unshare_user', 1), spawn(1, 2), ring(2, 0), take(1, 2, 0)],
      'task.take-ring',
    ],
    ['from above', -1, [ring(0, 0), spawn(0, 1), simple('unshare_user', 1), take(1, 0, 0)], 'task.take-ring.denied'],
    [
      'from above, whatever is open there',
      -1,
      [spawn(0, 1), simple('unshare_user', 1), take(1, 0, 9)],
      'task.take-ring.denied',
    ],
    [
      'from beside',
      -1,
      [spawn(0, 1), spawn(0, 2), simple('unshare_user', 1), simple('unshare_user', 2), ring(2, 0), take(1, 2, 0)],
      'task.take-ring.denied',
    ],
    [
      'within the process',
      0,
      [simple('unshare_user', 0), ring(0, 0), spawn(0, 1, 'thread'), take(1, 0, 0)],
      'task.take-ring',
    ],
  ])('%s', (_, ret, steps, rule) => expect(last(...steps)).toEqual([rule, ret]));

  test("nobody to take from is the runner's own answer", () => {
    expect(last(take(0, 7, 0))).toEqual(['task.gone', -2]);
    expect(last(spawn(0, 1), simple('exit', 1), take(0, 1, 0))).toEqual(['task.gone', -2]);
  });

  test('a process without its first thread is open, until execve makes another the first', () => {
    const threads = [spawn(0, 1), spawn(1, 2, 'thread'), ring(1, 0)];
    expect(last(...threads, take(0, 2, 0))).toEqual(['task.take-ring', 0]);
    expect(last(...threads, simple('exit', 1), take(0, 2, 0))).toEqual(['task.gone', 'any']);
    expect(last(...threads, simple('exit', 1), simple('exec', 2), take(0, 2, 0))).toEqual(['task.take-ring', 0]);
  });
});
