/** From a kernel file to the ELF image that QEMU enters directly. */
import { gunzipSync, zstdDecompressSync } from 'node:zlib';
import { KernelError } from '../host/errors.ts';
import type { Machine } from '../machine/index.ts';
import { MACHINES } from '../machine/index.ts';

/** What a file's first bytes say it is: a vmlinux, or the image that is booted. */
export interface KernelFormat {
  readonly machine: Machine;
  readonly form: 'elf' | 'image';
}

const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');
/** Boot protocol of x86: payload_offset and payload_length exist from 2.08 on. */
const MIN_PROTOCOL = 0x0208;
/** An image has a header of at least so many bytes. */
const HEADER = 0x250;

/** Recognises a 64-bit ELF executable or an image of one of the machines; undefined for anything else. */
export function kernelFormat(bytes: Buffer): KernelFormat | undefined {
  if (bytes.length >= 64 && bytes.subarray(0, 4).equals(ELF_MAGIC)) {
    const type = elfType(bytes);
    const machine = MACHINES.find(({ kernel }) => kernel.elfMachine === type);
    return machine === undefined ? undefined : { machine, form: 'elf' };
  }
  if (bytes.length < HEADER) return undefined;
  const machine = MACHINES.find(
    ({ kernel: { magic } }) => bytes.toString('latin1', magic.at, magic.at + magic.text.length) === magic.text,
  );
  return machine === undefined ? undefined : { machine, form: 'image' };
}

/** `e_machine` of a 64-bit little-endian ELF executable with segments. */
function elfType(bytes: Buffer): number | undefined {
  const class64 = bytes[4] === 2 && bytes[5] === 1;
  const type = bytes.readUInt16LE(16);
  // ET_EXEC; a relocatable kernel may be ET_DYN.
  return class64 && (type === 2 || type === 3) && bytes.readUInt16LE(56) > 0 ? bytes.readUInt16LE(18) : undefined;
}

/** `uname -r` of a bzImage, from the version string its header points to; undefined when it has none. */
export function bzImageRelease(bytes: Buffer): string | undefined {
  const pointer = bytes.readUInt16LE(0x20e);
  if (pointer === 0) return undefined;
  const at = pointer + 0x200;
  const end = bytes.indexOf(0, at);
  if (end < 0 || end - at > 512) return undefined;
  return bytes.toString('latin1', at, end).split(' ')[0];
}

/**
 * `uname -r` of a kernel that is not compressed: the build salt when it is a release, else the banner; undefined when
 * neither is there.
 */
export function plainRelease(bytes: Buffer): string | undefined {
  if (!bytes.subarray(0, 4).equals(ELF_MAGIC)) return bannerRelease(bytes);
  for (const note of elfNotes(bytes)) {
    // type 0x100 is the build salt, which Debian sets to the release
    if (note.owner === 'Linux' && note.type === 0x100) {
      const text = note.data.toString('latin1').replace(/\0+$/, '');
      if (/^\d+\.\d+/.test(text)) return text;
    }
  }
  return bannerRelease(bytes);
}

function bannerRelease(bytes: Buffer): string | undefined {
  const at = bytes.indexOf('Linux version ', 0, 'latin1');
  if (at < 0) return undefined;
  return /^Linux version (\d\S*)/.exec(bytes.toString('latin1', at, at + 200))?.[1];
}

interface ElfNote {
  readonly owner: string;
  readonly type: number;
  readonly data: Buffer;
}

function* elfNotes(bytes: Buffer): Generator<ElfNote> {
  const phoff = Number(bytes.readBigUInt64LE(32));
  const phentsize = bytes.readUInt16LE(54);
  const phnum = bytes.readUInt16LE(56);
  for (let i = 0; i < phnum; i++) {
    const ph = phoff + i * phentsize;
    if (ph + 56 > bytes.length) return;
    if (bytes.readUInt32LE(ph) !== 4) continue; // PT_NOTE
    let at = Number(bytes.readBigUInt64LE(ph + 8));
    const end = Math.min(bytes.length, at + Number(bytes.readBigUInt64LE(ph + 32)));
    while (at + 12 <= end) {
      const namesz = bytes.readUInt32LE(at);
      const descsz = bytes.readUInt32LE(at + 4);
      const type = bytes.readUInt32LE(at + 8);
      const desc = at + 12 + ((namesz + 3) & ~3);
      if (desc + descsz > end) break;
      yield {
        owner: bytes.toString('latin1', at + 12, at + 12 + Math.max(0, namesz - 1)),
        type,
        data: bytes.subarray(desc, desc + descsz),
      };
      at = desc + ((descsz + 3) & ~3);
    }
  }
}

/** True when the ELF has the note XEN_ELFNOTE_PHYS32_ENTRY (18), through which QEMU can start it (PVH). */
export function hasPvhEntry(bytes: Buffer): boolean {
  for (const note of elfNotes(bytes)) {
    if (note.owner === 'Xen' && note.type === 18) return true;
  }
  return false;
}

const COMPRESSIONS: readonly (readonly [name: string, magic: readonly number[]])[] = [
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['lz4', [0x02, 0x21, 0x4c, 0x18]],
  ['lzo', [0x89, 0x4c, 0x5a, 0x4f]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['lzma', [0x5d, 0x00, 0x00]],
];

/** A bzImage's payload in a compression that this program cannot undo: boot the bzImage itself instead. */
export class UnsupportedCompression extends Error {
  readonly compression: string;
  constructor(compression: string) {
    super(`the kernel's payload is compressed with ${compression}`);
    this.name = 'UnsupportedCompression';
    this.compression = compression;
  }
}

/**
 * Unpacks the ELF image in a bzImage.
 * @throws KernelError (2) when the file is truncated or damaged
 * @throws UnsupportedCompression when the payload is neither zstd nor gzip
 */
export function unpackBzImage(bytes: Buffer, path: string): Buffer {
  const protocol = bytes.readUInt16LE(0x206);
  if (protocol < MIN_PROTOCOL)
    throw new UnsupportedCompression(`boot protocol ${protocol.toString(16)}, too old to say`);
  const setupSectors = bytes[0x1f1] || 4; // 0 means 4, by the boot protocol
  const start = (setupSectors + 1) * 512 + bytes.readUInt32LE(0x248);
  const length = bytes.readUInt32LE(0x24c);
  if (length < 8 || start + length > bytes.length) {
    throw damaged(path, `it ends at byte ${bytes.length}, its header says that the payload ends at ${start + length}`);
  }
  const payload = bytes.subarray(start, start + length);
  const compression = COMPRESSIONS.find(([, magic]) => magic.every((b, i) => payload[i] === b))?.[0];
  // The kernel's build appends the unpacked size to the compressed stream.
  const size = payload.readUInt32LE(length - 4);
  let elf: Buffer;
  try {
    if (payload.subarray(0, 4).equals(ELF_MAGIC)) elf = payload;
    else if (compression === 'zstd')
      elf = zstdDecompressSync(payload.subarray(0, -4), { maxOutputLength: Math.max(size, 1) });
    else if (compression === 'gzip') elf = gunzipSync(payload);
    else throw new UnsupportedCompression(compression ?? 'something unknown');
  } catch (error) {
    if (error instanceof UnsupportedCompression) throw error;
    throw damaged(path, `its payload does not unpack (${error instanceof Error ? error.message : String(error)})`);
  }
  if (kernelFormat(elf)?.form !== 'elf') throw damaged(path, 'its payload is no ELF image of a known machine');
  return elf;
}

function damaged(path: string, why: string): KernelError {
  return new KernelError(`${path} is a damaged kernel image: ${why}.`, 'Build or copy it again.', 2);
}
