/**
 * What io_uring_register(2) leaves behind on a ring (and, for registered ring
 * descriptors, on a task): the part of a ring's state that requests and later
 * registrations depend on.
 */
import type { Open } from '../open-answer.ts';
import { E, FILE_INDEX_ALLOC } from '../uapi/constants.ts';
import type { OpenFile } from './files.ts';
import type { Memory } from './memory.ts';

/** A registered buffer; undefined slots are sparse. */
export interface RegisteredBuffer {
  readonly addr: bigint;
  readonly len: number;
  /** Memory of the task that registered it: its pages, whoever uses the buffer later. */
  readonly memory: Memory;
}

/** One provided buffer of a legacy group. */
export interface ProvidedBuffer {
  readonly addr: bigint;
  readonly len: number;
  readonly bid: number;
}

/** A buffer group: a legacy list, or a ring whose content is not modelled. */
export type BufferGroup =
  | { readonly kind: 'legacy'; readonly buffers: ProvidedBuffer[] }
  | { readonly kind: 'ring'; readonly entries: number };

/** Registered resources of one ring. */
export class RingResources {
  /** Direct descriptors; undefined = no table registered. */
  files: (OpenFile | undefined)[] | undefined;
  alloc_start = 0;
  alloc_end = 0;
  alloc_hint = 0;
  /** Fixed buffers; undefined = no table registered. */
  buffers: (RegisteredBuffer | undefined)[] | undefined;
  readonly groups = new Map<number, BufferGroup>();
  /** By id: whether those credentials have CAP_NET_RAW over the network; undefined: nobody knows. */
  readonly personalities = new Map<number, boolean | undefined>();
  /** Last personality id handed out (allocation is cyclic from 1). */
  last_personality = 0;
  eventfd: OpenFile | undefined;
  /** True once a memory region was registered. */
  region = false;
  /** Why nothing about files or buffers is known any more: a call of unknown effect ran. */
  unknown: Open | undefined;

  /** Sets up an empty direct descriptor table. */
  setFiles(files: (OpenFile | undefined)[]): void {
    this.files = files;
    this.alloc_start = 0;
    this.alloc_end = files.length;
    this.alloc_hint = 0;
  }

  /**
   * Installs a file in a direct slot as the kernel does for `fileIndex`: slot + 1,
   * or FILE_INDEX_ALLOC; 0 (of a message) is no slot. Returns 0 or the allocated slot, or -errno
   * (-ENFILE, -ENXIO without a table, -EINVAL outside it, -EBADF for a ring).
   */
  install(file: OpenFile, fileIndex: number): number {
    const alloc = fileIndex === FILE_INDEX_ALLOC;
    let slot = fileIndex - 1;
    if (alloc) {
      if (this.files === undefined) return -E.NFILE;
      slot = this.findFree(this.files);
      if (slot < 0) return -E.NFILE;
    }
    if (file.kind === 'ring') return -E.BADF;
    if (this.files === undefined) return -E.NXIO;
    if (slot < 0 || slot >= this.files.length) return -E.INVAL;
    if (this.files[slot] === undefined) this.alloc_hint = slot + 1;
    this.files[slot] = file;
    return alloc ? slot : 0;
  }

  /** What `install` would answer, without installing. */
  tryInstall(file: OpenFile, fileIndex: number): number {
    const { files, alloc_hint } = this;
    this.files = files?.slice();
    const res = this.install(file, fileIndex);
    this.files = files;
    this.alloc_hint = alloc_hint;
    return res;
  }

  /** Empties a direct slot: 0, -ENXIO, -EINVAL or -EBADF. */
  remove(slot: number): number {
    if (this.files === undefined) return -E.NXIO;
    if (slot >= this.files.length) return -E.INVAL;
    if (this.files[slot] === undefined) return -E.BADF;
    this.files[slot] = undefined;
    this.alloc_hint = slot;
    return 0;
  }

  private findFree(files: readonly (OpenFile | undefined)[]): number {
    const free = (from: number, to: number): number => {
      for (let i = from; i < to; i++) if (files[i] === undefined) return i;
      return -1;
    };
    let hint = this.alloc_hint;
    if (hint < this.alloc_start || hint >= this.alloc_end) hint = this.alloc_start;
    const after = free(hint, this.alloc_end);
    return after >= 0 ? after : free(this.alloc_start, hint);
  }
}

/**
 * Registered ring descriptors of one task (IORING_REGISTER_RING_FDS): slot 0..15 -> ring. Empty after fork and exec.
 */
export type RegisteredRings = Map<number, number>;
