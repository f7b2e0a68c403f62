/** Variants of a tree's kernel: some files are others, some options come on top. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hasCode } from '../host/errors.ts';
import type { Overrides } from './copy.ts';

/** A kernel that is not quite the tree's own. It has a copy and an output directory of its own. */
export interface Variant {
  /** Names its directories, such as `mutants`. */
  readonly name: string;
  /** Options on top of ours: `GCOV_KERNEL`, `NR_CPUS=2`, `BPF_JIT=n`. */
  readonly options?: readonly string[];
  /** A build with errors goes on, so that all of them are in the log. */
  readonly allErrors?: boolean;
  /** Text of the files that differ from the tree's, or that it does not have, by their paths. */
  readonly files?: (read: ReadSource) => ReadonlyMap<string, string>;
}

/** Text of a file of the tree, patches applied; undefined where there is none. */
export type ReadSource = (path: string) => string | undefined;

/**
 * Adds what a variant has of its own to the overrides of patches, as files that are there while `use` runs.
 * @param patched what patches put in place of the tree's files
 */
export async function withVariant<T>(
  tree: string,
  patched: Overrides,
  variant: Variant | undefined,
  use: (overrides: Overrides) => T,
): Promise<T> {
  if (variant?.files === undefined) return use(patched);
  const files = variant.files((path) => read(patched.has(path) ? patched.get(path) : join(tree, path)));
  const stage = await mkdtemp(join(tmpdir(), 'ringfence-variant-'));
  try {
    const overrides = new Map(patched);
    for (const [path, text] of files) {
      const to = join(stage, path);
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, text);
      overrides.set(path, to);
    }
    return use(overrides);
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

function read(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
