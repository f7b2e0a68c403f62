/** One build at a time in one directory. */
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError, hasCode } from '../host/errors.ts';

const PAUSE_MS = 500;

/**
 * Runs `job` while nobody else holds the lock. A lock whose owner has ended is taken over.
 * @param file the lock; its directory is made
 * @param waiting called once when somebody else holds it
 */
export async function withLock<T>(
  file: string,
  waiting: (pid: number) => void,
  signal: AbortSignal | undefined,
  job: () => Promise<T>,
): Promise<T> {
  await mkdir(dirname(file), { recursive: true }).catch((error: unknown) => {
    throw diskError(error, file, 1);
  });
  let told = false;
  for (;;) {
    signal?.throwIfAborted();
    try {
      await writeFile(file, `${process.pid}\n`, { flag: 'wx' });
      break;
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw diskError(error, file, 1);
    }
    const owner = Number.parseInt(await readFile(file, 'utf8').catch(() => ''), 10);
    // An empty file is one that is being written, unless it is old.
    const old = await stat(file).then(
      (info) => Date.now() - info.mtimeMs > 10_000,
      () => false,
    );
    if (Number.isNaN(owner) ? old : !isAlive(owner)) {
      await rm(file, { force: true });
      continue;
    }
    if (!told && !Number.isNaN(owner)) {
      waiting(owner);
      told = true;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  try {
    return await job();
  } finally {
    await rm(file, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}
