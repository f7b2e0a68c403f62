/** The cache directory and safe ways to write into it. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { diskError } from './errors.ts';
import { writeFileWhole } from './files.ts';

/** `RINGFENCE_CACHE`, else `$XDG_CACHE_HOME/ringfence`, else `~/.cache/ringfence`. Always absolute. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['RINGFENCE_CACHE']) return resolve(env['RINGFENCE_CACHE']);
  const xdg = env['XDG_CACHE_HOME'];
  // The XDG base directory rules: a relative value is to be ignored.
  if (xdg?.startsWith('/')) return join(xdg, 'ringfence');
  return join(homedir(), '.cache', 'ringfence');
}

/**
 * Writes a file so that readers see the whole of it or nothing, also when several processes write it at once.
 * @throws SetupError when the disk is full or the place is not writable
 */
export async function writeAtomic(path: string, data: Uint8Array | string, mode = 0o644): Promise<void> {
  const bytes = typeof data === 'string' ? Buffer.from(data) : data;
  try {
    await writeFileWhole(path, (file) => file.writeFile(bytes), mode);
  } catch (error) {
    throw diskError(error, path, Math.ceil(bytes.length / 1e6) + 1);
  }
}

/** SHA-256 in hex of bytes or text. */
export function sha256(data: Uint8Array | string): string {
  return createHash('sha256').update(data).digest('hex');
}

/** SHA-256 in hex of a file, read as a stream. */
export async function sha256File(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** Parsed content of a JSON file; undefined when it is missing or damaged. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
}
