/** Long regular expressions, piece by piece. */

/** Fits where one of the pieces does. The flags are those of the first. */
export function anyOf(...pieces: readonly [RegExp, ...RegExp[]]): RegExp {
  return new RegExp(pieces.map(({ source }) => source).join('|'), pieces[0].flags);
}
