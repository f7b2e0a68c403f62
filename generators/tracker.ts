/**
 * Which tasks, rings and descriptor tables exist at each point of a scenario: what the
 * generators, the shrinker and the check of case files all go by. It knows nothing of
 * what the kernel will answer.
 */
import { MAX_TASKS, RING_SLOTS } from '../oracle/scenario/layout.ts';
import { opSpec } from '../oracle/opcodes/index.ts';
import { BPF_MAXINSNS } from '../oracle/bpf/program.ts';
import { IORING_SETUP } from '../oracle/uapi/constants.ts';
import type { RingStep, Scenario, SpawnStep, Sqe, Step, SubmitStep, TakeRingStep } from '../oracle/scenario/types.ts';

/** Most steps of a scenario. */
export const MAX_STEPS = 512;
/** Most SQEs of one submit step. */
export const MAX_BATCH = 256;
/** Largest ring a scenario asks for. */
export const MAX_ENTRIES = 32768;

/** A thread group and the memory it shares. */
export interface TrackedProcess {
  readonly threads: Set<TrackedTask>;
  /** Ever shared its memory with another process, or had a second thread. */
  shared: boolean;
}

export interface TrackedTask {
  readonly id: number;
  readonly parent: TrackedTask | undefined;
  readonly how: SpawnStep['how'] | 'root';
  /** The thread whose number is the process's. */
  leads: boolean;
  process: TrackedProcess;
  alive: boolean;
  /** The vfork child it waits for. */
  waits_for: TrackedTask | undefined;
  has_ring: boolean;
  /** Ring slots in its descriptor table (the table is shared by threads). */
  files: Set<number>;
}

export interface TrackedRing {
  readonly slot: number;
  readonly flags: number;
  /** Rounded up to a power of two, as the kernel does. */
  readonly entries: number;
  readonly creator: TrackedTask;
  /** Entries consumed so far. */
  consumed: number;
  has_big: boolean;
}

/** Entries of the submission queue that an SQE takes on a ring with these flags. */
export function slotsOf(sqe: Sqe, setup_flags: number): number {
  return (setup_flags & IORING_SETUP.SQE_MIXED) !== 0 && opSpec(sqe.opcode)?.takesTwoSlots === true ? 2 : 1;
}

export class Tracker {
  readonly tasks = new Map<number, TrackedTask>();
  readonly rings = new Map<number, TrackedRing>();
  /** Slots that a ring step has named so far. */
  readonly named = new Set<number>();
  steps = 0;

  constructor() {
    const process: TrackedProcess = { threads: new Set(), shared: false };
    const root: TrackedTask = {
      id: 0,
      parent: undefined,
      how: 'root',
      leads: true,
      process,
      alive: true,
      waits_for: undefined,
      has_ring: false,
      files: new Set(),
    };
    process.threads.add(root);
    this.tasks.set(0, root);
  }

  /** The task when it exists, lives and is not suspended. */
  runnable(id: number): TrackedTask | undefined {
    const task = this.tasks.get(id);
    return task !== undefined && task.alive && task.waits_for === undefined ? task : undefined;
  }

  /** Takes the step into account; a sentence when it does not fit the scenario so far (nothing changes then). */
  take(step: Step): true | string {
    if (this.steps >= MAX_STEPS) return `more than ${MAX_STEPS} steps`;
    const task = this.tasks.get(step.task);
    if (task === undefined) return `task ${step.task} does not exist here`;
    if (!task.alive) return `task ${step.task} has ended`;
    if (task.waits_for !== undefined) return `task ${step.task} waits for its vfork child ${task.waits_for.id}`;
    const verdict = this.#apply(task, step);
    if (verdict === true) this.steps++;
    return verdict;
  }

  #apply(task: TrackedTask, step: Step): true | string {
    switch (step.do) {
      case 'ring':
        return this.#ring(task, step);
      case 'submit':
        return this.#submit(task, step);
      case 'spawn':
        return this.#spawn(task, step);
      case 'exec': {
        for (const sibling of task.process.threads) if (sibling !== task) sibling.alive = false;
        this.#release(task);
        task.process = { threads: new Set([task]), shared: false };
        task.files = new Set(task.files);
        task.leads = true;
        return true;
      }
      case 'exit':
        task.alive = false;
        task.process.threads.delete(task);
        this.#release(task);
        return true;
      case 'unshare_user':
        if (task.process.shared) return 'unshare_user in a task that shares its memory';
        if (task.has_ring) return 'unshare_user after a ring was created';
        return true;
      case 'register_bpf_filter':
        return step.arg.program.length > BPF_MAXINSNS ? `a program of more than ${BPF_MAXINSNS} instructions` : true;
      case 'close_ring':
        if (!slotOk(step.ring)) return `ring slot ${step.ring} is out of range`;
        task.files.delete(step.ring);
        return true;
      case 'take_ring':
        return this.#take(task, step);
      case 'send_ring':
      case 'receive_ring':
      case 'reap':
        return slotOk(step.ring) ? true : `ring slot ${step.ring} is out of range`;
      default:
        return true;
    }
  }

  #release(task: TrackedTask): void {
    if (task.how === 'vfork' && task.parent?.waits_for === task) task.parent.waits_for = undefined;
  }

  #ring(task: TrackedTask, step: RingStep): true | string {
    if (!slotOk(step.ring)) return `ring slot ${step.ring} is out of range`;
    if (this.named.has(step.ring)) return `ring slot ${step.ring} is created twice`;
    if (!Number.isInteger(step.entries) || step.entries < 0 || step.entries > 0xffff_ffff)
      return 'entries is not a u32';
    this.named.add(step.ring);
    task.has_ring = true;
    task.files.add(step.ring);
    const entries = step.entries < 1 ? 0 : 2 ** Math.ceil(Math.log2(step.entries));
    this.rings.set(step.ring, {
      slot: step.ring,
      flags: step.flags,
      entries,
      creator: task,
      consumed: 0,
      has_big: false,
    });
    return true;
  }

  #take(task: TrackedTask, step: TakeRingStep): true | string {
    if (!slotOk(step.ring)) return `ring slot ${step.ring} is out of range`;
    const from = this.tasks.get(step.from);
    if (from === undefined) return `task ${step.from} does not exist here`;
    if (!from.alive) return `task ${step.from} has ended`;
    // The process is looked up by its first thread, which may be in the middle of ending.
    if (![...from.process.threads].some(({ leads }) => leads))
      return `the first thread of task ${step.from}'s process has ended`;
    if (from.files.has(step.ring)) task.files.add(step.ring);
    return true;
  }

  #submit(task: TrackedTask, step: SubmitStep): true | string {
    if (!slotOk(step.ring)) return `ring slot ${step.ring} is out of range`;
    if (step.sqes.length > MAX_BATCH) return `more than ${MAX_BATCH} SQEs in a batch`;
    const ring = this.rings.get(step.ring);
    if (ring === undefined) return true;
    let slots = 0;
    let big = ring.has_big;
    for (const sqe of step.sqes) {
      const n = slotsOf(sqe, ring.flags);
      if (n === 2) big = true;
      slots += n;
    }
    if (slots > ring.entries) return `a batch of ${slots} entries on a ring of ${ring.entries}`;
    // A 128-byte SQE must not wrap around the end of a mixed ring.
    if (big && ring.consumed + slots > ring.entries) return 'a mixed ring with 128-byte requests wraps around';
    ring.has_big = big;
    ring.consumed += slots;
    // Also on a ring that another task made: requests may start worker threads.
    task.has_ring = true;
    return true;
  }

  #spawn(task: TrackedTask, step: SpawnStep): true | string {
    if (!Number.isInteger(step.child) || step.child < 1 || step.child >= MAX_TASKS)
      return `task number ${step.child} is out of range`;
    if (this.tasks.has(step.child)) return `task ${step.child} is created twice`;
    const thread = step.how === 'thread';
    const shares = thread || step.how === 'vfork' || step.how === 'clone_vm';
    if (shares) task.process.shared = true;
    const process: TrackedProcess = thread ? task.process : { threads: new Set(), shared: shares };
    const child: TrackedTask = {
      id: step.child,
      parent: task,
      how: step.how,
      leads: !thread,
      process,
      alive: true,
      waits_for: undefined,
      has_ring: thread && task.has_ring,
      files: thread ? task.files : new Set(task.files),
    };
    process.threads.add(child);
    this.tasks.set(step.child, child);
    if (step.how === 'vfork') task.waits_for = child;
    return true;
  }
}

function slotOk(slot: number): boolean {
  return Number.isInteger(slot) && slot >= 0 && slot < RING_SLOTS;
}

/** The steps of a scenario with those left out that no longer fit (their task or its parent is gone). */
export function repair(scenario: Scenario): Scenario {
  const tracker = new Tracker();
  const steps = scenario.steps.filter((step) => tracker.take(step) === true);
  return steps.length === scenario.steps.length ? scenario : { ...scenario, steps };
}
