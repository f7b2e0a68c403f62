/**
 * Open answers: what the specification says where it does not say one thing. Each place that gives one has an id and
 * a reason, as rules have a source. An `OpenSet` can only be had from such a place, so that no answer is open without
 * a reason. Modules define their own places with `defineOpen`; `openPlaces` has them all.
 */

/** Values of which any is right: a list, a lower bound, or whatever comes. */
export type OpenValues = readonly number[] | { readonly at_least: number } | 'any';

/**
 * Why an answer is open. `timing`: the kernel may rightly do two things in either order. `not-modelled`: there is one
 * answer, and the oracle does not know it. `silent`: no source says.
 */
export type OpenKind = 'timing' | 'not-modelled' | 'silent';

/**
 * A row: kind, what is open; then the two orders that explain the answers, or the sources that were read. `number`: the
 * answer is the same whatever comes, and only a number that the kernel picks is open (a descriptor, a process id).
 */
export type OpenRow =
  | readonly ['timing', reason: string, order: string, other: string, number?: 'number']
  | readonly ['not-modelled', reason: string]
  | readonly ['silent', reason: string, read: string];

// Only this file can make what has them; tests that load the oracle twice share them.
const PLACE: unique symbol = Symbol.for('ringfence.open-answer.place');
const SET: unique symbol = Symbol.for('ringfence.open-answer.set');

/** A place at which the oracle answers with more than one value. */
export class Open {
  readonly id: string;
  readonly kind: OpenKind;
  /** One line: what is open, and where the answer stands that may come of it. */
  readonly reason: string;
  /** `timing`: the two orders that explain the answers. */
  readonly orders: readonly [string, string] | undefined;
  /** `silent`: the sources that were read. */
  readonly read: string | undefined;
  /** Only a number that the kernel picks is open, not what becomes of the request or call. */
  readonly number: boolean;
  /** Whatever comes. */
  readonly any: OpenSet;
  readonly [PLACE] = true;

  constructor(id: string, row: OpenRow) {
    this.id = id;
    this.kind = row[0];
    this.reason = row[1];
    this.orders = row[0] === 'timing' ? [row[2], row[3]] : undefined;
    this.read = row[0] === 'silent' ? row[2] : undefined;
    this.number = row[0] === 'timing' && row[4] === 'number';
    this.any = new OpenSet(this, 'any');
  }

  /** One of these. */
  among(...values: readonly number[]): OpenSet {
    return new OpenSet(this, values);
  }

  /** This or more. */
  atLeast(value: number): OpenSet {
    return new OpenSet(this, { at_least: value });
  }

  /** Whether it is a place, and no list or bytes. */
  static is(value: unknown): value is Open {
    return typeof value === 'object' && value !== null && PLACE in value;
  }
}

/** Several allowed values, and the place that allows them. */
export class OpenSet {
  readonly place: Open;
  readonly values: OpenValues;
  readonly [SET] = true;

  constructor(place: Open, values: OpenValues) {
    this.place = place;
    this.values = values;
  }

  /** Whether it is a set, and no number. */
  static is(value: unknown): value is OpenSet {
    return typeof value === 'object' && value !== null && SET in value;
  }

  /** Differences and their digests show the values alone. */
  toJSON(): OpenValues {
    return this.values;
  }
}

const places = new Map<string, Open>();

/**
 * Defines places by id: `{ 'connect.backlog': ['timing', what, one order, the other] }`.
 * @throws on an id used twice
 */
export function defineOpen<const T extends Record<string, OpenRow>>(rows: T): { readonly [K in keyof T]: Open } {
  const out: Record<string, Open> = {};
  for (const [id, row] of Object.entries(rows)) {
    /* v8 ignore next -- only a mistake in a table gets here */
    if (places.has(id)) throw new Error(`two open answers have the id ${id}`);
    const place = new Open(id, row);
    places.set(id, place);
    out[id] = place;
  }
  return out as { readonly [K in keyof T]: Open };
}

/** Every place by id, of all modules that are loaded (`registry.ts` loads all). */
export function openPlaces(): ReadonlyMap<string, Open> {
  return places;
}
