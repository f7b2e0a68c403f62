import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { programs } from '../../oracle/testing/needs.ts';
import { GOOD } from '../../reports/testing/results.ts';
import { SetupError } from '../../vm/index.ts';
import { Ledger } from '../run/ledger.ts';
import { embeddedConfig } from './config.ts';
import { extractFile, packBundle, unpackBundle } from './format.ts';
import type { BundleFile } from './format.ts';
import { MANIFEST } from './manifest.ts';
import type { Manifest } from './manifest.ts';
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
async function gathered(bytes: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bytes) chunks.push(chunk);
  return Buffer.concat(chunks);
}
const pack = async (head: Omit<Manifest, 'files'>, files: readonly BundleFile[]): Promise<Buffer> =>
  await gathered(await packBundle(head, files));
const BUNDLE = await pack(HEAD, FILES);
const place = join(dir, 'x.tar.zst');
const TAR = programs('tar', 'zstd');

describe('a bundle', () => {
  test.skipIf(TAR.missing)(TAR.of('a foreign tar reads it'), () => {
    writeFileSync(place, BUNDLE);
    const list = execFileSync('tar', ['--zstd', '-tf', place], { encoding: 'utf8' });
    expect(list.trim().split('\n')).toEqual([MANIFEST, 'cases.txt', 'divergences/001.json', 'empty', 'result.json']);
    expect(execFileSync('tar', ['--zstd', '-xOf', place, 'cases.txt'], { encoding: 'utf8' })).toBe(LEDGER.text());
  });
  test.skipIf(TAR.missing)(TAR.of('one that a foreign tar wrote is read'), async () => {
    writeFileSync(place, BUNDLE);
    execFileSync('tar', ['--zstd', '-xf', place, '-C', dir]);
    const names = [MANIFEST, 'cases.txt', 'divergences/001.json', 'empty', 'result.json'];
    const foreign = join(dir, 'foreign.tar.zst');
    execFileSync('tar', ['--zstd', '--format=pax', '-cf', foreign, '-C', dir, ...names]);
    expect(await unpackBundle(foreign)).toEqual(await unpackBundle(place));
  });
  test('the same content gives the same bytes', async () => {
    expect(await pack(HEAD, [...FILES].reverse())).toEqual(BUNDLE);
    const from = join(dir, 'ledger');
    writeFileSync(from, LEDGER.text()!);
    const onDisk = FILES.map((one) => (one.path === 'cases.txt' ? { path: one.path, from } : one));
    expect(await pack(HEAD, onDisk)).toEqual(BUNDLE);
  });
  test('a file that changes while it is packed', async () => {
    const from = join(dir, 'changing');
    writeFileSync(from, 'before');
    const bytes = await packBundle(HEAD, [{ path: 'a', from }]);
    writeFileSync(from, 'after!');
    await expect(gathered(bytes)).rejects.toThrow('a changed while it was put into the bundle');
  });
  test('one file of it', async () => {
    const kernel = Buffer.alloc(3_000_000, 'kernel');
    const image = { ...HEAD.kernel, file: 'kernel/vmlinux' };
    const { pinned: _, ...own } = image;
    const files = [...FILES, { path: 'kernel/vmlinux', data: kernel }];
    writeFileSync(place, await pack({ ...HEAD, kernel: own }, files));
    const { manifest, files: held } = await unpackBundle(place);
    expect([...held.keys()]).toEqual(['cases.txt', 'result.json']);
    const chunks: Uint8Array[] = [];
    await extractFile(place, manifest, 'kernel/vmlinux', (chunk) => chunks.push(chunk));
    expect(Buffer.concat(chunks).equals(kernel)).toBe(true);
  });
});

describe('a damaged bundle', () => {
  interface Entry {
    readonly path: string;
    readonly data: Buffer;
  }
  /** Its files, manifest first. */
  const entries = async (): Promise<Entry[]> => {
    const all: Entry[] = [];
    for await (const { path, content } of unpackTar(Readable.from([zstdDecompressSync(BUNDLE)])))
      all.push({ path, data: await gathered(Readable.from(content)) });
    return all;
  };
  const again = async (change: (files: Entry[]) => Entry[]): Promise<Buffer> =>
    zstdCompressSync(
      await gathered(
        packTar(change(await entries()).map(({ path, data }) => ({ path, size: data.length, content: [data] }))),
      ),
    );
  const manifest = async (change: (manifest: Record<string, unknown>) => void): Promise<Buffer> =>
    await again((files) =>
      files.map((one) => {
        if (one.path !== MANIFEST) return one;
        const value = JSON.parse(one.data.toString()) as Record<string, unknown>;
        change(value);
        return { ...one, data: Buffer.from(JSON.stringify(value)) };
      }),
    );
  const spoilt = async (path: string, data: string): Promise<Buffer> =>
    await again((files) => files.map((one) => (one.path === path ? { path, data: Buffer.from(data) } : one)));
  const flipped = (): Buffer => {
    const copy = Buffer.from(BUNDLE);
    copy[copy.length >> 1]! ^= 1;
    return copy;
  };
  test.each<[string, () => Buffer | Promise<Buffer>, RegExp]>([
    ['empty', () => Buffer.alloc(0), /the file is empty/],
    ['no zstd', () => gzipSync('x'), /not compressed with zstd/],
    ['truncated', () => BUNDLE.subarray(0, BUNDLE.length >> 1), /does not unpack|ends too early/],
    ['truncated by a byte', () => BUNDLE.subarray(0, -1), /does not unpack|ends too early/],
    ['something behind its end', () => Buffer.concat([BUNDLE, Buffer.from('more')]), /something stands behind its end/],
    ['another one behind its end', () => Buffer.concat([BUNDLE, BUNDLE]), /something stands behind its end/],
    ['one bit', flipped, /does not unpack|damaged/],
    ['no tar', () => zstdCompressSync(Buffer.alloc(100, 1)), /ends too early/],
    [
      'a changed file',
      async () => await spoilt('cases.txt', 'other'),
      /cases\.txt is not what the manifest says: SHA-256/,
    ],
    [
      'a file with one other byte',
      async () => await spoilt('cases.txt', LEDGER.text()!.replace('difference', 'Difference')),
      /cases\.txt is not what the manifest says: SHA-256/,
    ],
    [
      'a changed file that is not needed',
      async () => await spoilt('divergences/001.json', '{ }'),
      /divergences\/001\.json is not what the manifest says: SHA-256/,
    ],
    [
      'a missing file',
      async () => await again((files) => files.filter(({ path }) => path !== 'empty')),
      /empty is missing/,
    ],
    [
      'a file too many',
      async () => await again((files) => [...files, file('more', '')]),
      /more is not in the manifest/,
    ],
    ['no manifest', async () => await again((files) => files.slice(1)), /manifest\.json is missing/],
    ['nothing', async () => await again(() => []), /manifest\.json is missing/],
    [
      'a manifest that is no JSON',
      async () => await spoilt(MANIFEST, '{"a":\n x}'),
      /manifest\.json: line 2, column 2:/,
    ],
    [
      'another version',
      async () => await manifest((value) => Object.assign(value, { ringfence_bundle: 2 })),
      /it has version 2, and this program reads 1/,
    ],
    [
      'a bare manifest',
      async () => await manifest((value) => delete value['files']),
      /manifest\.json is damaged: lacks files/,
    ],
    [
      'a manifest with a plan of its own',
      async () => await manifest((value) => Object.assign(value, { plan: { source: 'drawn', suites: 1, cases: 1 } })),
      /manifest\.json is damaged: plan\.suites: /,
    ],
    [
      'expectations that are not listed',
      async () => await manifest((value) => Object.assign(value, { expect: ['/etc/passwd'] })),
      /manifest\.json is damaged: it names \/etc\/passwd, and does not list it/,
    ],
  ])('%s', async (_, bytes, message) => {
    writeFileSync(place, await bytes());
    await expect(unpackBundle(place)).rejects.toThrow(SetupError);
    await expect(unpackBundle(place)).rejects.toThrow(message);
  });
  const reread = async (head: Partial<Manifest>, files: readonly BundleFile[]): Promise<unknown> => {
    writeFileSync(place, await pack({ ...HEAD, ...head }, files));
    return await readBundle(place);
  };
  const replaced = (path: string, text: string) => FILES.map((one) => (one.path === path ? file(path, text) : one));
  test('that contradicts itself', async () => {
    const says = async (text: RegExp, head: Partial<Manifest>, files: readonly BundleFile[]): Promise<void> =>
      await expect(reread(head, files)).rejects.toThrow(text);
    await says(/of different runs/, { seed: 2 }, FILES);
    await says(/different kernels/, { kernel: { ...HEAD.kernel, sha256: 'beef' } }, FILES);
    await says(/result\.json is missing/, {}, FILES.slice(1));
    await says(/result\.json is not JSON/, {}, replaced('result.json', '{'));
    const digest = /the digest of cases\.txt is not the one in result\.json/;
    await says(digest, {}, replaced('cases.txt', LEDGER.text()!.replace('difference', 'pass')));
    await says(/cases\.txt, line 1/, {}, replaced('cases.txt', 'x'));
    await expect(readBundle(join(dir, 'absent'))).rejects.toThrow(/cannot be read: ENOENT/);
    await expect(readBundle(dir)).rejects.toThrow(/cannot be read: EISDIR/);
  });
  test('a whole one', async () =>
    expect(await reread({}, FILES)).toMatchObject({ same_ringfence: true, result: { seed: 1 } }));
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
  test('a rule that one of the two versions does not have was not reached by it', () => {
    const without = { ...RESULT, rules: {} };
    expect(compareCounts(without, { ...RESULT, rules: { 'filter.new': 0 } })).toEqual([]);
    expect(compareCounts(without, { ...RESULT, rules: { 'filter.new': 2 } })).toEqual([
      'hits of filter.new: recorded 0, now 2',
    ]);
  });

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

test('CONFIG_IKCONFIG', async () => {
  const text = 'CONFIG_IO_URING=y\n';
  const image = Buffer.concat([Buffer.from('xxIKCFG_ST'), gzipSync(text), Buffer.from('IKCFG_EDxx')]);
  expect(await embeddedConfig([image])).toBe(text);
  // Marks lie across two pieces, wherever it is cut.
  for (let at = 1; at < image.length; at++)
    expect(await embeddedConfig([image.subarray(0, at), image.subarray(at)])).toBe(text);
  expect(await embeddedConfig([Buffer.from('nothing')])).toBeUndefined();
  expect(await embeddedConfig([Buffer.from('IKCFG_STxxIKCFG_ED')])).toBeUndefined();
});
