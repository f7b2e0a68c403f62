/** Steps that make, change and end tasks and rings. */
import { ARENA_BASE, RING_FD } from '../scenario/layout.ts';
import { Memory } from '../world/memory.ts';
import { Sandbox } from '../world/sandbox.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';
import type { Allowed, PredictedCqe, PredictedStep } from '../scenario/prediction.ts';
import type { ReapStep, RingStep, SpawnStep, Step } from '../scenario/types.ts';
import { setupOutcome } from './setup.ts';
import { RuleSet } from './ruleset.ts';
import { FdTable, Process, Ring, Task, UserNamespace } from './world.ts';
import type { World } from './world.ts';

const result = (ret: Allowed, rule: string, cqes: readonly PredictedCqe[] = []): PredictedStep => ({
  reached: true,
  returns: [ret],
  cqes,
  rule,
});

/** What a ring or child made by `task` gets of its rules. */
function inherited(world: World, task: Task): RuleSet {
  return task.rules.inherit(task.rules.table !== undefined && !world.decide('ownFilterTable'));
}

export function createRing(world: World, task: Task, step: RingStep): PredictedStep {
  const outcome = setupOutcome(world.abi, step.entries, step.flags);
  if (outcome !== 0) return result(outcome, world.hit('setup.flags'));
  const disabled = (step.flags & IORING_SETUP.R_DISABLED) !== 0;
  const rules = inherited(world, task);
  if (!rules.empty) world.hit('inherit.ring-at-creation');
  const ring = new Ring(step.ring, step.flags, 2 ** Math.ceil(Math.log2(step.entries)), disabled, task, rules);
  ring.inherited_classic = rules.classic !== undefined;
  if ((step.flags & IORING_SETUP.SINGLE_ISSUER) !== 0 && !disabled) ring.submitter = task;
  task.used_io_uring = true;
  task.files.rings.set(step.ring, ring);
  world.rings.set(step.ring, ring);
  if ((step.flags & IORING_SETUP.SQPOLL) !== 0) task.process.has_workers = true;
  return result(0, world.hit('setup.ok'));
}

export function spawn(world: World, task: Task, step: SpawnStep): PredictedStep {
  const thread = step.how === 'thread';
  const shares_memory = thread || step.how === 'vfork' || step.how === 'clone_vm';
  const process = thread ? task.process : new Process();
  const files = thread ? task.files : task.files.fork(shares_memory);
  const rules = inherited(world, task);
  if (!rules.empty) world.hit('inherit.child-at-fork');
  const child = new Task(step.child, process, files, rules);
  child.no_new_privs = task.no_new_privs;
  child.cap_sys_admin = task.cap_sys_admin;
  child.in_user_ns = task.in_user_ns;
  child.user_ns = task.user_ns;
  child.leads = !thread;
  process.threads.add(child);
  world.tasks.set(step.child, child);
  return result({ at_least: 1 }, world.hit('task.spawn'));
}

/** execve: the task keeps its rules; its sibling threads end. */
export function exec(world: World, task: Task): PredictedStep {
  if (!task.rules.empty) world.hit('inherit.exec');
  if (task.used_io_uring && !task.rules.empty && !world.decide('execKeepsRules')) task.rules = new RuleSet();
  task.used_io_uring = false;
  for (const sibling of task.process.threads) if (sibling !== task) sibling.alive = false;
  task.process = new Process();
  task.process.threads.add(task);
  task.leads = true;
  task.registered = new Map();
  const before = task.files;
  const { world: shared, fds } = before.sandbox;
  const memory = new Memory(world.abi.little_endian);
  task.files = new FdTable(new Sandbox([], world.abi, { world: shared, fds: new Map(fds), memory }), before.rings);
  return result(0, world.hit('task.exec'));
}

export function exit(world: World, task: Task): PredictedStep {
  task.alive = false;
  task.process.threads.delete(task);
  return result(0, world.hit('task.exit'));
}

export function unshareUser(world: World, task: Task): PredictedStep {
  if (task.process.threads.size > 1) return result(-E.INVAL, world.hit('task.unshare-user'));
  if (task.process.has_workers !== false) {
    task.cap_sys_admin = task.cap_sys_admin === true ? true : 'unknown';
    return result([0, -E.INVAL], world.hit('task.unshare-user'));
  }
  task.cap_sys_admin = true;
  task.in_user_ns = true;
  task.user_ns = new UserNamespace(task.user_ns);
  return result(0, world.hit('task.unshare-user'));
}

export function reap(world: World, task: Task, step: ReapStep): PredictedStep {
  const ring = task.files.rings.get(step.ring);
  if (ring === undefined) return { reached: true, returns: [], cqes: [], rule: world.hit('enter.bad-fd') };
  if ((ring.flags & IORING_SETUP.DEFER_TASKRUN) !== 0 && ring.submitter !== task) {
    // Messages arrive when the ring's own task enters it.
    for (const cqe of ring.pending) ring.strays.push({ ...cqe, optional: true });
    ring.pending = [];
  }
  const cqes = [...ring.pending, ...ring.strays];
  const most = ring.pending.length;
  ring.pending = [];
  return {
    reached: true,
    returns: [],
    cqes,
    ...(ring.strays.length > 0 ? { most } : {}),
    rule: world.hit('enter.count'),
  };
}

type SimpleStep = Extract<
  Step,
  { do: 'no_new_privs' | 'drop_cap_sys_admin' | 'send_ring' | 'receive_ring' | 'close_ring' | `probe_${string}` }
>;

/** The remaining small steps. */
export function simpleStep(world: World, task: Task, step: SimpleStep): PredictedStep {
  const { rings, sandbox } = task.files;
  switch (step.do) {
    case 'no_new_privs':
      task.no_new_privs = true;
      return result(0, world.hit('task.no-new-privs'));
    case 'drop_cap_sys_admin':
      task.cap_sys_admin = false;
      return result(0, world.hit('task.drop-cap'));
    case 'send_ring':
      return rings.has(step.ring)
        ? result(-E.INVAL, world.hit('task.ring-passing'))
        : result(-E.BADF, world.hit('task.ring-passing-bad'));
    case 'receive_ring':
      return result(-E.AGAIN, world.hit('task.ring-passing-bad'));
    case 'close_ring':
      return rings.delete(step.ring) ? result(0, world.hit('task.close')) : result(-E.BADF, world.hit('task.close'));
    case 'probe_path':
      return result(sandbox.probePath(step.path), world.hit('probe.path'));
    case 'probe_fd': {
      const slot = step.fd - RING_FD;
      const open = slot >= 0 && slot < 16 ? (rings.has(slot) ? 0 : -E.BADF) : sandbox.probeFd(step.fd);
      return result(open, world.hit('probe.fd'));
    }
    case 'probe_memory': {
      const bytes = sandbox.memory.read(BigInt(ARENA_BASE + step.at), step.length);
      const memory = typeof bytes === 'string' ? 'any' : bytes;
      return { reached: true, returns: [0], cqes: [], memory, rule: world.hit('probe.memory') };
    }
  }
}
