import { mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fakeBzImage, fakeElf } from '../testing/kernels.ts';
import { isSlow, kconfigFragment, missingOptions, NEEDED, parseConfig } from './fragment.ts';
import { fakeTree, writeTree } from '../testing/trees.ts';
import { findBuilt, sourceTree, treeVersion } from './tree.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-tree-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const CONFIG = `${kconfigFragment()}CONFIG_BPF=y\n`;
const age = (path: string, seconds: number): void => {
  const at = Date.now() / 1000 - seconds;
  utimesSync(join(dir, path), at, at);
};

describe('the source tree', () => {
  test('is recognised, with its version', () => {
    fakeTree(dir, 'x');
    expect(sourceTree(dir)).toBe(dir);
    expect(treeVersion(dir)).toBe('7.0.13-fake');
  });
  test.each<readonly [string, Record<string, string>, RegExp, number]>([
    ['no tree', { 'a.c': '' }, /is not a Linux source tree/, 2],
    [
      'no io_uring',
      { Makefile: 'VERSION = 5\nPATCHLEVEL = 15\n', Kbuild: '', Kconfig: '', 'kernel/a': '', 'init/a': '' },
      /without io_uring\/ \(Linux 5\.15\.0\)/,
      125,
    ],
    [
      'no filters',
      {
        Makefile: 'VERSION = 6\nPATCHLEVEL = 12\n',
        Kbuild: '',
        Kconfig: '',
        'kernel/a': '',
        'init/a': '',
        'io_uring/io_uring.c': '',
      },
      /no io_uring\/bpf_filter\.c \(Linux 6\.12\.0\)/,
      125,
    ],
  ])('%s', (_, files, message, exitCode) => {
    writeTree(dir, files);
    expect(() => sourceTree(dir)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(message), exitCode }),
    );
  });
  test('a missing directory, and a file', () => {
    writeTree(dir, { file: '' });
    expect(() => sourceTree(join(dir, 'nope'))).toThrow(/does not exist/);
    expect(() => sourceTree(join(dir, 'file'))).toThrow(/is not a directory/);
  });
});

describe('a built kernel', () => {
  test('nothing built: says so and what to add', async () => {
    fakeTree(dir, 'x');
    await expect(findBuilt(dir)).rejects.toThrow(/Nothing was built.*\nAdd --build/);
  });
  test('neither a tree nor a build', async () => {
    await expect(findBuilt(dir)).rejects.toThrow(/neither a Linux source tree nor/);
  });
  test('vmlinux in the tree, rather than the bzImage that was made from it', async () => {
    fakeTree(dir, 'x');
    writeTree(dir, { vmlinux: fakeElf(), 'arch/x86/boot/bzImage': fakeBzImage(fakeElf()), '.config': CONFIG });
    age('vmlinux', 5);
    expect(await findBuilt(dir)).toMatchObject({ path: join(dir, 'vmlinux'), slow: false });
  });
  test('bzImage where vmlinux has no PVH entry; told when it is the older one', async () => {
    fakeTree(dir, 'x');
    writeTree(dir, { vmlinux: fakeElf({ pvh: false }), 'arch/x86/boot/bzImage': fakeBzImage(fakeElf({ pvh: false })) });
    age('vmlinux', 5);
    expect((await findBuilt(dir)).note).toBeUndefined();
    age('arch/x86/boot/bzImage', 50);
    expect(await findBuilt(dir)).toMatchObject({
      path: join(dir, 'arch/x86/boot/bzImage'),
      note: expect.stringMatching(/older than vmlinux/),
    });
  });
  test('the newest of several output directories', async () => {
    fakeTree(dir, 'x');
    writeTree(dir, {
      vmlinux: fakeElf(),
      'build/.config': CONFIG,
      'build/vmlinux': fakeElf(),
      'old/.config': CONFIG,
      'old/vmlinux': fakeElf(),
    });
    age('vmlinux', 50);
    age('old/vmlinux', 20);
    expect((await findBuilt(dir)).path).toBe(join(dir, 'build/vmlinux'));
  });
  test('an output directory itself; a configuration with KASAN is slow', async () => {
    writeTree(dir, { '.config': `${CONFIG}CONFIG_KASAN=y\n`, vmlinux: fakeElf() });
    expect(await findBuilt(dir)).toMatchObject({ path: join(dir, 'vmlinux'), slow: true });
  });
  test('a kernel for another machine', async () => {
    fakeTree(dir, 'x');
    writeTree(dir, { vmlinux: fakeElf({ machine: 183 }), 'arch/arm64/boot/Image': 'MZ' });
    await expect(findBuilt(dir)).rejects.toMatchObject({
      exitCode: 125,
      message: expect.stringMatching(/no kernel for a guest of x86_64: .*Image.*vmlinux/),
    });
  });
  test('a configuration that the guest cannot run with is named before the boot', async () => {
    fakeTree(dir, 'x');
    writeTree(dir, {
      vmlinux: fakeElf(),
      '.config': CONFIG.replace('CONFIG_VIRTIO_CONSOLE=y', 'CONFIG_VIRTIO_CONSOLE=m').replace('CONFIG_UNIX=y\n', ''),
    });
    await expect(findBuilt(dir)).rejects.toMatchObject({
      exitCode: 125,
      message: expect.stringMatching(/CONFIG_VIRTIO_CONSOLE=m, CONFIG_UNIX is not set.*\n.*ringfence kconfig/),
    });
  });
});

describe('the configuration', () => {
  test('asks for all that the guest needs, each option once', () => {
    const names = [...kconfigFragment({ debug: true }).matchAll(/^(?:# )?CONFIG_(\w+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
    // BPF itself has no switch: BPF_SYSCALL selects it.
    expect(NEEDED.filter((name) => !names.includes(name))).toEqual(['BPF']);
  });
  test('debug is the same and more, and slow', () => {
    const plain = kconfigFragment();
    const debug = kconfigFragment({ debug: true });
    expect(debug.startsWith(plain.trimEnd())).toBe(true);
    for (const name of ['KASAN', 'PROVE_LOCKING', 'PROVE_RCU', 'DEBUG_KMEMLEAK'])
      expect(debug).toContain(`CONFIG_${name}=y\n`);
    expect([plain, debug].map((text) => isSlow(parseConfig(text)))).toEqual([false, true]);
  });
  test('what is missing is told as the file has it', () => {
    expect(missingOptions(parseConfig(`${CONFIG}CONFIG_NET=m\n# CONFIG_PCI is not set\n`))).toEqual(['CONFIG_NET=m']);
    expect(missingOptions(parseConfig(''))).toHaveLength(NEEDED.length);
  });
});
