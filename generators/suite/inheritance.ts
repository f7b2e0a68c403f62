/** inheritance: fork trees, rings before and after, late registrations on either side, exec. */
import { CLONE, IORING_SETUP } from '../../oracle/uapi/constants.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import { FILTER_DENY_REST } from '../args.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import type { Draw, Weighted } from '../draw.ts';
import { drawAllowlist } from './classic.ts';
import { everyCloneFlag, hundredRings, someCloneFlags } from './every-clone.ts';
import { ODD_RINGS } from './odd-rings.ts';

const HOWS: Weighted<SpawnHow> = [
  [4, 'fork'],
  [4, 'vfork'],
  [4, 'thread'],
  [3, 'clone_vm'],
  [2, 'clone3'],
];

/** Suite inheritance. */
export const inheritance: Suite = {
  weight: 2,
  opening: 6,
  draw,
  planned: [
    ...(['fork', 'clone3', 'clone_vm', 'vfork'] as const).map(everyCloneFlag),
    hundredRings,
    ...ODD_RINGS,
    someCloneFlags,
    someCloneFlags,
    someCloneFlags,
  ],
};

/** A random walk over a growing tree of tasks. */
interface Walk {
  readonly b: Builder;
  readonly crew: Crew;
  /** IORING_SETUP_* of its rings. */
  readonly flags: number;
  /** Ways in which children are made. */
  readonly hows: Weighted<SpawnHow>;
  /** Most tasks in all. */
  readonly most: number;
}

type Move = (walk: Walk, task: number) => void;

/** What a task may do next. */
const MOVES: Weighted<Move> = [
  [5, bear],
  [6, filter],
  [8, use],
  [0.5, execute],
  [0.7, end],
  [0.3, close],
  [0.6, pass],
  [1.2, take],
];

function draw(b: Builder): void {
  const { d, tracker } = b;
  if (d.chance(0.03)) {
    d.pick(ODD_RINGS)(b);
    return;
  }
  const flags = drawRingFlags(d);
  const crew = b.crew({ count: d.int(1, 5), setup_flags: flags, flags: d.chance(0.8) ? 0 : 0.1 });
  b.oddRing(0, crew);
  const hows = d.some(HOWS, 0.6);
  const most = d.weighted<number>([
    [4, 2],
    [4, 3],
    [2, 4],
    [1, 8],
  ]);
  const walk: Walk = { b, crew, flags, hows: hows.length === 0 ? HOWS : hows, most };
  if (d.chance(0.12)) b.restrict(0, TASK, drawAllowlist(b, crew));
  if (d.chance(0.03)) {
    crowd(walk);
    return;
  }
  for (let n = d.int(1, 3); n > 0; n--) filter(walk, 0);
  if (d.chance(0.5)) use(walk, 0);
  if (d.chance(0.3)) filter(walk, 0);
  for (let n = d.int(4, 16); n > 0; n--) {
    const living = alive(b);
    if (living.length === 0) return;
    const task = d.pick(living);
    d.weighted(MOVES)(walk, task);
  }
  b.settle();
  // Every task that is left shows what binds it: through a ring made now and through one it has.
  for (const task of d.sample(alive(b), 3)) {
    use(walk, task);
    if (tracker.rings.size < 6) b.submit(task, b.ring(task, flags), crew, d.int(8, 32));
  }
}

/** Many rings and children share what one task was bound by; the last ones show that they do. */
function crowd(walk: Walk): void {
  const { b, crew, flags } = walk;
  const { d } = b;
  for (let n = d.int(1, 3); n > 0; n--) b.drawFilter(0, TASK, crew, d.pick(crew.opcodes), { share: 0.5 });
  const rings: number[] = [];
  for (let n = d.int(6, 12); n > 0; n--) {
    const ring = b.ring(0, flags, 64);
    if (ring !== undefined) rings.push(ring);
    if (d.chance(0.5)) b.spawn(0, d.pick(['fork', 'clone_vm', 'clone3', 'thread']));
  }
  const last = rings.at(-1);
  if (last !== undefined) b.submit(0, last, crew, d.int(8, 24));
  if (d.chance(0.5)) filter(walk, 0);
  for (const ring of d.sample(rings, 3)) b.submit(0, ring, crew, d.int(8, 16));
  const child = alive(b).at(-1) ?? 0;
  b.submit(child, b.ring(child, flags), crew, d.int(8, 24));
}

/** Tasks that can act. */
function alive({ tracker }: Builder): number[] {
  return [...tracker.tasks.values()].filter((task) => task.alive && task.waitsFor === undefined).map((task) => task.id);
}

/** Rings that a task has. */
function ringsOf({ tracker }: Builder, task: number): number[] {
  return [...tracker.runnable(task)!.files];
}

/** Registers a filter on the task or on a ring it has. */
function filter({ b, crew }: Walk, task: number): void {
  const { d } = b;
  const rings = ringsOf(b, task);
  const on = d.chance(0.7) || rings.length === 0 ? TASK : onRing(d.pick(rings));
  const denyRest = d.chance(0.08) ? FILTER_DENY_REST : 0;
  b.drawFilter(task, on, crew, d.pick(crew.opcodes), { share: 0.6 }, denyRest);
}

/** Submits on a ring it has, or on one made now. */
function use({ b, crew, flags }: Walk, task: number): void {
  const { d } = b;
  const rings = ringsOf(b, task);
  if (rings.length > 0 && !(b.tracker.rings.size < 5 && d.chance(0.35))) {
    b.submit(task, d.pick(rings), crew, d.int(8, 40));
    return;
  }
  const disabled = d.chance(0.08);
  const ring = b.ring(task, disabled ? flags | IORING_SETUP.R_DISABLED : flags);
  if (disabled && ring !== undefined && d.chance(0.8)) {
    if (d.chance(0.5)) b.restrict(task, onRing(ring), drawAllowlist(b, crew));
    b.enable(d.chance(0.8) ? task : d.pick(alive(b)), ring);
  }
  b.submit(task, ring, crew, d.int(8, 40));
}

function bear({ b, hows, most }: Walk, task: number): void {
  const { d } = b;
  const how = d.weighted(hows);
  const child = b.spawn(task, how, most, drawCloneFlags(d, how));
  // In a user namespace of its own it may take from nobody outside.
  if (child !== undefined && d.chance(0.1) && b.push({ do: 'unshare_user', task: child }) && d.chance(0.5))
    b.take(child);
}

/** CLONE_* that go with a kind of child, now and then. */
function drawCloneFlags(d: Draw, how: SpawnHow): number {
  if (how === 'thread' || !d.chance(0.3)) return 0;
  const memory = how === 'vfork' || how === 'clone_vm' ? [CLONE.SIGHAND] : [];
  const flags = d.some([CLONE.FS, CLONE.FILES, ...memory, ...(how === 'vfork' ? [] : [CLONE.PIDFD])], 0.5);
  return flags.reduce((all, flag) => all | flag, 0);
}

/** execve ends the other threads of the process. */
function execute({ b }: Walk, task: number): void {
  if (b.tracker.runnable(task)!.process.threads.size === 1 || b.d.chance(0.3)) b.push({ do: 'exec', task });
}

function end({ b }: Walk, task: number): void {
  if (task !== 0 && alive(b).length > 1) b.push({ do: 'exit', task });
}

function close({ b }: Walk, task: number): void {
  const rings = ringsOf(b, task);
  if (rings.length > 0) b.push({ do: 'close_ring', task, ring: b.d.pick(rings) });
}

/** Tries to hand a ring on. */
function pass({ b }: Walk, task: number): void {
  const { d } = b;
  const rings = ringsOf(b, task);
  if (rings.length === 0) return;
  b.push({ do: 'send_ring', task, ring: d.pick(rings) });
  b.push({ do: 'receive_ring', task: d.pick(alive(b)), ring: 15 });
}

/** Takes a ring from another task and uses it. */
function take({ b, crew }: Walk, task: number): void {
  const { d } = b;
  const ring = b.take(task);
  if (ring === undefined) return;
  if (d.chance(0.15)) b.enable(task, ring);
  if (d.chance(0.8)) b.submit(task, ring, crew, d.int(8, 24));
  if (d.chance(0.2)) b.drawFilter(task, onRing(ring), crew, d.pick(crew.opcodes), { share: 0.6 });
}
