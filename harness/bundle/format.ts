/** What a bundle is: a tar archive under zstd with one manifest, which names every other file with its digest. */
import { createHash } from 'node:crypto';
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { asObject } from '../../oracle/schema/codec.ts';
import type { Plan, Shard } from '../../reports/data/result.ts';
import { SetupError } from '../../vm/index.ts';
import { BadTar, packTar, unpackTar } from './tar.ts';
import type { TarFile } from './tar.ts';

export const BUNDLE_VERSION = 1;
export const MANIFEST = 'manifest.json';
/** Unpacked bytes that are taken at most: a kernel with debug information, and then some. */
const MOST = 2_000_000_000;

export interface Manifest {
  readonly ringfence_bundle: typeof BUNDLE_VERSION;
  /** Command line of the run. */
  readonly command: string;
  readonly seed: number;
  readonly plan: Plan;
  readonly shard?: Shard;
  readonly ringfence: {
    readonly version: string;
    /** Over everything that decides which cases are drawn, what is predicted and how a guest runs them. */
    readonly source_sha256: string;
    /** Commit of the checkout, with "+" when it was changed; absent outside a checkout. */
    readonly commit?: string;
  };
  readonly kernel: {
    readonly release: string;
    readonly machine: string;
    readonly sha256: string;
    readonly append: string;
    /** Release to fetch; absent: the image is in the bundle. */
    readonly pinned?: string;
    /** Debian package that holds it. */
    readonly package?: string;
    /** File in the bundle; absent: a pinned kernel. */
    readonly file?: string;
    /** Where its configuration is from, or why there is none. */
    readonly config: string;
  };
  /** The guest's runner. */
  readonly image: { readonly sha256: string; readonly runner_sha256: string };
  /** Seconds a guest may take to boot or be silent. */
  readonly timeout: number;
  /** The kernel checks itself and needs more time and memory. */
  readonly slow: boolean;
  readonly strict: boolean;
  /** Expectation files, in order; absent: the built-in findings. */
  readonly expect?: readonly string[];
  /** Cases that were given, in order; absent: drawn from the seed. */
  readonly cases?: readonly string[];
  readonly files: readonly { readonly path: string; readonly size: number; readonly sha256: string }[];
}

export const sha = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex');

/** The bundle's bytes. `files` come without the manifest. */
export function packBundle(manifest: Omit<Manifest, 'files'>, files: readonly TarFile[]): Buffer {
  const listed = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const whole: Manifest = {
    ...manifest,
    files: listed.map(({ path, data }) => ({ path, size: data.length, sha256: sha(data) })),
  };
  const tar = packTar([{ path: MANIFEST, data: Buffer.from(`${JSON.stringify(whole, null, 2)}\n`) }, ...listed]);
  return zstdCompressSync(tar, {
    params: { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: 9 },
    pledgedSrcSize: tar.length,
  });
}

export interface Bundle {
  readonly manifest: Manifest;
  /** Content by path, the manifest left out. */
  readonly files: ReadonlyMap<string, Buffer>;
}

function damaged(file: string, why: string): SetupError {
  return new SetupError(
    `${file} is not a whole bundle: ${why}.`,
    'Copy it again from where it was made; nothing was run.',
  );
}

/** Unpacks and checks every digest. @throws SetupError naming what is damaged */
export function unpackBundle(bytes: Buffer, file: string): Bundle {
  if (bytes.length < 4 || bytes.readUInt32LE(0) !== 0xfd2fb528)
    throw damaged(file, bytes.length === 0 ? 'the file is empty' : 'it is not compressed with zstd');
  let tar: Buffer;
  try {
    tar = zstdDecompressSync(bytes, { maxOutputLength: MOST });
  } catch (error) {
    throw damaged(file, `it does not unpack (${(error as Error).message}): truncated or changed`);
  }
  let all: TarFile[];
  try {
    all = unpackTar(tar);
  } catch (error) {
    if (error instanceof BadTar) throw damaged(file, error.message);
    throw error;
  }
  const [first, ...rest] = all;
  if (first?.path !== MANIFEST) throw damaged(file, `${MANIFEST} is missing`);
  const manifest = readManifest(Buffer.from(first.data), file);
  const files = new Map(rest.map(({ path, data }) => [path, Buffer.from(data)]));
  for (const { path, size, sha256 } of manifest.files) {
    const data = files.get(path);
    if (data === undefined) throw damaged(file, `${path} is missing`);
    if (data.length !== size || sha(data) !== sha256)
      throw damaged(file, `${path} is not what the manifest says: SHA-256 ${sha(data)}, expected ${sha256}`);
  }
  const listed = new Set(manifest.files.map(({ path }) => path));
  for (const path of files.keys()) if (!listed.has(path)) throw damaged(file, `${path} is not in the manifest`);
  return { manifest, files };
}

function readManifest(data: Buffer, file: string): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(data.toString('utf8'));
  } catch (error) {
    throw damaged(file, `${MANIFEST} is not JSON (${(error as Error).message})`);
  }
  try {
    const { ringfence_bundle: version, files, seed, plan, kernel } = asObject(value, '') as Partial<Manifest>;
    if (version !== BUNDLE_VERSION)
      throw new Error(`it has version ${JSON.stringify(version)}, and this program reads ${BUNDLE_VERSION}`);
    asObject(plan, 'plan');
    asObject(kernel, 'kernel');
    if (!Array.isArray(files) || typeof seed !== 'number') throw new Error('files or seed are missing');
    for (const one of files) {
      const { path, size, sha256 } = asObject(one, 'files');
      if (typeof path !== 'string' || typeof size !== 'number' || typeof sha256 !== 'string')
        throw new Error('a file is not described as it should be');
    }
  } catch (error) {
    throw damaged(file, `${MANIFEST} is damaged: ${(error as Error).message}`);
  }
  return value as Manifest;
}
