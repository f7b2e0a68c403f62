/**
 * Tells which levels each request of a scenario has, from its steps and what the oracle says they answer; never from
 * what a generator had in mind. The rules that a ring has are worked out anew here, from the answers to registrations.
 */
import { Open, OpenSet } from '../../oracle/open-answer.ts';
import { opSpec } from '../../oracle/opcodes/index.ts';
import { IORING_REGISTER } from '../../oracle/register/index.ts';
import type { PredictedCqe, PredictedStep, Prediction } from '../../oracle/scenario/prediction.ts';
import type { Sqe, Target } from '../../oracle/scenario/types.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import type { SpawnStep } from '../../oracle/steps/kind/spawn.ts';
import type { SubmitStep } from '../../oracle/steps/kind/submit.ts';
import type { TrackedRing, TrackedTask } from '../../oracle/steps/tracked.ts';
import { CLONE, IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import { FILTER_DENY_REST } from '../../oracle/model/filter-registration.ts';
import { RING_FD } from '../../oracle/scenario/layout.ts';
import { Tracker } from '../tracker.ts';
import { levelOf } from './factors.ts';
import type { LevelName } from './factors.ts';

/** An accepted registration. */
interface Registered {
  readonly step: number;
  readonly task: number;
  readonly place: 'ring' | 'task';
  /** Routes that it says of itself. */
  readonly routes: readonly LevelName[];
}

/** Filters by opcode, and who restricted. */
class Rules {
  readonly heads = new Map<number, readonly Registered[]>();
  restricted: Registered | undefined;
  /** Registers of DENY_REST, which stand for every opcode that had no filter then. */
  rest: readonly { readonly by: Registered; readonly except: ReadonlySet<number> }[] = [];

  copy(): Rules {
    const copy = new Rules();
    for (const [opcode, stack] of this.heads) copy.heads.set(opcode, stack);
    copy.restricted = this.restricted;
    copy.rest = this.rest;
    return copy;
  }

  add(opcode: number, by: Registered, denyRest: boolean): void {
    this.heads.set(opcode, [...(this.heads.get(opcode) ?? []), by]);
    if (denyRest) this.rest = [...this.rest, { by, except: new Set(this.heads.keys()) }];
  }

  /** Every registration that has a filter on `opcode`, and whether DENY_REST put one there. */
  on(opcode: number): { readonly stack: readonly Registered[]; readonly denyRest: boolean } {
    const rest = this.rest.filter(({ except }) => !except.has(opcode)).slice(0, 1);
    const own = this.heads.get(opcode) ?? [];
    return rest.length === 0 ? { stack: own, denyRest: false } : { stack: [rest[0]!.by, ...own], denyRest: true };
  }
}

/** What is known of a task. */
interface TaskInfo {
  readonly generation: number;
  readonly levels: readonly LevelName[];
  readonly spawned: number;
  readonly parent: number | undefined;
  readonly rules: Rules;
  readonly registered: Map<number, number>;
  execs: number;
  noNewPrivs: boolean;
  capDropped: boolean;
  unshared: boolean;
  /** A registration on the task was refused. */
  refused: boolean;
}

/** What is known of a ring. */
interface RingInfo {
  readonly made: number;
  readonly creator: number;
  readonly rules: Rules;
  used: boolean;
  disabled: boolean;
  enabledBy: number | undefined;
  refused: boolean;
  /** Credentials registered with it so far. */
  personalities: number;
  readonly events: Set<LevelName>;
}

type Hands = 'hands:made' | 'hands:inherited' | 'hands:shared' | 'hands:taken';

const S = IORING_SETUP;
const RING_LEVELS: readonly (readonly [number, LevelName])[] = [
  [S.R_DISABLED, 'ring:disabled'],
  [S.IOPOLL, 'ring:iopoll'],
  [S.HYBRID_IOPOLL, 'ring:hybrid-iopoll'],
  [S.SQPOLL, 'ring:sqpoll'],
  [S.COOP_TASKRUN, 'ring:coop'],
  [S.TASKRUN_FLAG, 'ring:taskrun-flag'],
  [S.SINGLE_ISSUER, 'ring:single-issuer'],
  [S.DEFER_TASKRUN, 'ring:defer'],
  [S.SQE128, 'ring:sqe128'],
  [S.CQE32, 'ring:cqe32'],
  [S.SQE_MIXED, 'ring:sqe-mixed'],
  [S.CQE_MIXED, 'ring:cqe-mixed'],
  [S.NO_SQARRAY, 'ring:no-sqarray'],
  [S.SQ_REWIND, 'ring:sq-rewind'],
];
const WAY_LEVELS: readonly (readonly [number, LevelName])[] = [
  [IOSQE.IO_DRAIN, 'way:drained'],
  [IOSQE.ASYNC, 'way:async'],
  [IOSQE.CQE_SKIP_SUCCESS, 'way:skip'],
  [IOSQE.FIXED_FILE, 'way:fixed-file'],
  [IOSQE.BUFFER_SELECT, 'way:buffer-select'],
];
const CLONE_LEVELS: readonly (readonly [number, LevelName])[] = [
  [CLONE.FILES, 'task:files'],
  [CLONE.SIGHAND, 'task:sighand'],
  [CLONE.PIDFD, 'task:pidfd'],
  [CLONE.NEWUSER, 'task:newuser'],
  [CLONE.FS, 'task:fs'],
  [CLONE.SYSVSEM, 'task:sysvsem'],
  [CLONE.UNTRACED, 'task:untraced'],
  [CLONE.IO, 'task:io'],
  [CLONE.NEWNS, 'task:newns'],
  [CLONE.NEWUTS, 'task:newuts'],
  [CLONE.NEWIPC, 'task:newipc'],
  [CLONE.NEWPID, 'task:newpid'],
];
const LINKS = IOSQE.IO_LINK | IOSQE.IO_HARDLINK;
const BATCH = 32;

const bitsOf = (rows: readonly (readonly [number, LevelName])[], mask: number): LevelName[] =>
  rows.filter(([bit]) => (mask & bit) !== 0).map(([, level]) => level);

/** Whether a call is aimed at the task: fd = -1. */
export function isTask(on: Target): boolean {
  return on.kind === 'task' || (on.kind === 'fd' && on.fd === -1) || (on.kind === 'registered' && on.index === -1);
}

/** Whether a step surely answers 0. */
export const succeeds = ({ returns }: PredictedStep): boolean => !Open.is(returns) && returns[0] === 0;
/** Whether a step surely fails. */
export const fails = ({ returns }: PredictedStep): boolean =>
  !Open.is(returns) && typeof returns[0] === 'number' && returns[0] < 0;

/** Takes the levels of one judged request, as numbers. */
export type Visit = (levels: readonly number[]) => void;

/** Calls `visit` for each request of the scenario whose outcome the rules decide. */
export function recognise(scenario: Scenario, prediction: Prediction, visit: Visit): void {
  const state = new State(visit);
  for (const [index, step] of scenario.steps.entries()) state.take(step, index, prediction.steps[index]!);
}

/** A scenario up to some step. */
export class State {
  readonly tracker = new Tracker();
  readonly tasks = new Map<number, TaskInfo>();
  readonly rings = new Map<number, RingInfo>();
  readonly #visit: Visit;
  /** How each table of descriptors came to the rings in it. */
  readonly #tables = new WeakMap<Set<number>, Map<number, { readonly how: Hands; readonly by: number }>>();

  constructor(visit: Visit = () => undefined) {
    this.#visit = visit;
    this.tasks.set(0, newTask(0, ['task:root'], 0, undefined, new Rules()));
  }

  /** The task as the tracker knows it. */
  #tracked(task: number): TrackedTask {
    return this.tracker.tasks.get(task)!;
  }

  #table(files: Set<number>): Map<number, { readonly how: Hands; readonly by: number }> {
    const table = this.#tables.get(files) ?? new Map<number, { readonly how: Hands; readonly by: number }>();
    this.#tables.set(files, table);
    return table;
  }

  /** The slot behind a target. */
  ringOf(task: number, on: Target): number | undefined {
    const slot = on.kind === 'ring' ? on.ring : on.kind === 'fd' ? on.fd - RING_FD : undefined;
    if (slot !== undefined) return this.#tracked(task).files.has(slot) ? slot : undefined;
    return on.kind === 'registered' ? this.tasks.get(task)!.registered.get(on.index) : undefined;
  }

  /** What a target has: see `STATES` of refusals.ts. */
  targetStates(task: number, slot: number | undefined): ('nothing' | 'own' | 'inherited' | 'both' | 'shared')[] {
    const ring = slot === undefined ? undefined : this.rings.get(slot);
    const { rules } = ring ?? this.tasks.get(task)!;
    const all = [...[...rules.heads.values()].flat(), ...(rules.restricted === undefined ? [] : [rules.restricted])];
    if (all.length === 0) return ['nothing'];
    const isOwn = (by: Registered): boolean => (ring === undefined ? by.task === task : by.place === 'ring');
    const own = all.some(isOwn);
    const inherited = !all.every(isOwn);
    const last = Math.max(...all.map(({ step }) => step));
    const shared = [...this.tasks].some(([id, child]) => {
      const tracked = this.#tracked(id);
      if (child.parent !== task || !tracked.alive) return false;
      return slot === undefined ? child.spawned > last : tracked.files.has(slot);
    });
    const kind = own && inherited ? 'both' : own ? 'own' : 'inherited';
    return shared ? [kind, 'shared'] : [kind];
  }

  /** Takes a step into account. */
  take(step: Step, index: number, answer: PredictedStep): void {
    const before = this.tracker.tasks.get(step.task)?.files;
    const parent = step.do === 'spawn' ? this.#tracked(step.task) : undefined;
    if (this.tracker.take(step) !== true) return;
    const task = this.tasks.get(step.task)!;
    switch (step.do) {
      case 'spawn':
        this.#spawn(step, index, parent!);
        break;
      case 'exec':
        task.execs++;
        task.registered.clear();
        this.#copyTable(before!, this.#tracked(step.task).files);
        break;
      case 'no_new_privs':
        task.noNewPrivs = true;
        break;
      case 'drop_cap_sys_admin':
        task.capDropped = true;
        break;
      case 'unshare_user':
        task.unshared = true;
        break;
      case 'ring':
        if (succeeds(answer)) this.#ring(step, index, task);
        break;
      case 'take_ring':
        if (succeeds(answer))
          this.#table(this.#tracked(step.task).files).set(step.ring, { how: 'hands:taken', by: step.task });
        break;
      case 'register_bpf_filter':
      case 'register_restrictions':
      case 'register_task_restrictions':
        this.#rule(step, index, answer);
        break;
      case 'register':
        this.#call(step, answer);
        break;
      case 'submit':
        this.#submit(step, answer);
        break;
      default:
        break;
    }
  }

  #copyTable(from: Set<number>, to: Set<number>): void {
    if (from === to) return;
    for (const [slot, entry] of this.#table(from)) this.#table(to).set(slot, entry);
  }

  #spawn(step: SpawnStep, index: number, parent: TrackedTask): void {
    const from = this.tasks.get(step.task)!;
    const child = this.#tracked(step.child);
    const levels: LevelName[] = [`task:${step.how}`, ...bitsOf(CLONE_LEVELS, step.flags ?? 0)];
    const made = newTask(from.generation + 1, levels, index, step.task, from.rules.copy());
    made.noNewPrivs = from.noNewPrivs;
    made.capDropped = from.capDropped && ((step.flags ?? 0) & CLONE.NEWUSER) === 0;
    made.unshared = from.unshared;
    this.tasks.set(step.child, made);
    if (child.files === parent.files) return;
    for (const [slot, { by }] of this.#table(parent.files))
      this.#table(child.files).set(slot, { how: 'hands:inherited', by });
  }

  #ring(step: Extract<Step, { do: 'ring' }>, index: number, task: TaskInfo): void {
    const disabled = (step.flags & S.R_DISABLED) !== 0;
    this.rings.set(step.ring, {
      made: index,
      creator: step.task,
      rules: task.rules.copy(),
      used: false,
      disabled,
      enabledBy: undefined,
      refused: task.refused,
      personalities: 0,
      events: new Set(),
    });
    this.#table(this.#tracked(step.task).files).set(step.ring, { how: 'hands:made', by: step.task });
  }

  #rule(
    step: Extract<Step, { do: 'register_bpf_filter' | 'register_restrictions' | 'register_task_restrictions' }>,
    index: number,
    answer: PredictedStep,
  ): void {
    const { on } = step;
    const task = this.tasks.get(step.task)!;
    const slot = this.ringOf(step.task, on);
    const ring = slot === undefined ? undefined : this.rings.get(slot);
    if (ring === undefined && !isTask(on)) return;
    if (fails(answer)) (ring ?? task).refused = true;
    if (!succeeds(answer)) return;
    const routes: LevelName[] = ring === undefined ? ['route:task-before'] : routesOf(ring, step.task, on);
    const by: Registered = { step: index, task: step.task, place: ring === undefined ? 'task' : 'ring', routes };
    const { rules } = ring ?? task;
    if (step.do === 'register_bpf_filter') rules.add(step.arg.opcode, by, (step.arg.flags & FILTER_DENY_REST) !== 0);
    else rules.restricted = by;
  }

  #call(step: Extract<Step, { do: 'register' }>, answer: PredictedStep): void {
    const slot = this.ringOf(step.task, step.on);
    const ring = slot === undefined ? undefined : this.rings.get(slot);
    const task = this.tasks.get(step.task)!;
    if (step.opcode === IORING_REGISTER.REGISTER_RING_FDS && step.bytes !== undefined && step.bytes.length >= 16) {
      const view = new DataView(step.bytes.buffer, step.bytes.byteOffset);
      const target = Number(view.getBigUint64(8, true)) - RING_FD;
      const done = !Open.is(answer.returns) && answer.returns[0] === 1;
      if (done && this.#tracked(step.task).files.has(target)) task.registered.set(view.getUint32(0, true), target);
      return;
    }
    if (ring === undefined) return;
    if (step.opcode === IORING_REGISTER.REGISTER_ENABLE_RINGS) {
      if (!succeeds(answer)) return;
      ring.disabled = false;
      ring.enabledBy = step.task;
      return;
    }
    if (step.opcode === IORING_REGISTER.REGISTER_PERSONALITY && !fails(answer)) ring.personalities++;
    const level = CALLS.get(step.opcode);
    if (level === undefined || !succeeds(answer)) ring.events.add('before:calls');
    else ring.events.add(level);
  }

  #submit(step: SubmitStep, { cqes, returns }: PredictedStep): void {
    const task = this.tasks.get(step.task)!;
    const slot = step.registered === undefined ? step.ring : task.registered.get(step.registered);
    const ring = slot === undefined || slot !== step.ring ? undefined : this.rings.get(slot);
    const tracked = slot === undefined ? undefined : this.tracker.rings.get(slot);
    if (ring === undefined || tracked === undefined) return;
    const entered =
      !Open.is(returns) && returns.some((value) => value !== 0 && !(typeof value === 'number' && value < 0));
    if (entered && !Open.is(cqes)) this.#requests(step, cqes, ring, tracked);
    if (entered) ring.used = true;
  }

  #requests(step: SubmitStep, cqes: readonly PredictedCqe[], ring: RingInfo, tracked: TrackedRing): void {
    const base = this.#baseLevels(step, ring, tracked).map(levelOf);
    const byOpcode = new Map<number, readonly number[]>();
    const answers = new Map(cqes.filter(({ optional }) => optional === undefined).map((cqe) => [cqe.sqe, cqe]));
    let position = 0;
    let hard = false;
    for (const [at, sqe] of step.sqes.entries()) {
      const flags = sqe.flags ?? 0;
      const linked = (flags & LINKS) !== 0;
      const ways = waysOf(sqe, at, position, hard, ring.personalities);
      hard = (flags & IOSQE.IO_HARDLINK) !== 0;
      const answer = answers.get(at);
      const alone = position === 0 && !linked;
      position = linked ? position + 1 : 0;
      const verdict =
        answer === undefined
          ? skipped(flags, alone)
          : OpenSet.is(answer.res) && answer.res.values === 'any'
            ? undefined
            : verdictOf(answer.rule);
      if (verdict === undefined) continue;
      const rules = byOpcode.get(sqe.opcode) ?? this.#ruleLevels(step.task, ring, sqe.opcode).map(levelOf);
      byOpcode.set(sqe.opcode, rules);
      this.#visit([...base, ...rules, ...ways.map(levelOf), levelOf(verdict)]);
    }
  }

  #baseLevels(step: SubmitStep, ring: RingInfo, { flags }: TrackedRing): LevelName[] {
    const user = this.tasks.get(step.task)!;
    const out: LevelName[] = bitsOf(RING_LEVELS, flags);
    if ((flags & S.SUBMIT_ALL) === 0) out.push('ring:stops-at-error');
    else if (out.length === 0) out.push('ring:plain');
    const entry = this.#table(this.#tracked(step.task).files).get(step.ring);
    const how = entry?.how ?? 'hands:made';
    if (ring.creator === step.task) out.push('hands:made');
    else
      out.push(how === 'hands:inherited' || (how === 'hands:taken' && entry!.by === step.task) ? how : 'hands:shared');
    if (step.registered !== undefined) out.push('hands:registered');
    if (ring.enabledBy !== undefined && ring.enabledBy !== ring.creator) out.push('hands:enabled-by-other');
    out.push(...user.levels, `generation:${Math.min(4, user.generation)}` as LevelName);
    const restricted = ring.rules.restricted;
    out.push(`restrictions:${restricted === undefined ? 'none' : sourceOf(restricted, ring)}`);
    out.push(...this.#beforeLevels(user, ring));
    return out;
  }

  #beforeLevels(user: TaskInfo, ring: RingInfo): LevelName[] {
    const out: LevelName[] = [...ring.events];
    if (user.execs === 1) out.push('before:exec-once');
    if (user.execs > 1) out.push('before:exec-twice');
    if (user.noNewPrivs) out.push('before:no-new-privs');
    if (user.capDropped) out.push('before:cap-dropped');
    if (user.unshared) out.push('before:unshared');
    if (user.parent !== undefined && !this.#tracked(user.parent).alive) out.push('before:parent-gone');
    if (!this.#tracked(ring.creator).alive) out.push('before:maker-gone');
    return out.length === 0 ? ['before:nothing'] : out;
  }

  /** What stands on an opcode, and how it got there. */
  #ruleLevels(user: number, ring: RingInfo, opcode: number): LevelName[] {
    const { stack, denyRest } = ring.rules.on(opcode);
    const sources = new Set(stack.map((by) => sourceOf(by, ring)));
    const name = (['ring', 'own', 'inherited'] as const).filter((source) => sources.has(source)).join('+');
    const out = new Set<LevelName>([`filters:${name === '' ? 'none' : name}` as LevelName]);
    for (const { routes } of stack) for (const route of routes) out.add(route);
    if (denyRest) out.add('route:deny-rest');
    if (this.#registeredOn(ring.creator, opcode, ring.made)) out.add('route:task-after');
    if (user !== ring.creator && this.tasks.get(user)!.rules.on(opcode).stack.length > 0) out.add('route:user-own');
    if (this.#parentAfter(ring, opcode)) out.add('route:parent-after');
    for (const [id, child] of this.tasks)
      if (child.parent === ring.creator && this.#registeredOn(id, opcode, child.spawned)) out.add('route:child-after');
    if (ring.refused || this.tasks.get(user)!.refused) out.add('route:refused-between');
    if (out.size === 1) out.add('route:none');
    return [...out];
  }

  /** Whether a task registered a filter on an opcode of its own after some step. */
  #registeredOn(task: number, opcode: number, after: number): boolean {
    return this.tasks
      .get(task)!
      .rules.on(opcode)
      .stack.some((by) => by.task === task && by.step > after);
  }

  #parentAfter({ creator }: RingInfo, opcode: number): boolean {
    let { parent, spawned } = this.tasks.get(creator)!;
    while (parent !== undefined) {
      if (this.#registeredOn(parent, opcode, spawned)) return true;
      ({ parent, spawned } = this.tasks.get(parent)!);
    }
    return false;
  }
}

/** Register opcodes with a level of their own. */
const CALLS: ReadonlyMap<number, LevelName> = new Map([
  [IORING_REGISTER.REGISTER_RESIZE_RINGS, 'before:resized'],
  [IORING_REGISTER.REGISTER_CLONE_BUFFERS, 'before:buffers-cloned'],
]);

function newTask(
  generation: number,
  levels: readonly LevelName[],
  spawned: number,
  parent: number | undefined,
  rules: Rules,
): TaskInfo {
  return {
    generation,
    levels,
    spawned,
    parent,
    rules,
    registered: new Map(),
    execs: 0,
    noNewPrivs: false,
    capDropped: false,
    unshared: false,
    refused: false,
  };
}

function routesOf(ring: RingInfo, task: number, on: Target): LevelName[] {
  const routes: LevelName[] = [ring.used ? 'route:ring-late' : 'route:ring-first'];
  if (ring.disabled) routes.push('route:while-disabled');
  if (task !== ring.creator) routes.push('route:by-other');
  if (on.kind === 'registered') routes.push('route:via-registered');
  return routes;
}

/** Whose rule it is, seen from the ring. */
function sourceOf(by: Registered, ring: RingInfo): 'ring' | 'own' | 'inherited' {
  return by.place === 'ring' ? 'ring' : by.task === ring.creator ? 'own' : 'inherited';
}

function waysOf(sqe: Sqe, at: number, position: number, behindHard: boolean, personalities: number): LevelName[] {
  const flags = sqe.flags ?? 0;
  const out = bitsOf(WAY_LEVELS, flags);
  if (position >= 2) out.push('way:third');
  if (behindHard || (flags & IOSQE.IO_HARDLINK) !== 0) out.push('way:hard');
  const { personality = 0 } = sqe;
  if (personality > 0 && personality <= personalities) out.push('way:personality');
  if (opSpec(sqe.opcode)?.takesTwoSlots === true) out.push('way:big');
  if (at >= BATCH) out.push('way:batch');
  return out.length === 0 && position === 0 && flags === 0 ? ['way:plain'] : out;
}

/** A request without a CQE succeeded, if it need not post one and no other's failure can have swept it away. */
function skipped(flags: number, alone: boolean): LevelName | undefined {
  return alone && (flags & IOSQE.CQE_SKIP_SUCCESS) !== 0 ? 'verdict:allowed' : undefined;
}

/** Who decided; undefined where the request was refused for other reasons, or fell with its chain. */
function verdictOf(rule: string): LevelName | undefined {
  if (rule.startsWith('classic.')) return 'verdict:restrictions';
  if (rule.startsWith('filter.deny')) return 'verdict:filter';
  return rule.startsWith('op.') && !rule.endsWith('.prep') ? 'verdict:allowed' : undefined;
}
