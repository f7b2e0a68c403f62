/** What a bundle is: a tar archive under zstd with one manifest, which names every other file with its digest. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import type { Writable } from 'node:stream';
import { constants, createZstdCompress, createZstdDecompress } from 'node:zlib';
import { SetupError } from '../../vm/index.ts';
import { parseJson } from '../output/read.ts';
import { MANIFEST, readManifest } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { BadTar, packTar, unpackTar } from './tar.ts';
import type { Bytes, TarFile } from './tar.ts';

/** A file on its way into a bundle: its content, or where on disk that is. */
export type BundleFile = { readonly path: string } & ({ readonly data: Uint8Array } | { readonly from: string });

type Listed = Manifest['files'][number];

function contentOf(file: BundleFile): Bytes | readonly Uint8Array[] {
  return 'data' in file ? [file.data] : createReadStream(file.from, { highWaterMark: 1 << 20 });
}

/** Reads a content to its end. `take` gets every piece. */
async function digest(
  content: TarFile['content'],
  take: (chunk: Uint8Array) => unknown = () => undefined,
): Promise<Omit<Listed, 'path'>> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    size += chunk.length;
    await take(chunk);
  }
  return { size, sha256: hash.digest('hex') };
}

/** The content as it was listed. @throws SetupError when the file on disk has changed since */
async function* asListed(file: BundleFile, { path, sha256 }: Listed): Bytes {
  const hash = createHash('sha256');
  for await (const chunk of contentOf(file)) {
    hash.update(chunk);
    yield chunk;
  }
  if (hash.digest('hex') !== sha256)
    throw new SetupError(`${path} changed while it was put into the bundle.`, 'Run again when nothing else writes it.');
}

/** The bundle's bytes. `files` come without the manifest; those on disk are read twice, and never held. */
export async function packBundle(manifest: Omit<Manifest, 'files'>, files: readonly BundleFile[]): Promise<Bytes> {
  const sorted = [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const listed: Listed[] = [];
  for (const file of sorted) listed.push({ path: file.path, ...(await digest(contentOf(file))) });
  const head = Buffer.from(`${JSON.stringify({ ...manifest, files: listed }, null, 2)}\n`);
  const archive = packTar([
    { path: MANIFEST, size: head.length, content: [head] },
    ...sorted.map((file, i) => ({
      path: file.path,
      size: listed[i]!.size,
      content: asListed(file, listed[i]!),
    })),
  ]);
  const compress = createZstdCompress({
    params: { [constants.ZSTD_c_checksumFlag]: 1, [constants.ZSTD_c_compressionLevel]: 9 },
  });
  // Whoever reads gets the error, also one that came before.
  compress.on('error', () => undefined);
  feed(archive, compress).catch((error: Error) => compress.destroy(error));
  return compress;
}

/**
 * Writes it all, piece after piece. Node.js ends a frame with a piece that is still in its queue when the end is said,
 * and writes an empty one behind it: the end is said when nothing is in the queue.
 */
async function feed(source: Bytes, sink: Writable): Promise<void> {
  for await (const chunk of source) {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    sink.write(chunk, (error) => (error == null ? resolve() : reject(error)));
    await promise;
  }
  sink.end();
}

/** What was read of a bundle whose digests are right. */
export interface Bundle {
  readonly manifest: Manifest;
  /** Content by path: of the result, the cases, the expectations; of others only the digest was looked at. */
  readonly files: ReadonlyMap<string, Buffer>;
}

function damaged(file: string, why: string): SetupError {
  return new SetupError(
    `${file} is not a whole bundle: ${why}.`,
    'Copy it again from where it was made; nothing was run.',
  );
}

const ZSTD_MAGIC = 0xfd2fb528;

async function checkMagic(file: string): Promise<void> {
  const handle = await open(file);
  try {
    const { bytesRead, buffer } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead < 4 || buffer.readUInt32LE(0) !== ZSTD_MAGIC)
      throw damaged(file, bytesRead === 0 ? 'the file is empty' : 'it is not compressed with zstd');
  } finally {
    await handle.close();
  }
}

/** The files in a bundle. @throws SetupError naming what is damaged; the error of a file that cannot be read */
async function* entriesOf(file: string): AsyncGenerator<TarFile, void, undefined> {
  await checkMagic(file);
  const source = createReadStream(file, { highWaterMark: 1 << 20 });
  const unzipped = pipeline(source, createZstdDecompress(), () => undefined);
  yield* unpackTar(unzipped, (error) => {
    if (error instanceof BadTar) return damaged(file, error.message);
    if (!(error instanceof Error) || 'syscall' in error) return error;
    return damaged(file, `it does not unpack (${error.message}): truncated or changed`);
  });
  // What stands behind the end of the compressed stream is not looked at by it, and not counted.
  if (unzipped.bytesWritten !== source.bytesRead) throw damaged(file, 'something stands behind its end');
}

/** Bytes that a file may have whose content is held; a kernel's never is. */
const HELD = 1_000_000_000;

/** The content too. @throws SetupError for more than anything of its kind has */
async function readWhole(
  file: string,
  { path, size, content }: TarFile,
): Promise<Omit<Listed, 'path'> & { data: Buffer }> {
  if (size > HELD) throw damaged(file, `${path} is larger than anything of its kind`);
  const chunks: Uint8Array[] = [];
  const found = await digest(content, (chunk) => chunks.push(chunk));
  return { ...found, data: Buffer.concat(chunks) };
}

/**
 * Reads it once and checks every digest. @throws SetupError naming what is damaged; the error of a file that cannot be
 * read
 */
export async function unpackBundle(file: string): Promise<Bundle> {
  const entries = entriesOf(file);
  const first = await entries.next();
  if (first.done === true || first.value.path !== MANIFEST) throw damaged(file, `${MANIFEST} is missing`);
  const manifest = parseManifest((await readWhole(file, first.value)).data, file);
  const unseen = new Map(manifest.files.map((one) => [one.path, one]));
  const wanted = new Set(['result.json', 'cases.txt', ...(manifest.expect ?? []), ...(manifest.cases ?? [])]);
  const files = new Map<string, Buffer>();
  for await (const entry of entries) {
    const { path, content } = entry;
    const expected = unseen.get(path);
    if (expected === undefined) throw damaged(file, `${path} is not in the manifest`);
    unseen.delete(path);
    if (!wanted.has(path)) {
      checkDigest(file, expected, await digest(content));
      continue;
    }
    const { data, ...found } = await readWhole(file, entry);
    checkDigest(file, expected, found);
    files.set(path, data);
  }
  const [missing] = unseen.keys();
  if (missing !== undefined) throw damaged(file, `${missing} is missing`);
  return { manifest, files };
}

function checkDigest(file: string, { path, size, sha256 }: Listed, found: Omit<Listed, 'path'>): void {
  if (found.size !== size || found.sha256 !== sha256)
    throw damaged(file, `${path} is not what the manifest says: SHA-256 ${found.sha256}, expected ${sha256}`);
}

function parseManifest(data: Buffer, file: string): Manifest {
  const value = parseJson(data.toString('utf8'), (why) => damaged(file, `${MANIFEST}: ${why}`));
  return readManifest(value, (why) => damaged(file, `${MANIFEST} is damaged: ${why}`));
}

/**
 * Gives one file of a bundle to `take`, piece by piece. @throws SetupError when it is not there or not what the
 * manifest says
 */
export async function extractFile(
  file: string,
  { files }: Manifest,
  wanted: string,
  take: (chunk: Uint8Array) => unknown,
): Promise<void> {
  for await (const { path, content } of entriesOf(file)) {
    if (path !== wanted) {
      await digest(content);
      continue;
    }
    checkDigest(file, files.find((one) => one.path === path)!, await digest(content, take));
    return;
  }
  throw damaged(file, `${wanted} is missing`);
}
