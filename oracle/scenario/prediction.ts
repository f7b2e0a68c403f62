/** What the oracle says a scenario may show. */
import type { Open, OpenSet } from '../open-answer.ts';
import type { DecisionPoint } from '../quirks/index.ts';

/** One allowed value, or the several that a place gives which has its reason. */
export type Allowed = number | OpenSet;

/** One completion queue entry that must come, or may. */
export interface PredictedCqe {
  readonly user_data: bigint;
  readonly res: Allowed;
  /** IORING_CQE_F_* */
  readonly flags: Allowed;
  /** Index of the SQE inside the step's batch. */
  readonly sqe: number;
  /** The rule that decided the result. */
  readonly rule: string;
  /** Why the CQE may be absent; undefined: it must come. */
  readonly optional?: Open;
}

/** Two requests of a step, by their index: the CQE of the first must come before that of the other. */
export interface CqeOrder {
  readonly first: number;
  readonly second: number;
}

/** What one step may answer. */
export interface PredictedStep {
  readonly reached: boolean;
  /** One set per recorded return value; a place: not judged, neither number nor values. */
  readonly returns: readonly Allowed[] | Open;
  /** A place: not judged. */
  readonly cqes: readonly PredictedCqe[] | Open;
  /** Which CQEs come before which, where drains say so; a CQE that shares its user_data is not looked at. */
  readonly order?: readonly CqeOrder[];
  /** Most CQEs that may come, where `cqes` does not say. */
  readonly most?: number;
  /** Bytes read back (see StepObservation.memory); undefined: unchanged / none; a place: not judged. */
  readonly memory?: Uint8Array | Open;
  /** Offsets in `memory` of bytes that are not judged; absent: none. */
  readonly memory_open?: readonly number[];
  /** True where there may be none, as none is read back from what was not made. */
  readonly memory_may_lack?: true;
  /** Rule that decided the return value. */
  readonly rule: string;
}

/** What a scenario may answer. */
export interface Prediction {
  readonly steps: readonly PredictedStep[];
  /** Rule id -> how often it decided or contributed. */
  readonly hits: ReadonlyMap<string, number>;
  /** Decisions that made a difference on the way; quirks that decide none of them predict the same. */
  readonly asked: ReadonlySet<DecisionPoint>;
}

/** Whether an observed value is in an allowed set. */
export function allows(allowed: Allowed, value: number): boolean {
  if (typeof allowed === 'number') return allowed === value;
  const { values } = allowed;
  if (values === 'any') return true;
  return 'at_least' in values ? value >= values.at_least : values.includes(value);
}
