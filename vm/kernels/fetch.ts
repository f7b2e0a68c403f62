/** Kernels to test: a pinned one out of the cache or Debian's archive, or a file of the user's. */
import { existsSync } from 'node:fs';
import { mkdtemp, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { cacheDir, sha256, sha256File, writeAtomic } from '../host/cache.ts';
import { KernelError, SetupError, temporarySpace } from '../host/errors.ts';
import type { Machine } from '../machine/index.ts';
import { OWN_MACHINE } from '../machine/index.ts';
import { run } from '../host/processes.ts';
import { which } from '../host/tools.ts';
import type { Kernel } from './kernel.ts';
import { FetchError, withDeb } from './apt.ts';
import type { PinnedKernel } from './pinned.ts';
import { DEFAULT_RELEASE, findPinned, neighbours, pinnedFor } from './pinned.ts';
import {
  bzImageRelease,
  hasPvhEntry,
  kernelFormat,
  plainRelease,
  unpackBzImage,
  UnsupportedCompression,
} from './unpack.ts';

/** How to fetch. */
export interface FetchOptions {
  /** Progress, one line at a time. */
  readonly log?: (line: string) => void;
  /** Take the nearest pinned release of the series when the mirror no longer has the one asked for. Default false. */
  readonly fallback?: boolean;
  /** Default: this host's own. */
  readonly machine?: Machine;
}

/** The file in the cache that holds what is booted of a pinned kernel. */
export function pinnedPath(kernel: PinnedKernel): string {
  return join(cacheDir(), 'kernels', kernel.machine.debArch, kernel.uname, 'vmlinux');
}

/**
 * A pinned kernel, from the cache when its checksum is right, otherwise fetched.
 * @throws SetupError unknown release, no network, no space, no apt
 * @throws FetchError (kind `missing`) when the mirror has it no longer
 */
export async function fetchKernel(release: string = DEFAULT_RELEASE, options: FetchOptions = {}): Promise<Kernel> {
  const log = options.log ?? (() => {});
  const { machine = OWN_MACHINE } = options;
  const wanted = findPinned(release, machine);
  if (!wanted) {
    throw new SetupError(
      `There is no pinned kernel ${release} for ${machine.arch}.`,
      `Choose one of ${pinnedFor(machine)
        .map((k) => k.release)
        .join(', ')}, or give a file with --kernel PATH.`,
    );
  }
  try {
    return kernelOf(wanted, await ensure(wanted, log), release);
  } catch (error) {
    if (!options.fallback || !(error instanceof FetchError) || error.kind !== 'missing') throw error;
    for (const other of neighbours(wanted.release, wanted.machine)) {
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
  const format = pinned.machine.kernel.boots === 'payload' ? 'elf' : 'image';
  const { machine, uname: release, vmlinux: hash } = pinned;
  return { release, machine, path, sha256: hash, format, source: 'pinned', requested };
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
  const elf = await withDeb(kernel, log, async (deb) => {
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
    'The mirror serves something else. Set RINGFENCE_MIRROR to another Debian mirror, ' +
      'or give a kernel of your own with --kernel PATH.',
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
    const bytes = await readFile(join(dir, image));
    return kernel.machine.kernel.boots === 'payload' ? unpackBzImage(bytes, image) : bytes;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * A kernel from a file: an ELF `vmlinux`, or the image that a build makes of it.
 * @throws KernelError with exit code 2 when it is missing, not readable, damaged or not a kernel of that machine
 */
export async function kernelFromFile(
  file: string,
  { log, machine = OWN_MACHINE }: Pick<FetchOptions, 'log' | 'machine'> = {},
): Promise<Kernel> {
  const path = resolve(file);
  const bytes = await readKernel(path);
  const format = kernelFormat(bytes);
  if (format?.machine !== machine) throw notOne(path, machine, format?.machine);
  if (machine.kernel.boots === 'file') {
    if (format.form === 'elf') throw notOne(path, machine, undefined);
    return await asIs(file, bytes, machine, 'image');
  }
  if (format.form === 'image') return await fromBzImage(file, bytes, machine, log);
  if (hasPvhEntry(bytes)) return await asIs(file, bytes, machine, 'elf');
  throw new KernelError(
    `${path} is an ELF image without a PVH entry (CONFIG_PVH), and QEMU cannot start it.`,
    'Give the bzImage of the same build instead, or build with CONFIG_PVH=y.',
    2,
  );
}

function notOne(path: string, machine: Machine, other: Machine | undefined): KernelError {
  if (other !== undefined)
    return new KernelError(
      `${path} is a kernel for ${other.arch}, not for ${machine.arch}.`,
      `Test it with --arch ${other.arch}.`,
      2,
    );
  return new KernelError(
    `${path} is not a kernel of ${machine.arch} that QEMU can start.`,
    `Give ${machine.kernel.files} out of a kernel build, or a vmlinuz file of a distribution.`,
    2,
  );
}

/** The file as it is. */
async function asIs(
  file: string,
  bytes: Buffer,
  machine: Machine,
  format: Kernel['format'],
  more: { readonly release?: string | undefined; readonly note?: string } = {},
): Promise<Kernel> {
  const release = more.release ?? plainRelease(bytes) ?? 'unknown';
  const path = await readable(resolve(file), bytes);
  const note = more.note === undefined ? {} : { note: more.note };
  return { release, machine, path, sha256: sha256(bytes), format, source: 'file', requested: file, ...note };
}

/** The ELF image in a bzImage boots in half the time; the bzImage itself where it cannot be had. */
async function fromBzImage(file: string, bytes: Buffer, machine: Machine, log: FetchOptions['log']): Promise<Kernel> {
  const path = resolve(file);
  const release = bzImageRelease(bytes);
  const slow = async (why: string): Promise<Kernel> =>
    await asIs(file, bytes, machine, 'image', {
      release,
      note: `${why}; the bzImage itself is booted, which takes longer.`,
    });
  try {
    const elf = unpackBzImage(bytes, path);
    if (!hasPvhEntry(elf)) return await slow('the kernel has no PVH entry (CONFIG_PVH)');
    const hash = sha256(elf);
    const cached = join(cacheDir(), 'kernels', 'files', `${hash.slice(0, 32)}.vmlinux`);
    if (!existsSync(cached) || (await sha256File(cached)) !== hash) {
      log?.(`unpacking ${path}`);
      await writeAtomic(cached, elf);
    }
    const known = release ?? plainRelease(elf) ?? 'unknown';
    return {
      release: known,
      machine,
      path: cached,
      sha256: hash,
      format: 'elf',
      source: 'file',
      requested: file,
    };
  } catch (error) {
    if (error instanceof UnsupportedCompression) return await slow(error.message);
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
      if (kernelFormat(head.subarray(0, bytesRead)) === undefined) return head.subarray(0, bytesRead);
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
