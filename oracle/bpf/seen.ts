/**
 * What an evaluation went through, recorded by the interpreter at the price of
 * one byte store per instruction. `rulesOfSeen` turns it into rule ids.
 */

/**
 * Marks, one byte each, 0 or 1: index `code` for an executed code (0 .. 0xff),
 * `SEEN_TAKEN + code` and `SEEN_NOT_TAKEN + code` for the two ways of a
 * conditional jump, then the single marks below. Marks are only ever set, so
 * one array can collect many runs.
 */
export type Seen = Uint8Array;

/** First index of "this conditional jump was taken". */
export const SEEN_TAKEN = 0x100;
/** First index of "this conditional jump was not taken". */
export const SEEN_NOT_TAKEN = 0x200;
/** `div x` met X = 0. */
export const SEEN_DIV_ZERO = 0x300;
/** A shift by X met X >= 32. */
export const SEEN_SHIFT_MASK = 0x301;
/** A was read before anything wrote it. */
export const SEEN_INITIAL_A = 0x302;
/** X was read before anything wrote it. */
export const SEEN_INITIAL_X = 0x303;
/** Number of bytes in a `Seen`. */
const SEEN_SIZE = 0x304;

/** A record with nothing marked. */
export function newSeen(): Seen {
  return new Uint8Array(SEEN_SIZE);
}
