/** atomicity: a failed registration changes nothing, whatever stood before it and whoever shares it. */
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import { IORING_SETUP } from '../../oracle/uapi/constants.ts';
import type { Target } from '../../oracle/scenario/types.ts';
import type { SpawnHow } from '../../oracle/steps/kind/spawn.ts';
import { isSubmit } from '../../oracle/steps/kind/submit.ts';
import { FILTER_DENY_REST, spoilBpfArg, bpfArg } from '../args.ts';
import type { Builder } from '../builder.ts';
import type { Suite } from './spec.ts';
import { drawRingFlags, onRing, TASK } from '../builder.ts';
import type { Crew } from '../crew.ts';
import { spoil } from '../program/invalid.ts';
import { drawProgram } from '../program/valid.ts';
import { resizeParams } from '../registers.ts';
import { hostileRestrictions } from './arguments.ts';
import { drawAllowlist } from './classic.ts';
import { drawRegister } from './register-calls.ts';

/** Suite atomicity. */
export const atomicity: Suite = { weight: 2, opening: 5, draw };

/** Ways to make a child that do not hold up its parent. */
const HOWS: readonly SpawnHow[] = ['fork', 'fork', 'thread', 'clone_vm', 'clone3'];

function draw(b: Builder): void {
  if (b.d.chance(0.4)) sameBeforeAndAfter(b);
  else onState(b);
}

/** The same requests before and after registrations that fail, on rings with and without rules of their own. */
function sameBeforeAndAfter(b: Builder): void {
  const { d } = b;
  const disabled = d.chance(0.2);
  const flags = drawRingFlags(d, disabled ? IORING_SETUP.R_DISABLED : 0);
  const crew = b.crew({ count: d.int(2, 6), setup_flags: flags, flags: 0, only: (role) => role.once.length === 0 });
  const onTask = d.chance(0.4);
  if (onTask) firstFilter(b, TASK, crew);
  const ring = b.ring(0, flags);
  if (ring === undefined) return;
  const on: Target = onTask ? TASK : onRing(ring);
  if (!onTask) firstFilter(b, on, crew);
  if (!disabled) b.submit(0, ring, crew, d.int(12, 32));
  const last = b.steps.findLast(isSubmit);
  for (let n = d.int(1, 8); n > 0; n--) {
    if (disabled && d.chance(0.4)) hostileRestrictions(b, 0, on, crew);
    else failingRegistration(b, 0, on, crew);
  }
  if (disabled) b.enable(0, ring);
  if (last !== undefined && d.chance(0.7)) b.push({ ...last });
  else b.submit(0, ring, crew, d.int(12, 32));
  const later = b.ring(0, flags);
  if (disabled && later !== undefined) b.enable(0, later);
  b.submit(0, later, crew, d.int(12, 32));
  if (d.chance(0.25)) {
    const child = b.spawn(0, d.pick(['fork', 'thread', 'clone_vm']));
    if (child !== undefined) b.submit(child, b.ring(child, flags & ~IORING_SETUP.R_DISABLED), crew, d.int(8, 24));
  }
}

/** What holds before anything fails. */
function firstFilter(b: Builder, on: Target, crew: Crew): void {
  const { d } = b;
  if (!d.chance(0.7)) return;
  b.drawFilter(0, on, crew, d.pick(crew.opcodes), { share: 0.7 }, d.chance(0.15) ? FILTER_DENY_REST : 0);
}

/** A filter that is refused, for its program or for its argument. */
function failingRegistration(b: Builder, task: number, on: Target, crew: Crew): void {
  const { d, abi } = b;
  if (d.chance(0.15)) drawRegister(b, task, on);
  const opcode = d.pick(crew.opcodes);
  const program = drawProgram(d, crew.contexts(opcode), { share: 0.3, shape: 'compare' });
  // Flags that would do most harm if the call were not undone.
  const rest = d.chance(0.5) ? FILTER_DENY_REST : 0;
  if (d.chance(0.5)) b.registerArg(task, on, bpfArg(abi, opcode, spoil(d, program, abi.ctx_size), rest));
  else b.registerArg(task, on, spoilBpfArg(d, abi, bpfArg(abi, opcode, program, rest)));
}

/** Who takes part when a registration meets rules that others share. */
interface Scene {
  readonly b: Builder;
  readonly crew: Crew;
  /** IORING_SETUP_* of its rings. */
  readonly flags: number;
  /** The task that registers. */
  readonly actor: number;
  /** A child of it that shares its rules. */
  readonly child: number | undefined;
  /** Rings made before the registrations. */
  readonly older: readonly number[];
}

/** Rules of its own, inherited, both or none, shared with rings and a child: refusals, a good one, a look at all. */
function onState(b: Builder): void {
  const { d } = b;
  const flags = drawRingFlags(d);
  const crew = b.crew({
    count: d.int(3, 6),
    setup_flags: flags,
    flags: d.chance(0.7) ? 0 : 0.15,
    links: 0,
    only: (role) => role.once.length === 0,
  });
  const [inherits, owns] = d.pick([
    [false, false],
    [false, true],
    [true, false],
    [true, true],
  ] as const);
  if (inherits) bind(b, 0, crew);
  const actor = inherits ? b.spawn(0, d.pick(HOWS)) : 0;
  if (actor === undefined) return;
  if (owns) bind(b, actor, crew);
  const older = [d.chance(0.8) ? b.ring(actor, flags) : undefined].filter((ring) => ring !== undefined);
  const child = d.chance(0.5) ? b.spawn(actor, d.pick(HOWS)) : undefined;
  // A ring that cannot be made after all takes nothing away.
  if (d.chance(0.1)) b.ring(actor, IORING_SETUP.NO_MMAP, 8);
  const scene: Scene = { b, crew, flags, actor, child, older };
  // A new image has the same rules, and they are shared as before.
  if (d.chance(0.15)) {
    for (const ring of older) b.submit(actor, ring, crew, 4);
    b.push({ do: 'exec', task: actor });
  }
  if (d.chance(0.5)) registerOnTask(scene);
  else registerOnRing(scene);
  for (const ring of older) b.submit(actor, ring, crew, d.int(8, 20));
  if (child !== undefined && d.chance(0.3)) {
    // One who shares goes its own way, and goes.
    bind(b, child, crew);
    if (d.chance(0.6)) b.push({ do: 'exit', task: child });
  }
  for (const task of new Set([actor, child ?? actor, 0])) show(scene, task);
}

/** Requests of a task that lives, on a ring made now. */
function show({ b, crew, flags }: Scene, task: number): void {
  if (b.tracker.runnable(task) !== undefined) b.submit(task, b.ring(task, flags), crew, b.d.int(8, 20));
}

/** Rules of a task: a filter, a stack, filters on what DENY_REST denied, filters on everything; restrictions first. */
function bind(b: Builder, task: number, crew: Crew): void {
  const { d } = b;
  const filter = (opcode: number, share: number, flags = 0): void => {
    b.drawFilter(task, TASK, crew, opcode, { share, quick: true }, flags);
  };
  const [one = 0, other = one] = d.shuffle([...crew.opcodes]);
  if (d.chance(0.2)) b.restrict(task, TASK, drawAllowlist(b, crew));
  switch (d.below(4)) {
    case 0:
      filter(one, 0.6, d.chance(0.3) ? FILTER_DENY_REST : 0);
      break;
    case 1:
      for (let n = d.int(2, 5); n > 0; n--) filter(one, 0.8);
      break;
    case 2:
      filter(one, 0.8, FILTER_DENY_REST);
      for (let n = d.int(1, 2); n > 0; n--) filter(other, 1);
      break;
    default:
      for (const opcode of crew.opcodes) filter(opcode, 0.6);
  }
}

/** Refused, and then taken: on the task. */
function registerOnTask({ b, crew, actor }: Scene): void {
  const { d } = b;
  for (let n = d.int(0, 3); n > 0; n--) {
    if (d.chance(0.35)) hostileRestrictions(b, actor, TASK, crew);
    else failingRegistration(b, actor, TASK, crew);
  }
  if (d.chance(0.25)) b.restrict(actor, TASK, drawAllowlist(b, crew));
  late(b, actor, TASK, crew);
}

/** On a ring, while it is disabled or later. */
function registerOnRing({ b, crew, flags, actor }: Scene): void {
  const { d } = b;
  const disabled = d.chance(0.5);
  const ring = b.ring(actor, disabled ? (flags | IORING_SETUP.R_DISABLED) >>> 0 : flags);
  if (ring === undefined) return;
  const on = onRing(ring);
  if (d.chance(0.4)) b.drawFilter(actor, on, crew, d.pick(crew.opcodes), { share: 0.6, quick: true });
  for (let n = d.int(0, 3); n > 0; n--) {
    if (disabled && d.chance(0.6)) hostileRestrictions(b, actor, on, crew);
    else failingRegistration(b, actor, on, crew);
  }
  if (disabled && d.chance(0.3)) b.restrict(actor, on, drawAllowlist(b, crew));
  // Another size is another queue, not another state or other rules.
  if ((flags & IORING_SETUP.DEFER_TASKRUN) !== 0 && d.chance(0.5))
    b.register(actor, on, IORING_REGISTER.REGISTER_RESIZE_RINGS, 1, resizeParams(b.abi, d.pick([64, 128, 256])));
  late(b, actor, on, crew);
  if (disabled) b.enable(actor, ring);
  b.submit(actor, ring, crew, d.int(8, 20));
}

/** One that is taken, and must reach nobody else. */
function late(b: Builder, task: number, on: Target, crew: Crew): void {
  const { d } = b;
  for (let n = d.int(1, 2); n > 0; n--)
    b.drawFilter(
      task,
      on,
      crew,
      d.pick(crew.opcodes),
      { share: 0.4, quick: true },
      d.chance(0.3) ? FILTER_DENY_REST : 0,
    );
}
