/** What makes, changes and ends tasks and rings. */
import { MODEL } from './open.ts';
import { Memory } from '../world/memory.ts';
import { Sandbox } from '../world/sandbox.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';
import { MAX_RING_FDS } from '../register/ring-descriptors.ts';
import type { Allowed, PredictedStep } from '../scenario/prediction.ts';
import type { RingSlot, TaskId } from '../scenario/types.ts';
import { MAX_ENTRIES, roundedUp, setupOutcome } from './setup.ts';
import type { Missing, SetupParams } from './setup.ts';
import { RuleSet } from './ruleset.ts';
import { FdTable, Process, Ring, Task, UserNamespace } from './world.ts';
import type { World } from './world.ts';

const result = (ret: Allowed, rule: string): PredictedStep => ({ reached: true, returns: [ret], cqes: [], rule });

/** Parameters of io_uring_setup(2), and the slot the ring gets. */
interface NewRing extends SetupParams {
  readonly ring: RingSlot;
  readonly wq_fd?: number;
  readonly without?: Missing;
}

/** A child and how it is made. */
interface NewTask {
  /** It is a thread of its parent's process. */
  readonly thread: boolean;
  /** CLONE_VM, CLONE_FILES and CLONE_NEWUSER; a thread has the first two. */
  readonly memory: boolean;
  readonly files: boolean;
  readonly newUser: boolean;
  /** Namespaces of other kinds. */
  readonly namespaces: boolean;
  readonly child: TaskId;
}

/** What a ring or child made by `task` gets of its rules. */
function inherited(world: World, task: Task): RuleSet {
  return task.rules.inherit(task.rules.table !== undefined && !world.decide('ownFilterTable'));
}

/**
 * What comes of sharing workers with another ring: 0, or -ENXIO where there is none. A polling thread can be shared
 * with a ring of this process that has one.
 */
function attach(world: World, task: Task, { flags, wq_fd: fd }: NewRing): number {
  if ((flags & IORING_SETUP.ATTACH_WQ) === 0) return 0;
  // /dev/null, which is no ring.
  if (fd === undefined) return -E.INVAL;
  const ring = task.files.ringSeenAt(fd);
  if (ring === undefined) return -E.NXIO;
  world.hit('setup.attach');
  return 0;
}

/** A call that has all it needs but this, or undefined where it can do without. Whatever was made is given back. */
function doingWithout(world: World, task: Task, missing: Missing, flags: number): PredictedStep | undefined {
  if (missing === 'file') {
    // A user namespace of one's own has no say in what the system has in all.
    const exempt = task.in_user_ns ? false : task.cap_sys_admin;
    if (exempt === true) return undefined;
    if (exempt !== false) {
      world.lost = exempt;
      return { reached: true, returns: exempt, cqes: [], rule: world.hit('setup.limits') };
    }
  }
  // The polling thread was there for a moment.
  if ((flags & IORING_SETUP.SQPOLL) !== 0) task.process.has_workers = true;
  if (missing === 'descriptor') task.used_io_uring = true;
  if (missing === 'writable_params') return result(-E.FAULT, world.hit('setup.fault'));
  return result(missing === 'file' ? -E.NFILE : -E.MFILE, world.hit('setup.limits'));
}

/** The polling thread of a new ring: another ring's, or one of its own. */
function threadOf(world: World, task: Task, { flags, wq_fd: fd = 0 }: NewRing): NonNullable<Ring['thread']> {
  const other = (flags & IORING_SETUP.ATTACH_WQ) === 0 ? undefined : task.files.ringSeenAt(fd);
  return (other === undefined ? undefined : world.rings.get(other.slot)?.thread) ?? { rings: 0 };
}

/** io_uring_setup(2). */
export function createRing(world: World, task: Task, step: NewRing): PredictedStep {
  const { without } = step;
  if (without === 'params') return result(-E.FAULT, world.hit('setup.fault'));
  const outcome = setupOutcome(world.abi, step);
  if (outcome !== 0) return result(outcome, world.hit('setup.flags'));
  const attached = attach(world, task, step);
  if (attached !== 0) return result(attached, world.hit('setup.attach'));
  const failed = without === undefined ? undefined : doingWithout(world, task, without, step.flags);
  if (failed !== undefined) return failed;
  const disabled = (step.flags & IORING_SETUP.R_DISABLED) !== 0;
  const rules = inherited(world, task);
  if (!rules.empty) world.hit('inherit.ring-at-creation');
  const entries = roundedUp(Math.min(step.entries, MAX_ENTRIES));
  const ring = new Ring(step.ring, step.flags, entries, disabled, task, rules);
  ring.inherited_classic = rules.classic !== undefined;
  if ((step.flags & IORING_SETUP.SINGLE_ISSUER) !== 0 && !disabled) ring.submitter = task;
  task.used_io_uring = true;
  if ((step.flags & IORING_SETUP.SQPOLL) !== 0) {
    task.process.has_workers = true;
    ring.thread = threadOf(world, task, step);
    ring.thread.rings++;
  }
  if (step.memory !== undefined) return onlyRegister(world, task, ring);
  task.files.rings.set(step.ring, ring);
  world.rings.set(step.ring, ring);
  return result(0, world.hit('setup.ok'));
}

/** The ring gets an index in the registered ones and no descriptor. */
function onlyRegister(world: World, { registered }: Task, ring: Ring): PredictedStep {
  const rule = world.hit('setup.only-registered');
  let index = 0;
  while (registered.has(index)) index++;
  if (index >= MAX_RING_FDS) return result(-E.BUSY, rule);
  registered.set(index, ring.slot);
  world.rings.set(ring.slot, ring);
  return result(index, rule);
}

/** fork(2) and its kin. */
export function spawn(world: World, task: Task, step: NewTask): PredictedStep {
  const { thread } = step;
  const capable = task.cap_sys_admin;
  if (step.namespaces && !step.newUser && capable !== true) {
    const rule = world.hit('task.spawn.namespace');
    if (capable === false) return result(-E.PERM, rule);
    // Nobody knows whether there is a child.
    world.lost = capable;
    return { reached: true, returns: capable, cqes: [], rule };
  }
  const process = thread ? task.process : new Process();
  const files = step.files ? task.files.over(step.memory) : task.files.fork(step.memory);
  const rules = inherited(world, task);
  if (!rules.empty) world.hit('inherit.child-at-fork');
  const child = new Task(step.child, process, files, rules);
  child.no_new_privs = task.no_new_privs;
  child.cap_sys_admin = task.cap_sys_admin;
  child.in_user_ns = task.in_user_ns;
  child.user_ns = task.user_ns;
  if (step.files && !thread) world.hit('task.spawn.files');
  if (step.newUser) {
    world.hit('task.spawn.user');
    enterUserNamespace(child);
  }
  child.leads = !thread;
  process.threads.add(child);
  world.tasks.set(step.child, child);
  return result(MODEL['task.number'].atLeast(1), world.hit('task.spawn'));
}

/** Those who have ended leave requests behind: what a worker still had is cancelled, and a failure posts a CQE. */
function leave(world: World, gone: (task: Task) => boolean): void {
  const cancelled = MODEL['skip.cancelled'].among(-E.CANCELED, -E.INTR);
  for (const ring of world.rings.values()) {
    const left = ({ by }: Ring['unwatched'][number]): boolean => (by === undefined ? ring.process.ended : gone(by));
    for (const { user_data, rule } of ring.unwatched.filter(left))
      ring.strays.push({ user_data, res: cancelled, flags: 0, sqe: -1, rule, optional: MODEL['skip.cancelled'] });
    ring.unwatched = ring.unwatched.filter((one) => !left(one));
  }
}

/** execve: the task keeps its rules; its sibling threads end. */
export function exec(world: World, task: Task): PredictedStep {
  if (!task.rules.empty) world.hit('inherit.exec');
  if (task.used_io_uring && !task.rules.empty && !world.decide('execKeepsRules')) task.rules = new RuleSet();
  task.used_io_uring = false;
  for (const sibling of task.process.threads) if (sibling !== task) sibling.alive = false;
  task.process.ended = true;
  const { threads } = task.process;
  leave(world, (one) => threads.has(one));
  task.process = new Process();
  task.process.threads.add(task);
  task.leads = true;
  task.registered = new Map();
  const before = task.files;
  const { common, fds } = before.sandbox;
  const memory = new Memory(world.abi.little_endian);
  task.files = new FdTable(new Sandbox([], world.abi, { common, fds: new Map(fds), memory }), new Map(before.rings));
  return result(0, world.hit('task.exec'));
}

/** _exit(2) of one task. */
export function exit(world: World, task: Task): PredictedStep {
  task.alive = false;
  task.process.threads.delete(task);
  if (task.process.threads.size === 0) task.process.ended = true;
  leave(world, (one) => one === task);
  return result(0, world.hit('task.exit'));
}

/** unshare(CLONE_NEWUSER). */
export function unshareUser(world: World, task: Task): PredictedStep {
  if (task.process.threads.size > 1) return result(-E.INVAL, world.hit('task.unshare-user'));
  if (task.process.has_workers !== false) {
    task.cap_sys_admin = task.cap_sys_admin === true ? true : MODEL['unshare.workers'];
    return result(MODEL['unshare.workers'].among(0, -E.INVAL), world.hit('task.unshare-user'));
  }
  enterUserNamespace(task);
  return result(0, world.hit('task.unshare-user'));
}

/** A task has all capabilities in a user namespace that was made for it. */
function enterUserNamespace(task: Task): void {
  task.cap_sys_admin = true;
  task.in_user_ns = true;
  task.user_ns = new UserNamespace(task.user_ns);
}
