/** Patches, applied to copies of the files they name and to nothing else. */
import { copyFileSync, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { sha256 } from '../host/cache.ts';
import { KernelError, SetupError } from '../host/errors.ts';
import { run } from '../host/processes.ts';
import type { AppliedPatch } from '../kernels/kernel.ts';
import type { Overrides } from './copy.ts';

/** What patches make of a tree. */
export interface Patched {
  readonly applied: readonly AppliedPatch[];
  readonly overrides: Overrides;
}

/**
 * Paths that a unified diff names, without the first component (`-p1`). Pure.
 * @throws SetupError when a path leads out of the tree, or none is named
 */
export function patchedPaths(text: string, name: string): string[] {
  const paths = new Set<string>();
  const lines = text.split('\n');
  for (const [i, line] of lines.entries()) {
    const [, git] = /^diff --git a\/.* b\/(.*)$/.exec(line) ?? [];
    const [, renamed] = /^(?:rename|copy) (?:from|to) (.*)$/.exec(line) ?? [];
    // "--- " alone may also be a removed line that begins with "-- ".
    const [, header] =
      (line.startsWith('--- ') && lines[i + 1]?.startsWith('+++ ')) ||
      (line.startsWith('+++ ') && lines[i - 1]?.startsWith('--- '))
        ? (/^(?:---|\+\+\+) ([^\t\r]+)/.exec(line) ?? [])
        : [];
    const path =
      git ??
      renamed ??
      (header === undefined || header === '/dev/null' ? undefined : header.split('/').slice(1).join('/'));
    if (path === undefined || path === '') continue;
    if (path.startsWith('/') || path.split('/').includes('..'))
      throw new SetupError(
        `${name} names a file outside of the tree: ${path}`,
        'Make the patch with `git diff` or `git format-patch` in the tree.',
      );
    paths.add(path);
  }
  if (paths.size === 0)
    throw new SetupError(
      `${name} is not a patch: it names no file.`,
      'Give a unified diff, as `git diff` and `git format-patch` write it.',
    );
  return [...paths];
}

/**
 * Applies patches one after the other to copies of the files they name, and hands the copies to `use`.
 * @throws SetupError a file that cannot be read or is no patch
 * @throws KernelError (125) a patch that does not apply: this tree cannot be tested with it, another commit may be
 */
export async function withPatches<T>(
  tree: string,
  files: readonly string[],
  use: (patched: Patched) => Promise<T>,
): Promise<T> {
  if (files.length === 0) return await use({ applied: [], overrides: new Map() });
  const stage = await mkdtemp(join(tmpdir(), 'ringfence-patch-'));
  try {
    const paths = new Set<string>();
    const applied: AppliedPatch[] = [];
    for (const file of files) {
      const bytes = read(file);
      for (const path of patchedPaths(bytes.toString(), file)) {
        if (paths.has(path)) continue;
        paths.add(path);
        bring(tree, stage, path);
      }
      const result = await run(
        [
          'patch',
          '-p1',
          '-F0',
          '--batch',
          '--forward',
          '--no-backup-if-mismatch',
          '--reject-file=-',
          '--input',
          file,
          '--directory',
          stage,
        ],
        { timeoutMs: 60_000 },
      );
      if (!result.ok) {
        const said = `${result.stdout}\n${result.stderr}`
          .split('\n')
          .map((line) => line.trim())
          .filter((line) =>
            /FAILED|can't find|malformed|previously applied|No file|No such|ignored|garbage/i.test(line),
          )
          .slice(0, 8)
          .join('\n');
        const before = applied.length > 0 ? ` with ${applied.map(({ name }) => name).join(', ')}` : '';
        throw new KernelError(
          `${file} does not apply to ${tree}${before}:\n${said || result.stderr.trim() || 'patch gave no reason'}`,
          'Nothing was changed. Make the patch again against this tree; several patches are applied in the order ' +
            'they are given.',
          125,
        );
      }
      applied.push({ name: basename(file), sha256: sha256(bytes) });
    }
    const overrides = new Map(
      [...paths].map((path) => [path, existsSync(join(stage, path)) ? join(stage, path) : undefined]),
    );
    return await use({ applied, overrides });
  } finally {
    await rm(stage, { recursive: true, force: true });
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new SetupError(
      `The patch ${file} cannot be read: ${(error as Error).message}`,
      'Check the path and its permissions.',
      { cause: error },
    );
  }
}

function bring(tree: string, stage: string, path: string): void {
  const from = join(tree, path);
  if (!lstatSync(from, { throwIfNoEntry: false })?.isFile()) return;
  mkdirSync(dirname(join(stage, path)), { recursive: true });
  copyFileSync(from, join(stage, path));
}
