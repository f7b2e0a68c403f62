/** What somebody may have meant who mistyped a name. */

/** The name with the fewest letters to be changed; of equals the first. Empty when there are none. Pure. */
export function nearest(typed: string, names: readonly string[]): string {
  let [best = ''] = names;
  let least = Infinity;
  for (const name of names) {
    const changes = distance(typed, name);
    if (changes < least) [best, least] = [name, changes];
  }
  return best;
}

/** How many letters have to be put in, taken out or changed (Levenshtein's distance). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (b[j] === letter ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}
