/**
 * ring-passing: a ring goes from task to task (by fork, by a shared table, taken out of another task), while the tasks
 * bind themselves. Whoever submits on it meets the ring's own rules, and its maker's as they were when it was made.
 */
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import type { Builder } from '../builder.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import type { Weighted } from '../draw.ts';
import { ringDescriptorsToTheLimit } from './ring-descriptors.ts';
import type { Suite } from './spec.ts';

/** Suite ring-passing. */
export const ringPassing: Suite = {
  weight: 1,
  opening: 3,
  draw,
  planned: [ringDescriptorsToTheLimit, ringDescriptorsToTheLimit],
};

const HOWS: Weighted<SpawnHow> = [
  [3, 'fork'],
  [3, 'thread'],
  [2, 'clone_vm'],
  [1, 'clone3'],
];

/** What a task that holds a ring does next, in shares. */
const ACTS: Weighted<(hand: Hand) => void> = [
  [6, submit],
  [3, bindTask],
  [2, bindRing],
  [2, probe],
  [1, close],
];

/** A task with a ring in its table. */
interface Hand {
  readonly b: Builder;
  readonly crew: Crew;
  readonly task: number;
  readonly ring: number;
}

function draw(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(1, 4), setup_flags: flags, flags: 0 });
  if (d.chance(0.4)) b.push({ do: 'no_new_privs', task: 0 });
  if (d.chance(0.3)) b.push({ do: 'drop_cap_sys_admin', task: 0 });
  if (d.chance(0.7)) bindTask({ b, crew, task: 0, ring: 0 });
  const ring = b.ring(0, flags);
  if (ring === undefined) return;
  if (d.chance(0.5)) bindRing({ b, crew, task: 0, ring });
  for (let n = d.int(2, 5); n > 0; n--) handOn(b, crew, d.pick(alive(b)), ring);
  b.settle();
  for (const task of d.sample(alive(b), 3)) {
    b.push({ do: 'probe_no_new_privs', task });
    submit({ b, crew, task, ring });
  }
}

/** A child gets the ring, by inheritance or by taking it, and does something with it. */
function handOn(b: Builder, crew: Crew, from: number, ring: number): void {
  const { d } = b;
  const child = b.spawn(from, d.weighted(HOWS), 6);
  if (child === undefined) return;
  const takes = d.chance(0.4);
  if (takes) {
    b.push({ do: 'close_ring', task: child, ring });
    if (d.chance(0.5)) bindTask({ b, crew, task: child, ring });
    b.take(child);
  }
  for (let n = d.int(1, 4); n > 0 && b.tracker.runnable(child) !== undefined; n--)
    d.weighted(ACTS)({ b, crew, task: child, ring });
  if (d.chance(0.3) && b.tracker.runnable(child)?.process.threads.size === 1) b.push({ do: 'exec', task: child });
  if (d.chance(0.3)) submit({ b, crew, task: child, ring });
}

function alive({ tracker }: Builder): number[] {
  return [...tracker.tasks.values()].filter((task) => task.alive && task.waitsFor === undefined).map(({ id }) => id);
}

function submit({ b, crew, task, ring }: Hand): void {
  b.submit(task, ring, crew, b.d.int(8, 32));
}

function bindTask({ b, crew, task }: Hand): void {
  b.drawFilter(task, TASK, crew, b.d.pick(crew.opcodes), { share: 0.6 });
}

function bindRing({ b, crew, task, ring }: Hand): void {
  b.drawFilter(task, onRing(ring), crew, b.d.pick(crew.opcodes), { share: 0.7 });
}

function probe({ b, task }: Hand): void {
  if (b.d.chance(0.3)) b.push({ do: 'no_new_privs', task });
  b.push({ do: 'probe_no_new_privs', task });
}

function close({ b, task, ring }: Hand): void {
  b.push({ do: 'close_ring', task, ring });
}
