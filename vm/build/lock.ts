/** One build at a time in one directory. */
import { mkdir, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { diskError, SetupError } from '../host/errors.ts';
import { start } from '../host/processes.ts';

/** Exit code of flock(1) for "somebody else holds it"; its own failures have others. */
const HELD = 75;

/**
 * Runs `job` while nobody else holds the lock. The kernel keeps it (flock(2)) for as long as this process has the file
 * open, so that nothing is left of one whose owner was killed. The file itself stays: it holds the owner's number.
 * @param file the lock; its directory is made
 * @param waiting called once when somebody else holds it, with the process number where it is known
 * @throws SetupError where flock(1) is missing or the file cannot be written
 */
export async function withLock<T>(
  file: string,
  waiting: (pid: number | undefined) => void,
  signal: AbortSignal | undefined,
  job: () => Promise<T>,
): Promise<T> {
  const handle = await openLock(file);
  try {
    if (!(await take(handle, false, signal))) {
      const owner = Number.parseInt((await handle.read(Buffer.alloc(16), 0, 16, 0)).buffer.toString(), 10);
      waiting(Number.isNaN(owner) ? undefined : owner);
      await take(handle, true, signal);
    }
    await handle.truncate();
    await handle.write(`${process.pid}\n`, 0);
    return await job();
  } finally {
    await handle.close();
  }
}

async function openLock(file: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(file), { recursive: true });
    // For reading and writing, made where it is missing, and never emptied: another may hold it.
    return await open(file, 'a+');
  } catch (error) {
    throw diskError(error, file, 1);
  }
}

/** flock(1) locks what it inherits and ends; the lock stays with our open file. False: somebody else holds it. */
async function take(handle: FileHandle, wait: boolean, signal: AbortSignal | undefined): Promise<boolean> {
  signal?.throwIfAborted();
  const how = wait ? [] : ['--nonblock', '--conflict-exit-code', String(HELD)];
  const child = start(['flock', '--exclusive', ...how, '3'], {
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'ignore', handle.fd],
  });
  const abort = (): void => child.kill();
  signal?.addEventListener('abort', abort, { once: true });
  const { code } = await child.ended;
  signal?.removeEventListener('abort', abort);
  signal?.throwIfAborted();
  if (code === 0) return true;
  if (code === HELD && !wait) return false;
  throw new SetupError(
    'The lock of the build directory could not be taken: flock(1) is missing, or the file system knows no locks.',
    'Install util-linux, or set RINGFENCE_CACHE to a directory on a local disk.',
  );
}
