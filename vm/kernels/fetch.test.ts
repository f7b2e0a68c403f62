import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { KernelError, SetupError } from '../host/errors.ts';
import { fakeBzImage, fakeElf } from '../testing/kernels.ts';
import { FetchError } from './apt.ts';
import { MACHINES, OWN_MACHINE } from '../machine/index.ts';
import { fetchKernel, kernelFromFile, pinnedPath } from './fetch.ts';
import { findPinned } from './pinned.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
  vi.stubEnv('RINGFENCE_CACHE', join(dir, 'cache'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

function file(name: string, bytes: string | Buffer, mode = 0o644): string {
  const path = join(dir, name);
  writeFileSync(path, bytes);
  chmodSync(path, mode);
  return path;
}

const failure = async (promise: Promise<unknown>): Promise<KernelError | SetupError> =>
  await promise.then(
    () => {
      throw new Error('should have failed');
    },
    (error: unknown) => error as KernelError,
  );

describe('kernelFromFile', () => {
  it('names the machine of a kernel for another one', async () => {
    const other = MACHINES.find((machine) => machine !== OWN_MACHINE)!;
    const path = join(dir, 'other');
    writeFileSync(path, fakeElf({ machine: other.kernel.elfMachine }));
    await expect(kernelFromFile(path)).rejects.toThrow(
      new RegExp(`is a kernel for ${other.arch}, not for ${OWN_MACHINE.arch}[^]*--arch ${other.arch}`),
    );
  });

  it.each([
    ['a script', '#!/bin/sh\necho hello\n'],
    ['nothing', ''],
    ['zeros', Buffer.alloc(100_000)],
    ['an ELF for another machine', fakeElf({ machine: 8 })],
  ])('refuses %s', async (_, bytes) => {
    const error = await failure(kernelFromFile(file('k', bytes)));
    expect(error).toBeInstanceOf(KernelError);
    expect(error.exitCode).toBe(2);
    expect(error.message).toMatch(/is not a kernel/);
    expect(error.advice).toMatch(/bzImage/);
  });

  it('refuses a directory, a missing file, a truncated image', async () => {
    expect((await failure(kernelFromFile(dir))).message).toMatch(/not a file/);
    expect((await failure(kernelFromFile(join(dir, 'absent')))).message).toMatch(/cannot be read.*ENOENT/);
    const cut = await failure(kernelFromFile(file('k', fakeBzImage(fakeElf()).subarray(0, 2600))));
    expect(cut.message).toMatch(/damaged/);
    expect(cut.exitCode).toBe(2);
  });

  it('refuses an ELF without a PVH entry, and says what to give instead', async () => {
    const error = await failure(kernelFromFile(file('vmlinux', fakeElf({ pvh: false }))));
    expect(error.message).toMatch(/PVH/);
    expect(error.advice).toMatch(/bzImage/);
  });

  it('takes an ELF as it is', async () => {
    const path = file('vmlinux', fakeElf({ release: '7.0.99' }));
    expect(await kernelFromFile(path)).toMatchObject({
      path,
      format: 'elf',
      release: '7.0.99',
      source: 'file',
      requested: path,
    });
  });

  it('copies what only its owner may read, when QEMU will be someone else', async () => {
    const kernel = await kernelFromFile(file('vmlinux', fakeElf(), 0o600));
    expect(statSync(kernel.path).mode & 0o004).toBe(process.getuid?.() === 0 ? 0o004 : 0);
  });

  it('unpacks a bzImage once into the cache', async () => {
    const path = file('bzImage', fakeBzImage(fakeElf()));
    const lines: string[] = [];
    const kernel = await kernelFromFile(path, { log: (l) => lines.push(l) });
    expect(kernel).toMatchObject({ format: 'elf', release: '7.0.99-test' });
    expect(readFileSync(kernel.path)).toEqual(fakeElf());
    expect(await kernelFromFile(path, { log: (l) => lines.push(l) })).toEqual(kernel);
    expect(lines).toHaveLength(1);
  });

  it.each([
    ['without a PVH entry', fakeBzImage(fakeElf({ pvh: false })), /PVH/],
    ['in a compression that is not known', fakeBzImage(fakeElf(), 'xz'), /xz/],
  ])('boots a bzImage %s as it is', async (_, bytes, note) => {
    const path = file('bzImage', bytes);
    const kernel = await kernelFromFile(path);
    expect(kernel).toMatchObject({ path, format: 'image' });
    expect(kernel.note).toMatch(note);
  });
});

describe('fetchKernel', () => {
  it('names the releases there are', async () => {
    const error = await failure(fetchKernel('5.4'));
    expect(error).toBeInstanceOf(SetupError);
    expect(error.message).toMatch(/7\.0\.13/);
  });

  it('says that the mirror has nothing, and tries the neighbours only when asked', async () => {
    mkdirSync(join(dir, 'mirror'));
    chmodSync(dir, 0o755);
    vi.stubEnv('RINGFENCE_MIRROR', `file:${join(dir, 'mirror')}`);
    const lines: string[] = [];
    const error = await failure(fetchKernel('7.0.13', { log: (l) => lines.push(l) }));
    expect(error).toBeInstanceOf(FetchError);
    expect(error).toMatchObject({ kind: 'missing', exitCode: 2 });
    expect(lines.join('\n')).not.toMatch(/7\.0\.12/);
    await failure(fetchKernel('7.0.13', { fallback: true, log: (l) => lines.push(l) }));
    expect(lines.join('\n')).toMatch(/trying 7\.0\.12[^]*trying 7\.0\.4/);
  }, 60_000);

  it('does not use a damaged file in the cache', async () => {
    const pinned = findPinned('7.0.12')!;
    mkdirSync(join(dir, 'mirror'));
    chmodSync(dir, 0o755);
    vi.stubEnv('RINGFENCE_MIRROR', `file:${join(dir, 'mirror')}`);
    mkdirSync(join(pinnedPath(pinned), '..'), { recursive: true });
    writeFileSync(pinnedPath(pinned), 'not what it should be');
    const lines: string[] = [];
    await failure(fetchKernel('7.0.12', { log: (l) => lines.push(l) }));
    expect(lines[0]).toMatch(/damaged and is fetched again/);
  }, 60_000);

  it('says that the network is not there', async () => {
    vi.stubEnv('RINGFENCE_MIRROR', 'http://127.0.0.1:9/debian');
    const error = await failure(fetchKernel());
    expect(error).toMatchObject({ kind: 'network', exitCode: 2 });
    expect(error.advice).toMatch(/network/);
  }, 60_000);
});
