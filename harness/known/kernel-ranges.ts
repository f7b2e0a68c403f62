/**
 * Ranges of kernels, in the order of oracle/uapi/release.ts.
 *
 *   ">=7.0.4 <7.1.8"                 comparisons joined by blanks: all must hold
 *   "7.0.* || >=7.2.6 <7.2.11"       alternatives joined by ||: one must hold
 *   "7.3-rc7"                        one upstream version, whatever its local suffix
 *   "=7.0.13+deb13-cloud-amd64"      one build: `uname -r`, letter by letter
 *   ">=7.0.0-38 <7.0.0-42"           builds of a distribution, by their numbers
 *   "*"                              every kernel
 *
 * A missing number is 0, so 7.1 is 7.1.0, and 7.3-rc7 comes before 7.3. Whatever follows the version
 * (`+deb13-cloud-amd64`, `-rt`, `-38-generic`) takes no part in <, <=, > and >=, unless the comparison itself names
 * the number of a build.
 */
import { compareReleases, compareToBound, parseRelease } from '../../oracle/uapi/release.ts';
import type { Release } from '../../oracle/uapi/release.ts';

type Operator = '<' | '<=' | '>' | '>=' | '=';
type Test =
  | { readonly operator: Operator; readonly version: Release; readonly text: string }
  | { readonly prefix: readonly number[] };

/** One alternative per inner list; all tests of an alternative must hold. */
export type KernelRange = readonly (readonly Test[])[];

/** A range that cannot be read, or that holds for nothing. */
export class BadRange extends Error {}

const WHAT = 'a range of kernels such as ">=7.0.4 <7.1.8", "7.0.*", "7.3-rc7" or "*"';

/** @throws BadRange saying what was expected and what is wrong */
export function parseRange(text: string): KernelRange {
  const range = text.split('||').map((alternative) => {
    // A blank after an operator is usual: ">= 7.0".
    const words = alternative
      .trim()
      .replace(/([<>=])\s+/g, '$1')
      .split(/\s+/);
    if (words[0] === '')
      throw new BadRange(
        `expected ${WHAT}, found ${text.trim() === '' ? 'nothing' : `an empty alternative in "${text}"`}`,
      );
    return words.map((word) => parseTest(word, text));
  });
  for (const [i, tests] of range.entries())
    if (isEmpty(tests)) throw new BadRange(`"${text.split('||')[i]!.trim()}" holds for no kernel at all`);
  return range;
}

function parseTest(word: string, text: string): Test {
  if (word === '*') return { prefix: [] };
  const [, operator = '', rest = ''] = /^(<=|>=|<|>|=|)(.*)$/.exec(word) ?? [];
  const prefix = /^(\d{1,5})\.(?:(\d{1,5})\.)?[*x]$/.exec(rest);
  if (prefix !== null) {
    if (operator !== '' && operator !== '=')
      throw new BadRange(`"${word}" in "${text}": ${operator} takes a whole version such as 7.1.8, not a pattern`);
    return {
      prefix: prefix
        .slice(1)
        .filter((part) => part !== undefined)
        .map(Number),
    };
  }
  const version = parseRelease(rest);
  if (version === undefined) throw new BadRange(`"${word}" in "${text}" is no comparison: expected ${WHAT}`);
  if (operator !== '' && operator !== '=' && version.local !== '' && version.local !== `-${version.build.join('.')}`)
    throw new BadRange(
      `"${word}" in "${text}": ${operator} compares upstream versions and numbers of builds; ` +
        `a local suffix such as "${version.local}" can only be asked for with =`,
    );
  return { operator: operator === '' ? '=' : (operator as Operator), version, text: rest };
}

/** Bounds that exclude each other are a slip of the pen. */
function isEmpty(tests: readonly Test[]): boolean {
  const bounds = tests.flatMap((test) => ('operator' in test ? [test] : []));
  return bounds.some(
    (low) =>
      (low.operator === '>' || low.operator === '>=') &&
      bounds.some((high) => {
        if (high.operator !== '<' && high.operator !== '<=') return false;
        const order = compareReleases(low.version, high.version);
        return order > 0 || (order === 0 && !(low.operator === '>=' && high.operator === '<='));
      }),
  );
}

/** Whether `uname -r` is in the range. What is no kernel release is in "*" alone. */
export function inRange(range: KernelRange, release: string): boolean {
  const version = parseRelease(release);
  return range.some((tests) => tests.every((test) => holds(test, version, release)));
}

function holds(test: Test, version: Release | undefined, release: string): boolean {
  if ('prefix' in test) return test.prefix.every((number, i) => version?.numbers[i] === number);
  if (version === undefined) return false;
  const order = compareToBound(version, test.version);
  switch (test.operator) {
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    case '=':
      return test.version.local === '' ? order === 0 : release === test.text;
  }
}
