/**
 * The throw-away copy that kernels are built from. It costs little (hard links) and follows the user's tree
 * without ever writing to it: patched files are files of their own, and a file whose content comes back
 * gets a new time, so that make sees every change and nothing but changes.
 */
import type { BigIntStats } from 'node:fs';
import {
  copyFileSync,
  constants,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { diskError, hasCode, SetupError } from '../host/errors.ts';
import { gitFiles } from './git.ts';
import { isOutputDirectory } from './tree.ts';

/** What a copy has instead of the tree's own files: path to the file to take, or undefined where none is to be. */
export type Overrides = ReadonlyMap<string, string | undefined>;

/** What following the tree came to. */
export interface Followed {
  readonly files: number;
  /** Files that are new, changed or gone since the last time. */
  readonly changed: number;
}

/**
 * All files of a source tree, relative. From git where it is a repository; otherwise everything.
 * @throws SetupError when a build has left its products in a tree that git knows nothing about
 */
export function treeFiles(tree: string): string[] {
  // A repository that does not hold the tree (nothing added yet, everything ignored) knows nothing.
  const known = gitFiles(tree);
  if (known?.includes('Makefile')) return known;
  for (const product of ['.config', 'include/config', 'include/generated']) {
    if (!existsSync(join(tree, product))) continue;
    throw new SetupError(
      `${tree} was built in: it holds ${product}, and without git nobody can tell its sources from what was made.`,
      'Type this, then start again (it deletes .config and everything built; keep what you need):\n' +
        `    make -C ${tree} mrproper\nOr test what is built there: leave --build away.`,
    );
  }
  const files: string[] = [];
  const walk = (dir: string): void => {
    for (const entry of readdirSync(join(tree, dir), { withFileTypes: true })) {
      const path = dir === '' ? entry.name : `${dir}/${entry.name}`;
      if (!entry.isDirectory()) files.push(path);
      else if (entry.name !== '.git' && !(dir === '' && isOutputDirectory(join(tree, path)))) walk(path);
    }
  };
  walk('');
  return files;
}

/**
 * Makes `copy` hold the files of `tree`, with the overrides in place of the tree's own.
 * @param results a directory of our own, which is no part of the tree even when it lies in it
 * @throws SetupError when the disk is full or the tree cannot be read
 */
export function follow(tree: string, copy: string, overrides: Overrides = new Map(), results?: string): Followed {
  // A copy that was never finished may have a file with a wrong time: it is made again.
  const mark = `${copy}.unfinished`;
  const fresh = begin(copy, mark);
  try {
    const files = wanted(tree, overrides, results);
    const changed = placeAll({ tree, copy, overrides, fresh }, files) + removeOthers(copy, files);
    rmSync(mark, { force: true });
    return { files: files.size, changed: fresh ? 0 : changed };
  } catch (error) {
    throw diskError(error, copy, 3000);
  }
}

/** Clears away what is not finished; true when there is nothing to go on with. */
function begin(copy: string, mark: string): boolean {
  if (existsSync(copy) && !existsSync(mark)) return false;
  try {
    rmSync(copy, { recursive: true, force: true });
    mkdirSync(dirname(copy), { recursive: true });
    symlinkSync('.', mark);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw diskError(error, copy, 3000);
  }
  return true;
}

/** The tree's files without those of `results`, and the overrides. */
function wanted(tree: string, overrides: Overrides, results: string | undefined): Set<string> {
  const ours = results === undefined ? '' : relative(tree, results);
  const all = treeFiles(tree);
  const inTree = ours !== '' && !ours.startsWith('..');
  return new Set([...(inTree ? all.filter((path) => !path.startsWith(`${ours}/`)) : all), ...overrides.keys()]);
}

interface Copying {
  readonly tree: string;
  readonly copy: string;
  readonly overrides: Overrides;
  /** Nothing is there yet. */
  readonly fresh: boolean;
}

/** Puts each file in its place, and strikes out those that are not there. Returns how many changed. */
function placeAll({ tree, copy, overrides, fresh }: Copying, files: Set<string>): number {
  const made = new Set<string>();
  let changed = 0;
  for (const path of files) {
    const from = overrides.has(path) ? overrides.get(path) : join(tree, path);
    const info = from === undefined ? undefined : lstatSync(from, { bigint: true, throwIfNoEntry: false });
    if (from === undefined || info === undefined || info.isDirectory()) {
      files.delete(path);
      continue;
    }
    const to = join(copy, path);
    const parent = dirname(to);
    if (!made.has(parent)) {
      makeParent(copy, parent);
      made.add(parent);
    }
    if (place(from, info, to, fresh && !overrides.has(path))) changed++;
  }
  return changed;
}

/** A file may have stood where a directory is now. */
function makeParent(copy: string, parent: string): void {
  for (let at = parent; at.length > copy.length; at = dirname(at)) {
    const there = lstatSync(at, { throwIfNoEntry: false });
    if (there && !there.isDirectory()) unlinkSync(at);
  }
  mkdirSync(parent, { recursive: true });
}

/** Returns true when the copy was changed. */
function place(from: string, info: BigIntStats, to: string, fresh: boolean): boolean {
  const there = lstatSync(to, { bigint: true, throwIfNoEntry: false });
  if (there && same(from, info, to, there)) return false;
  if (there) rmSync(to, { recursive: true });
  if (info.isSymbolicLink()) symlinkSync(readlinkSync(from), to);
  else if (!info.isFile()) return false;
  else if (!fresh) {
    // A new time, whatever the tree says: make compares times only.
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
    const now = new Date();
    utimesSync(to, now, now);
  } else linkOrCopy(from, info, to);
  return true;
}

function same(from: string, info: BigIntStats, to: string, there: BigIntStats): boolean {
  if (info.isSymbolicLink() || there.isSymbolicLink())
    return info.isSymbolicLink() && there.isSymbolicLink() && readlinkSync(from) === readlinkSync(to);
  if (!there.isFile()) return false;
  if (info.dev === there.dev && info.ino === there.ino) return true;
  if (info.size !== there.size || (info.mode & 0o111n) !== (there.mode & 0o111n)) return false;
  return info.mtimeMs === there.mtimeMs || readFileSync(from).equals(readFileSync(to));
}

/** Hard links where the file system and the owner of the file allow them. */
function linkOrCopy(from: string, info: BigIntStats, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if (!['EXDEV', 'EPERM', 'EMLINK', 'EOPNOTSUPP', 'EACCES'].some((code) => hasCode(error, code))) throw error;
    copyFileSync(from, to, constants.COPYFILE_FICLONE);
    utimesSync(to, Number(info.atimeMs) / 1000, Number(info.mtimeMs) / 1000);
  }
}

/** Deletes what the tree has no longer; returns how many files. */
function removeOthers(copy: string, files: ReadonlySet<string>): number {
  let removed = 0;
  const walk = (dir: string): void => {
    for (const entry of readdirSync(join(copy, dir), { withFileTypes: true })) {
      const path = dir === '' ? entry.name : `${dir}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (!files.has(path)) {
        unlinkSync(join(copy, path));
        removed++;
      }
    }
  };
  walk('');
  return removed;
}
