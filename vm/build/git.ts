/**
 * What git knows of a tree. Every answer is undefined where git is missing, or where the directory is not a
 * repository of its own.
 */
import { existsSync, realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { runSync } from '../host/processes.ts';

/** Output of a git command in a directory. */
function git(dir: string, ...args: string[]): string | undefined {
  // The tree may be another user's, and its settings must start no program.
  const safe = ['-c', 'safe.directory=*', '-c', 'core.fsmonitor=false', '-C', resolve(dir)];
  const { ok, stdout } = runSync(['git', ...safe, ...args], { env: { GIT_OPTIONAL_LOCKS: '0' } });
  return ok ? stdout : undefined;
}

/** True when the directory is the top of a git work tree. */
function isGitTop(dir: string): boolean {
  const top = git(dir, 'rev-parse', '--show-toplevel')?.trimEnd();
  return top !== undefined && top !== '' && realpathSync(top) === realpathSync(dir);
}

/** Files that belong to the tree: tracked, or new and not ignored. Build products are ignored ones. */
export function gitFiles(dir: string): string[] | undefined {
  if (!isGitTop(dir)) return undefined;
  const listed = git(dir, 'ls-files', '-z', '--cached', '--others', '--exclude-standard');
  if (listed === undefined) return undefined;
  return [...new Set(listed.split('\0').filter((path) => path !== ''))];
}

/** Commit and description of the tree, such as `v7.1-3-gabc-dirty`. */
export function gitDescribe(dir: string): { readonly commit: string; readonly describe: string } | undefined {
  if (!isGitTop(dir)) return undefined;
  const commit = git(dir, 'rev-parse', 'HEAD')?.trim();
  const describe = git(dir, 'describe', '--tags', '--always', '--dirty')?.trim();
  return commit && describe ? { commit, describe } : undefined;
}

/** True while a `git bisect` is under way in the repository that holds the directory. */
export function isBisecting(dir: string): boolean {
  const path = git(dir, 'rev-parse', '--git-path', 'BISECT_START')?.trimEnd();
  return path !== undefined && path !== '' && existsSync(resolve(dir, path));
}
