/** What a kernel is to the rest of the project: a file, and where it came from. */
import type { Machine } from '../machine/index.ts';

/** A patch as it is named in a result. */
export interface AppliedPatch {
  /** File name without its directory. */
  readonly name: string;
  /** SHA-256 of the file, in hex. */
  readonly sha256: string;
}

/** Where a kernel came from, for the result. */
export interface KernelOrigin {
  readonly tree: string;
  /** True when ringfence built it. */
  readonly built: boolean;
  /** What the tree's Makefile calls itself. */
  readonly version?: string;
  readonly commit?: string;
  readonly describe?: string;
  readonly patches: readonly AppliedPatch[];
  /** SHA-256 of the kernel's .config, in hex. */
  readonly config_sha256?: string;
  readonly debug: boolean;
}

/** A kernel that QEMU can be given. */
export interface Kernel {
  /** Release as far as the file says; the guest's own `uname` is the authority. */
  readonly release: string;
  readonly machine: Machine;
  /** What to pass to QEMU's `-kernel`: an ELF image with a PVH entry, or an image as it is. World-readable. */
  readonly path: string;
  /** SHA-256 of that file, in hex. */
  readonly sha256: string;
  readonly format: 'elf' | 'image';
  readonly source: 'pinned' | 'file' | 'tree';
  /** What the user asked for: a release or a path. */
  readonly requested: string;
  /** Set when this is not the kernel that was asked for, or when something about it should be told. */
  readonly note?: string;
  /** Where a kernel out of a source tree came from. */
  readonly origin?: KernelOrigin;
}
