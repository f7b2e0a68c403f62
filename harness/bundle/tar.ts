/**
 * The tar archive in a bundle, written and read as a stream; every tar can read what is written here.
 *
 * The library is modern-tar: no dependencies, MIT, streams both ways, and its strict reading refuses what is truncated,
 * has wrong checksums, sizes that are no numbers, or anything but zeros behind its end. (tar brings five packages and
 * lets an archive without an end pass; tar-stream brings twelve.) What a name and an entry may be is decided here.
 */
import { createTarDecoder, createTarPacker } from 'modern-tar';

/** Bytes, a piece at a time. */
export type Bytes = AsyncIterable<Uint8Array>;

/** A file in an archive. */
export interface TarFile {
  readonly path: string;
  /** Bytes that `content` gives. */
  readonly size: number;
  readonly content: Bytes | Iterable<Uint8Array>;
}

/** What is wrong with an archive, as the end of a sentence about it. */
export class BadTar extends Error {}

/** Equal content gives equal bytes: nothing of the machine or the day is in a header. */
const HEADER = { mtime: new Date(0), mode: 0o644, uid: 0, gid: 0, type: 'file' } as const;

/** The archive. @throws what reading a content throws, or an Error when its size is another one than was said */
export function packTar(files: Iterable<TarFile>): Bytes {
  const { readable, controller } = createTarPacker();
  const write = async (): Promise<void> => {
    for (const { path, size, content } of files) {
      const writer = controller.add({ ...HEADER, name: path, size }).getWriter();
      for await (const chunk of content) await writer.write(chunk);
      await writer.close();
    }
    controller.finalize();
  };
  write().catch((error: unknown) => controller.error(error));
  return readable;
}

/** Bytes that an archive may have in all, headers included: a kernel with debug information, and then some. */
const MOST = 2_000_000_000;

/**
 * Every file, one after the other; the content of one must be read before the next comes.
 * @param told makes of an error, a BadTar or one of reading the archive, the one to throw; also while content is read
 * @throws BadTar for what is no whole archive, or holds what a bundle never does; what reading the archive throws
 */
export async function* unpackTar(
  archive: Bytes,
  told: (error: unknown) => unknown = (error) => error,
): AsyncGenerator<TarFile, void, undefined> {
  const seen = new Set<string>();
  let at = 'before its first file';
  const watched = async function* <T>(source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
    try {
      yield* source;
    } catch (error) {
      throw told(complaint(error, at));
    }
  };
  const entries = ReadableStream.from(limited(archive)).pipeThrough(createTarDecoder({ strict: true }));
  for await (const { header, body } of watched(entries)) {
    const { name: path, size, type } = header;
    const fault = entryFault(path, type) ?? (seen.has(path) ? `${shown(path)} is there twice` : undefined);
    if (fault !== undefined) throw told(new BadTar(fault));
    if (size > MOST) throw told(tooLarge());
    seen.add(path);
    at = `in or behind ${shown(path)}`;
    yield { path, size, content: watched(body) };
  }
}

/** Names come from a file and go to a terminal. */
const shown = (path: string): string => JSON.stringify(path.length > 100 ? `${path.slice(0, 100)}...` : path);

const tooLarge = (): BadTar => new BadTar(`it unpacks to more than ${MOST / 1e9} GB`);

function entryFault(path: string, type: string | undefined): string | undefined {
  if (type !== 'file') return `${shown(path)} is no regular file`;
  const parts = path.split('/');
  const bad = parts.some((part) => part === '' || part === '.' || part === '..') || path.includes('\0');
  return bad ? `${shown(path)} is no name for a file in a bundle` : undefined;
}

async function* limited(archive: Bytes): Bytes {
  let total = 0;
  for await (const chunk of archive) {
    total += chunk.length;
    if (total > MOST) throw tooLarge();
    yield chunk;
  }
}

/** The library's errors have no class and no code: they are told by not being those of Node.js or ours. */
function complaint(error: unknown, at: string): unknown {
  if (!(error instanceof Error) || error instanceof BadTar || 'code' in error) return error;
  if (/truncated/i.test(error.message)) return new BadTar(`it ends too early, ${at}`);
  return new BadTar(`its archive is damaged ${at}: ${error.message.replace(/\.$/, '')}`);
}
