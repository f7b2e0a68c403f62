/**
 * Random choices. Generators draw from a small generator of their own (sfc32), seeded
 * from four words of fast-check's, because a scenario takes thousands of draws.
 */

/** u32 values at which 32-bit arithmetic, shifts and comparisons change their behaviour. */
const EDGES: readonly number[] = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 31, 32, 33, 63, 64, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x1_0000, 0x00ff_ff00,
  0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_0000, 0xffff_ff00, 0xffff_fffe, 0xffff_ffff,
];

/** A list of `[weight, value]` rows. */
export type Weighted<T> = readonly (readonly [number, T])[];

/** A source of random choices. */
export class Draw {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** Seeds with four words of any kind; equal words give equal draws. */
  constructor(a: number, b: number, c: number, d: number) {
    this.#a = a | 0;
    this.#b = b | 0;
    this.#c = c | 0;
    this.#d = d | 0;
    for (let i = 0; i < 12; i++) this.u32();
  }

  /** Any u32. */
  u32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t >>> 0;
  }

  /** 0 .. n-1; n from 1 to 2^21. */
  below(n: number): number {
    return Math.floor((this.u32() * n) / 0x1_0000_0000);
  }

  /** min .. max, both included. */
  int(min: number, max: number): number {
    return min + this.below(max - min + 1);
  }

  /** True with probability p. */
  chance(p: number): boolean {
    return this.u32() < p * 0x1_0000_0000;
  }

  /** One element of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!;
  }

  /** One value, as often as its weight says. */
  weighted<T>(rows: Weighted<T>): T {
    let total = 0;
    for (let i = 0; i < rows.length; i++) total += rows[i]![0];
    let at = (this.u32() / 0x1_0000_0000) * total;
    for (let i = 0; i < rows.length; i++) {
      at -= rows[i]![0];
      if (at < 0) return rows[i]![1];
    }
    return rows[rows.length - 1]![1];
  }

  /** A u32, more often than not at an edge. */
  edge32(): number {
    const kind = this.below(8);
    if (kind < 5) return this.pick(EDGES);
    if (kind === 5) return this.below(64);
    if (kind === 6) return (1 << this.below(32)) >>> 0;
    return this.u32();
  }

  /** A u64 made of two edges. */
  edge64(): bigint {
    return (BigInt(this.edge32()) << 32n) | BigInt(this.edge32());
  }

  /** The list in a random order. */
  shuffle<T>(list: readonly T[]): T[] {
    const out = list.slice();
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const held = out[i]!;
      out[i] = out[j]!;
      out[j] = held;
    }
    return out;
  }

  /** `count` different elements (all of them when there are fewer), in random order. */
  sample<T>(list: readonly T[], count: number): T[] {
    if (count >= list.length) return this.shuffle(list);
    if (count * 4 > list.length) return this.shuffle(list).slice(0, count);
    const seen = new Set<number>();
    while (seen.size < count) seen.add(this.below(list.length));
    return [...seen].map((i) => list[i]!);
  }

  /** Each element with probability p. */
  some<T>(list: readonly T[], p: number): T[] {
    return list.filter(() => this.chance(p));
  }

  /** Small numbers often, large ones rarely: at least `min`, cut at `max`, halving in likelihood every `scale`. */
  geometric(min: number, max: number, scale: number): number {
    const u = (this.u32() + 1) / 0x1_0000_0001;
    return Math.min(max, min + Math.floor(-Math.log2(u) * scale));
  }
}

/** Mixes words into one, for seeds. */
export function mix32(...words: readonly number[]): number {
  let h = 0x9e37_79b9;
  for (const word of words) {
    h = Math.imul(h ^ (word | 0), 0x85eb_ca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}
