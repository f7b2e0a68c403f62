/** Kernels to test: a pinned one out of the cache or Debian's archive, or a file of the user's. */
import { existsSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cacheDir, sha256, sha256File, writeAtomic } from '../host/cache.ts';
import { KernelError, SetupError, temporarySpace } from '../host/errors.ts';
import { OWN_MACHINE } from '../machine/index.ts';
import { run } from '../host/processes.ts';
import { which } from '../host/tools.ts';
import type { Kernel } from './kernel.ts';
import { FetchError, withDeb } from './apt.ts';
import type { PinnedKernel } from './pinned.ts';
import { DEFAULT_RELEASE, findPinned, neighbours, PINNED } from './pinned.ts';
import {
  bzImageRelease,
  elfRelease,
  hasPvhEntry,
  kernelFormat,
  unpackBzImage,
  UnsupportedCompression,
} from './unpack.ts';

/** How to fetch. */
export interface FetchOptions {
  /** Progress, one line at a time. */
  readonly log?: (line: string) => void;
  /** Take the nearest pinned release of the same series when the mirror no longer has the one asked for. Default false. */
  readonly fallback?: boolean;
}

/** The file in the cache that holds a pinned kernel's ELF image. */
export function pinnedPath(kernel: PinnedKernel): string {
  return join(cacheDir(), 'kernels', OWN_MACHINE.debArch, kernel.uname, 'vmlinux');
}

/**
 * A pinned kernel, from the cache when its checksum is right, otherwise fetched.
 * @throws SetupError unknown release, no network, no space, no apt; FetchError (kind `missing`) when the mirror has it no longer
 */
export async function fetchKernel(release: string = DEFAULT_RELEASE, options: FetchOptions = {}): Promise<Kernel> {
  const log = options.log ?? (() => {});
  const wanted = findPinned(release);
  if (!wanted) {
    throw new SetupError(
      `There is no pinned kernel ${release}.`,
      `Choose one of ${PINNED.map((k) => k.release).join(', ')}, or give a file with --kernel PATH.`,
    );
  }
  try {
    return kernelOf(wanted, await ensure(wanted, log), release);
  } catch (error) {
    if (!options.fallback || !(error instanceof FetchError) || error.kind !== 'missing') throw error;
    for (const other of neighbours(wanted.release)) {
      log(`Linux ${wanted.release} is not at the mirror any more; trying ${other.release}`);
      try {
        const note = `Linux ${wanted.release} could not be fetched; ${other.release} is used instead.`;
        return { ...kernelOf(other, await ensure(other, log), release), note };
      } catch (next) {
        if (!(next instanceof FetchError) || next.kind !== 'missing') throw next;
      }
    }
    throw error;
  }
}

function kernelOf(pinned: PinnedKernel, path: string, requested: string): Kernel {
  return { release: pinned.uname, path, sha256: pinned.vmlinux, format: 'elf', source: 'pinned', requested };
}

async function ensure(kernel: PinnedKernel, log: (line: string) => void): Promise<string> {
  const path = pinnedPath(kernel);
  if (existsSync(path)) {
    if ((await sha256File(path)) === kernel.vmlinux) return path;
    log(`${path} is damaged and is fetched again`);
  }
  if (!which('dpkg-deb'))
    throw new SetupError(
      'dpkg-deb is missing: it unpacks the kernel package.',
      'Install it: apt-get install dpkg, or give a kernel of your own with --kernel PATH.',
    );
  const elf = await withDeb(kernel, OWN_MACHINE.debArch, log, async (deb) => {
    const bytes = await readFile(deb);
    if (sha256(bytes) !== kernel.deb) throw wrongHash(kernel, 'package', kernel.deb, sha256(bytes));
    return unpackDeb(deb, kernel);
  });
  if (sha256(elf) !== kernel.vmlinux) throw wrongHash(kernel, 'unpacked image', kernel.vmlinux, sha256(elf));
  await writeAtomic(path, elf);
  log(`Linux ${kernel.uname} is in ${path}`);
  return path;
}

function wrongHash(kernel: PinnedKernel, what: string, want: string, got: string): SetupError {
  return new SetupError(
    `The ${what} of Linux ${kernel.release} is not the pinned one: SHA-256 ${got}, expected ${want}.`,
    'The mirror serves something else. Set RINGFENCE_MIRROR to another Debian mirror, or give a kernel of your own with --kernel PATH.',
  );
}

async function unpackDeb(deb: string, kernel: PinnedKernel): Promise<Buffer> {
  const dir = await mkdtemp(join(tmpdir(), 'ringfence-deb-'));
  try {
    const result = await run(['dpkg-deb', '-x', deb, dir]);
    if (!result.ok) {
      if (/No space left/i.test(result.stderr)) throw temporarySpace(tmpdir());
      throw new SetupError(
        `dpkg-deb could not unpack ${kernel.package}: ${result.stderr.trim()}`,
        'Free disk space in the temporary directory (TMPDIR) and try again.',
      );
    }
    // The image moved from /boot to /usr/lib/modules in 7.2.
    const image = (await readdir(dir, { recursive: true })).find((name) => /(?:^|\/)vmlinuz(?:-[^/]*)?$/.test(name));
    if (!image)
      throw new SetupError(
        `${kernel.package} holds no kernel image.`,
        'This is a mistake in the pinned list; choose another release.',
      );
    return unpackBzImage(await readFile(join(dir, image)), image);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * A kernel from a file: a bzImage or an ELF `vmlinux`.
 * @throws KernelError with exit code 2 when it is missing, not readable, damaged or not an x86-64 kernel
 */
export async function kernelFromFile(file: string, options: Pick<FetchOptions, 'log'> = {}): Promise<Kernel> {
  const path = resolve(file);
  const bytes = await readKernel(path);
  const format = kernelFormat(bytes);
  if (format === 'unknown') {
    throw new KernelError(
      `${path} is not a kernel: it is neither an x86 bzImage nor an x86-64 ELF vmlinux.`,
      'Give arch/x86/boot/bzImage or vmlinux out of a kernel build, or a vmlinuz file.',
      2,
    );
  }
  const base = { source: 'file', requested: file } as const;
  const asIs = async (release: string | undefined, kind: 'elf' | 'bzImage', note?: string): Promise<Kernel> => ({
    ...base,
    release: release ?? 'unknown',
    format: kind,
    sha256: sha256(bytes),
    path: await readable(path, bytes),
    ...(note === undefined ? {} : { note }),
  });
  if (format === 'elf') {
    if (!hasPvhEntry(bytes)) {
      throw new KernelError(
        `${path} is an ELF image without a PVH entry (CONFIG_PVH), and QEMU cannot start it.`,
        'Give the bzImage of the same build instead, or build with CONFIG_PVH=y.',
        2,
      );
    }
    return asIs(elfRelease(bytes), 'elf');
  }
  const release = bzImageRelease(bytes);
  const slow = (why: string): string => `${why}; the bzImage itself is booted, which takes longer.`;
  try {
    const elf = unpackBzImage(bytes, path);
    if (!hasPvhEntry(elf)) return await asIs(release, 'bzImage', slow('the kernel has no PVH entry (CONFIG_PVH)'));
    const hash = sha256(elf);
    const cached = join(cacheDir(), 'kernels', 'files', `${hash.slice(0, 32)}.vmlinux`);
    if (!existsSync(cached) || (await sha256File(cached)) !== hash) {
      options.log?.(`unpacking ${path}`);
      await writeAtomic(cached, elf);
    }
    return { ...base, release: release ?? elfRelease(elf) ?? 'unknown', format: 'elf', sha256: hash, path: cached };
  } catch (error) {
    if (error instanceof UnsupportedCompression) return asIs(release, 'bzImage', slow(error.message));
    throw error;
  }
}

async function readKernel(path: string): Promise<Buffer> {
  try {
    const info = await stat(path);
    if (!info.isFile())
      throw new KernelError(
        `${path} is not a kernel: it is not a file.`,
        'Give the path of a bzImage or a vmlinux.',
        2,
      );
    // Look at the start first: the user may have given a disk image of many gigabytes.
    const file = await open(path);
    try {
      const head = Buffer.alloc(0x400);
      const { bytesRead } = await file.read(head, 0, head.length, 0);
      if (kernelFormat(head.subarray(0, bytesRead)) === 'unknown') return head.subarray(0, bytesRead);
      return await readFile(path);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof KernelError) throw error;
    throw new KernelError(
      `The kernel file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'Check the path and its permissions.',
      2,
      { cause: error },
    );
  }
}

/** QEMU runs as another user than root: a file that not everybody can read is copied into the cache. */
async function readable(path: string, bytes: Buffer): Promise<string> {
  if (process.getuid?.() !== 0 || ((await stat(path)).mode & 0o004) !== 0) return path;
  const copy = join(cacheDir(), 'kernels', 'files', `${sha256(bytes).slice(0, 32)}.image`);
  if (!existsSync(copy)) await writeAtomic(copy, bytes);
  return copy;
}
