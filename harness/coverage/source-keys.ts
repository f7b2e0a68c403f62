/** Names for lines of a source that a shift of lines does not change, and that hold nothing of their text. */
import { sha256 } from '../../vm/host/cache.ts';

/** A label that the lines behind it belong to. */
const LABEL = /^\s*(?:case\b.*|default\s*):/;

/** Characters of a digest. */
const DIGITS = 8;

/**
 * The key of each of these lines of one function: a digest of the line and of the `case` above it, white space apart;
 * `#2` behind the second of several that are equal. Pure.
 * @param text lines of the source, the first at index 0
 * @param from first line of the function, from 1
 * @param lines numbers of the lines that want a key, ascending
 */
export function lineKeys(text: readonly string[], from: number, lines: readonly number[]): ReadonlyMap<number, string> {
  const seen = new Map<string, number>();
  return new Map(
    lines.map((line) => {
      const digest = sha256(`${label(text, from, line)}\n${plain(text[line - 1])}`).slice(0, DIGITS);
      const nth = (seen.get(digest) ?? 0) + 1;
      seen.set(digest, nth);
      return [line, nth === 1 ? digest : `${digest}#${nth}`];
    }),
  );
}

/** The nearest label above a line of a function. */
function label(text: readonly string[], from: number, line: number): string {
  for (let at = line - 1; at >= from; at--) if (LABEL.test(text[at - 1] ?? '')) return plain(text[at - 1]);
  return '';
}

function plain(line: string | undefined): string {
  return (line ?? '').trim().replace(/\s+/g, ' ');
}
