import { afterEach, describe, expect, it, vi } from 'vitest';
import { debianMirrors, failureKind, mirrorsOf } from './apt.ts';

afterEach(() => vi.unstubAllEnvs());

describe('mirrorsOf', () => {
  it("takes the sites of the main archive, once, in apt's order", () => {
    const text = [
      'https://other.example/debian\tbookworm\tcontrib',
      'http://a.example/debian\tbookworm\tmain',
      'http://a.example/debian/\tbookworm-updates\tmain',
      'http://a.example/debian-security\tbookworm-security\tmain',
      'https://vendor.example/node\tnodistro\tmain',
      'https://vendor.example/sdk\tcloud-sdk-bookworm\tmain',
      'cdrom:[Debian]/\tbookworm\tmain',
      'mirror+file:/etc/apt/mirrors/debian.list\ttrixie\tmain',
      'http://b.example/debian\tsid\tmain',
    ].join('\n');
    expect(mirrorsOf(text)).toEqual([
      'http://a.example/debian',
      'mirror+file:/etc/apt/mirrors/debian.list',
      'http://b.example/debian',
    ]);
  });

  it('finds nothing in nothing, and nothing on another distribution', () => {
    expect(mirrorsOf('')).toEqual([]);
    expect(mirrorsOf('http://u.example/ubuntu\tnoble\tmain\n')).toEqual([]);
  });
});

describe('debianMirrors', () => {
  it('obeys RINGFENCE_MIRROR alone', async () => {
    expect(await debianMirrors({ RINGFENCE_MIRROR: 'http://mine.example/debian/' })).toEqual([
      'http://mine.example/debian',
    ]);
  });

  it('says what to do without apt-get', async () => {
    await expect(debianMirrors({ PATH: '/nonexistent' })).rejects.toThrow(/RINGFENCE_MIRROR/);
  });
});

describe('failureKind', () => {
  it.each([
    ["W: Failed to fetch x  Temporary failure resolving 'm.example'", 'network'],
    ['W: Failed to fetch x  Could not connect to m.example:80', 'network'],
    ['E: Failed to fetch x.deb  404  Not Found', 'missing'],
    ["E: Version '7.0.13-1' for 'linux-binary' was not found", 'missing'],
    ["E: The repository 'x Release' does not have a Release file.", 'missing'],
    ["W: GPG error: x: The following signatures couldn't be verified: NO_PUBKEY 1", 'signature'],
    ['E: Failed to fetch x.deb  Hash Sum mismatch', 'signature'],
    ['Error writing to file - write (28: No space left on device) 404', 'other'],
    ['E: something new', 'other'],
  ])('%s', (text, kind) => expect(failureKind(text)).toBe(kind));
});
