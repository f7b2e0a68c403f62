/**
 * Ranges of kernels, and the order of kernel releases.
 *
 *   ">=7.0.4 <7.1.8"                 comparisons joined by blanks: all must hold
 *   "7.0.* || >=7.2.6 <7.2.11"       alternatives joined by ||: one must hold
 *   "7.3-rc7"                        one upstream version, whatever its local suffix
 *   "=7.0.13+deb13-cloud-amd64"      one build: `uname -r`, letter by letter
 *   "*"                              every kernel
 *
 * A missing number is 0, so 7.1 is 7.1.0. A release candidate comes before its release: 7.2.99 < 7.3-rc1 < 7.3-rc7 < 7.3 < 7.3.1.
 * The local suffix (`+deb13-cloud-amd64`, `-rt`, `-00012-gabcdef`) takes no part in <, <=, > and >=.
 */

/** Upstream version: numbers, and the number of the release candidate; Infinity for the release itself. */
export interface Version {
  readonly numbers: readonly [number, number, number];
  readonly rc: number;
  /** What follows, such as "+deb13-cloud-amd64"; empty for none. */
  readonly local: string;
}

type Operator = '<' | '<=' | '>' | '>=' | '=';
type Test =
  | { readonly operator: Operator; readonly version: Version; readonly text: string }
  | { readonly prefix: readonly number[] };

/** One alternative per inner list; all tests of an alternative must hold. */
export type KernelRange = readonly (readonly Test[])[];

export class BadRange extends Error {}

const RELEASE = /^(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?(?:-rc(\d{1,3}))?((?:[+._~-][\w.+~-]*)?)$/;

/** Reads `uname -r`; undefined for what does not begin like a kernel release. */
export function parseRelease(release: string): Version | undefined {
  const [, major, minor, patch = '0', rc, local = ''] = RELEASE.exec(release) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return {
    numbers: [Number(major), Number(minor), Number(patch)],
    rc: rc === undefined ? Infinity : Number(rc),
    local,
  };
}

/** Orders upstream versions; local suffixes do not count. Negative when `a` comes first. */
export function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) {
    const difference = a.numbers[i]! - b.numbers[i]!;
    if (difference !== 0) return difference;
  }
  return a.rc === b.rc ? 0 : a.rc < b.rc ? -1 : 1;
}

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
  if (version.local !== '' && operator !== '' && operator !== '=')
    throw new BadRange(
      `"${word}" in "${text}": ${operator} compares upstream versions; a local suffix such as "${version.local}" can only be asked for with =`,
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
        const order = compareVersions(low.version, high.version);
        return order > 0 || (order === 0 && !(low.operator === '>=' && high.operator === '<='));
      }),
  );
}

/** Whether `uname -r` is in the range. What is no kernel release is in "*" alone. */
export function inRange(range: KernelRange, release: string): boolean {
  const version = parseRelease(release);
  return range.some((tests) => tests.every((test) => holds(test, version, release)));
}

function holds(test: Test, version: Version | undefined, release: string): boolean {
  if ('prefix' in test) return test.prefix.every((number, i) => version?.numbers[i] === number);
  if (version === undefined) return false;
  const order = compareVersions(version, test.version);
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
