/** The configuration a kernel was built with, from wherever it can be had. */
import { createReadStream, existsSync, readFileSync, realpathSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { treeCache } from '../../vm/build/index.ts';
import { sha256, writeAtomic } from '../../vm/host/cache.ts';
import type { Kernel } from '../../vm/index.ts';
import { FetchError, withDeb } from '../../vm/kernels/apt.ts';
import { pinnedPath } from '../../vm/kernels/fetch.ts';
import { findPinned } from '../../vm/kernels/pinned.ts';
import { run } from '../../vm/host/processes.ts';

/** The configuration, or why there is none. `source`: where it was found. */
export type KernelConfig =
  | { readonly text: string; readonly source: string }
  | { readonly text?: undefined; readonly source: string };

const BEGIN = 'IKCFG_ST';
const END = 'IKCFG_ED';
/** Bytes that a compressed configuration has at most; a hundred times a large one. */
const LARGEST = 16 << 20;

/** CONFIG_IKCONFIG: a gzip stream between two marks in the image, which is read piece by piece. */
export async function embeddedConfig(image: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<string | undefined> {
  let held = Buffer.alloc(0);
  let begun = false;
  for await (const chunk of image) {
    held = Buffer.concat([held, chunk]);
    if (!begun) {
      const begin = held.indexOf(BEGIN, 0, 'latin1');
      // A mark may lie across two pieces.
      held = held.subarray(begin < 0 ? Math.max(0, held.length - BEGIN.length + 1) : begin + BEGIN.length);
      begun = begin >= 0;
    }
    const end = begun ? held.indexOf(END, 0, 'latin1') : -1;
    if (end >= 0) return unzipped(held.subarray(0, end));
    if (held.length > LARGEST) return undefined;
  }
  return undefined;
}

function unzipped(bytes: Buffer): string | undefined {
  try {
    return gunzipSync(bytes).toString('utf8');
  } catch {
    return undefined;
  }
}

/** Never throws: a bundle without a configuration says so. */
export async function kernelConfig(kernel: Kernel, log: (line: string) => void): Promise<KernelConfig> {
  const tried: string[] = [];
  try {
    const text = await embeddedConfig(createReadStream(kernel.path, { highWaterMark: 1 << 20 }));
    if (text !== undefined) return { text, source: 'the kernel image (CONFIG_IKCONFIG)' };
    tried.push('the image holds none (no CONFIG_IKCONFIG)');
    const pinned = kernel.source === 'pinned' ? findPinned(kernel.release) : undefined;
    if (pinned !== undefined) {
      const cached = join(dirname(pinnedPath(pinned)), 'config');
      const name = `linux-base-${pinned.uname}`;
      if (existsSync(cached))
        return { text: readFileSync(cached, 'utf8'), source: `Debian's package ${name} ${pinned.version}` };
      const found = await withDeb({ ...pinned, package: name }, log, configOf).catch((error: unknown) => {
        const why =
          error instanceof FetchError
            ? {
                missing: 'the mirror no longer has it',
                network: 'no mirror can be reached',
                signature: 'its signature is wrong',
                other: 'apt failed',
              }[error.kind]
            : String(error).split('\n')[0];
        tried.push(`Debian's package ${name} ${pinned.version} could not be had (${why})`);
        return undefined;
      });
      if (found !== undefined) {
        await writeAtomic(cached, found);
        return { text: found, source: `Debian's package ${name} ${pinned.version}` };
      }
    } else {
      const beside = besideKernel(kernel);
      if (beside !== undefined) return { text: beside, source: '.config of the build' };
      tried.push('there is no .config beside the kernel file');
    }
  } catch (error) {
    tried.push((error as Error).message.split('\n')[0]!);
  }
  return { source: `not available: ${tried.join('; ')}` };
}

async function configOf(deb: string): Promise<string | undefined> {
  const dir = await mkdtemp(join(tmpdir(), 'ringfence-config-'));
  try {
    if (!(await run(['dpkg-deb', '-x', deb, dir])).ok) return undefined;
    const name = (await readdir(dir, { recursive: true })).find((path) =>
      /^(boot\/config-|usr\/lib\/modules\/[^/]+\/config$)/.test(path),
    );
    return name === undefined ? undefined : await readFile(join(dir, name), 'utf8');
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The .config of the tree that the file was built in: its own directory, or up to three above (arch/x86/boot). */
function besideKernel({ path, requested, origin }: Kernel): string | undefined {
  const built =
    origin?.built === true ? [join(treeCache(realpathSync(origin.tree)), origin.debug ? 'build-debug' : 'build')] : [];
  for (const start of [...built, dirname(path), dirname(requested), requested]) {
    let dir = start;
    for (let up = 0; up < 4; up++, dir = dirname(dir)) {
      const file = join(dir, '.config');
      if (!existsSync(file)) continue;
      const text = readFileSync(file, 'utf8');
      if (/^CONFIG_/m.test(text) && (origin?.config_sha256 === undefined || origin.config_sha256 === sha256(text)))
        return text;
    }
  }
  return undefined;
}
