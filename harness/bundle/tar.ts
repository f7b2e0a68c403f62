/** POSIX tar (ustar), as much as a bundle needs: regular files, names up to 100 bytes. Every tar can read what is written here. */

const BLOCK = 512;
/** Seconds since 1970 in every header: equal content gives equal bytes. */
const MTIME = 0;

/** A file in an archive. */
export interface TarFile {
  readonly path: string;
  readonly data: Uint8Array;
}

export class BadTar extends Error {}

function header(path: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  const name = Buffer.from(path);
  if (name.length > 100) throw new RangeError(`${path}: a name in a bundle has at most 100 bytes`);
  name.copy(block);
  const octal = (value: number, at: number, digits: number): void =>
    void block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1');
  octal(0o644, 100, 7);
  octal(0, 108, 7);
  octal(0, 116, 7);
  octal(size, 124, 11);
  octal(MTIME, 136, 11);
  block.write('        ', 148, 'latin1');
  block.write('0', 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** Sum of the header's bytes, its own field taken as blanks. */
function checksum(block: Uint8Array): number {
  return block.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 32 : byte), 0);
}

/** The archive, ending with two empty blocks. */
export function packTar(files: readonly TarFile[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const { path, data } of files)
    parts.push(header(path, data.length), data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK));
  parts.push(Buffer.alloc(2 * BLOCK));
  return Buffer.concat(parts);
}

/** Every file. @throws BadTar naming the place and what is wrong there */
export function unpackTar(archive: Buffer): TarFile[] {
  const files: TarFile[] = [];
  const seen = new Set<string>();
  let at = 0;
  for (;;) {
    if (at + BLOCK > archive.length) throw new BadTar(`it ends too early, at byte ${archive.length}`);
    const block = archive.subarray(at, at + BLOCK);
    if (block.every((byte) => byte === 0)) return files;
    const number = (from: number, length: number): number => {
      const text = block
        .toString('latin1', from, from + length)
        .replace(/[\0 ]+$/, '')
        .trim();
      return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : NaN;
    };
    if (number(148, 8) !== checksum(block)) throw new BadTar(`the header at byte ${at} is damaged`);
    const end = block.indexOf(0);
    const path = block.toString('utf8', 0, end < 0 || end > 100 ? 100 : end);
    const type = String.fromCharCode(block[156]!);
    const size = number(124, 12);
    // What a bundle never holds is not made sense of.
    if (type !== '0' && type !== '\0') throw new BadTar(`"${path}" is no regular file`);
    if (
      path === '' ||
      path.startsWith('/') ||
      path.split('/').some((part) => part === '..' || part === '.' || part === '')
    )
      throw new BadTar(`"${path}" is no name for a file in a bundle`);
    if (seen.has(path)) throw new BadTar(`"${path}" is there twice`);
    seen.add(path);
    at += BLOCK;
    if (!(size >= 0) || at + size > archive.length)
      throw new BadTar(`"${path}" ends too early, at byte ${archive.length}`);
    files.push({ path, data: archive.subarray(at, at + size) });
    at += Math.ceil(size / BLOCK) * BLOCK;
  }
}
