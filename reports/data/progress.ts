/** One line of live progress. */
export interface Progress {
  readonly elapsed_s: number;
  readonly scenarios: number;
  readonly total: number;
  readonly outcomes: number;
  readonly outcomes_per_s: number;
  readonly known: number;
  readonly divergences: number;
  readonly crashes: number;
  readonly hangs: number;
  readonly suite: string;
}
