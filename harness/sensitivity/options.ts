/** What a campaign on mutants is told, and whom it tells. */
import type { Progress } from '../../reports/data/progress.ts';
import type { SensitivityResult } from '../../reports/data/sensitivity.ts';
import type { Mutant } from '../../vm/build/mutant-file.ts';
import type { Trial } from './journal.ts';

/** What a campaign is told. */
export interface SensitivityOptions {
  /** Source tree, as the user named it. */
  readonly linux: string;
  /** All mutants that are built. */
  readonly mutants: readonly Mutant[];
  /** Which of them are tried. */
  readonly wanted: (mutant: Mutant) => boolean;
  readonly keepGoing: boolean;
  readonly patches: readonly string[];
  readonly debug: boolean;
  readonly seed: number;
  /** Cases of the first stage. */
  readonly quick: number;
  /** Cases of the second stage; 0: there is none. */
  readonly cases: number;
  readonly jobs: number;
  readonly append: string;
  readonly accel: 'auto' | 'kvm' | 'tcg';
  readonly timeout: number;
  /** Seconds that a mutant may take for its cases, beside several times what they take without a fault. */
  readonly grace: number;
  /** Percent of the mutants that a scenario can show that are to be killed. */
  readonly required: number;
  readonly out: string;
  /** Forgets what an earlier call found. */
  readonly fresh: boolean;
  readonly command: string;
}

/** What happens on the way. */
export interface SensitivityEvents {
  note(text: string): void;
  /** Of the kernel without a fault. */
  progress(progress: Progress): void;
  /** The live line, if any, is over. */
  finished(): void;
  /** What is known so far, whenever that is more. */
  checkpoint(result: SensitivityResult, trials: readonly Trial[]): void;
}
