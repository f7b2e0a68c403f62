/** Writes the "newc" archive that the kernel unpacks as its initial file system. */

/** One entry. Directories need no data; devices name their numbers. */
export interface CpioEntry {
  /** Path without a leading slash. */
  readonly name: string;
  /** File type and permissions as in `st_mode`, such as 0o100755. */
  readonly mode: number;
  readonly data?: Uint8Array;
  readonly rdev?: { readonly major: number; readonly minor: number };
}

const TRAILER = 'TRAILER!!!';

/** The archive's bytes. The same entries always give the same bytes: owner 0, time 0. */
export function cpio(entries: readonly CpioEntry[]): Buffer {
  const parts: Buffer[] = [];
  let inode = 1;
  for (const entry of entries) parts.push(...member(entry, inode++));
  parts.push(...member({ name: TRAILER, mode: 0 }, 0));
  return Buffer.concat(parts);
}

function member(entry: CpioEntry, inode: number): Buffer[] {
  const data = Buffer.from(entry.data ?? []);
  const name = Buffer.from(`${entry.name}\0`);
  const directory = (entry.mode & 0o170000) === 0o040000;
  const fields = [
    inode,
    entry.mode,
    0,
    0,
    directory ? 2 : 1,
    0,
    data.length,
    0,
    0,
    entry.rdev?.major ?? 0,
    entry.rdev?.minor ?? 0,
    name.length,
    0,
  ];
  const header = `070701${fields.map((v) => v.toString(16).padStart(8, '0')).join('')}`;
  // Header with name, and data, each end on a multiple of four bytes.
  return [pad(Buffer.concat([Buffer.from(header), name])), pad(data)];
}

function pad(bytes: Buffer): Buffer {
  const rest = bytes.length % 4;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)]);
}
