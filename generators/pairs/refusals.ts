/**
 * Ways in which a registration is refused, and what the ring or task that it is meant for has at that time. A refusal
 * counts as drawn if a good registration on the same target follows it, and then requests on everyone who could have
 * been touched: rings made before and after, those of the parent and of every living child.
 */
import { predict } from '../../oracle/predict.ts';
import type { PredictedStep, Prediction } from '../../oracle/scenario/prediction.ts';
import type { Target } from '../../oracle/scenario/types.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { fails, isTask, State, succeeds } from './recognise.ts';

/** What is called, and on what. */
export type RefusedCall = 'filter on ring' | 'filter on task' | 'restrictions on ring' | 'restrictions on task';

const FILTER_RULES = [
  'filter-reg.nr-args',
  'filter-reg.fault',
  'filter-reg.cmd-type',
  'filter-reg.cmd-flags',
  'filter-reg.resv',
  'filter-reg.opcode',
  'filter-reg.flags',
  'filter-reg.filter-resv',
  'filter-reg.filter-resv2',
  'filter-reg.len',
  'filter-reg.pdu.larger',
  'filter-reg.pdu.strict',
  'filter-reg.pdu.write-back-fault',
  'filter-reg.program-null',
  'filter-reg.program-fault',
  'filter-reg.program-invalid',
] as const;

/** The rules that refuse each call. */
export const REFUSALS = {
  'filter on ring': [...FILTER_RULES, 'register.single-issuer', 'register.restricted'],
  'filter on task': [...FILTER_RULES, 'filter-reg.privilege', 'register.restricted.blind'],
  'restrictions on ring': [
    'classic-reg.not-disabled',
    'classic-reg.once',
    'classic-reg.nr-args',
    'classic-reg.fault',
    'classic-reg.kind',
    'register.single-issuer',
  ],
  'restrictions on task': [
    'task-classic-reg.once',
    'task-classic-reg.privilege',
    'task-classic-reg.nr-args',
    'task-classic-reg.fault',
    'task-classic-reg.flags',
    'task-classic-reg.resv',
    'classic-reg.nr-args',
    'classic-reg.fault',
    'classic-reg.kind',
  ],
} as const satisfies Readonly<Record<RefusedCall, readonly string[]>>;

/**
 * What the target has: nothing, rules that were registered on it, such as came from an ancestor (of a ring: from the
 * task that made it), both; `shared`: a living child has the same rules, or the same ring.
 */
export const STATES = ['nothing', 'own', 'inherited', 'both', 'shared'] as const;
/** One of them. */
export type TargetState = (typeof STATES)[number];

/** A refusal in a state. */
export interface Cell {
  readonly call: RefusedCall;
  readonly rule: string;
  readonly state: TargetState;
}

/** Refusals that no good registration on the same target can follow. */
const FOR_GOOD: readonly string[] = ['register.restricted', 'register.restricted.blind', 'task-classic-reg.once'];

interface Impossible {
  readonly call: RefusedCall;
  /** Absent: each. */
  readonly rules?: readonly string[];
  readonly states: readonly TargetState[];
  readonly why: string;
}

/** Cells that cannot be drawn. A test draws for them all the same. */
const IMPOSSIBLE_CELLS: readonly Impossible[] = [
  {
    call: 'restrictions on task',
    rules: REFUSALS['restrictions on task'].filter((rule) => rule !== 'task-classic-reg.once'),
    states: ['own', 'inherited', 'both', 'shared'],
    why: 'a task that has any rules is refused for that before all else (task-classic-reg.once)',
  },
  {
    call: 'restrictions on task',
    rules: ['task-classic-reg.once'],
    states: ['nothing'],
    why: 'it is refused for the rules that it has',
  },
  { call: 'restrictions on ring', rules: ['classic-reg.once'], states: ['nothing'], why: 'it has restrictions' },
  {
    call: 'filter on ring',
    rules: ['register.restricted'],
    states: ['nothing'],
    why: 'it is refused by restrictions that the ring has',
  },
  {
    call: 'filter on task',
    rules: ['register.restricted.blind'],
    states: ['nothing'],
    why: 'it is refused by restrictions that the task has',
  },
  {
    call: 'filter on task',
    rules: ['register.restricted.blind'],
    states: ['both'],
    why:
      'a task that inherited such restrictions registers nothing of its own, and one that inherited filters takes ' +
      'no restrictions',
  },
];

/** Why a cell cannot be drawn; undefined where it can. */
function impossibleCell({ call, rule, state }: Cell): string | undefined {
  return IMPOSSIBLE_CELLS.find(
    (row) => row.call === call && (row.rules?.includes(rule) ?? true) && row.states.includes(state),
  )?.why;
}

/** Every cell. */
export const CELLS: readonly Cell[] = (Object.keys(REFUSALS) as RefusedCall[]).flatMap((call) =>
  REFUSALS[call].flatMap((rule) => STATES.map((state) => ({ call, rule, state }))),
);
/** Those that can be drawn. */
export const POSSIBLE_CELLS = CELLS.filter((cell) => impossibleCell(cell) === undefined);

/** Name of a cell: a key of the tally. */
export function cellName({ call, rule, state }: Cell): string {
  return `${call}, ${rule}, ${state}`;
}

type Registration = Extract<
  Step,
  { do: 'register_bpf_filter' | 'register_restrictions' | 'register_task_restrictions' }
>;

/** A refusal, and what followed so far. */
interface Pending {
  readonly cells: readonly Cell[];
  readonly step: number;
  readonly task: number;
  readonly ring: number | undefined;
  readonly relatives: ReadonlySet<number>;
  good: boolean;
  before: boolean;
  after: boolean;
  readonly seen: Set<number>;
}

function isRegistration(step: Step): step is Registration {
  return (
    step.do === 'register_bpf_filter' || step.do === 'register_restrictions' || step.do === 'register_task_restrictions'
  );
}

/** Counts the refusals of scenarios by cell. */
export class RefusalTally {
  readonly counts = new Map<string, number>();

  /** Takes one scenario into account. */
  add(scenario: Scenario, abi: AbiProfile, prediction: Prediction = predict(scenario, abi)): void {
    let judged = 0;
    const state = new State(() => judged++);
    const pending: Pending[] = [];
    for (const [index, step] of scenario.steps.entries()) {
      const answer = prediction.steps[index]!;
      const before = judged;
      if (isRegistration(step)) this.#registration(state, step, index, answer, pending);
      state.take(step, index, answer);
      if (step.do === 'submit' && judged > before) for (const one of pending) requested(one, state, step);
    }
    for (const { cells, good, before, after, relatives, seen } of pending) {
      if (!before || !after || [...relatives].some((id) => !seen.has(id))) continue;
      for (const cell of cells) {
        if (!good && !FOR_GOOD.includes(cell.rule)) continue;
        const name = cellName(cell);
        this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
      }
    }
  }

  #registration(state: State, step: Registration, index: number, answer: PredictedStep, pending: Pending[]): void {
    const ring = state.ringOf(step.task, step.on);
    if (ring === undefined && !isTask(step.on)) return;
    if (succeeds(answer))
      for (const one of pending)
        if (one.ring === ring && (ring !== undefined || one.task === step.task)) one.good = true;
    if (!fails(answer)) return;
    const call = callOf(step, step.on);
    const rule = answer.rule;
    const rules: readonly string[] = REFUSALS[call];
    if (!rules.includes(rule)) return;
    const living = [...state.tasks.keys()].filter((id) => state.tracker.tasks.get(id)!.alive);
    const children = living.filter((id) => state.tasks.get(id)!.parent === step.task);
    const { parent } = state.tasks.get(step.task)!;
    const relatives = new Set(parent !== undefined && living.includes(parent) ? [...children, parent] : children);
    pending.push({
      cells: state.targetStates(step.task, ring).map((one) => ({ call, rule, state: one })),
      step: index,
      task: step.task,
      ring,
      relatives,
      good: false,
      before: false,
      after: false,
      seen: new Set(),
    });
  }

  /** Cells that can be drawn and were not. */
  missing(): readonly Cell[] {
    return POSSIBLE_CELLS.filter((cell) => !this.counts.has(cellName(cell)));
  }

  /** Cells that were drawn and are listed as impossible. */
  wronglyListed(): readonly Cell[] {
    return CELLS.filter((cell) => impossibleCell(cell) !== undefined && this.counts.has(cellName(cell)));
  }
}

function callOf(step: Registration, on: Target): RefusedCall {
  const what = step.do === 'register_bpf_filter' ? 'filter' : 'restrictions';
  return `${what} on ${isTask(on) ? 'task' : 'ring'}`;
}

/** Requests that tell what a refusal left behind. */
function requested(one: Pending, state: State, step: Extract<Step, { do: 'submit' }>): void {
  const ring = state.rings.get(step.ring);
  if (ring === undefined) return;
  if (step.ring === one.ring || (one.ring === undefined && step.task === one.task && ring.made < one.step))
    one.before = true;
  if (step.task === one.task && ring.made > one.step) one.after = true;
  if (one.relatives.has(step.task)) one.seen.add(step.task);
}
