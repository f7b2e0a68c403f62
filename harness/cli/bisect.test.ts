/**
 * `run --linux` as a user meets it, and git bisect on a history in which one commit breaks a promise. No compiler: a
 * commit names the kernel that "building" it gives.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RunResult } from '../../reports/data/result.ts';
import { treeCache } from '../../vm/build/index.ts';
import { fakeTree, writeTree } from '../../vm/testing/trees.ts';
import { fetchKernel, UsageError } from '../../vm/index.ts';
import { programs } from '../../oracle/testing/needs.ts';
import { kernelChoice } from './settings.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/ringfence.js', import.meta.url));
/** A filter that loads the word right behind the context: must be refused. */
const CASE = {
  ringfence: 1,
  scenario: {
    version: 1,
    steps: [
      { task: 0, do: 'register_bpf_filter', on: 'task', arg: { opcode: 'NOP', program: ['ld [40]', 'ret #0x1'] } },
    ],
  },
};

let dir: string;
let tree: string;
let good: string;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-bisect-'));
  tree = join(dir, 'linux');
  good = (await fetchKernel()).path;
  writeFileSync(join(dir, 'case.json'), JSON.stringify(CASE));
});
afterAll(() => {
  rmSync(dir, { recursive: true, force: true });
  rmSync(treeCache(tree), { recursive: true, force: true });
});

function ringfence(...args: string[]): { readonly code: number | null; readonly err: string } {
  const { status, stderr } = spawnSync(process.execPath, [LAUNCHER, ...args, '--out', join(dir, 'out')], {
    cwd: tree,
    encoding: 'utf8',
    env: { ...process.env, RINGFENCE_BUILD_NICE: '0' },
    timeout: 120_000,
  });
  return { code: status, err: stderr };
}

/**
 * The kernel with its check "offset is at most 39" turned into "at most 43": the compare and the jump stand in one
 * place only.
 */
function planted(kernel: Buffer): Buffer {
  const places: number[] = [];
  for (
    let at = kernel.indexOf(Buffer.from([0x83, 0xf8, 39, 0x77]));
    at >= 0;
    at = kernel.indexOf(Buffer.from([0x83, 0xf8, 39, 0x77]), at + 1)
  ) {
    if (kernel[at + 5] === 0xa8 && kernel[at + 6] === 3) places.push(at);
  }
  expect(places).toHaveLength(1);
  const bad = Buffer.from(kernel);
  bad[places[0]! + 2] = 43;
  return bad;
}

describe('options', () => {
  test.each<readonly [string, Parameters<typeof kernelChoice>[0], RegExp]>([
    ['build without a tree', { build: true }, /--build needs a source tree: add --linux DIR/],
    ['a patch without a tree', { patch: ['p'] }, /--patch needs a source tree/],
    ['a patch without building', { linux: 'd', patch: ['p'] }, /--patch changes what is built: add --build/],
    ['debug without building', { linux: 'd', debug: true }, /--debug changes what is built/],
    ['two kernels', { linux: 'd', kernel: 'k' }, /name two kernels/],
    ['no directory', { linux: '' }, /takes a directory/],
  ])('%s', (_, values, message) => {
    expect(() => kernelChoice(values)).toThrow(message);
    expect(() => kernelChoice(values)).toThrow(UsageError);
  });
  test('a tree, and where the log goes', () => {
    expect(kernelChoice({ linux: '.', build: true, patch: ['a', 'b'], out: 'o' })).toEqual({
      tree: { dir: '.', build: true, debug: false, patches: ['a', 'b'], logFile: 'o/build.log' },
    });
    expect(kernelChoice({ kernel: '7.3.4' })).toEqual({ release: '7.3.4' });
  });
});

const TOOLS = programs('git', 'make');
describe.skipIf(TOOLS.missing)(TOOLS.of('git bisect'), () => {
  const git = (...args: string[]): string =>
    execFileSync(
      'git',
      ['-C', tree, '-c', 'user.name=a', '-c', 'user.email=a@b', '-c', 'commit.gpgsign=false', ...args],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    );

  test('finds the commit; skips the one that does not build; stops at a set-up error', () => {
    const bad = join(dir, 'bad');
    writeFileSync(bad, planted(readFileSync(good)));
    fakeTree(tree, good);
    git('init', '-q');
    const commits = [
      ['good', good],
      ['harmless', good],
      ['does not build', 'broken'],
      ['harmless too', good],
      ['the culprit', bad],
      ['last', bad],
    ].map(([message = '', kernel = ''], n) => {
      writeTree(tree, { 'io_uring/bpf_filter.c': `${kernel}\n`, 'kernel/fork.c': `${n}\n` });
      git('add', '.');
      git('commit', '-qm', message);
      return git('rev-parse', 'HEAD').trim();
    });
    git('bisect', 'start', commits[5]!, commits[0]!);
    // Outside of a bisection this is 2, which git would take for "bad".
    expect(ringfence('run', '--linux', tree, '--build', '--replay', join(dir, 'nope.json'))).toMatchObject({
      code: 128,
      err: expect.stringMatching(/nope\.json cannot be read/),
    });
    const said = spawnSync(
      'git',
      [
        'bisect',
        'run',
        process.execPath,
        LAUNCHER,
        'run',
        '--linux',
        '.',
        '--build',
        '--accel',
        'tcg',
        '--replay',
        join(dir, 'case.json'),
        '--out',
        join(dir, 'out'),
      ],
      { cwd: tree, encoding: 'utf8', env: { ...process.env, RINGFENCE_BUILD_NICE: '0' }, timeout: 300_000 },
    );
    expect(said.stdout, JSON.stringify(said)).toContain(`${commits[4]} is the first bad commit`);
    expect(git('bisect', 'log')).toContain(`git bisect skip ${commits[2]}`);
    git('bisect', 'reset');
    expect(git('status', '--porcelain')).toBe('');
    const result = JSON.parse(readFileSync(join(dir, 'out/result.json'), 'utf8')) as RunResult;
    expect(result.kernel).toMatchObject({
      source: 'tree',
      origin: {
        tree,
        built: true,
        version: '7.0.13-fake',
        patches: [],
        commit: expect.stringMatching(/^[0-9a-f]{40}$/),
      },
    });

    git('checkout', '-q', commits[2]!);
    expect(ringfence('run', '--linux', tree, '--build')).toMatchObject({
      code: 125,
      err: expect.stringMatching(/does not build:\nio_uring\/bpf_filter\.c:1:1: error/),
    });
    expect(ringfence('run', '--linux', tree, '--build', '--replay', join(dir, 'nope.json'))).toMatchObject({ code: 2 });
    expect(existsSync(join(tree, 'out'))).toBe(false);
  }, 300_000);
});
