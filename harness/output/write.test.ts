import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseCaseFile } from '../../oracle/case/json.ts';
import { mounting } from '../../oracle/testing/needs.ts';
import { CASE } from '../../oracle/testing/socket-case.ts';
import { BAD, GOOD } from '../../reports/testing/results.ts';
import { OutputError, outputFiles, writeOut, writeWhole } from './write.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

test('everything is written, and the cases can be read back', () => {
  const out = join(dir, 'a/b');
  writeOut(out, BAD, { console: new Map([['console-0.txt', 'boot\n']]) });
  expect(readdirSync(out, { recursive: true }).map(String).sort()).toEqual([
    'command',
    'console-0.txt',
    'crashes',
    'crashes/001.json',
    'crashes/001.txt',
    'divergences',
    'divergences/001.json',
    'divergences/001.txt',
    'hangs',
    'hangs/001.json',
    'result.json',
    'summary.txt',
    'unconfirmed',
    'unconfirmed/001.json',
    'versions.json',
  ]);
  expect(JSON.parse(readFileSync(join(out, 'result.json'), 'utf8'))).toEqual(BAD);
  for (const kind of ['divergences', 'crashes', 'hangs', 'unconfirmed'])
    expect(parseCaseFile(readFileSync(join(out, kind, '001.json'), 'utf8'))).toMatchObject({
      ok: true,
      file: { scenario: CASE },
    });
  expect(readFileSync(join(out, 'crashes/001.txt'), 'utf8')).toContain('a\nb\n');
  expect(readFileSync(join(out, 'command'), 'utf8')).toBe('npx ringfence run --seed 1\n');
});

test('the same result gives the same files', () => {
  expect(outputFiles(BAD, 'out')).toEqual(outputFiles(structuredClone(BAD), 'out'));
  expect([...outputFiles(BAD, 'out').keys()].at(-1)).toBe('result.json');
});

test('a newer result replaces the older one, what did not change is not written again, leftovers go', () => {
  mkdirSync(join(dir, 'divergences'));
  writeFileSync(join(dir, 'divergences/007.json'), 'of an earlier run');
  writeFileSync(join(dir, 'divergences/my-notes.txt'), 'mine');
  writeOut(dir, BAD);
  const before = statSync(join(dir, 'divergences/001.json'), { bigint: true }).mtimeNs;
  writeOut(dir, { ...BAD, outcomes: 5, crashes: [] });
  expect(statSync(join(dir, 'divergences/001.json'), { bigint: true }).mtimeNs).toBe(before);
  expect(readdirSync(join(dir, 'divergences')).sort()).toEqual(['001.json', '001.txt', 'my-notes.txt']);
  expect(readdirSync(join(dir, 'crashes'))).toEqual([]);
  expect(JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8'))).toMatchObject({ outcomes: 5 });
});

test('a file in the way is an error that says what to do', () => {
  const path = join(dir, 'out');
  writeFileSync(path, '');
  expect(() => writeOut(path, GOOD)).toThrow(OutputError);
  expect(() => writeOut(path, GOOD)).toThrow(
    'something else is in the way. Remove it or choose another place with --out.',
  );
});

test.each([
  ['ENOSPC', 'the disk is full'],
  ['EDQUOT', 'the disk is full'],
  ['EACCES', 'you may not write there'],
  ['EPERM', 'you may not write there'],
  ['EROFS', 'the file system is read-only'],
  ['EISDIR', 'something else is in the way'],
  ['ENOTDIR', 'something else is in the way'],
  ['EIO', 'input/output error. Choose'],
])('%s', (code, part) => {
  const error = new OutputError('out/result.json', Object.assign(new Error('input/output error'), { code }));
  expect(error.message).toMatch(/^out\/result\.json could not be written: /);
  expect(error.message).toContain(part);
  expect(error.code).toBe(code);
  expect(new OutputError('x', new Error('y')).message).toBe(
    'x could not be written: y. Choose another place with --out.',
  );
});

test('a failed write leaves the old file whole and nothing beside it', () => {
  // Long enough for a name, too long for the one beside it.
  const path = join(dir, 'r'.repeat(250));
  writeFileSync(path, 'old');
  expect(() => writeWhole(path, 'new')).toThrow(OutputError);
  expect(readFileSync(path, 'utf8')).toBe('old');
  const short = join(dir, 'result.json');
  writeFileSync(short, 'old');
  writeWhole(short, 'new');
  expect(readFileSync(short, 'utf8')).toBe('new');
  expect(readdirSync(dir).sort()).toEqual(['result.json', 'r'.repeat(250)]);
  // Written whole and not moved: a directory is in the way.
  mkdirSync(join(dir, 'taken'));
  expect(() => writeWhole(join(dir, 'taken'), 'new')).toThrow('something else is in the way');
  expect(readdirSync(dir).sort()).toEqual(['result.json', 'r'.repeat(250), 'taken']);
});

test('a directory that may not be written', () => {
  chmodSync(dir, 0o555);
  // Root may write everywhere: somebody else tries.
  const root = process.getuid?.() === 0;
  if (root) process.seteuid!(65_534);
  try {
    expect(() => writeOut(join(dir, 'out'), GOOD)).toThrow('you may not write there');
  } finally {
    if (root) process.seteuid!(0);
    chmodSync(dir, 0o700);
  }
  expect(existsSync(join(dir, 'out'))).toBe(false);
});

const MOUNT = mounting();
test.skipIf(MOUNT.missing)(MOUNT.of('a disk that really is full: what was written before stays whole'), () => {
  const small = join(dir, 'small');
  mkdirSync(small);
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', small]);
  try {
    writeOut(small, GOOD);
    const big = { ...BAD, crashes: [{ ...BAD.crashes[0]!, console: 'x'.repeat(100_000) }] };
    expect(() => writeOut(small, big)).toThrow(
      /crashes.001\.txt could not be written: the disk is full\. Free some space/,
    );
    expect(JSON.parse(readFileSync(join(small, 'result.json'), 'utf8'))).toEqual(GOOD);
    expect(parseCaseFile(readFileSync(join(small, 'divergences/001.json'), 'utf8')).ok).toBe(true);
    expect(readdirSync(small, { recursive: true }).filter((name) => String(name).endsWith('.tmp'))).toEqual([]);
  } finally {
    spawnSync('umount', [small]);
  }
});
