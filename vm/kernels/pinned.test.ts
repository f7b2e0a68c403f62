import { describe, expect, it } from 'vitest';
import { orderReleases } from '../../oracle/uapi/release.ts';
import { DEFAULT_RELEASE, findPinned, neighbours, PINNED } from './pinned.ts';

describe('the pinned kernels', () => {
  it('have the default among them', () => {
    expect(findPinned(DEFAULT_RELEASE)?.release).toBe('7.0.13');
    expect(findPinned('7.0.13+deb13-cloud-amd64')?.release).toBe('7.0.13');
    expect(findPinned('6.0.0')).toBeUndefined();
  });

  it('are sorted, distinct and complete', () => {
    expect(PINNED.map((k) => k.release)).toEqual(PINNED.map((k) => k.release).toSorted(orderReleases));
    expect(new Set(PINNED.flatMap((k) => [k.deb, k.vmlinux])).size).toBe(2 * PINNED.length);
    for (const kernel of PINNED) {
      expect(kernel.deb).toMatch(/^[0-9a-f]{64}$/);
      expect(kernel.vmlinux).toMatch(/^[0-9a-f]{64}$/);
      expect(kernel.version.startsWith(kernel.release)).toBe(true);
      expect(kernel.uname.startsWith(`${kernel.release}+`)).toBe(true);
    }
  });

  it('know their neighbours: the same series only, nearest first', () => {
    expect(neighbours('7.0.13').map((k) => k.release)).toEqual(['7.0.12', '7.0.10', '7.0.9', '7.0.7', '7.0.4']);
    expect(neighbours('7.1.8').map((k) => k.release)).toEqual(['7.1.7', '7.1.13', '7.1.3']);
    expect(neighbours('7.3.4')).toEqual([]);
  });
});
