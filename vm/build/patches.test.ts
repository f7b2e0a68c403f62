import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { programs } from '../../oracle/testing/needs.ts';
import { sha256 } from '../host/cache.ts';
import { patchedPaths, withPatches } from './patches.ts';
import { writeTree } from '../testing/trees.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-patches-'));
  writeTree(dir, { 'tree/io_uring/a.c': 'one\ntwo\nthree\n', 'tree/io_uring/b.c': 'gone\n' });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const diff = (from: string, to: string, ...lines: string[]): string => `--- ${from}\n+++ ${to}\n${lines.join('\n')}\n`;
const TWO = diff('a/io_uring/a.c', 'b/io_uring/a.c', '@@ -1,3 +1,3 @@', ' one', '-two', '+2', ' three');
const THREE = diff('a/io_uring/a.c', 'b/io_uring/a.c', '@@ -1,3 +1,3 @@', ' one', ' 2', '-three', '+3');
const write = (name: string, text: string): string => {
  writeTree(dir, { [name]: text });
  return join(dir, name);
};
const contents = (files: readonly string[]) =>
  withPatches(join(dir, 'tree'), files, async ({ applied, overrides }) => ({
    applied,
    files: Object.fromEntries(
      [...overrides].map(([path, from]) => [path, from === undefined ? undefined : readFileSync(from, 'utf8')]),
    ),
  }));

const PATCH = programs('patch');
describe.skipIf(PATCH.missing)(PATCH.of('patches'), () => {
  test('one after the other, each seeing what the one before it did', async () => {
    expect(await contents([write('1.patch', TWO), write('2.patch', THREE)])).toEqual({
      applied: [
        { name: '1.patch', sha256: sha256(TWO) },
        { name: '2.patch', sha256: sha256(THREE) },
      ],
      files: { 'io_uring/a.c': 'one\n2\n3\n' },
    });
    expect(readFileSync(join(dir, 'tree/io_uring/a.c'), 'utf8')).toBe('one\ntwo\nthree\n');
  });
  test('a new file and a deleted one', async () => {
    const both =
      diff('/dev/null', 'b/io_uring/n.c', '@@ -0,0 +1 @@', '+new') +
      diff('a/io_uring/b.c', '/dev/null', '@@ -1 +0,0 @@', '-gone');
    expect((await contents([write('1.patch', both)])).files).toEqual({
      'io_uring/n.c': 'new\n',
      'io_uring/b.c': undefined,
    });
  });
  test.each<readonly [string, string[], RegExp, number]>([
    ['does not apply', [THREE], /0\.patch does not apply to .*tree:\n.*FAILED/, 125],
    [
      'applies only to the tree without the one before it',
      [TWO, TWO],
      /1\.patch does not apply to .*tree with 0\.patch:/,
      125,
    ],
    ['names a file that is not there', [TWO.replaceAll('a.c', 'z.c')], /does not apply/, 125],
    ['is no patch', ['hello\n'], /is not a patch/, 2],
    ['leads out of the tree', [TWO.replaceAll('io_uring', '../../etc')], /outside of the tree/, 2],
  ])('a patch that %s', async (_, texts, message, exitCode) => {
    const files = texts.map((text, i) => write(`${i}.patch`, text));
    await expect(contents(files)).rejects.toMatchObject({ exitCode, message: expect.stringMatching(message) });
    expect(existsSync(join(dir, 'tree/io_uring/a.c.rej')) || existsSync(join(dir, 'tree/io_uring/a.c.orig'))).toBe(
      false,
    );
  });
  test('a patch that is not there', async () => {
    await expect(contents([join(dir, 'nope')])).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/cannot be read/),
    });
  });
});

test('paths: git headers, renames, time stamps; a removed line that looks like a header is none', () => {
  const text =
    'diff --git a/x/a.c b/x/a.c\nrename from x/old.c\nrename to x/new.c\n--- a/x/b.c\t2026-01-01\n' +
    '+++ b/x/b.c\t2026-01-02\n@@ -1,2 +1 @@\n--- a comment in Lua\n keep\n';
  expect(patchedPaths(text, 'p')).toEqual(['x/a.c', 'x/old.c', 'x/new.c', 'x/b.c']);
});
