/**
 * Files that are whole or not there: written beside their place, put on the disk, moved there.
 *
 * write-file-atomic was looked at: it cannot stream, makes no directories, and wants a newer Node.js than the one that
 * `npm ci` may run on.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A name beside a path that nobody else takes, in this process or another. */
function beside(path: string): string {
  return `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
}

/**
 * Makes a directory and its parents where they are missing. The recursive form of Node.js never returns below /proc.
 */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  if (dirname(path) !== path) makeDirectory(dirname(path));
  try {
    mkdirSync(path);
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/**
 * Replaces or makes one file, its directory too. @throws the error of the system call that failed; nothing is left then
 */
export function writeFileWholeSync(path: string, data: Uint8Array | string): void {
  const temporary = beside(path);
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  try {
    makeDirectory(dirname(path));
    const fd = openSync(temporary, 'wx');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
  } catch (error) {
    try {
      rmSync(temporary, { force: true });
    } catch {
      // The first error is the one to tell.
    }
    throw error;
  }
}

/**
 * The same for what is too large to be at hand at once: `fill` writes it. The mode is taken as it is, whatever the
 * umask. @throws the error of the system call that failed, or of `fill`; nothing is left then
 */
export async function writeFileWhole(
  path: string,
  fill: (file: FileHandle) => Promise<void>,
  mode = 0o644,
): Promise<void> {
  const temporary = beside(path);
  try {
    makeDirectory(dirname(path));
    const file = await open(temporary, 'wx', mode);
    try {
      await fill(file);
      await file.chmod(mode);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
}
