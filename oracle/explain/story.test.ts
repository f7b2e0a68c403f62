import { expect, test } from 'vitest';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import type { Scenario } from '../steps/index.ts';
import { CASE } from '../testing/socket-case.ts';
import { storyOf } from './story.ts';

const scenario = (steps: Scenario['steps']): Scenario => ({ version: 1, fixtures: [], jit: true, steps });

test('what the rules say of a case, as data', () => {
  const { steps, programs } = storyOf(CASE, ABI_7_0);
  expect(steps[1]).toMatchObject({ task: 0, do: 'spawn', child: 1, how: 'fork', call: 'fork() -> task 1' });
  expect(steps[4]!.requests).toEqual([
    expect.objectContaining({
      text: 'SOCKET user_data=0x1 fd=2 off=0x1 ; socket(AF_INET, SOCK_STREAM, 0)',
      predicted: '-EACCES',
      stage: 'filter',
      rule: 'filter.deny',
      filters: [
        {
          step: 2,
          deny_rest: false,
          value: 0,
          ended: 'ret',
          trace: [
            [0, 2, 0],
            [1, 2, 0, 1],
            [2, 2, 0],
          ],
        },
      ],
    }),
  ]);
  expect(steps[4]!.requests[0]!.context).toContainEqual(['family', '2']);
  expect(programs).toEqual([
    {
      step: 2,
      opcode: 'SOCKET',
      length: 4,
      accepted: true,
      verdict: 'accepted',
      lines: [
        ['ld [16]', '{ 0x20, 0, 0, 0x00000010 },', 'socket.family'],
        ['jeq #0x2, l2, l3', '{ 0x15, 0, 1, 0x00000002 },', ''],
        ['l2: ret #0x0', '{ 0x06, 0, 0, 0x00000000 },', ''],
        ['l3: ret #0x1', '{ 0x06, 0, 0, 0x00000001 },', ''],
      ],
    },
  ]);
  expect(steps.every((step) => step.observed === undefined)).toBe(true);
});

test('a refused program names its instruction; a task that is gone does nothing', () => {
  const register = CASE.steps[2]!;
  if (register.do !== 'register_bpf_filter') throw new Error('not a filter');
  const { steps, programs } = storyOf(
    scenario([
      { task: 0, do: 'no_new_privs' },
      { ...register, task: 0, arg: { ...register.arg, filter_len: 1 } },
      { ...register, task: 3 },
    ]),
    ABI_7_0,
  );
  expect(programs[0]).toMatchObject({ accepted: false, fault: 0, length: 1 });
  expect(steps.map(({ predicted }) => predicted)).toEqual(['0', '-EINVAL', 'does not run']);
});

test('answers go to their requests, also where requests share their user_data', () => {
  const two = scenario([
    { task: 0, do: 'ring', ring: 0, entries: 8, flags: 0 },
    { task: 0, do: 'submit', ring: 0, sqes: [{ opcode: 0 }, { opcode: 0, op_flags: 0x8000_0000 }] },
  ]);
  const cqe = (userData: bigint, res: number) => ({ user_data: userData, res, flags: 0 });
  const { steps } = storyOf(two, ABI_7_0, {
    steps: [
      { reached: true, returns: [0], cqes: [] },
      { reached: true, returns: [2], cqes: [cqe(0n, -22), cqe(9n, 1), cqe(0n, -13)] },
    ],
  });
  expect(steps[1]!.requests.map(({ predicted, observed }) => [predicted, observed])).toEqual([
    ['0', '-EACCES'],
    ['-EINVAL', '-EINVAL'],
  ]);
  expect(steps[1]!.strays).toEqual(['user_data=0x9 res=1']);
  expect(steps[1]!.observed).toBe('2');
});
