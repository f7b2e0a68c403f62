import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { cacheDir, sha256, sha256File, writeAtomic } from './cache.ts';
import { diskError, SetupError } from './errors.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('cacheDir', () => {
  it('obeys RINGFENCE_CACHE, then XDG_CACHE_HOME when it is absolute', () => {
    expect(cacheDir({ RINGFENCE_CACHE: '/a/b', XDG_CACHE_HOME: '/c' })).toBe('/a/b');
    expect(cacheDir({ XDG_CACHE_HOME: '/c' })).toBe('/c/ringfence');
    expect(cacheDir({ XDG_CACHE_HOME: 'relative' })).toMatch(/\/\.cache\/ringfence$/);
    expect(cacheDir({ RINGFENCE_CACHE: 'x' })).toMatch(/^\/.*\/x$/);
  });
});

describe('writeAtomic', () => {
  it('makes directories, leaves no temporary file, and is readable for all', async () => {
    const path = join(dir, 'a/b/c');
    await writeAtomic(path, 'text');
    expect(readFileSync(path, 'utf8')).toBe('text');
    expect(readdirSync(join(dir, 'a/b'))).toEqual(['c']);
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(await sha256File(path)).toBe(sha256('text'));
  });

  it('survives many writers at once: one of them wins, whole', async () => {
    const path = join(dir, 'file');
    await Promise.all(Array.from({ length: 20 }, (_, i) => writeAtomic(path, String(i).repeat(100_000))));
    expect(new Set(readFileSync(path, 'utf8').match(/../g)).size).toBeLessThanOrEqual(1);
    expect(readdirSync(dir)).toEqual(['file']);
  });

  it('says that the disk is full', async () => {
    // Every write to this device fails with ENOSPC.
    const full = await import('node:fs/promises')
      .then(({ writeFile }) => writeFile('/dev/full', 'x'))
      .catch((error: unknown) => diskError(error, '/cache/kernel', 64));
    expect(full).toBeInstanceOf(SetupError);
    expect((full as SetupError).message).toMatch(/disk is full.*\/cache\/kernel[^]*RINGFENCE_CACHE/);
  });

  it('says that a place is not writable', async () => {
    await writeAtomic(join(dir, 'file'), 'x');
    await expect(writeAtomic(join(dir, 'file/below/x'), 'x')).rejects.toThrow(SetupError);
    expect(diskError(Object.assign(new Error('no'), { code: 'EROFS' }), '/x', 1)).toBeInstanceOf(SetupError);
  });
});
