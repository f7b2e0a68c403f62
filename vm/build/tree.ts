/** A Linux source tree or a directory that one was built in: what is there, and which kernel to boot. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { KernelError, SetupError } from '../host/errors.ts';
import { OWN_MACHINE } from '../machine/index.ts';
import { hasPvhEntry, kernelFormat } from '../kernels/unpack.ts';
import { isSlow, missingOptions, parseConfig } from './fragment.ts';

const OTHER_TREE = 'Give the top directory of a Linux source tree, or the output directory of a build.';

/** Whether a directory is the top of a Linux source tree. */
function isSourceTree(dir: string): boolean {
  return ['Kbuild', 'Kconfig', 'Makefile', 'kernel', 'init'].every((name) => existsSync(join(dir, name)));
}

/** Whether a directory is the output directory of a build (`make O=`). */
export function isOutputDirectory(dir: string): boolean {
  return existsSync(join(dir, '.config')) && !isSourceTree(dir);
}

/**
 * The source tree in a directory, absolute.
 * @throws SetupError when it is none; KernelError (125) when the tree cannot have the feature under test
 */
export function sourceTree(dir: string): string {
  const path = directory(dir);
  if (!isSourceTree(path)) {
    const source = join(path, 'source');
    if (isOutputDirectory(path) && isSourceTree(source))
      throw new SetupError(
        `${dir} is an output directory, not a source tree.`,
        'Leave --build and --patch away to test what is in it, or give the source tree with --linux.',
      );
    throw new SetupError(
      `${dir} is not a Linux source tree: Makefile, Kconfig, kernel/ and init/ are not all there.`,
      OTHER_TREE,
    );
  }
  if (!existsSync(join(path, 'io_uring')))
    throw new KernelError(
      `${dir} is a Linux tree without io_uring/${versionOf(path)}.`,
      'The filters under test came with Linux 7.0: check out a newer commit.',
      125,
    );
  if (!existsSync(join(path, 'io_uring/bpf_filter.c')))
    throw new KernelError(
      `${dir} has no io_uring/bpf_filter.c${versionOf(path)}: this kernel has no filters to test.`,
      'They came with Linux 7.0: check out a newer commit.',
      125,
    );
  return path;
}

function directory(dir: string): string {
  const path = resolve(dir);
  const info = statSync(path, { throwIfNoEntry: false });
  if (!info) throw new SetupError(`${dir} does not exist.`, OTHER_TREE);
  if (!info.isDirectory())
    throw new SetupError(`${dir} is not a directory.`, 'A kernel file is given with --kernel; --linux takes a tree.');
  return path;
}

/** Such as ` (Linux 6.1.0)`; empty when the Makefile does not say. */
function versionOf(tree: string): string {
  const version = treeVersion(tree);
  return version === undefined ? '' : ` (Linux ${version})`;
}

/** What the tree's Makefile calls itself, such as `7.3.4` or `7.4.0-rc1`; undefined when it does not say. */
export function treeVersion(tree: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(join(tree, 'Makefile'), 'utf8');
  } catch {
    return undefined;
  }
  const value = (name: string): string | undefined => new RegExp(`^${name}\\s*=[ \\t]*(\\S*)`, 'm').exec(text)?.[1];
  const [major, minor, patch] = ['VERSION', 'PATCHLEVEL', 'SUBLEVEL'].map(value);
  if (!major || !minor) return undefined;
  return `${major}.${minor}.${patch || '0'}${value('EXTRAVERSION') ?? ''}`;
}

/** A kernel found in a tree. */
export interface BuiltKernel {
  /** vmlinux or bzImage. */
  readonly path: string;
  /** Text of the .config beside it, when there is one. */
  readonly config?: string;
  /** True when its configuration makes it slow. */
  readonly slow: boolean;
  readonly note?: string;
}

/**
 * The newest kernel that this guest can boot: in the tree itself, or in an output directory right below it.
 * @throws SetupError when the directory is no tree, or nothing was built in it;
 * @throws KernelError (125) when what was built lacks something that the guest needs
 */
export async function findBuilt(dir: string): Promise<BuiltKernel> {
  const top = directory(dir);
  if (!isSourceTree(top) && !existsSync(join(top, '.config')) && (await kernelIn(top)) === undefined) {
    throw new SetupError(`${dir} is neither a Linux source tree nor a directory that one was built in.`, OTHER_TREE);
  }
  const below = readdirSync(top, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && isOutputDirectory(join(top, entry.name)))
    .map((entry) => join(top, entry.name));
  const found: { dir: string; path: string; mtime: number; note?: string }[] = [];
  const others: string[] = [];
  for (const each of [top, ...below]) {
    const kernel = await kernelIn(each, others);
    if (kernel) found.push({ dir: each, ...kernel });
  }
  const best = found.sort((a, b) => b.mtime - a.mtime)[0];
  if (!best) {
    if (others.length > 0)
      throw new KernelError(
        `${dir} holds no kernel for a guest of ${OWN_MACHINE.arch}: ${others.join(', ')} cannot be booted in one.`,
        `Build it for ${OWN_MACHINE.arch}, or let ringfence build it with --build.`,
        125,
      );
    throw new SetupError(
      `Nothing was built in ${dir}: there is no ${OWN_MACHINE.kernel.files}.`,
      'Add --build to have it built (your tree stays as it is), or give the output directory of your own build.',
    );
  }
  const text = await readFile(join(best.dir, '.config'), 'utf8').catch(() => undefined);
  if (text === undefined)
    return { path: best.path, slow: false, ...(best.note === undefined ? {} : { note: best.note }) };
  const config = parseConfig(text);
  const missing = missingOptions(config);
  if (missing.length > 0)
    throw new KernelError(
      `${best.path} cannot be tested: its configuration lacks what the guest needs built in: ${missing.join(', ')}.`,
      'Build with --build, or merge the output of `npx ringfence kconfig` into your configuration.',
      125,
    );
  return {
    path: best.path,
    config: text,
    slow: isSlow(config),
    ...(best.note === undefined ? {} : { note: best.note }),
  };
}

/** What to boot out of one build; `others` gets the names of kernels for other machines. */
async function kernelIn(
  dir: string,
  others: string[] = [],
): Promise<{ path: string; mtime: number; note?: string } | undefined> {
  const vmlinux = join(dir, 'vmlinux');
  const elf = mtimeOf(vmlinux);
  let images: { path: string; mtime: number }[] = [];
  for (const arch of list(join(dir, 'arch'))) {
    for (const name of ['bzImage', 'Image', 'Image.gz', 'vmlinuz']) {
      const path = join(dir, 'arch', arch, 'boot', name);
      const mtime = mtimeOf(path);
      if (mtime !== undefined) images.push({ path, mtime });
    }
  }
  const ours = await Promise.all(images.map(({ path }) => isKernel(path)));
  others.push(...images.filter((_, i) => !ours[i]).map(({ path }) => path));
  images = images.filter((_, i) => ours[i]).sort((a, b) => b.mtime - a.mtime);
  const image = images[0];
  if (elf === undefined) return image;
  if (!(await isKernel(vmlinux))) {
    others.push(vmlinux);
    return image;
  }
  // Both of one build: the ELF image boots faster. A bzImage that is newer was made from it.
  if (hasPvhEntry(await readFile(vmlinux))) return { path: vmlinux, mtime: Math.max(elf, image?.mtime ?? 0) };
  if (!image) return { path: vmlinux, mtime: elf };
  return {
    ...image,
    ...(image.mtime < elf
      ? { note: `${image.path} is older than vmlinux, which QEMU cannot start (no CONFIG_PVH): build bzImage again.` }
      : {}),
  };
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function mtimeOf(path: string): number | undefined {
  const info = statSync(path, { throwIfNoEntry: false });
  return info?.isFile() ? info.mtimeMs : undefined;
}

/** Whether a file is a kernel of our machine. */
async function isKernel(path: string): Promise<boolean> {
  const file = await open(path).catch(() => undefined);
  if (!file) return false;
  try {
    const head = Buffer.alloc(0x400);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    return kernelFormat(head.subarray(0, bytesRead))?.machine === OWN_MACHINE;
  } finally {
    await file.close();
  }
}
