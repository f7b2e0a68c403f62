/**
 * Kernel releases, `uname -r`, and their one order.
 *
 * A missing number is 0, so 7.1 is 7.1.0. A release candidate comes before its release: 7.2.99 < 7.3-rc1 < 7.3-rc7 <
 * 7.3. Builds of one version by a distribution come in the order of their numbers: 7.0.0 < 7.0.0-38-generic <
 * 7.0.0-39-generic. Whatever else follows (`+deb13-cloud-amd64`, `-rt1`, `-custom`) has no order.
 */

/** A release, taken apart. */
export interface Release {
  /** Upstream version. */
  readonly numbers: readonly [number, number, number];
  /** Number of the release candidate; Infinity for the release itself. */
  readonly candidate: number;
  /** Number of a distribution's build, part by part: 7.0.0-38-generic is [38]; empty for none. */
  readonly build: readonly number[];
  /** What follows the upstream version, such as "+deb13-cloud-amd64" or "-38-generic"; empty for nothing. */
  readonly local: string;
}

const RELEASE = /^(\d{1,5})\.(\d{1,5})(?:\.(\d{1,5}))?(?:-rc(\d{1,3}))?((?:[+_~-]\S*|\.[\w.+~-]*)?)$/;
const BUILD = /^-(\d{1,9}(?:\.\d{1,9})*)(?![^\W_])/;

/** Reads `uname -r`; undefined for what does not begin like a kernel release. */
export function parseRelease(text: string): Release | undefined {
  const [, major, minor, patch = '0', candidate, local = ''] = RELEASE.exec(text) ?? [];
  if (major === undefined || minor === undefined) return undefined;
  return {
    numbers: [Number(major), Number(minor), Number(patch)],
    candidate: candidate === undefined ? Infinity : Number(candidate),
    build: BUILD.exec(local)?.[1]?.split('.').map(Number) ?? [],
    local,
  };
}

function compareNumbers(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function compareUpstream(a: Release, b: Release): number {
  const order = compareNumbers(a.numbers, b.numbers);
  if (order !== 0 || a.candidate === b.candidate) return order;
  return a.candidate < b.candidate ? -1 : 1;
}

/** Negative when `a` comes before `b`, 0 when neither does. */
export function compareReleases(a: Release, b: Release): number {
  return compareUpstream(a, b) || compareNumbers(a.build, b.build);
}

/**
 * As compareReleases, as exactly as the bound is written: every build of 7.0.0 is at the bound 7.0.0, and 7.0.0-38 is
 * before the bound 7.0.0-39.
 */
export function compareToBound(release: Release, bound: Release): number {
  return bound.build.length === 0 ? compareUpstream(release, bound) : compareReleases(release, bound);
}

/** Orders `uname -r` texts, oldest first; what is no kernel release comes last. */
export function orderReleases(a: string, b: string): number {
  const x = parseRelease(a);
  const y = parseRelease(b);
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
  return compareReleases(x, y);
}

/** Upstream version in full, "7.0.13" or "7.3.0-rc7"; undefined for what is no kernel release. */
export function upstreamName(text: string): string | undefined {
  const release = parseRelease(text);
  if (release === undefined) return undefined;
  return `${release.numbers.join('.')}${release.candidate === Infinity ? '' : `-rc${release.candidate}`}`;
}
