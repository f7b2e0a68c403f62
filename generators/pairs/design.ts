/**
 * A covering design: rows of wished-for levels, one of each factor that a scenario can be built for, such that every
 * two levels that can come together do in some row. How requests are made is no column: a batch has all ways.
 */
import { Draw } from '../draw.ts';
import { FACTORS, levelOf } from './factors.ts';
import type { Level, LevelName } from './factors.ts';
import { clash } from './impossible.ts';

/** The factors that a scenario is built for, those first that bind the others most. */
const COLUMNS = ['hands', 'ring', 'task', 'generation', 'filters', 'restrictions', 'before', 'route'] as const;
type Column = (typeof COLUMNS)[number];

/** What one scenario is to have. */
export type Row = { readonly [C in Column]: Level<C> };

const named = (column: Column, level: string): LevelName => `${column}:${level}` as LevelName;
const levelsOf = (column: Column): readonly string[] => FACTORS[column];

/** Rows that are looked at for each place; more make the design smaller and its making slower. */
const TRIES = 3;
/** And where none of them comes to anything. */
const LAST_TRY = 40;

/** Pairs of levels that no row has yet. */
class Open {
  readonly #left = new Set<number>();
  static key(one: LevelName, other: LevelName): number {
    const [a, b] = [levelOf(one), levelOf(other)];
    return a < b ? a * 256 + b : b * 256 + a;
  }
  constructor() {
    for (const [i, one] of COLUMNS.entries())
      for (const other of COLUMNS.slice(i + 1))
        for (const a of levelsOf(one))
          for (const b of levelsOf(other))
            if (clash(named(one, a), named(other, b)) === undefined)
              this.#left.add(Open.key(named(one, a), named(other, b)));
  }
  get size(): number {
    return this.#left.size;
  }
  has(one: LevelName, other: LevelName): boolean {
    return this.#left.has(Open.key(one, other));
  }
  first(d: Draw): readonly [number, number] {
    const keys = [...this.#left];
    const key = d.pick(keys);
    return [Math.floor(key / 256), key % 256];
  }
  drop(row: ReadonlyMap<Column, string>): number {
    const before = this.size;
    const levels = [...row].map(([column, level]) => named(column, level));
    for (const [i, one] of levels.entries())
      for (const other of levels.slice(i + 1)) this.#left.delete(Open.key(one, other));
    return before - this.size;
  }
  /** How many open pairs a row has. */
  gain(row: ReadonlyMap<Column, string>): number {
    const levels = [...row].map(([column, level]) => named(column, level));
    let gain = 0;
    for (const [i, one] of levels.entries()) for (const other of levels.slice(i + 1)) if (this.has(one, other)) gain++;
    return gain;
  }
  /** A pair that no row can have together with all else: given up. */
  giveUp(one: number, other: number): void {
    this.#left.delete(one * 256 + other);
  }
}

/** Whether three levels and more can come together, where any two can. */
function fits(row: ReadonlyMap<Column, string>): boolean {
  const has = (column: Column, ...levels: readonly string[]): boolean => levels.includes(row.get(column) ?? '');
  const inheritedRules = has('restrictions', 'inherited') || (row.get('filters') ?? '').includes('inherited');
  // Who made a ring that another has so early had nobody to inherit from.
  const least = has('task', 'thread', 'files') ? 2 : 1;
  const generation = Number(row.get('generation') ?? 4);
  if (has('hands', 'inherited') && generation < (inheritedRules ? least + 1 : least)) return false;
  if (has('hands', 'shared') && inheritedRules && generation === 1) return false;
  const makerGone = has('before', 'maker-gone');
  if (inheritedRules && generation === 0 && has('hands', 'made', 'registered') && !makerGone) return false;
  const passed = has('hands', 'registered') && makerGone;
  const enabled = has('hands', 'enabled-by-other') && (makerGone || has('ring', 'single-issuer', 'defer'));
  if (inheritedRules && generation === 1 && (passed || enabled || has('before', 'resized'))) return false;
  return !has('ring', 'sqpoll') || outlived(has);
}

/** Whether the polling thread of the ring lives as long as the ring is used: it ends with the image that made it. */
function outlived(has: (column: Column, ...levels: readonly string[]) => boolean): boolean {
  const own = has('hands', 'made', 'registered');
  if (has('before', 'exec-once', 'exec-twice')) return !own && !has('task', 'thread');
  return !has('before', 'parent-gone') || own || has('hands', '');
}

/** A row that has these two levels, as good as a few greedy tries find; undefined where they leave no row. */
function rowWith(d: Draw, open: Open, fixed: ReadonlyMap<Column, string>): Map<Column, string> | undefined {
  let best: Map<Column, string> | undefined;
  let bestGain = -1;
  for (let n = 0; n < TRIES || (best === undefined && n < LAST_TRY); n++) {
    const row = complete(d, open, fixed);
    const gain = row === undefined ? -1 : open.gain(row);
    if (gain > bestGain) {
      best = row;
      bestGain = gain;
    }
  }
  return best;
}

function complete(d: Draw, open: Open, fixed: ReadonlyMap<Column, string>): Map<Column, string> | undefined {
  const row = new Map(fixed);
  for (const column of d.shuffle(COLUMNS)) {
    if (row.has(column)) continue;
    const set = [...row].map(([other, level]) => named(other, level));
    const fitting = levelsOf(column).filter(
      (level) =>
        set.every((other) => clash(named(column, level), other) === undefined) && fits(new Map(row).set(column, level)),
    );
    if (fitting.length === 0) return undefined;
    let best: string[] = [];
    let most = -1;
    for (const level of fitting) {
      const gain = set.filter((other) => open.has(named(column, level), other)).length;
      if (gain > most) [best, most] = [[level], gain];
      else if (gain === most) best.push(level);
    }
    row.set(column, d.pick(best));
  }
  return row;
}

const designs: (readonly Row[] | undefined)[] = [];
/** So many designs are gone through one after the other, and then again. */
const DESIGNS = 4;

/** The n-th design; the same each time, made when it is first asked for. */
export function design(n = 0): readonly Row[] {
  const known = designs[n % DESIGNS] ?? make(n % DESIGNS);
  designs[n % DESIGNS] = known;
  return known;
}

function make(n: number): readonly Row[] {
  const d = new Draw(0x7072_6673, 2, 3, n);
  const open = new Open();
  const out: Row[] = [];
  const columnOf = (level: number): readonly [Column, string] => {
    for (const column of COLUMNS)
      for (const name of levelsOf(column)) if (levelOf(named(column, name)) === level) return [column, name];
    throw new RangeError(`level ${level} is in no column`);
  };
  while (open.size > 0) {
    const [one, other] = open.first(d);
    const row = rowWith(d, open, new Map([columnOf(one), columnOf(other)]));
    if (row === undefined) {
      open.giveUp(one, other);
      continue;
    }
    open.drop(row);
    out.push(Object.fromEntries(row) as Row);
  }
  return out;
}
