/** Which cases come to which mutants' places, and how long the cases take: what the kernel without a fault tells. */
import type { Guest } from '../../vm/index.ts';
import { casesIn, reachedIn } from '../../vm/build/mutant-kernel.ts';
import { scenarioId } from '../../vm/protocol/frames.ts';

/** A guest, and the numbers of the cases that it was sent, in their order. */
export interface WatchedGuest {
  readonly guest: Guest;
  readonly sent: readonly number[];
}

/** The guest, and a note of each case that it is sent. */
export function watched(guest: Guest): WatchedGuest {
  const sent: number[] = [];
  const send = guest.send.bind(guest);
  guest.send = async (bytes) => {
    const id = scenarioId(bytes);
    if (id !== undefined) sent.push(id);
    await send(bytes);
  };
  return { guest, sent };
}

/** What is known of the cases of a stage. */
export class Reach {
  /** By mutant: numbers of the cases, in their order; those with all cases are in `#always`. */
  readonly #cases = new Map<number, number[]>();
  readonly #always = new Set<number>();
  /** By case, in nanoseconds. */
  readonly #took: ReadonlyMap<number, number>;

  /**
   * @param isCase whether a number is that of a case of the stage
   * @param took nanoseconds that each case took
   */
  constructor(guests: readonly WatchedGuest[], isCase: (id: number) => boolean, took: ReadonlyMap<number, number>) {
    this.#took = took;
    for (const { guest, sent } of guests) {
      for (const number of reachedIn(guest.console)) this.#always.add(number);
      for (const [ordinal, numbers] of casesIn(guest.console)) {
        const id = sent[ordinal - 1];
        if (id === undefined || !isCase(id)) continue;
        for (const number of numbers) this.#add(number, id);
      }
    }
    // Of the last case of each guest nothing is told.
    const last = guests.flatMap(({ sent }) => sent.findLast(isCase) ?? []);
    for (const number of this.#cases.keys()) for (const id of last) this.#add(number, id);
    for (const cases of this.#cases.values()) cases.sort((a, b) => a - b);
  }

  /** Numbers of the cases that come to a mutant's place, in their order; `all` where they are too many to tell. */
  of(number: number): readonly number[] | 'all' {
    return this.#always.has(number) ? 'all' : (this.#cases.get(number) ?? []);
  }

  /** Seconds that a guest without a fault takes for all cases up to one, that one included. */
  seconds(last: number, first: number): number {
    let sum = 0;
    for (let index = first; index <= last; index++) sum += this.#took.get(index) ?? 0;
    return sum / 1e9;
  }

  #add(number: number, id: number): void {
    const cases = this.#cases.get(number);
    if (cases === undefined) this.#cases.set(number, [id]);
    else if (!cases.includes(id)) cases.push(id);
  }
}
