/** The machines that a guest can be, and which of them one is. */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { ARM64 } from './arm64.ts';
import type { Machine } from './machine.ts';
import { X86_64 } from './x86-64.ts';

export type { Machine };

/** Every machine; the first is what `explain` and files without a word about it mean. */
export const MACHINES: readonly Machine[] = [X86_64, ARM64];

/** The machine of that name, which may be the kernel's, Debian's or that of `uname -m`; undefined for none. */
export function machineNamed(name: string): Machine | undefined {
  return MACHINES.find(({ arch, debArch, uname }) => [arch, debArch, uname].includes(name));
}

/** This host's own machine where guests can be of it, else the first. */
export const OWN_MACHINE: Machine = MACHINES.find(({ host }) => host === process.arch) ?? MACHINES[0]!;

/** Whether guests of that machine run on this host's processor, as KVM needs it. */
export function isNative({ host }: Machine): boolean {
  return host === process.arch;
}

/** What the architecture decides of an ABI. */
export function machineAbi(machine: Machine): Pick<AbiProfile, 'little_endian' | 'open' | 'open_force_flags'> {
  return { little_endian: machine.littleEndian, open: machine.open, open_force_flags: machine.openForceFlags };
}

/** The C compiler for programs of that machine, and the Debian packages that it needs. */
export function compilerOf(machine: Machine): { readonly cc: string; readonly packages: readonly string[] } {
  return isNative(machine)
    ? { cc: 'gcc', packages: ['gcc'] }
    : { cc: `${machine.triplet}-gcc`, packages: [machine.crossPackage] };
}
