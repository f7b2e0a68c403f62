/** What the guest reports for a scenario, as plain data: raw answers, no judgement. */

/** One completion queue entry. */
export interface Cqe {
  readonly user_data: bigint;
  readonly res: number;
  readonly flags: number;
}

/** What one step answered. */
export interface StepObservation {
  /** False when the step's task did not exist (any more) and the step was skipped. */
  readonly reached: boolean;
  /** Return values of the calls the step made, 0.. or -errno. */
  readonly returns: readonly number[];
  readonly cqes: readonly Cqe[];
  /**
   * Bytes read back: for register steps the argument structure after the call, present only
   * when it differs from what was written; for probe_memory always.
   */
  readonly memory?: Uint8Array;
}

/** What a scenario answered. */
export interface Observation {
  readonly steps: readonly StepObservation[];
}
