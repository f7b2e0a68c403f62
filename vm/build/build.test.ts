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
import type { Mutant } from './mutant-file.ts';
import { buildMutants } from './mutant-kernel.ts';
import type { Variant } from './variant.ts';
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
  test('a full disk takes the log, not the kernel', async () => {
    const { kernel } = await kernelFromTree({ dir: tree, build: true }, { log: () => {}, logFile: '/dev/full' });
    expect(kernel.release).toBe('7.0.13-fake');
  });
  test('a variant: files and options of its own, a copy and an output of its own, on top of patches', async () => {
    writeTree(dir, { 'fork.patch': FORK });
    const read: (string | undefined)[] = [];
    const variant: Variant = {
      name: 'other',
      options: ['NR_CPUS=2'],
      files: (source) => {
        read.push(source('kernel/fork.c'), source('kernel/none.c'));
        return new Map([
          ['kernel/fork.c', `${source('kernel/fork.c')}third\n`],
          ['lib/new.c', 'new\n'],
        ]);
      },
    };
    const { places } = await build({ patches: [join(dir, 'fork.patch')], variant });
    expect(read).toEqual(['second\n', undefined]);
    const home = treeCache(tree);
    expect(places).toEqual({ source: join(home, 'source-other'), output: join(home, 'build-other') });
    const text = (path: string): string => readFileSync(path, 'utf8');
    expect(text(join(places!.source, 'kernel/fork.c'))).toBe('second\nthird\n');
    expect(text(join(places!.source, 'lib/new.c'))).toBe('new\n');
    expect(text(join(places!.output, '.config'))).toMatch(/NR_CPUS=8[^]*NR_CPUS=2/);
    expect(text(join(tree, 'kernel/fork.c'))).toBe('first\n');
    expect((await build()).places?.source).toBe(join(home, 'source'));
    expect(text(join(home, 'source/kernel/fork.c'))).toBe('first\n');
  });
  test('mutants: one kernel; what does not fit or compile is named, or left out', async () => {
    const mutant = (id: string, more: Partial<Mutant>): Mutant => ({
      id,
      title: 't',
      class: 'common',
      file: 'kernel/fork.c',
      in: 'f',
      find: 'first',
      as: 'expression',
      replace: 'second',
      symptom: 's',
      argument: 'a',
      ...more,
    });
    // The tree's own "compiler" knows one word that is wrong.
    writeTree(tree, { 'kernel/fork.c': 'int f(void)\n{\n\treturn first;\n}\n' });
    writeTree(tree, {
      Makefile: readFileSync(join(tree, 'Makefile'), 'utf8').replace(
        '@cp $< $@',
        () => `@awk '/wrong/ { print FILENAME ":" FNR ":" index($$0, "wrong") + 7 ": error: it is wrong"; bad = 1 } \\
          END { exit bad }' $< && cp $< $@`,
      ),
      'lib/Makefile': 'obj-y += a.o\n',
    });
    const mutants = [mutant('good', {}), mutant('bad', { replace: 'wrong' }), mutant('far', { file: 'kernel/none.c' })];
    const job = { tree: { dir: tree }, mutants };
    const events = { log: (line: string) => lines.push(line), logFile: join(dir, 'build.log') };
    await expect(buildMutants({ ...job, keepGoing: false }, events)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/far: the tree has no kernel\/none\.c\n.*--keep-going/),
    });
    const near = { ...job, mutants: mutants.slice(0, 2) };
    await expect(buildMutants({ ...near, keepGoing: false }, events)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/bad: it is wrong/),
    });
    const { mutants: built, misfits, places } = await buildMutants({ ...job, keepGoing: true }, events);
    expect(built.map(({ mutant: { id }, number }) => [id, number])).toEqual([['good', 3]]);
    expect(misfits).toEqual([
      { id: 'far', problem: 'the tree has no kernel/none.c' },
      { id: 'bad', problem: 'it is wrong' },
    ]);
    expect(readFileSync(join(places!.source, 'kernel/fork.c'), 'utf8')).toContain('(ringfence_mutant(3) ? (second)');
    expect(readFileSync(join(places!.source, 'lib/Makefile'), 'utf8')).toBe(
      'obj-y += a.o\n\nobj-y += ringfence_mutant.o\n',
    );
    expect(existsSync(join(places!.source, 'include/linux/ringfence_mutant.h'))).toBe(true);
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
