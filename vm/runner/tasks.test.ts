/** Trees of tasks on a real kernel: every kind of child, exec, exit, namespaces, rings in other hands. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ARENA, FD } from '../../oracle/scenario/layout.ts';
import type { Step } from '../../oracle/steps/index.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import { CLONE } from '../../oracle/uapi/constants.ts';
import { imageFrame } from '../protocol/frames.ts';
import { bootLine } from '../testing/runner-line.ts';
import type { Line } from '../testing/runner-line.ts';
import { filter, nops, R, ret, ring, seen, simple, spawn, submit, T } from '../testing/runner-steps.ts';

let line: Line;
beforeAll(async () => {
  line = await bootLine();
  await line.guest.send(imageFrame(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)));
}, 300_000);
afterAll(async () => {
  await line?.guest.kill();
});

describe('tasks', { timeout: 60_000 }, () => {
  const hows: SpawnHow[] = ['fork', 'thread', 'clone_vm', 'clone3'];

  it.each(hows)("%s: a child has its parent's rules, and the parent none of its child's", async (how) => {
    const result = await line.run([
      simple('no_new_privs', 0),
      ring(0, 0),
      filter(0, T, ret(0)),
      spawn(0, how, 1),
      filter(1, T, ret(0), 22),
      ring(1, 1),
      submit(1, 1, nops(1)),
      submit(1, 1, [{ opcode: 22, fd: FD.closed }]),
      submit(1, 0, nops(1)),
      ring(0, 2),
      submit(0, 2, [{ opcode: 22, fd: FD.closed }]),
      simple('exit', 1),
      submit(1, 0, nops(1)),
      submit(0, 2, nops(1)),
    ]);
    const pid = result.observation.steps[3]!.returns[0]!;
    expect(pid).toBeGreaterThan(1);
    expect(seen(result)).toEqual([
      [[0]],
      [[0]],
      [[0]],
      [[pid]],
      [[0]],
      [[0]],
      [[1], [-13]],
      [[1], [-13]],
      [[1], [0]],
      [[0]],
      [[1], [-9]],
      [[0]],
      null,
      [[1], [-13]],
    ]);
  });

  it.each(['fork', 'clone_vm', 'clone3'] as const)(
    '%s with FILES: one table of descriptors until exec',
    async (how) => {
      const result = await line.run([
        ring(0, 0),
        spawn(0, how, 1, CLONE.FILES | CLONE.PIDFD | (how === 'clone_vm' ? CLONE.SIGHAND : 0)),
        { do: 'probe_fd', task: 0, fd: 3 },
        ring(0, 1),
        submit(1, 1, nops(1)),
        submit(1, 0, nops(2)),
        submit(0, 0, nops(3)),
        ring(1, 2),
        submit(0, 2, nops(1)),
        { do: 'close_ring', task: 0, ring: 0 },
        submit(1, 0, nops(1)),
        simple('exec', 1),
        { do: 'close_ring', task: 0, ring: 2 },
        submit(1, 2, nops(1)),
        submit(0, 2, nops(1)),
        spawn(1, 'fork', 2),
        spawn(0, 'vfork', 3, CLONE.FILES),
        ring(3, 3),
        simple('exit', 3),
        submit(0, 3, nops(1)),
        submit(2, 2, nops(1)),
        submit(2, 3, nops(1)),
      ]);
      const [ok, bad] = [[[1], [0]], [[-9]]];
      const all = seen(result);
      expect(all.slice(2, 15)).toEqual([
        [[-9]],
        [[0]],
        ok,
        [[2], [0, 0]],
        [[3], [0, 0, 0]],
        [[0]],
        ok,
        [[0]],
        bad,
        [[0]],
        [[0]],
        ok,
        bad,
      ]);
      expect(all.slice(17)).toEqual([[[0]], [[0]], ok, ok, bad]);
    },
  );

  it.each(['fork', 'vfork', 'clone_vm', 'clone3'] as const)('%s with NEWUSER: capabilities of its own', async (how) => {
    const result = await line.run([
      ring(0, 0),
      simple('drop_cap_sys_admin', 0),
      spawn(0, how, 1, CLONE.NEWUSER | CLONE.FILES),
      { do: 'probe_fd', task: 1, fd: 3 },
      filter(1, T, ret(0)),
      ring(1, 1),
      submit(1, 1, nops(1)),
      simple('exit', 1),
      filter(0, T, ret(0)),
    ]);
    expect(seen(result).slice(3)).toEqual([[[-9]], [[0]], [[0]], [[1], [-13]], [[0]], [[-13]]]);
  });

  it('vfork: the parent goes on when the child has no more steps', async () => {
    const result = await line.run([ring(0, 0), spawn(0, 'vfork', 1), submit(1, 0, nops(1)), submit(0, 0, nops(1))]);
    expect(seen(result).slice(2)).toEqual([
      [[1], [0]],
      [[1], [0]],
    ]);
  });

  it('vfork: the parent goes on when the child execs', async () => {
    const result = await line.run([
      ring(0, 0),
      spawn(0, 'vfork', 1),
      simple('exec', 1),
      submit(0, 0, nops(1)),
      submit(1, 0, nops(1)),
      submit(0, 0, nops(1)),
    ]);
    expect(seen(result).slice(2)).toEqual([[[0]], [[1], [0]], [[1], [0]], [[1], [0]]]);
  });

  it('exec keeps rules, rings and fixtures, and loses memory', async () => {
    // The rules are a child's that never used a ring: some kernels lose those of a task that did.
    const result = await line.run(
      [
        simple('no_new_privs', 0),
        ring(0, 0),
        spawn(0, 'fork', 1),
        filter(1, T, ret(0)),
        simple('exec', 1),
        submit(1, 0, nops(2)),
        ring(1, 1),
        submit(1, 1, nops(1)),
        { do: 'probe_fd', task: 1, fd: FD.file },
        { do: 'probe_fd', task: 1, fd: 118 },
        { do: 'probe_memory', task: 1, at: ARENA.program, length: 8 },
        { do: 'probe_memory', task: 1, at: 0, length: 8 },
      ],
      { fixtures: ['file'] },
    );
    expect(seen(result).filter((_, i) => i !== 2)).toEqual([
      [[0]],
      [[0]],
      [[0]],
      [[0]],
      [[2], [0, 0]],
      [[0]],
      [[1], [-13]],
      [[0]],
      [[-9]],
      [[0]],
      [[0]],
    ]);
    expect([...result.observation.steps[10]!.memory!]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    expect([...result.observation.steps[11]!.memory!]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('exec in a thread ends the other threads', async () => {
    const result = await line.run([
      ring(0, 0),
      spawn(0, 'thread', 1),
      spawn(0, 'thread', 2),
      simple('exec', 1),
      submit(0, 0, nops(1)),
      submit(1, 0, nops(1)),
      submit(2, 0, nops(1)),
    ]);
    expect(seen(result).slice(3)).toEqual([[[0]], null, [[1], [0]], null]);
  });

  it('a thread outlives the thread that was first', async () => {
    const result = await line.run([
      ring(0, 0),
      spawn(0, 'thread', 1),
      simple('exit', 0),
      submit(1, 0, nops(1)),
      spawn(1, 'fork', 2),
      simple('exit', 1),
      submit(2, 0, nops(1)),
    ]);
    expect(seen(result).filter((_, i) => i !== 1 && i !== 4)).toEqual([[[0]], [[0]], [[1], [0]], [[0]], [[1], [0]]]);
  });

  it('a child keeps a ring whose creator is gone', async () => {
    const result = await line.run([ring(0, 0), spawn(0, 'fork', 1), simple('exit', 0), submit(1, 0, nops(1))]);
    expect(seen(result).slice(2)).toEqual([[[0]], [[1], [0]]]);
  });

  it('a ring cannot be sent through a socket', async () => {
    expect(
      seen(
        await line.run([ring(0, 0), { do: 'send_ring', task: 0, ring: 0 }, { do: 'receive_ring', task: 0, ring: 1 }]),
      ),
    ).toEqual([[[0]], [[-22]], [[-11]]]);
  });

  it('a ring is taken out of another task', async () => {
    const take = (task: number, from: number, ring: number): Step => ({ do: 'take_ring', task, from, ring });
    const result = await line.run([
      spawn(0, 'fork', 1),
      ring(1, 0),
      filter(1, R(0), ret(0)),
      submit(0, 0, nops(1)),
      take(0, 1, 0),
      submit(0, 0, nops(1)),
      take(0, 1, 3),
      simple('exit', 1),
      submit(0, 0, nops(1)),
      take(0, 1, 0),
      simple('exec', 0),
      submit(0, 0, nops(1)),
    ]);
    expect(seen(result).slice(1)).toEqual([
      [[0]],
      [[0]],
      [[-9]],
      [[0]],
      [[1], [-13]],
      [[-9]],
      [[0]],
      [[1], [-13]],
      [[-2]],
      [[0]],
      [[1], [-13]],
    ]);
  });

  it('a task in a user namespace of its own takes from those in it and below it only', async () => {
    const take = (task: number, from: number, ring: number): Step => ({ do: 'take_ring', task, from, ring });
    const unshare = (task: number): Step => simple('unshare_user', task);
    const result = await line.run([
      ring(0, 0),
      spawn(0, 'fork', 1),
      spawn(0, 'fork', 2),
      unshare(1),
      unshare(2),
      spawn(1, 'fork', 3),
      spawn(1, 'fork', 4),
      unshare(4),
      spawn(1, 'fork', 5),
      simple('exec', 5),
      simple('drop_cap_sys_admin', 3),
      ...[1, 2, 3, 4, 5].map((task) => ring(task, task)),
      ...[0, 1, 2, 3, 4, 5].flatMap((task) =>
        [0, 1, 2, 3, 4, 5].filter((from) => from !== task).map((from) => take(task, from, from)),
      ),
    ]);
    const answers = seen(result)
      .slice(16)
      .map((answer) => answer![0]![0]);
    const [no, yes] = [-1, 0];
    expect([0, 1, 2, 3, 4, 5].map((task) => answers.slice(5 * task, 5 * task + 5))).toEqual([
      [yes, yes, yes, yes, yes],
      [no, no, yes, yes, yes],
      [no, no, no, no, no],
      [no, yes, no, yes, yes],
      [no, no, no, no, no],
      [no, yes, no, yes, yes],
    ]);
  });

  it('sixteen tasks of all kinds', async () => {
    const spawns = Array.from({ length: 15 }, (_, i) => spawn(i, hows[i % 4]!, i + 1));
    const result = await line.run([
      ring(0, 0),
      ...spawns,
      ...Array.from({ length: 16 }, (_, i) => submit(i, 0, nops(1))),
    ]);
    expect(seen(result).slice(16)).toEqual(Array.from({ length: 16 }, () => [[1], [0]]));
  });

  it('drops a capability, and gets it back only in a namespace of its own', async () => {
    expect(
      seen(
        await line.run([
          simple('drop_cap_sys_admin', 0),
          filter(0, T, ret(0)),
          simple('unshare_user', 0),
          ring(0, 0),
          spawn(0, 'thread', 1),
          simple('unshare_user', 1),
        ]),
      ),
    ).toMatchObject([[[0]], [[-13]], [[0]], [[0]], {}, [[-22]]]);
  });
});
