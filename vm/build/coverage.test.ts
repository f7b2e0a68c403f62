import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { run } from '../host/processes.ts';
import { which } from '../host/tools.ts';
import { coverageVariant, findGcov, readCounters } from './coverage.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringfence-coverage-test-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const TREE: Readonly<Record<string, string>> = {
  Makefile: 'CFLAGS_GCOV\t:= -fprofile-arcs\nexport CFLAGS_GCOV\nall: vmlinux\n',
  'io_uring/Makefile': 'obj-y += net.o register.o\n',
  'io_uring/net.c': '',
  'io_uring/register.c': '',
};
const variant = (sources: readonly string[], tree = TREE): ReadonlyMap<string, string> =>
  coverageVariant(sources).files!((path) => tree[path]);

describe('a kernel that counts', () => {
  it('is switched on object by object, with more flags, and in no other file', () => {
    expect([...variant(['io_uring/net.c', 'io_uring/register.c'])]).toEqual([
      ['Makefile', expect.stringMatching(/-fprofile-arcs\nCFLAGS_GCOV \+= --param .*\nexport CFLAGS_GCOV\nall/)],
      ['io_uring/Makefile', 'obj-y += net.o register.o\nGCOV_PROFILE_net.o := y\nGCOV_PROFILE_register.o := y\n'],
    ]);
    expect(coverageVariant([]).options).toEqual(['DEBUG_FS', 'GCOV_KERNEL']);
  });

  it('cannot be had of a tree without a file, a Makefile or gcov', () => {
    expect(() => variant(['io_uring/bpf_filter.c'])).toThrow('no io_uring/bpf_filter.c');
    expect(() => variant(['net/core/filter.c'])).toThrow('no net/core/Makefile');
    expect(() => variant([], { ...TREE, Makefile: 'all: vmlinux\n' })).toThrow('no CFLAGS_GCOV');
  });
});

/** A compiler and its reader that say they are of these versions; undefined: there is none. */
function tools(name: string, compiler: string, reader: string | undefined): string {
  const bin = join(dir, name);
  mkdirSync(bin);
  const program = (path: string, says: string): void => {
    writeFileSync(join(bin, path), `#!/bin/sh\necho "${says}"\n`);
    chmodSync(join(bin, path), 0o755);
  };
  program('gcc', compiler);
  if (reader !== undefined) program('gcov', `gcov (Debian ${reader}-14) ${reader}`);
  return join(bin, 'gcc');
}

describe('the reader of the counters', () => {
  it('is that of the compiler', async () => {
    const cc = tools('fit', '12.2.0', '12.2.0');
    expect(await findGcov({ CC: `ccache ${cc}` })).toEqual({ program: join(dir, 'fit/gcov'), version: '12.2.0' });
  });

  it.each([
    ['of another version', { CC: tools('other', '13.1.0', '12.2.0') }, /gcov is version 12\.2\.0, and .*13\.1\.0/],
    ['not there', { CC: tools('none', '12.2.0', undefined) }, /gcov is missing: it reads the counters/],
    ['that of no compiler', { CC: '/nowhere/gcc' }, /\/nowhere\/gcc is missing: it builds the kernel/],
    ['not for clang', { CC: 'clang-16' }, /clang counts/],
    ['not for LLVM', { LLVM: '1' }, /clang counts/],
  ])('is %s', async (_, env, message) => {
    await expect(findGcov(env)).rejects.toThrow(message);
  });

  it.skipIf(!which('gcov'))('reads what a real program counted (gcov)', async () => {
    const source = join(dir, 'tea.c');
    writeFileSync(source, 'int main(int n, char **v)\n{\n\tif (n > 1 || !v)\n\t\treturn 3;\n\treturn 0;\n}\n');
    await run(['gcc', '--coverage', '-c', 'tea.c'], { cwd: dir });
    await run(['gcc', '--coverage', '-o', 'tea', 'tea.o'], { cwd: dir });
    await run([join(dir, 'tea')], { cwd: dir });
    const gcov = await findGcov({});
    const counters = readFileSync(join(dir, 'tea.gcda'));
    const said = (await readCounters(gcov, join(dir, 'tea.gcno'), counters)) as {
      files: { lines: { line_number: number; count: number; branches: { count: number }[] }[] }[];
    };
    expect(said.files[0]!.lines.map(({ line_number: line, count }) => [line, count])).toEqual([
      [1, 1],
      [3, 1],
      [4, 0],
      [5, 1],
    ]);
    expect(said.files[0]!.lines[1]!.branches.map(({ count }) => count)).toEqual([1, 0, 0, 1]);
    await expect(readCounters(gcov, join(dir, 'tea.gcno'), Buffer.from('noise'))).rejects.toThrow('cannot read');
  });
});
