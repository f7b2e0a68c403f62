import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { sha256 } from '../host/cache.ts';
import { pinnedPath } from './fetch.ts';
import { cached, inventory, removeCached, removeUnpackedFiles, unpackedFiles } from './inventory.ts';
import { findPinned, PINNED } from './pinned.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
  vi.stubEnv('RINGFENCE_CACHE', dir);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

it('tells absent, damaged and verified apart, and removes', async () => {
  const old = findPinned('7.0.4')!;
  const mine = { ...findPinned('7.0.7')!, vmlinux: sha256('an image') };
  put(pinnedPath(old), 'not what it should be');
  put(pinnedPath(mine), 'an image');
  expect(await cached(findPinned('7.3.4')!)).toMatchObject({ state: 'absent', bytes: 0, sha256: '' });
  expect(await cached(old)).toMatchObject({ state: 'damaged', bytes: 21 });
  expect(await cached(mine)).toMatchObject({ state: 'verified', bytes: 8, sha256: mine.vmlinux });
  expect((await inventory()).filter(({ state }) => state !== 'absent')).toHaveLength(2);
  expect(await removeCached(old)).toBe(21);
  expect(await removeCached(old)).toBe(0);
  expect(await cached(old)).toMatchObject({ state: 'absent' });
});

it('counts and removes unpacked files', async () => {
  expect(await unpackedFiles()).toEqual({ count: 0, bytes: 0 });
  put(join(dir, 'kernels', 'files', 'x.vmlinux'), 'abc');
  expect(await unpackedFiles()).toEqual({ count: 1, bytes: 3 });
  expect(await removeUnpackedFiles()).toBe(1);
  expect(await unpackedFiles()).toEqual({ count: 0, bytes: 0 });
});

it('knows which kernels are older than the feature', () => {
  expect(PINNED.filter(({ feature }) => !feature).map(({ release }) => release)).toEqual(['6.19.14']);
});
