/** What a suite is: each has a file of its own in this folder, and `suites.ts` lists them. */
import type { Builder } from '../builder.ts';

/** A suite of scenarios. */
export interface Suite {
  /** How often it is drawn among all, in chunks per round of a run: cheap and rich suites more often. */
  readonly weight: number;
  /** Adds the steps of one scenario. */
  readonly draw: (b: Builder) => void;
}
