/** ringfence sensitivity and coverage up to a kernel that is built, from a tree that builds by copying a file. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { programs } from '../../oracle/testing/needs.ts';
import { fakeElf } from '../../vm/testing/kernels.ts';
import { fakeTree, writeTree } from '../../vm/testing/trees.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/ringfence.js', import.meta.url));
const mutant = (more: object): object => ({
  title: 'Something is wrong',
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
const file = (...mutants: object[]): string => JSON.stringify({ linux: '7.0.13', mutants });

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-sensitivity-cli-'));
  writeTree(dir, {
    kernel: fakeElf({ release: '7.0.13-fake' }),
    'good.json': file(mutant({ id: 'good' })),
    'bad.json': file(mutant({ id: 'good' }), mutant({ id: 'bad', replace: 'wrong' })),
    'far.json': file(mutant({ id: 'far', find: 'nothing' })),
    'corrupt.json': file(mutant({ id: 'good' })).slice(0, -10),
  });
  for (const tree of ['linux', 'broken']) {
    fakeTree(join(dir, tree), join(dir, 'kernel'), {
      'kernel/fork.c': 'int f(void)\n{\n\treturn first;\n}\n',
      'lib/Makefile': 'obj-y += a.o\n',
    });
    // The tree's own "compiler" knows one word that is wrong.
    const makefile = join(dir, tree, 'Makefile');
    const told = `print FILENAME ":" FNR ":" index($$0, "wrong") + 7 ": error: it is wrong"; bad = 1`;
    const compile = `@awk '/wrong/ { ${told} } END { exit bad }' $< && cp $< $@`;
    writeFileSync(
      makefile,
      readFileSync(makefile, 'utf8').replace('@cp $< $@', () => compile),
    );
  }
  writeTree(join(dir, 'broken'), { 'io_uring/bpf_filter.c': 'broken\n' });
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const TOOLS = programs('make', 'gcc');
describe.skipIf(TOOLS.missing)(TOOLS.of('building'), () => {
  test.each<[what: string, args: readonly string[], code: number, said: RegExp]>([
    ['mutants that fit', ['--mutants', 'good.json'], 0, /^1 mutant in .*\.vmlinux$/m],
    ['one that does not fit', ['--mutants', 'far.json'], 2, /far: "nothing" is in f of .* 0 times[^]*--keep-going/],
    ['one that does not compile', ['--mutants', 'bad.json'], 2, /does not compile[^]*bad: it is wrong[^]*--keep-going/],
    ['the same, left out', ['--mutants', 'bad.json', '--keep-going'], 2, /^1 mutant in [^]*bad: it is wrong/],
    ['those of another release', [], 2, /each of which does not fit this tree[^]*Take the release/],
    ['a file that was cut short', ['--mutants', 'corrupt.json'], 2, /corrupt\.json is no file of mutants: .*JSON/],
    [
      'a tree that does not build',
      ['--mutants', 'good.json', '--linux', 'broken'],
      125,
      /does not build:\n.*expected id/,
    ],
  ])('sensitivity --check, %s: exit code and what to do', (_, args, code, said) => {
    const { status, out } = ringfence('sensitivity', '--linux', 'linux', '--check', '--out', 'out', ...args);
    expect(out).toMatch(said);
    expect(out).not.toMatch(/mistake in ringfence/);
    expect(status).toBe(code);
  });
  test('coverage of a tree that knows no gcov', () => {
    const { status, out } = ringfence('coverage', '--linux', 'linux', '--out', 'out');
    expect(out).toMatch(/exports no CFLAGS_GCOV/);
    expect(status).toBe(125);
  });
});

function ringfence(...args: string[]): { readonly status: number | null; readonly out: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, RINGFENCE_CACHE: join(dir, 'cache') },
    timeout: 60_000,
  });
  return { status, out: stdout + stderr };
}
