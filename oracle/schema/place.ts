/**
 * Where a JSON text stops being JSON. By bisection with JSON.parse itself: jsonc-parser, for one, names the beginning
 * of the string in which the fault is.
 */

/** One sentence: line and column of the first character at fault, what is wrong there, and what to do. */
export function jsonErrorPlace(source: string, cause: Error): string {
  if (source.trim() === '')
    return 'the file is empty; expected a case file such as `ringfence run --out DIR` writes to DIR/divergences';
  const length = firstBadLength(source);
  const before = source.slice(0, length);
  const place = `line ${before.split('\n').length}, column ${length - before.lastIndexOf('\n')}`;
  if (length >= source.length)
    return `${place}: the JSON text ends too early, the file looks truncated; copy or write it again`;
  const what = cause.message
    .replace(/ after JSON at position.*$/s, ' after the end of the JSON text')
    .replace(/ in JSON at position.*$/s, '')
    .replace(/, (\.\.\.)?".*$/s, '');
  return `${place}: this is not JSON: ${what}; correct it there, or write the file again`;
}

/** How many leading characters still are the beginning of some JSON text (the first bad one stands behind them). */
function firstBadLength(source: string): number {
  let good = 0;
  let bad = source.length + 1;
  while (good + 1 < bad) {
    const middle = (good + bad) >> 1;
    if (isBeginning(source.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function isBeginning(prefix: string): boolean {
  try {
    JSON.parse(prefix);
    return true;
  } catch (error) {
    const { message } = error as Error;
    if (/^Unexpected end of JSON input|^Unterminated string/.test(message)) return true;
    return /at position (\d+)/.exec(message)?.[1] === String(prefix.length);
  }
}
