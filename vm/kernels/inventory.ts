/** What the cache holds of the kernels that can be fetched, and of the files that were unpacked into it. */
import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDir, sha256File } from '../host/cache.ts';
import { SetupError } from '../host/errors.ts';
import { pinnedPath } from './fetch.ts';
import type { PinnedKernel } from './pinned.ts';
import { PINNED } from './pinned.ts';

/** A pinned kernel and what is in the cache of it. */
export interface CachedKernel {
  readonly kernel: PinnedKernel;
  /** `verified`: its SHA-256 is the pinned one; `damaged`: it is another. */
  readonly state: 'absent' | 'verified' | 'damaged';
  /** File in the cache, there or not. */
  readonly path: string;
  /** Bytes of that file; 0 when absent. */
  readonly bytes: number;
  /** SHA-256 of that file in hex; empty when absent. */
  readonly sha256: string;
}

/** Looks at one kernel's file and reads the whole of it. */
export async function cached(kernel: PinnedKernel): Promise<CachedKernel> {
  const path = pinnedPath(kernel);
  const info = await stat(path).catch(() => undefined);
  if (!info?.isFile()) return { kernel, state: 'absent', path, bytes: 0, sha256: '' };
  const sha256 = await sha256File(path);
  return { kernel, state: sha256 === kernel.vmlinux ? 'verified' : 'damaged', path, bytes: info.size, sha256 };
}

/** Every kernel that can be fetched, oldest first. */
export async function inventory(kernels: readonly PinnedKernel[] = PINNED): Promise<CachedKernel[]> {
  const rows: CachedKernel[] = [];
  // One after the other: together they are a gigabyte.
  for (const kernel of kernels) rows.push(await cached(kernel));
  return rows;
}

/**
 * Removes a kernel from the cache; answers the bytes that this frees, 0 when it was not there.
 * @throws SetupError when it cannot be removed
 */
export async function removeCached(kernel: PinnedKernel): Promise<number> {
  const path = pinnedPath(kernel);
  const info = await stat(path).catch(() => undefined);
  if (info === undefined) return 0;
  try {
    await rm(dirname(path), { recursive: true });
  } catch (error) {
    throw new SetupError(
      `${path} could not be removed: ${error instanceof Error ? error.message : String(error)}`,
      'Check who owns it; the cache directory can be removed as a whole at any time.',
    );
  }
  return info.size;
}

/** Kernel files of the user's that were unpacked or copied into the cache: how many and how large together. */
export async function unpackedFiles(): Promise<{ readonly count: number; readonly bytes: number }> {
  let count = 0;
  let bytes = 0;
  for (const path of await fileCopies()) {
    const info = await stat(path).catch(() => undefined);
    if (info === undefined) continue;
    count++;
    bytes += info.size;
  }
  return { count, bytes };
}

/** Removes them; they are unpacked again when they are needed. Answers how many there were. */
export async function removeUnpackedFiles(): Promise<number> {
  const paths = await fileCopies();
  for (const path of paths) await rm(path, { force: true });
  return paths.length;
}

async function fileCopies(): Promise<string[]> {
  const dir = join(cacheDir(), 'kernels', 'files');
  const names = await readdir(dir).catch(() => []);
  return names.map((name) => join(dir, name));
}
