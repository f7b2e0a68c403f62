/** Builds a scenario step by step and keeps it well-formed: a step that does not fit is left out. */
import { NOT_DROPPING } from '../oracle/steps/kind/submit.ts';
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import { opSpec } from '../oracle/opcodes/index.ts';
import { FD, FIXTURES, MAX_TASKS, RING_FD, RING_SLOTS } from '../oracle/scenario/layout.ts';
import type { Fixture } from '../oracle/scenario/layout.ts';
import type { Program } from '../oracle/bpf/program.ts';
import { IORING_SETUP } from '../oracle/uapi/constants.ts';
import { IORING_REGISTER } from '../oracle/register/index.ts';
import { SCENARIO_VERSION } from '../oracle/scenario/types.ts';
import type { BpfArg, Restriction, Target } from '../oracle/scenario/types.ts';
import { requestsOf, withRequests } from '../oracle/steps/index.ts';
import type { Scenario, Step } from '../oracle/steps/index.ts';
import type { RingStep } from '../oracle/steps/kind/ring.ts';
import type { SpawnHow } from '../oracle/steps/kind/spawn.ts';
import { bpfArg, ringRestrictions, stray, taskRestrictions } from './args.ts';
import { Crew } from './crew.ts';
import type { CrewWish } from './crew.ts';
import type { Draw, Weighted } from './draw.ts';
import { ringFdUpdate } from './registers.ts';
import { drawProgram } from './program/valid.ts';
import type { ProgramWish } from './program/valid.ts';
import type { Role } from './roles.ts';
import { Tracker } from './tracker.ts';

/** fd = -1. */
export const TASK: Target = { kind: 'task' };

/** The ring's descriptor, or its index among the registered ones. */
export function onRing(ring: number, registered?: number): Target {
  return registered === undefined ? { kind: 'ring', ring } : { kind: 'registered', index: registered };
}

const S = IORING_SETUP;
/** How often a ring has which flags (SUBMIT_ALL is drawn apart). */
const RING_KINDS: Weighted<number> = [
  [60, 0],
  [10, S.SINGLE_ISSUER | S.DEFER_TASKRUN],
  [4, S.SINGLE_ISSUER],
  [5, S.COOP_TASKRUN],
  [3, S.COOP_TASKRUN | S.TASKRUN_FLAG],
  [5, S.SQE128],
  [5, S.CQE32],
  [3, S.SQE128 | S.CQE32],
  [3, S.SQE_MIXED],
  [2, S.CQE_MIXED],
  [0.4, S.SQPOLL],
  [3, S.NO_SQARRAY],
  [1.5, S.CLAMP],
];

/** Ring sizes beside the usual one; they are rounded up to powers of two. */
const ODD_SIZES: readonly number[] = [1, 2, 3, 8, 16, 33, 128, 256];

/** Beyond the sixteen descriptors that a task can register. */
const NO_INDEX: readonly number[] = [16, 16, 17, 32, 0x100, 0x7fff_ffff];

/** Setup flags that no kernel takes together, or with what else a ring step says. */
export const IMPOSSIBLE: readonly number[] = [
  S.SQPOLL | S.COOP_TASKRUN,
  S.SQPOLL | S.SINGLE_ISSUER | S.DEFER_TASKRUN,
  S.TASKRUN_FLAG,
  S.DEFER_TASKRUN,
  S.CQE32 | S.CQE_MIXED,
  S.SQE128 | S.SQE_MIXED,
  S.SQ_REWIND,
  S.SQ_REWIND | S.NO_SQARRAY | S.SQPOLL,
  S.HYBRID_IOPOLL,
  // These are refused late, when the ring has the rules of its maker already.
  S.SQ_AFF,
  S.ATTACH_WQ,
  S.ATTACH_WQ | S.SQPOLL,
  S.NO_MMAP,
];

/** Setup flags of which the kernel does not know one or more. */
function unknownFlag(d: Draw, { setup_flags: known }: AbiProfile): number {
  const flags = (drawRingFlags(d) | (stray(d, 32) & ~known)) >>> 0;
  return (flags & ~known) === 0 ? (flags | 0x8000_0000) >>> 0 : flags;
}

/** Setup flags of an ordinary ring. */
export function drawRingFlags(d: Draw, more = 0): number {
  let flags = d.weighted(RING_KINDS) | more;
  if (!d.chance(0.06)) flags |= S.SUBMIT_ALL;
  return flags >>> 0;
}

/** A scenario that is being drawn. */
export class Builder {
  readonly d: Draw;
  readonly abi: AbiProfile;
  readonly steps: Step[] = [];
  readonly fixtures = new Set<Fixture>();
  readonly tracker = new Tracker();
  /** Whether the scenario runs with the JIT. */
  jit = true;
  /** bpf_jit_harden, and whether the compiler tells what it compiles. */
  harden: 0 | 1 | 2 = 0;
  traces = false;
  /** What the requests of all crews may have changed. */
  readonly #stirred = new Set<string>();
  #nextRing = 0;
  #nextTask = 1;

  constructor(d: Draw, abi: AbiProfile) {
    this.d = d;
    this.abi = abi;
  }

  /** Adds a step if it fits; says whether it did. */
  push(drawn: Step): boolean {
    const step = withoutStuckDrain(drawn);
    if (this.tracker.take(step) !== true) return false;
    this.steps.push(step);
    return true;
  }

  crew(wish: CrewWish = {}): Crew {
    return new Crew(this.d, this.abi, this.fixtures, wish, this.#stirred);
  }

  /** Creates a ring; its slot, or undefined when there are none left or the task cannot. */
  ring(task: number, flags: number, entries?: number, setup?: Partial<RingStep>): number | undefined {
    if (this.#nextRing >= RING_SLOTS) return undefined;
    const ring = this.#nextRing;
    const size = entries ?? (this.d.below(16) === 0 ? this.d.pick(ODD_SIZES) : 64);
    const more = setup ?? this.#moreSetup(task, flags, size);
    if (!this.push({ do: 'ring', task, ring, entries: size, flags, ...more })) return undefined;
    this.#nextRing++;
    return ring;
  }

  /** Now and then a completion queue of its own size, or workers of another ring. */
  #moreSetup(task: number, flags: number, size: number): Partial<RingStep> {
    const { d } = this;
    const kind = d.below(40);
    if (kind < 2)
      return { flags: (flags | S.CQSIZE) >>> 0, cq_entries: d.pick([size, size, 2 * size, 4 * size, 4096]) };
    if (kind > 2) return {};
    const polls = (flags & S.SQPOLL) !== 0;
    const others = [...(this.tracker.tasks.get(task)?.files ?? [])].filter((slot) => {
      const other = this.tracker.rings.get(slot);
      return !polls || (other !== undefined && (other.flags & S.SQPOLL) !== 0);
    });
    return others.length === 0 ? {} : { flags: (flags | S.ATTACH_WQ) >>> 0, wq_fd: RING_FD + d.pick(others) };
  }

  /** Now and then registers the ring's descriptor with the task; then its index there. */
  registered(task: number, ring: number, share = 0.06): number | undefined {
    if (!this.d.chance(share)) return undefined;
    const index = this.d.below(16);
    this.register(task, onRing(ring), IORING_REGISTER.REGISTER_RING_FDS, 1, ringFdUpdate(this.abi, ring, index));
    return index;
  }

  /** Now and then submits to a polled ring, where most requests are refused, or asks for a ring that cannot be. */
  oddRing(task: number, crew: Crew): void {
    const { d } = this;
    if (!d.chance(0.04)) return;
    if (d.chance(0.3)) {
      const flags = S.IOPOLL | S.SUBMIT_ALL;
      const ring = this.ring(task, flags, 64);
      if (ring !== undefined) this.push({ do: 'submit', task, ring, sqes: crew.batch(flags, d.int(4, 16), 64).sqes });
      if (ring !== undefined) this.push({ do: 'close_ring', task, ring });
      return;
    }
    const [flags, size, setup] = this.#badSetup();
    const ring = this.ring(task, flags, size, setup);
    if (ring === undefined) return;
    this.push({ do: 'submit', task, ring, sqes: crew.batch(0, d.int(1, 4), 64).sqes });
  }

  /** Parameters that no kernel takes. */
  #badSetup(): readonly [flags: number, size: number, more: Partial<RingStep>] {
    const { d } = this;
    switch (d.below(5)) {
      case 4:
        return [drawRingFlags(d), 64, { without: d.pick(['params', 'writable_params', 'descriptor', 'file']) }];
      case 0:
        return [S.SUBMIT_ALL, d.pick([0, 32769, 0xffff_ffff, (64 | (stray(d, 16) << 16)) >>> 0]), {}];
      case 1: {
        const resv: [number, number, number] = [0, 0, 0];
        resv[d.below(3)] = (1 << d.below(32)) >>> 0;
        return [S.SUBMIT_ALL, 64, { resv }];
      }
      case 2:
        return [S.SUBMIT_ALL | S.CQSIZE, 64, { cq_entries: d.pick([0, 1, 32, 65537, 0xffff_ffff]) }];
      default:
        if (d.chance(0.2)) return [S.SUBMIT_ALL | S.ATTACH_WQ, 64, { wq_fd: FD.closed }];
        return [d.chance(0.5) ? unknownFlag(d, this.abi) : d.pick(IMPOSSIBLE), 64, {}];
    }
  }

  /** Registers a struct io_uring_bpf. */
  registerArg(task: number, on: Target, arg: BpfArg, nrArgs = 1): void {
    this.push({ do: 'register_bpf_filter', task, on, nr_args: nrArgs, arg });
  }

  /** Registers a program as a careful caller does. */
  filter(task: number, on: Target, opcode: number, program: Program, flags = 0): void {
    const { d, abi } = this;
    let arg = bpfArg(abi, opcode, program, flags);
    if (arg.pdu_size > 0 && d.below(12) === 0) arg = { ...arg, pdu_size: d.below(arg.pdu_size) };
    else if (d.below(16) === 0) arg = { ...arg, flags: arg.flags | 2 };
    this.registerArg(task, on, arg);
  }

  /** Registers a program so many times in one step: a deep stack costs little to write and to send. */
  deepFilter(task: number, on: Target, opcode: number, program: Program, times: number): void {
    if (times < 1) return;
    const arg = bpfArg(this.abi, opcode, program);
    const step = { do: 'register_bpf_filter', task, on, nr_args: 1, arg } as const;
    this.push(times === 1 ? step : { ...step, times });
  }

  /** Draws a program for the crew's requests of `opcode` and registers it. */
  drawFilter(task: number, on: Target, crew: Crew, opcode: number, wish: ProgramWish = {}, flags = 0): Program {
    const program = drawProgram(this.d, crew.contexts(opcode), wish);
    this.filter(task, on, opcode, program, flags);
    return program;
  }

  restrict(task: number, on: Target, restrictions: readonly Restriction[]): void {
    if (on.kind === 'task')
      this.push({ do: 'register_task_restrictions', task, on, nr_args: 1, arg: taskRestrictions(restrictions) });
    else
      this.push({
        do: 'register_restrictions',
        task,
        on,
        nr_args: restrictions.length,
        arg: ringRestrictions(restrictions),
      });
  }

  enable(task: number, ring: number): void {
    this.register(task, onRing(ring), IORING_REGISTER.REGISTER_ENABLE_RINGS);
  }

  register(task: number, on: Target, opcode: number, nrArgs = 0, bytes?: Uint8Array): void {
    this.push({ do: 'register', task, on, opcode, nr_args: nrArgs, ...(bytes === undefined ? {} : { bytes }) });
  }

  /** Submits a batch of about `size` requests, then now and then looks at what they did. */
  submit(task: number, ring: number | undefined, crew: Crew, size: number, registered?: number): readonly Role[] {
    if (ring === undefined) return [];
    const known = this.tracker.rings.get(ring);
    if (known === undefined || this.tracker.runnable(task) === undefined) return [];
    const mixed = (known.flags & S.SQE_MIXED) !== 0;
    // One to spare: where calls were refused before, the end of the queue is another entry than it seems.
    const entries = mixed ? known.entries - 1 : known.entries;
    const { sqes, roles } = crew.batch(
      known.flags,
      size,
      entries,
      known.entries - (known.consumed & (known.entries - 1)),
    );
    if (sqes.length === 0) return [];
    // Now and then by an index that cannot be.
    const by = registered ?? (this.d.below(200) === 0 ? this.d.pick(NO_INDEX) : undefined);
    const whole = mixed || (known.flags & S.SQPOLL) !== 0;
    const { d } = this;
    const each = !whole && d.below(30) === 0 ? { each: d.int(1, 8) } : {};
    const none = !('each' in each) && d.below(60) === 0 && this.#mayDrop(known.flags, sqes.length, entries);
    const how = none ? { dropped: d.int(0, sqes.length) } : each;
    if (!this.push({ do: 'submit', task, ring, sqes, ...(by === undefined ? {} : { registered: by }), ...how }))
      return [];
    this.probes(task, roles);
    return roles;
  }

  /** Whether one entry more, which names no SQE, can stand in a batch. */
  #mayDrop(flags: number, size: number, entries: number): boolean {
    return (flags & NOT_DROPPING) === 0 && size < entries;
  }

  /** Looks at the side effects that some of these requests can have. */
  probes(task: number, roles: readonly Role[], share = 0.25): void {
    const { d } = this;
    let left = 4;
    const seen = new Set<string>();
    for (const { form } of roles) {
      const { probe } = form;
      if (probe === undefined || left === 0 || !d.chance(share)) continue;
      const key = JSON.stringify(probe);
      if (seen.has(key)) continue;
      seen.add(key);
      left--;
      if ('path' in probe) this.push({ do: 'probe_path', task, path: probe.path });
      else if ('fd' in probe) this.push({ do: 'probe_fd', task, fd: probe.fd });
      else this.push({ do: 'probe_memory', task, at: probe.memory.at, length: probe.memory.length });
    }
  }

  /**
   * Creates a child, `flags` being CLONE_* beside those of its kind; its number, or undefined when there are enough
   * tasks.
   */
  spawn(task: number, how: SpawnHow, most = MAX_TASKS, flags = 0): number | undefined {
    if (this.#nextTask >= Math.min(MAX_TASKS, most)) return undefined;
    const child = this.#nextTask;
    if (!this.push({ do: 'spawn', task, how, child, ...(flags === 0 ? {} : { flags }) })) return undefined;
    this.#nextTask++;
    return child;
  }

  /**
   * Takes a ring out of another task, more often than not one that the task does not have; now and then one that may
   * not be there.
   * Its slot, or undefined when there is none to take.
   */
  take(task: number): number | undefined {
    const { d, tracker } = this;
    const own = tracker.runnable(task);
    if (own === undefined) return undefined;
    const all = [...tracker.tasks.values()].flatMap((other) =>
      other === own || !other.alive ? [] : [...other.files].map((ring) => ({ from: other.id, ring })),
    );
    const fresh = all.filter(({ ring }) => !own.files.has(ring));
    const list = fresh.length > 0 && d.chance(0.9) ? fresh : all;
    if (list.length === 0) return undefined;
    const { from, ring: there } = d.pick(list);
    const ring = d.chance(0.05) ? d.below(RING_SLOTS) : there;
    return this.push({ do: 'take_ring', task, from, ring }) ? ring : undefined;
  }

  /** Ends every vfork child that still holds its parent up. */
  settle(): void {
    for (const task of [...this.tracker.tasks.values()].reverse()) {
      if (task.alive && task.waitsFor === undefined && task.how === 'vfork' && task.parent?.waitsFor === task)
        this.push({ do: 'exit', task: task.id });
    }
  }

  /** What was built. */
  scenario(suite: string): Scenario {
    this.settle();
    return {
      version: SCENARIO_VERSION,
      suite,
      fixtures: FIXTURES.filter((name) => this.fixtures.has(name)),
      jit: this.jit,
      ...(this.harden === 0 ? {} : { harden: this.harden }),
      ...(this.traces ? { traces: true as const } : {}),
      steps: this.steps,
    };
  }
}

const IO_DRAIN = 2;

/** Whether an opcode announces the end of something with a CQE of its own, as zero-copy sends do. */
const notifies = (opcode: number): boolean => opSpec(opcode)?.refused !== undefined;

/**
 * Takes IOSQE_IO_DRAIN off a batch with zero-copy sends: the drain waits for their notifications and can
 * stand still for good (seen on 7.0.13), which costs seconds and tells nothing of filters.
 */
function withoutStuckDrain(step: Step): Step {
  if (!requestsOf(step).some(({ opcode }) => notifies(opcode))) return step;
  return withRequests(step, (sqe) =>
    ((sqe.flags ?? 0) & IO_DRAIN) === 0 ? sqe : { ...sqe, flags: sqe.flags! & ~IO_DRAIN },
  );
}
