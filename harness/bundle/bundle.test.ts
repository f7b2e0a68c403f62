import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { programs } from '../../oracle/testing/needs.ts';
import { GOOD } from '../../reports/testing/results.ts';
import { SetupError } from '../../vm/index.ts';
import { Ledger } from '../run/ledger.ts';
import { embeddedConfig } from './config.ts';
import { MANIFEST, packBundle, unpackBundle } from './format.ts';
import type { Manifest } from './format.ts';
import { sourceDigest } from './source.ts';
import { packTar, unpackTar } from './tar.ts';
import { compareCounts, compareLedgers, readBundle } from './verify.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringfence-bundle-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const LEDGER = new Ledger();
for (const index of [0, 1, 2])
  LEDGER.add({
    index,
    suite: 'links',
    scenario: '0'.repeat(32),
    verdict: index === 1 ? 'difference' : 'pass',
    answers: '1'.repeat(32),
  });
const RESULT = { ...GOOD, scenarios: 3, digest: LEDGER.digest() };
const HEAD: Omit<Manifest, 'files'> = {
  ringfence_bundle: 1,
  command: GOOD.command,
  seed: GOOD.seed,
  plan: GOOD.plan,
  ringfence: { version: '0.1.0', source_sha256: sourceDigest() },
  kernel: {
    release: GOOD.kernel.release,
    machine: 'x86_64',
    sha256: GOOD.kernel.sha256,
    append: '',
    pinned: '7.0.13',
    config: 'not available',
  },
  image: { sha256: '', runner_sha256: '' },
  timeout: 90,
  slow: false,
  strict: false,
};
const file = (path: string, text: string) => ({ path, data: Buffer.from(text) });
const FILES = [
  file('result.json', JSON.stringify(RESULT)),
  file('cases.txt', LEDGER.text()!),
  file('divergences/001.json', '{}'),
  file('empty', ''),
];
const BUNDLE = packBundle(HEAD, FILES);
const TAR = programs('tar', 'zstd');

describe('tar', () => {
  test('there and back', () =>
    expect(unpackTar(packTar(FILES)).map(({ path, data }) => [path, Buffer.from(data).toString()])).toEqual(
      FILES.map(({ path, data }) => [path, data.toString()]),
    ));
  test.skipIf(TAR.missing)(TAR.of('a foreign tar reads it'), () => {
    writeFileSync(join(dir, 'a.tar.zst'), BUNDLE);
    expect(
      execFileSync('tar', ['--zstd', '-tf', join(dir, 'a.tar.zst')], { encoding: 'utf8' })
        .trim()
        .split('\n'),
    ).toEqual([MANIFEST, 'cases.txt', 'divergences/001.json', 'empty', 'result.json']);
    expect(execFileSync('tar', ['--zstd', '-xOf', join(dir, 'a.tar.zst'), 'cases.txt'], { encoding: 'utf8' })).toBe(
      LEDGER.text(),
    );
  });
  test('the same content gives the same bytes', () => expect(packBundle(HEAD, [...FILES].reverse())).toEqual(BUNDLE));
  test.each<[string, (tar: Buffer) => Buffer, RegExp]>([
    ['a changed header', (tar) => (tar.writeUInt8(tar[0]! ^ 1, 0), tar), /header at byte 0 is damaged/],
    ['a lost end', (tar) => tar.subarray(0, 600), /ends too early/],
    ['a file that is longer than the archive', (tar) => tar.subarray(0, 512 + 8), /ends too early/],
  ])('%s', (_, spoil, message) => expect(() => unpackTar(spoil(packTar(FILES)))).toThrow(message));
  test.each(['../up', '/etc/passwd', 'a/../../b', 'a//b', ''])('the name "%s" is not taken', (path) =>
    expect(() => unpackTar(packTar([file(path, 'x')]))).toThrow(/no name for a file/),
  );
  test('a name twice is not taken', () =>
    expect(() => unpackTar(packTar([file('a', ''), file('a', '')]))).toThrow(/twice/));
});

describe('a damaged bundle', () => {
  const again = (change: (files: { path: string; data: Buffer }[]) => { path: string; data: Buffer }[]): Buffer =>
    zstdCompressSync(
      packTar(
        change(unpackTar(zstdDecompressSync(BUNDLE)).map(({ path, data }) => ({ path, data: Buffer.from(data) }))),
      ),
    );
  const manifest = (change: (manifest: any) => void): Buffer =>
    again((files) =>
      files.map((one) => {
        if (one.path !== MANIFEST) return one;
        const value = JSON.parse(one.data.toString());
        change(value);
        return { ...one, data: Buffer.from(JSON.stringify(value)) };
      }),
    );
  test.each<[string, () => Buffer, RegExp]>([
    ['empty', () => Buffer.alloc(0), /the file is empty/],
    ['no zstd', () => gzipSync('x'), /not compressed with zstd/],
    ['truncated', () => BUNDLE.subarray(0, BUNDLE.length >> 1), /does not unpack .*truncated or changed/],
    [
      'one bit',
      () => {
        const copy = Buffer.from(BUNDLE);
        copy[copy.length >> 1]! ^= 1;
        return copy;
      },
      /does not unpack|damaged/,
    ],
    ['no tar', () => zstdCompressSync(Buffer.alloc(100, 1)), /ends too early/],
    [
      'a changed file',
      () =>
        again((files) => files.map((one) => (one.path === 'cases.txt' ? { ...one, data: Buffer.from('other') } : one))),
      /cases\.txt is not what the manifest says: SHA-256/,
    ],
    [
      'a file with one other byte',
      () =>
        again((files) =>
          files.map((one) =>
            one.path === 'cases.txt'
              ? { ...one, data: Buffer.from(one.data.toString().replace('difference', 'Difference')) }
              : one,
          ),
        ),
      /cases\.txt is not what the manifest says: SHA-256/,
    ],
    ['a missing file', () => again((files) => files.filter(({ path }) => path !== 'empty')), /empty is missing/],
    ['a file too many', () => again((files) => [...files, file('more', '')]), /more is not in the manifest/],
    ['no manifest', () => again((files) => files.slice(1)), /manifest\.json is missing/],
    [
      'another version',
      () => manifest((value) => (value.ringfence_bundle = 2)),
      /it has version 2, and this program reads 1/,
    ],
    [
      'a bare manifest',
      () => manifest((value) => delete value.files),
      /manifest\.json is damaged: files or seed are missing/,
    ],
  ])('%s', (_, bytes, message) => {
    expect(() => unpackBundle(bytes(), 'x.tar.zst')).toThrow(SetupError);
    expect(() => unpackBundle(bytes(), 'x.tar.zst')).toThrow(message);
  });
  const write = (head: Partial<Manifest>, files: readonly { path: string; data: Buffer }[]): string => {
    writeFileSync(join(dir, 'b.tar.zst'), packBundle({ ...HEAD, ...head }, files));
    return join(dir, 'b.tar.zst');
  };
  const replaced = (path: string, text: string) => FILES.map((one) => (one.path === path ? file(path, text) : one));
  test('that contradicts itself', () => {
    expect(() => readBundle(write({ seed: 2 }, FILES))).toThrow(/of different runs/);
    expect(() => readBundle(write({ kernel: { ...HEAD.kernel, sha256: 'beef' } }, FILES))).toThrow(/different kernels/);
    expect(() => readBundle(write({}, FILES.slice(1)))).toThrow(/result\.json is missing/);
    expect(() => readBundle(write({}, replaced('result.json', '{')))).toThrow(/result\.json is not JSON/);
    expect(() => readBundle(write({}, replaced('cases.txt', LEDGER.text()!.replace('difference', 'pass'))))).toThrow(
      /the digest of cases\.txt is not the one in result\.json/,
    );
    expect(() => readBundle(write({}, replaced('cases.txt', 'x')))).toThrow(/cases\.txt, line 1/);
    expect(() => readBundle(join(dir, 'absent'))).toThrow(/cannot be read/);
  });
  test('a whole one', () =>
    expect(readBundle(write({}, FILES))).toMatchObject({ same_ringfence: true, result: { seed: 1 } }));
});

describe('comparing', () => {
  const lines = LEDGER.lines()!;
  const other = (change: (line: (typeof lines)[number]) => (typeof lines)[number] | undefined): Ledger => {
    const ledger = new Ledger();
    for (const line of lines) {
      const changed = change(line);
      if (changed !== undefined) ledger.add(changed);
    }
    return ledger;
  };
  test('the same', () =>
    expect([
      ...compareLedgers(lines, LEDGER, true),
      ...compareCounts(RESULT, { ...RESULT, times: { ...RESULT.times, wall_s: 1 } }),
    ]).toEqual([]));
  test('each difference has its words', () => {
    const at1 = (change: object) => other((line) => (line.index === 1 ? { ...line, ...change } : line));
    expect(compareLedgers(lines, at1({ verdict: 'pass' }), true)).toEqual([
      'case 1 (links): recorded difference, now pass',
    ]);
    expect(compareLedgers(lines, at1({ answers: '2'.repeat(32) }), true)).toEqual([
      'case 1 (links): both difference, with other answers',
    ]);
    expect(compareLedgers(lines, at1({ scenario: '2'.repeat(32) }), true)).toEqual([
      'case 1 (links) is another scenario',
    ]);
    expect(
      compareLedgers(
        lines,
        other((line) => (line.index === 1 ? undefined : line)),
        true,
      ),
    ).toEqual(['case 1 (links) was not run']);
    expect(compareLedgers(lines.slice(0, 2), LEDGER, true)).toEqual(['case 2 (links) is not in the record']);
    expect(compareLedgers(lines.slice(0, 2), LEDGER, false)).toEqual([]);
    expect(
      compareCounts(RESULT, {
        ...RESULT,
        rules: { ...RESULT.rules, 'filter.deny': 1 },
        known: [{ id: 'x', rule: '', title: '', scenarios: 1 }],
      }),
    ).toEqual(['hits of filter.deny: recorded 400, now 1', 'known x: recorded none, now 1']);
  });
});

test('CONFIG_IKCONFIG', () => {
  const text = 'CONFIG_IO_URING=y\n';
  expect(embeddedConfig(Buffer.concat([Buffer.from('xxIKCFG_ST'), gzipSync(text), Buffer.from('IKCFG_EDxx')]))).toBe(
    text,
  );
  expect(embeddedConfig(Buffer.from('nothing'))).toBeUndefined();
  expect(embeddedConfig(Buffer.from('IKCFG_STxxIKCFG_ED'))).toBeUndefined();
});
