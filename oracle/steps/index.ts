/**
 * The scenario language: one typed, serialisable description of everything a user of the
 * feature can do. A scenario is a list of steps in one global order; each step belongs
 * to one task of a tree whose root is task 0. A step runs to its end before the next
 * one starts, whichever task owns it, so a run is deterministic.
 *
 * All there is to know of a kind of step is in its file in `kind/`; here they are joined.
 */
import type { Fixture } from '../scenario/layout.ts';
import type { BpfArg, RingSlot, SCENARIO_VERSION, Sqe, TaskId } from '../scenario/types.ts';
import { closeRing } from './kind/close-ring.ts';
import { dropCapSysAdmin } from './kind/drop-cap-sys-admin.ts';
import { exec } from './kind/exec.ts';
import { exit } from './kind/exit.ts';
import { noNewPrivs } from './kind/no-new-privs.ts';
import { probeFd } from './kind/probe-fd.ts';
import { probeMade } from './kind/probe-made.ts';
import { probeMemory } from './kind/probe-memory.ts';
import { probeNoNewPrivs } from './kind/probe-no-new-privs.ts';
import { probePath } from './kind/probe-path.ts';
import { reap } from './kind/reap.ts';
import { receiveRing } from './kind/receive-ring.ts';
import { registerBpfFilter } from './kind/register-bpf-filter.ts';
import { registerRestrictions } from './kind/register-restrictions.ts';
import { registerTaskRestrictions } from './kind/register-task-restrictions.ts';
import { register } from './kind/register.ts';
import { ring } from './kind/ring.ts';
import { sendRing } from './kind/send-ring.ts';
import { spawn } from './kind/spawn.ts';
import { submit } from './kind/submit.ts';
import { takeRing } from './kind/take-ring.ts';
import { unshareUser } from './kind/unshare-user.ts';
import { writeMemory } from './kind/write-memory.ts';
import type { AnyStep, Made, StepSpec } from './spec.ts';

/** Every kind, in the order in which they are described. */
const KINDS = [
  noNewPrivs,
  dropCapSysAdmin,
  unshareUser,
  ring,
  registerBpfFilter,
  registerRestrictions,
  registerTaskRestrictions,
  register,
  submit,
  spawn,
  exec,
  exit,
  sendRing,
  receiveRing,
  takeRing,
  closeRing,
  writeMemory,
  probePath,
  probeFd,
  probeMade,
  probeMemory,
  probeNoNewPrivs,
  reap,
] as const;

type StepOf<Spec> = Spec extends StepSpec<infer S> ? S : never;

/** A step of any kind. */
export type Step = StepOf<(typeof KINDS)[number]>;
/** `do` of a step. */
export type StepKind = Step['do'];
/** What is known of a kind, where it does not matter which. */
export type AnySpec = StepSpec<Step>;

/** Steps in one global order. */
export interface Scenario {
  readonly version: typeof SCENARIO_VERSION;
  /** Suite that drew it; information only. */
  readonly suite?: string;
  readonly fixtures: readonly Fixture[];
  /** Value of net.core.bpf_jit_enable while the scenario runs. */
  readonly jit: boolean;
  /** Value of net.core.bpf_jit_harden: 1 hides constants of unprivileged users' programs, 2 of all. Absent: 0. */
  readonly harden?: 1 | 2;
  /**
   * net.core.bpf_jit_enable is 2: the compiler tells what it compiled, and the runner counts it. Absent: it does not.
   */
  readonly traces?: true;
  readonly steps: readonly Step[];
}

const OWN_TASK: NonNullable<AnySpec['tasks']> = ['task'];

/** What is known of each kind, by its name. */
export const STEPS = Object.fromEntries(KINDS.map((spec) => [spec.kind, spec])) as unknown as Readonly<
  Record<StepKind, AnySpec>
>;

/** What is known of a step's kind. */
export function specOf(step: AnyStep): AnySpec {
  return STEPS[step.do as StepKind];
}

/** The SQEs that a step submits; none for a kind that submits nothing. */
export function requestsOf(step: Step): readonly Sqe[] {
  return specOf(step).requests?.(step) ?? [];
}

/** The step with each of its SQEs changed. */
export function withRequests(step: Step, change: (sqe: Sqe) => Sqe): Step {
  const spec = specOf(step);
  const sqes = spec.requests?.(step);
  return sqes === undefined ? step : (spec.withRequests?.(step, sqes.map(change)) ?? step);
}

/** The filter that a step registers. */
export function filterOf(step: Step): BpfArg | undefined {
  return specOf(step).filter?.(step);
}

/** Numbers of tasks in a step, its own among them. */
export function tasksOf(step: Step): readonly TaskId[] {
  const members = specOf(step).tasks ?? OWN_TASK;
  return members.map((member) => step[member] as unknown as TaskId);
}

/** The step under other numbers of tasks and rings. */
export function renumbered(step: Step, task: (old: TaskId) => TaskId, ring: (old: RingSlot) => RingSlot): Step {
  const changed: Record<string, unknown> = { ...step };
  for (const member of specOf(step).tasks ?? OWN_TASK) changed[member] = task(step[member] as unknown as TaskId);
  if ('ring' in step) changed['ring'] = ring(step.ring);
  if ('on' in step && step.on.kind === 'ring') changed['on'] = { ...step.on, ring: ring(step.on.ring) };
  return changed as unknown as Step;
}

/** What a step makes. */
export function madeBy(step: Step): Made {
  return specOf(step).makes?.(step) ?? {};
}
