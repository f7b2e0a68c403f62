/** From a tree to a kernel, with a tree that builds by copying a file. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fakeElf } from '../testing/kernels.ts';
import { programs } from '../../oracle/testing/needs.ts';
import { ensureBuildTools } from './build-tools.ts';
import type { TreeOptions } from './index.ts';
import { kernelFromTree, treeCache } from './index.ts';
import { firstErrors } from './make.ts';
import { fakeTree, writeTree } from '../testing/trees.ts';

let dir: string;
let tree: string;
let lines: string[];
const before = process.env['RINGFENCE_CACHE'];
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-build-'));
  process.env['RINGFENCE_CACHE'] = join(dir, 'cache');
  tree = join(dir, 'linux');
  lines = [];
  writeTree(dir, { kernel: fakeElf({ release: '7.0.13-fake' }) });
  fakeTree(tree, join(dir, 'kernel'));
});
afterEach(() => {
  if (before === undefined) delete process.env['RINGFENCE_CACHE'];
  else process.env['RINGFENCE_CACHE'] = before;
  rmSync(dir, { recursive: true, force: true });
});

const build = (more: Partial<TreeOptions> = {}, signal?: AbortSignal) =>
  kernelFromTree(
    { dir: tree, build: true, ...more },
    { log: (line) => lines.push(line), logFile: join(dir, 'build.log'), ...(signal ? { signal } : {}) },
  );
const log = (): string => readFileSync(join(dir, 'build.log'), 'utf8');
const BREAK = '--- a/io_uring/bpf_filter.c\n+++ b/io_uring/bpf_filter.c\n@@ -0,0 +1 @@\n+broken\n';
const FORK = '--- a/kernel/fork.c\n+++ b/kernel/fork.c\n@@ -1 +1 @@\n-first\n+second\n';

const TOOLS = programs('make', 'patch');
describe.skipIf(TOOLS.missing)(TOOLS.of('building'), () => {
  test('a kernel, where it came from, and the tree left alone', async () => {
    const { kernel, slow } = await build();
    expect(kernel).toMatchObject({
      release: '7.0.13-fake',
      source: 'tree',
      requested: tree,
      format: 'elf',
      origin: {
        tree,
        built: true,
        version: '7.0.13-fake',
        patches: [],
        debug: false,
        config_sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    });
    expect([slow, existsSync(join(tree, 'vmlinux')), existsSync(join(tree, '.config'))]).toEqual([false, false, false]);
    expect(readFileSync(kernel.path)).toEqual(fakeElf({ release: '7.0.13-fake' }));
    expect(log()).toMatch(/CC {6}kernel\/fork\.o/);
    expect(lines).toContain('built 7.0.13-fake');
  });
  test('again: only what changed is made; a patch is one change, and its removal another', async () => {
    writeTree(dir, { 'fork.patch': FORK });
    const made: boolean[] = [];
    const origins = [];
    for (const patches of [[], [], [join(dir, 'fork.patch')], [join(dir, 'fork.patch')], []]) {
      origins.push((await build({ patches })).kernel.origin!.patches.map(({ name }) => name));
      made.push(log().includes('kernel/fork.o'));
    }
    expect(made).toEqual([true, false, true, false, true]);
    expect(origins).toEqual([[], [], ['fork.patch'], ['fork.patch'], []]);
    expect(readFileSync(join(treeCache(tree), 'source/kernel/fork.c'), 'utf8')).toBe('first\n');
  });
  test('the debugging kernel has an output directory of its own and is slow', async () => {
    await build();
    expect(await build({ debug: true })).toMatchObject({ slow: true, kernel: { origin: { debug: true } } });
    expect(readFileSync(join(treeCache(tree), 'build-debug/.config'), 'utf8')).toContain('CONFIG_KASAN=y');
    expect(readFileSync(join(treeCache(tree), 'build/.config'), 'utf8')).not.toContain('CONFIG_KASAN=y');
  });
  test('a tree that does not build: 125, the compiler error, where the log is', async () => {
    writeTree(dir, { 'break.patch': BREAK });
    await expect(build({ patches: [join(dir, 'break.patch')] })).rejects.toMatchObject({
      exitCode: 125,
      message: expect.stringMatching(
        /^The kernel does not build:\nio_uring\/bpf_filter\.c:1:1: error: expected identifier\n[\s\S]*build\.log/,
      ),
    });
    expect(log()).toMatch(/error: expected/);
    await build();
  });
  test('a tree whose configuration lacks what the guest needs', async () => {
    const makefile = join(tree, 'Makefile');
    writeFileSync(makefile, readFileSync(makefile, 'utf8').replace('CONFIG_BPF=y', 'CONFIG_X=y'));
    await expect(build()).rejects.toMatchObject({
      exitCode: 125,
      message: expect.stringMatching(/cannot be configured for the guest: CONFIG_BPF is not set/),
    });
  });
  test('variables of a make around it do not leak in', async () => {
    process.env['MAKEFLAGS'] = 'n';
    process.env['KBUILD_OUTPUT'] = '/nonexistent';
    try {
      await build();
    } finally {
      delete process.env['MAKEFLAGS'];
      delete process.env['KBUILD_OUTPUT'];
    }
  });
  test('interrupted: ends at once, and the next build goes through', async () => {
    const makefile = join(tree, 'Makefile');
    const text = readFileSync(makefile, 'utf8');
    writeFileSync(makefile, text.replace('\t@if grep', '\t@sleep 60\n\t@if grep'));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 300);
    const started = performance.now();
    await expect(build({}, controller.signal)).rejects.toThrow(/abort/i);
    expect(performance.now() - started).toBeLessThan(20_000);
    unlinkSync(makefile);
    writeFileSync(makefile, text);
    await build();
  });
  test('four kernels are kept', async () => {
    for (let n = 0; n < 6; n++) {
      writeTree(dir, { kernel: fakeElf({ release: `7.0.${n}` }) });
      const { kernel } = await build();
      expect(statSync(kernel.path).size).toBeGreaterThan(0);
    }
    expect(readdirSync(join(treeCache(tree), 'kernels'))).toHaveLength(4);
  });
});

describe('tools', () => {
  test('what is missing is named with its package, when it cannot be installed', async () => {
    const path = process.env['PATH'];
    process.env['PATH'] = dir;
    try {
      await expect(
        ensureBuildTools(
          [{ what: 'libelf (headers)', package: 'libelf-dev', there: () => Promise.resolve(false) }],
          () => {},
        ),
      ).rejects.toMatchObject({
        exitCode: 2,
        message: expect.stringMatching(/needs libelf \(headers\)[\s\S]*libelf-dev/),
      });
    } finally {
      process.env['PATH'] = path;
    }
  });
  test("errors: the compiler's first, else those of make, else the end", () => {
    expect(firstErrors(['a.c:1:2: error: x', 'make: *** [a.o] Error 1'])).toEqual(['a.c:1:2: error: x']);
    expect(firstErrors(['noise', 'make: *** [a.o] Error 1'])).toEqual(['make: *** [a.o] Error 1']);
    expect(firstErrors(['one', '', 'two'])).toEqual(['one', 'two']);
  });
});
