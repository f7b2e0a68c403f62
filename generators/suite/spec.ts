/** What a suite is: each has a file of its own in this folder, and `suites.ts` lists them. */
import type { Builder } from '../builder.ts';
import { Draw, mix32 } from '../draw.ts';

/** A suite of scenarios. */
export interface Suite {
  /** How often it is drawn among all, in chunks per round of a run: cheap and rich suites more often. */
  readonly weight: number;
  /** Its share of a run's first cases, which are planned to cover much: relative to that of the others. */
  readonly opening: number;
  /** Adds the steps of one scenario. */
  readonly draw: (b: Builder, turn: Turn) => void;
  /**
   * Scenarios that every run has, whatever its seed: what is too large to be drawn often, and must not be left to
   * chance. They stand among the first of the suite, PLANNED_EVERY apart, each once; the others are drawn.
   */
  readonly planned?: readonly Suite['draw'][];
}

/** Which scenario of a suite it is, for suites that go through a plan. */
export interface Turn {
  /** From 0. */
  readonly n: number;
  /** Of the run; a plan is gone through in an order of its own for each. */
  readonly seed: number;
}

const orders = new WeakMap<readonly unknown[], { readonly seed: number; readonly order: readonly unknown[] }>();

/** The n-th of a list that is gone through again and again, in an order that the seed gives. */
export function inTurn<T>(list: readonly T[], { n, seed }: Turn): T {
  let known = orders.get(list);
  if (known?.seed !== seed) {
    known = { seed, order: new Draw(mix32(seed), list.length, 0, 0).shuffle(list) };
    orders.set(list, known);
  }
  return known.order[n % list.length] as T;
}

/** Every so many scenarios of a suite one is planned, while there are any. */
export const PLANNED_EVERY = 3;
