/** What the oracle says a scenario may show. */
import type { DecisionPoint } from '../quirks/index.ts';

/** A set of allowed values: one value, a list, a lower bound, or anything. */
export type Allowed = number | readonly number[] | { readonly at_least: number } | 'any';

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
  /** True where the CQE may be absent. */
  readonly optional?: boolean;
}

/** What one step may answer. */
export interface PredictedStep {
  readonly reached: boolean;
  /** One set per recorded return value; 'any': not judged, neither number nor values. */
  readonly returns: readonly Allowed[] | 'any';
  /** 'any': not judged. */
  readonly cqes: readonly PredictedCqe[] | 'any';
  /** Most CQEs that may come, where `cqes` does not say. */
  readonly most?: number;
  /** Bytes read back (see StepObservation.memory); undefined: unchanged / none; 'any': not judged. */
  readonly memory?: Uint8Array | 'any';
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
  if (allowed === 'any') return true;
  if ('at_least' in allowed) return value >= allowed.at_least;
  return allowed.includes(value);
}
