/** The arena as a task's requests see it: the constant image and the data area. */
import { Open } from '../open-answer.ts';
import { ARENA, ARENA_BASE, ARENA_END } from '../scenario/layout.ts';
import { USER_END } from '../scenario/memory.ts';
import { arenaImage } from './arena.ts';
import { WORLD } from './open.ts';

const LATE = WORLD['memory.written-late'];
const OUTSIDE = WORLD['memory.outside'];

/** The data area as a scenario finds it; also: nothing is unknown. */
const BLANK = new Uint8Array(ARENA.data_size);
const BASE = BigInt(ARENA_BASE);
const END = BigInt(ARENA_END);
const DATA = BigInt(ARENA_BASE + ARENA.data);

/** Longest path the kernel reads, its NUL included. */
const PATH_MAX = 4096;

/** Bytes of the data area that one "mem:" resource name stands for. */
export const MEMORY_GRAIN = 0x40;

/** Resource names of a range of the data area (none for other addresses). */
export function memoryNames(address: bigint, length: number): string[] {
  const from = Number(address - DATA);
  if (!(from > -0x10_0000 && from < ARENA.data_size) || length <= 0) return [];
  const names: string[] = [];
  const first = Math.max(0, Math.floor(from / MEMORY_GRAIN));
  for (let grain = first; grain * MEMORY_GRAIN < Math.min(from + length, ARENA.data_size); grain++)
    names.push(`mem:${grain * MEMORY_GRAIN}`);
  return names;
}

/** What the arena holds, as far as it is known: its constant image and the data area. */
export class Memory {
  readonly #image: Uint8Array;
  #data: Uint8Array;
  /** Bytes of the data area whose value is not known (1) or known (0). */
  #unknown: Uint8Array;
  /** False while the two are shared with the memory this one was copied from. */
  #own = false;

  constructor(littleEndian: boolean, from?: Memory) {
    this.#image = arenaImage(littleEndian);
    this.#data = from ? from.#data : BLANK;
    this.#unknown = from ? from.#unknown : BLANK;
    if (from) from.#own = false;
  }

  /** The private copy a forked child gets. */
  copy(littleEndian: boolean): Memory {
    return new Memory(littleEndian, this);
  }

  /** Bytes at a guest address: 'fault' where nothing is mapped, a place where nobody knows the value. */
  read(address: bigint, length: number): Uint8Array | 'fault' | Open {
    if (length === 0) return new Uint8Array(0);
    const where = this.#locate(address, length);
    if (where === 'fault' || Open.is(where)) return where;
    const [offset, image] = where;
    if (image) return this.#image.slice(offset, offset + length);
    for (let i = 0; i < length; i++) if (this.#unknown[offset + i]) return LATE;
    return this.#data.slice(offset, offset + length);
  }

  /** A NUL-terminated string: the text, 'fault', or why nobody knows it. */
  text(address: bigint): { readonly text: string } | 'fault' | Open {
    let out = '';
    while (out.length < PATH_MAX) {
      const where = this.#locate(address + BigInt(out.length), 1);
      if (where === 'fault' || Open.is(where)) return where;
      const [offset, image] = where;
      const bytes = image ? this.#image : this.#data;
      const end = Math.min(bytes.length, offset + PATH_MAX - out.length);
      for (let at = offset; at < end; at++) {
        if (!image && this.#unknown[at]) return LATE;
        if (bytes[at] === 0) return { text: out };
        out += String.fromCharCode(bytes[at]!);
      }
    }
    return OUTSIDE;
  }

  /** Whether [address, address + length) can be accessed: true, false, or why nobody knows. */
  mapped(address: bigint, length: number): boolean | Open {
    if (length === 0) return true;
    if (address >= BASE && address + BigInt(length) <= END) return true;
    if (address < 0x1000n || address >= USER_END) return false;
    if (address >= BASE && address < END) return false;
    if (address >= END && address < END + 0x1000n) return false;
    return OUTSIDE;
  }

  /** Stores bytes in the data area; elsewhere nothing is modelled. */
  write(address: bigint, bytes: Uint8Array): void {
    const offset = this.#dataOffset(address);
    this.#separate();
    for (let i = 0; i < bytes.length; i++) {
      const at = offset + i;
      if (at < 0 || at >= ARENA.data_size) continue;
      this.#data[at] = bytes[i]!;
      this.#unknown[at] = 0;
    }
  }

  /** Notes that these bytes of the data area now have a value the model does not know. */
  forget(address: bigint, length: number): void {
    const offset = this.#dataOffset(address);
    this.#separate();
    for (let at = Math.max(0, offset); at < Math.min(ARENA.data_size, offset + length); at++) this.#unknown[at] = 1;
  }

  /** Nothing is known of the data area any more. */
  forgetAll(): void {
    this.#separate();
    this.#unknown.fill(1);
  }

  /** Before a change: takes a copy of what is shared. */
  #separate(): void {
    if (this.#own) return;
    this.#data = this.#data.slice();
    this.#unknown = this.#unknown.slice();
    this.#own = true;
  }

  #dataOffset(address: bigint): number {
    const offset = address - DATA;
    return offset < -0x10_0000n || offset > 0x10_0000n ? 0x10_0000 : Number(offset);
  }

  #locate(address: bigint, length: number): readonly [offset: number, image: boolean] | 'fault' | Open {
    const mapped = this.mapped(address, length);
    if (mapped === false) return 'fault';
    if (Open.is(mapped)) return mapped;
    const offset = Number(address - BASE);
    if (offset + length <= ARENA.image + ARENA.image_size) return [offset, true];
    if (offset >= ARENA.data && offset + length <= ARENA.data + ARENA.data_size) return [offset - ARENA.data, false];
    return OUTSIDE;
  }
}
