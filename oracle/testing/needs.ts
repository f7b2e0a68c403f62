/**
 * What a test needs and not every machine has. A test that is skipped says in its name what to do about it, so that no
 * reporter can leave it out: `test.skipIf(XMLLINT.missing)(XMLLINT.of('xmllint reads it'), ...)`.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Something needed: whether it is missing, and names of tests with what to do where it is. */
export interface Need {
  readonly missing: boolean;
  /** The name, and behind it "[needs xmllint: apt-get install libxml2-utils]". */
  of(name: string): string;
}

/** @param how what makes it be there, in a few words */
export function need(there: boolean, what: string, how: string): Need {
  return { missing: !there, of: (name) => `${name} [needs ${what}: ${how}]` };
}

/** Programs on the PATH; one that its package is not called after is written as `xmllint=libxml2-utils`. */
export function programs(...wanted: readonly string[]): Need {
  const pairs = wanted.map((one) => one.split('=') as [program: string, ...named: string[]]);
  const packages = pairs.map(([program, named = program]) => named);
  const names = pairs.map(([program]) => program);
  return need(names.every(onPath), names.join(' and '), `apt-get install ${packages.join(' ')}`);
}

/** The right to do what only root may. */
export const ROOT = need(process.getuid?.() === 0, 'root', 'run the tests as root');

/** Root in a container may not mount either. */
export function mounting(): Need {
  const dir = mkdtempSync(join(tmpdir(), 'ringfence-mount-'));
  const there = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', dir]).status === 0;
  if (there) spawnSync('umount', [dir]);
  rmdirSync(dir);
  return need(there, 'mount', 'run the tests as root, where file systems may be mounted');
}

function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
