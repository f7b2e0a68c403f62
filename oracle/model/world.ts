/** The state a scenario runs in: tasks, rings, descriptor tables, and what was reached on the way. */
import type { Open } from '../open-answer.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { newSeen } from '../bpf/seen.ts';
import type { Seen } from '../bpf/seen.ts';
import { Sandbox } from '../world/sandbox.ts';
import type { PredictedCqe } from '../scenario/prediction.ts';
import type { RegisteredRings } from '../world/ring-resources.ts';
import { decisionsOf } from '../quirks/index.ts';
import type { DecisionPoint, Decisions, Quirks } from '../quirks/index.ts';
import type { OpContext } from '../opcodes/types.ts';
import { RING_FD } from '../scenario/layout.ts';
import type { Fixture } from '../scenario/layout.ts';
import type { RingSlot, TaskId } from '../scenario/types.ts';
import type { TraceSink } from './trace.ts';
import type { FeatureRuleId } from './feature-rules.ts';
import { RuleSet } from './ruleset.ts';
import type { Looks } from './looks.ts';

/** Yes, no, or why the specification does not decide. */
export type Tri = boolean | Open;

/** A file descriptor table: shared by threads, copied by fork. */
export class FdTable {
  readonly rings: Map<RingSlot, Ring>;
  readonly sandbox: Sandbox;
  constructor(sandbox: Sandbox, rings: Map<RingSlot, Ring> = new Map()) {
    this.sandbox = sandbox;
    this.rings = rings;
  }
  /** The ring behind a descriptor. */
  ringAt(fd: number): Ring | undefined {
    return this.rings.get(fd - RING_FD);
  }
  /** What requests and registrations may know of it. */
  ringSeenAt(fd: number): ReturnType<OpContext['ringAt']> {
    const ring = this.ringAt(fd);
    return ring === undefined ? undefined : { slot: ring.slot, setup_flags: ring.flags, disabled: ring.disabled };
  }
  /** A copy for a child that does not share descriptors; `shareMemory` for CLONE_VM. */
  fork(shareMemory: boolean): FdTable {
    return new FdTable(this.sandbox.fork(shareMemory), new Map(this.rings));
  }
  /** The same descriptors for a child that shares them; `shareMemory` for CLONE_VM. */
  over(shareMemory: boolean): FdTable {
    return shareMemory ? this : new FdTable(this.sandbox.overCopy(), this.rings);
  }
}

/** A user namespace made by unshare_user; the first one is `undefined`. */
export class UserNamespace {
  readonly parent: UserNamespace | undefined;
  constructor(parent: UserNamespace | undefined) {
    this.parent = parent;
  }
}

/** A thread of the scenario, which the language calls a task. */
export class Task {
  readonly id: TaskId;
  /** Thread group; tasks with the same object are threads of one process. */
  process: Process;
  /** The thread whose number is the process's. */
  leads = true;
  alive = true;
  rules: RuleSet;
  no_new_privs = false;
  cap_sys_admin: Tri = true;
  in_user_ns = false;
  /** Its user namespace; undefined: the first one. */
  user_ns: UserNamespace | undefined;
  /** Made a ring, submitted on one, or registered a ring descriptor since its start or last execve. */
  used_io_uring = false;
  files: FdTable;
  /** Ring descriptors registered by IORING_REGISTER_RING_FDS: index -> slot. */
  registered: RegisteredRings = new Map();
  constructor(id: TaskId, process: Process, files: FdTable, rules: RuleSet) {
    this.id = id;
    this.process = process;
    this.files = files;
    this.rules = rules;
  }
}

/** A thread group. */
export class Process {
  readonly threads = new Set<Task>();
  /** Kernel threads (SQPOLL, io-wq) may have joined the thread group. */
  has_workers: Tri = false;
  /** All of its threads have ended, those of the kernel too: it exited, or executed a program. */
  ended = false;
}

/** An io_uring and everything a submission on it depends on. */
export class Ring {
  readonly slot: RingSlot;
  /** IORING_SETUP_* it was created with. */
  readonly flags: number;
  /** Of its submission queue; a power of two. */
  entries: number;
  disabled: boolean;
  rules: RuleSet;
  /** Only submitter of a SINGLE_ISSUER ring, once known. */
  submitter: Task | undefined;
  readonly creator: Task;
  readonly creator_files: FdTable;
  /** That of the creator at the time: a polling thread ends with it. */
  readonly process: Process;
  /** Restrictions came from the task that created the ring. */
  inherited_classic = false;
  /** A task took it from another at least once. */
  taken = false;
  /** CQEs posted from elsewhere, not yet reaped. */
  pending: PredictedCqe[] = [];
  /** CQEs that may come with any later step, or never: of requests that may wait, or that nobody knows to run. */
  readonly strays: PredictedCqe[] = [];
  /** Requests that end without a CQE, and whose end nobody waited for; by no task: by the polling thread. */
  unwatched: { readonly user_data: bigint; readonly rule: string; readonly by: Task | undefined }[] = [];
  /** A request with CQE_SKIP_SUCCESS was seen: drains are refused from now on. */
  skip_seen = false;
  /** A drain was submitted: whether later requests are forced to a worker depends on timing. */
  drain_seen = false;
  /** Its polling thread, and how many rings that serves; undefined for a ring without. */
  thread: { rings: number } | undefined;
  /** A zero-copy send came with a drain or behind one. */
  held = false;
  /** Queue entries consumed so far (a 128-byte SQE does not go round the end of the queue). */
  consumed = 0;
  constructor(slot: RingSlot, flags: number, entries: number, disabled: boolean, creator: Task, rules: RuleSet) {
    this.slot = slot;
    this.flags = flags;
    this.entries = entries;
    this.disabled = disabled;
    this.creator = creator;
    this.creator_files = creator.files;
    this.process = creator.process;
    this.rules = rules;
  }
}

/** One run of one scenario, as far as it is predicted. */
export class World {
  readonly abi: AbiProfile;
  /** To be read where the answer is used; `decide` also notes that it mattered. */
  readonly decisions: Decisions;
  /** Decisions whose answer mattered so far. */
  readonly asked = new Set<DecisionPoint>();
  readonly tasks = new Map<TaskId, Task>();
  readonly hits = new Map<string, number>();
  readonly seen: Seen = newSeen();
  readonly trace: TraceSink | undefined;
  /** What requests made; absent in a scenario that never looks. */
  looks: Looks | undefined;
  /** Rings by slot, whoever holds them. */
  readonly rings = new Map<RingSlot, Ring>();
  /** Why rules may have been registered that nobody can know: nothing is said of later steps. */
  lost: Open | undefined;
  /** Index of the step being predicted. */
  step = 0;
  constructor(fixtures: readonly Fixture[], abi: AbiProfile, quirks: Quirks, trace: TraceSink | undefined) {
    this.abi = abi;
    this.decisions = decisionsOf(quirks);
    this.trace = trace;
    const process = new Process();
    const root = new Task(0, process, new FdTable(new Sandbox(fixtures, this.abi)), new RuleSet());
    process.threads.add(root);
    this.tasks.set(0, root);
  }

  /**
   * The answer to a decision. To be asked only where it changes what is predicted: a scenario that asks for none of the
   * decisions of a kernel's quirks is predicted alike with and without them.
   */
  decide<P extends DecisionPoint>(point: P): Decisions[P] {
    this.asked.add(point);
    return this.decisions[point];
  }

  /** Counts a rule that decided or contributed, and returns its id. */
  hit<T extends FeatureRuleId | (string & {})>(rule: T): T {
    this.hits.set(rule, (this.hits.get(rule) ?? 0) + 1);
    return rule;
  }
}
