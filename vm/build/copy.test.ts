import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { programs } from '../../oracle/testing/needs.ts';
import { follow, treeFiles } from './copy.ts';
import { gitDescribe, isBisecting } from './git.ts';
import { writeTree } from '../testing/trees.ts';

let dir: string;
let tree: string;
let copy: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-copy-'));
  tree = join(dir, 'tree');
  copy = join(dir, 'cache/source');
  writeTree(tree, { Makefile: 'm', 'io_uring/a.c': 'a', 'io_uring/b.c': 'b' });
  symlinkSync('a.c', join(tree, 'io_uring/link.c'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const text = (path: string): string => readFileSync(join(copy, path), 'utf8');
const mtime = (path: string): number => statSync(join(copy, path)).mtimeMs;
/** A long time ago, so that a new time can be told from an old one. */
const OLD = 1_000_000;
const age = (path: string): void => utimesSync(join(tree, path), OLD, OLD);

describe('the throw-away copy', () => {
  test('costs links, and follows the tree', () => {
    age('Makefile');
    expect(follow(tree, copy)).toEqual({ files: 4, changed: 0 });
    expect(statSync(join(copy, 'Makefile')).ino).toBe(statSync(join(tree, 'Makefile')).ino);
    expect(readlinkSync(join(copy, 'io_uring/link.c'))).toBe('a.c');
    expect(follow(tree, copy)).toEqual({ files: 4, changed: 0 });
    unlinkSync(join(tree, 'io_uring/b.c'));
    writeTree(tree, { 'io_uring/c.c': 'c' });
    expect(follow(tree, copy)).toEqual({ files: 4, changed: 2 });
    expect([existsSync(join(copy, 'io_uring/b.c')), text('io_uring/c.c')]).toEqual([false, 'c']);
  });
  test('a file that comes back with an old time gets a new one, or make would not see it', () => {
    follow(tree, copy);
    writeFileSync(join(dir, 'new'), 'older content');
    utimesSync(join(dir, 'new'), OLD, OLD);
    renameSync(join(dir, 'new'), join(tree, 'io_uring/a.c'));
    expect(follow(tree, copy).changed).toBe(1);
    expect([text('io_uring/a.c'), mtime('io_uring/a.c') > OLD * 1000]).toEqual(['older content', true]);
  });
  test('the same content under a new time changes nothing: a checkout there and back builds nothing', () => {
    follow(tree, copy);
    const before = mtime('io_uring/a.c');
    unlinkSync(join(tree, 'io_uring/a.c'));
    writeTree(tree, { 'io_uring/a.c': 'a' });
    utimesSync(join(tree, 'io_uring/a.c'), 2e9, 2e9);
    expect(follow(tree, copy).changed).toBe(0);
    expect(mtime('io_uring/a.c')).toBe(before);
  });
  test('overrides stand in for files; the tree stays as it is; both directions get a new time', () => {
    age('io_uring/a.c');
    follow(tree, copy);
    writeTree(dir, { 'stage/a.c': 'patched', 'stage/n.c': 'new' });
    const overrides = new Map([
      ['io_uring/a.c', join(dir, 'stage/a.c')],
      ['io_uring/n.c', join(dir, 'stage/n.c')],
      ['io_uring/b.c', undefined],
    ]);
    expect(follow(tree, copy, overrides)).toEqual({ files: 4, changed: 3 });
    expect([text('io_uring/a.c'), text('io_uring/n.c'), existsSync(join(copy, 'io_uring/b.c'))]).toEqual([
      'patched',
      'new',
      false,
    ]);
    expect([
      readFileSync(join(tree, 'io_uring/a.c'), 'utf8'),
      existsSync(join(tree, 'io_uring/n.c')),
      existsSync(join(tree, 'io_uring/b.c')),
    ]).toEqual(['a', false, true]);
    // The same patch again: nothing to build.
    const patched = mtime('io_uring/a.c');
    expect([follow(tree, copy, overrides).changed, mtime('io_uring/a.c')]).toEqual([0, patched]);
    expect(follow(tree, copy).changed).toBe(3);
    expect([text('io_uring/a.c'), text('io_uring/b.c'), mtime('io_uring/a.c') >= patched]).toEqual(['a', 'b', true]);
  });
  test('a file in place of a directory and the other way round', () => {
    follow(tree, copy);
    rmSync(join(tree, 'io_uring'), { recursive: true });
    writeTree(tree, { io_uring: 'file' });
    follow(tree, copy);
    expect(text('io_uring')).toBe('file');
    unlinkSync(join(tree, 'io_uring'));
    writeTree(tree, { 'io_uring/a.c': 'a' });
    follow(tree, copy);
    expect(text('io_uring/a.c')).toBe('a');
  });
  test('a copy that was broken off is made again', () => {
    follow(tree, copy);
    symlinkSync('.', `${copy}.unfinished`);
    writeTree(copy, { 'io_uring/half.c': '' });
    follow(tree, copy);
    expect([
      existsSync(join(copy, 'io_uring/half.c')),
      lstatSync(`${copy}.unfinished`, { throwIfNoEntry: false }),
    ]).toEqual([false, undefined]);
  });
  test('our own results in the tree are no part of it', () => {
    writeTree(tree, { 'out/result.json': '{}' });
    expect(follow(tree, copy, new Map(), join(tree, 'out')).files).toBe(4);
  });
});

const GIT = programs('git');
describe('what belongs to a tree', () => {
  test('without git: everything but an output directory', () => {
    writeTree(tree, { 'build/.config': '', 'build/x.o': '', '.git/HEAD': '' });
    expect(treeFiles(tree).sort()).toEqual(['Makefile', 'io_uring/a.c', 'io_uring/b.c', 'io_uring/link.c']);
  });
  test('without git, built in place: the exact command', () => {
    writeTree(tree, { '.config': '' });
    expect(() => treeFiles(tree)).toThrow(/holds \.config[\s\S]*make -C .* mrproper/);
  });
  test.skipIf(GIT.missing)(GIT.of('with git: products of a build in place do not'), () => {
    const git = (...args: string[]): string =>
      execFileSync('git', ['-C', tree, '-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    git('init', '-q');
    writeTree(tree, { '.gitignore': '*.o\n.config\n', '.config': '', 'io_uring/a.o': '', 'io_uring/new.c': '' });
    git('add', 'Makefile', 'io_uring/a.c');
    git('commit', '-qm', 'one');
    unlinkSync(join(tree, 'Makefile'));
    expect(treeFiles(tree).sort()).toEqual([
      '.gitignore',
      'Makefile',
      'io_uring/a.c',
      'io_uring/b.c',
      'io_uring/link.c',
      'io_uring/new.c',
    ]);
    follow(tree, copy);
    expect([existsSync(join(copy, 'Makefile')), existsSync(join(copy, '.config'))]).toEqual([false, false]);
    expect(gitDescribe(tree)).toEqual({
      commit: git('rev-parse', 'HEAD').trim(),
      describe: expect.stringMatching(/^[0-9a-f]{7,}-dirty$/),
    });
    expect([gitDescribe(dir), isBisecting(tree), isBisecting(dir)]).toEqual([undefined, false, false]);
    git('bisect', 'start');
    mkdirSync(join(tree, 'sub'));
    expect([isBisecting(tree), isBisecting(join(tree, 'sub'))]).toEqual([true, true]);
  });
});
