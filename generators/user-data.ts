/** Schemes by which a scenario's requests get their user_data. */
import type { Draw } from './draw.ts';

/** A scheme. */
export interface UserData {
  /** user_data of the n-th request of the scenario. */
  at(n: number): bigint;
}

const EDGE_64: readonly bigint[] = [
  0n,
  1n,
  2n,
  0xffn,
  0x8000_0000n,
  0xffff_ffffn,
  0x1_0000_0000n,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_fffen,
  0xffff_ffff_ffff_ffffn,
];

/** Draws a scheme; all but the last two give every request a value of its own. */
export function drawUserData(d: Draw): UserData {
  const base = BigInt(d.chance(0.5) ? d.edge32() : d.u32());
  switch (
    d.weighted<number>([
      [5, 0],
      [3, 1],
      [3, 2],
      [2, 3],
      [1, 4],
      [1, 5],
    ])
  ) {
    case 0: // counts up, small high half
      return { at: (n) => (base << 32n) | BigInt(n + 1) };
    case 1: // counts in the high half only
      return { at: (n) => (BigInt(n + 1) << 32n) | (d.chance(0.5) ? base : 0n) };
    case 2: {
      // Low halves around one value, so that comparisons with it go both ways.
      const step = BigInt(d.pick([1, 1, 2, 3, 7, 0x100, 0x10001]));
      return { at: (n) => (BigInt(n) << 32n) | ((base + BigInt(n) * step) & 0xffff_ffffn) };
    }
    case 3: {
      // A few low halves, unique high halves.
      const low = [0, 1, 2, 3].map(() => BigInt(d.edge32()));
      return { at: (n) => (BigInt(n + 1) << 32n) | low[n & 3]! };
    }
    case 4: {
      const pool = d.sample(EDGE_64, d.int(1, EDGE_64.length));
      return { at: () => d.pick(pool) };
    }
    default: {
      const few = [0, 1, 2, 3, 4, 5, 6, 7].map(() => d.edge64());
      return { at: (n) => few[n & 7]! };
    }
  }
}
