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

/** Draws a scheme; all but three (4, 5, and 6 after 64 requests) give every request a value of its own. */
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
      [2, 6],
      [1, 7],
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
    case 6: {
      // One bit after the other of one value: a bit or a byte that is lost or moved makes two of them alike.
      const from = d.below(64);
      const value = d.chance(0.5) ? (base << 32n) | BigInt(d.u32()) : 0n;
      return { at: (n) => value ^ (1n << BigInt((from + n) & 63)) };
    }
    case 7: // every byte different, and none as in the request before
      return { at: (n) => (0x0102_0408_1020_4080n * BigInt(2 * n + 1) + (base << 24n)) & 0xffff_ffff_ffff_ffffn };
    default: {
      const few = [0, 1, 2, 3, 4, 5, 6, 7].map(() => d.edge64());
      return { at: (n) => few[n & 7]! };
    }
  }
}
