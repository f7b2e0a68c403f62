/** inheritance: fork trees, rings before and after, late registrations on either side, exec. */
import { IORING_SETUP } from '../../oracle/uapi/constants.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import { FILTER_DENY_REST } from '../args.ts';
import type { Builder } from '../builder.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Weighted } from '../draw.ts';
import { drawAllowlist } from './classic.ts';

const HOWS: Weighted<SpawnHow> = [
  [4, 'fork'],
  [4, 'vfork'],
  [4, 'thread'],
  [3, 'clone_vm'],
  [2, 'clone3'],
];

/** A random walk over a growing tree of tasks. */
export function inheritance(b: Builder): void {
  const { d, tracker } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(1, 5), setup_flags: flags, flags: d.chance(0.8) ? 0 : 0.1 });
  b.oddRing(0, crew);
  const hows = d.some(HOWS, 0.6);
  const how = (): SpawnHow => d.weighted(hows.length === 0 ? HOWS : hows);
  const most = d.weighted<number>([
    [4, 2],
    [4, 3],
    [2, 4],
    [1, 8],
  ]);
  const alive = (): number[] =>
    [...tracker.tasks.values()].filter((task) => task.alive && task.waitsFor === undefined).map((task) => task.id);
  const filter = (task: number): void => {
    const rings = [...tracker.runnable(task)!.files];
    const on = d.chance(0.7) || rings.length === 0 ? TASK : onRing(d.pick(rings));
    const denyRest = d.chance(0.08) ? FILTER_DENY_REST : 0;
    b.drawFilter(task, on, crew, d.pick(crew.opcodes), { share: 0.6 }, denyRest);
  };
  const use = (task: number): void => {
    const rings = [...tracker.runnable(task)!.files];
    if (rings.length === 0 || (tracker.rings.size < 5 && d.chance(0.35))) {
      const disabled = d.chance(0.08);
      const ring = b.ring(task, disabled ? flags | IORING_SETUP.R_DISABLED : flags);
      if (disabled && ring !== undefined && d.chance(0.8)) {
        if (d.chance(0.5)) b.restrict(task, onRing(ring), drawAllowlist(b, crew));
        b.enable(d.chance(0.8) ? task : d.pick(alive()), ring);
      }
      b.submit(task, ring, crew, d.int(8, 40));
      return;
    }
    b.submit(task, d.pick(rings), crew, d.int(8, 40));
  };
  if (d.chance(0.12)) b.restrict(0, TASK, drawAllowlist(b, crew));
  for (let n = d.int(1, 3); n > 0; n--) filter(0);
  if (d.chance(0.5)) use(0);
  if (d.chance(0.3)) filter(0);
  for (let n = d.int(4, 16); n > 0; n--) {
    const living = alive();
    if (living.length === 0) return;
    const task = d.pick(living);
    switch (
      d.weighted<number>([
        [5, 0],
        [6, 1],
        [8, 2],
        [0.5, 3],
        [0.7, 4],
        [0.3, 5],
        [0.6, 6],
        [1.2, 7],
      ])
    ) {
      case 0: {
        const child = b.spawn(task, how(), most);
        // In a user namespace of its own it may take from nobody outside.
        if (child !== undefined && d.chance(0.1) && b.push({ do: 'unshare_user', task: child }) && d.chance(0.5))
          b.take(child);
        break;
      }
      case 1:
        filter(task);
        break;
      case 2:
        use(task);
        break;
      case 3:
        // execve ends the other threads of the process.
        if (tracker.runnable(task)!.process.threads.size === 1 || d.chance(0.3)) b.push({ do: 'exec', task });
        break;
      case 4:
        if (task !== 0 && living.length > 1) b.push({ do: 'exit', task });
        break;
      case 5: {
        const rings = [...tracker.runnable(task)!.files];
        if (rings.length > 0) b.push({ do: 'close_ring', task, ring: d.pick(rings) });
        break;
      }
      case 7: {
        const ring = b.take(task);
        if (ring === undefined) break;
        if (d.chance(0.15)) b.enable(task, ring);
        if (d.chance(0.8)) b.submit(task, ring, crew, d.int(8, 24));
        if (d.chance(0.2)) b.drawFilter(task, onRing(ring), crew, d.pick(crew.opcodes), { share: 0.6 });
        break;
      }
      default: {
        const rings = [...tracker.runnable(task)!.files];
        if (rings.length === 0) break;
        b.push({ do: 'send_ring', task, ring: d.pick(rings) });
        b.push({ do: 'receive_ring', task: d.pick(alive()), ring: 15 });
      }
    }
  }
  b.settle();
  // Every task that is left shows what binds it: through a ring made now and through one it has.
  for (const task of d.sample(alive(), 3)) {
    use(task);
    if (tracker.rings.size < 6) b.submit(task, b.ring(task, flags), crew, d.int(8, 32));
  }
}
