/** Which kernels a matrix is made of: what `--kernels` says, as columns in the order of their releases. */
import { basename } from 'node:path';
import { UsageError } from '../../vm/index.ts';
import type { Machine } from '../../vm/machine/index.ts';
import { OWN_MACHINE } from '../../vm/machine/index.ts';
import { orderReleases, parseRelease } from '../../oracle/uapi/release.ts';
import { findPinned, pinnedFor } from '../../vm/kernels/pinned.ts';
import type { RunOptions } from '../run/options.ts';

/** One kernel to be tested: a release that can be fetched, a file, or a source tree. */
export interface KernelSpec {
  /** As the user typed it. */
  readonly requested: string;
  readonly release?: string;
  readonly file?: string;
  readonly tree?: NonNullable<RunOptions['tree']>;
}

/** First and last release of each series that can be fetched. */
export function defaultKernels(machine: Machine = OWN_MACHINE): readonly string[] {
  const series = new Map<string, string[]>();
  for (const { release, feature } of pinnedFor(machine)) {
    if (!feature) continue;
    const key = parseRelease(release)!.numbers.slice(0, 2).join('.');
    series.set(key, [...(series.get(key) ?? []), release]);
  }
  return [...series.values()].flatMap((releases) =>
    releases.length === 1 ? releases : [releases[0]!, releases.at(-1)!],
  );
}

/**
 * Releases, paths and "all", separated by commas. Naming one twice tests it twice, in two columns.
 * @throws UsageError for a release that cannot be fetched, or an empty list
 */
export function parseKernels(texts: readonly string[], machine: Machine = OWN_MACHINE): readonly KernelSpec[] {
  const pins = pinnedFor(machine);
  const words = texts
    .flatMap((text) => text.split(','))
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (words.length === 0) throw new UsageError('--kernels names no kernel');
  const specs: KernelSpec[] = [];
  for (const word of words) {
    if (word === 'all') continue;
    const pinned = findPinned(word, machine);
    if (pinned !== undefined) specs.push({ requested: word, release: pinned.release });
    else if (/^\d+\.\d+(\.\d+)?$/.test(word))
      throw new UsageError(
        `there is no kernel ${word} to fetch; there are ${pins.map(({ release }) => release).join(', ')}; ` +
          `a kernel of your own is given as a path (./${word})`,
      );
    else specs.push({ requested: word, file: word });
  }
  if (words.includes('all')) {
    const named = new Set(specs.map(({ release }) => release));
    specs.push(
      ...pins.filter(({ release }) => !named.has(release)).map(({ release }) => ({ requested: release, release })),
    );
  }
  return specs;
}

/** "6.12.117+deb12-cloud-amd64" is 6.12.117; what a user's own build calls itself stays. */
function shortRelease(release: string): string {
  return /^(\d+(?:\.\d+)+)\+deb\d+/.exec(release)?.[1] ?? release;
}

/** Files and directories of the matrix itself. */
const RESERVED = ['changes', 'matrix.json', 'matrix.txt', 'report.html', 'build.log'];

/**
 * A heading for each, unique and fit for a directory: the release, or what the kernel's file says of itself, else its
 * file name.
 */
export function columnNames(
  kernels: readonly { readonly spec: KernelSpec; readonly release: string }[],
): readonly string[] {
  const taken = new Set(RESERVED);
  return kernels.map(({ spec, release }) => {
    const wish =
      spec.release ??
      (spec.tree !== undefined
        ? 'tree'
        : parseRelease(release.split(/\s/, 1)[0]!) !== undefined
          ? shortRelease(release)
          : basename(spec.file ?? ''));
    const plain =
      wish
        .replace(/[^\w.+-]+/g, '-')
        .replace(/^[.-]+/, '')
        .slice(0, 60) || 'kernel';
    let name = plain;
    for (let n = 2; taken.has(name); n++) name = `${plain}-${n}`;
    taken.add(name);
    return name;
  });
}

/** Oldest first; what has no version comes last; otherwise as given. */
export function byRelease<T extends { readonly release: string }>(kernels: readonly T[]): T[] {
  return [...kernels].sort((a, b) => orderReleases(a.release, b.release));
}
