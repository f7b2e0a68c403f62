/**
 * The one description of what a guest is. Everything that depends on the guest's
 * architecture, and nothing else, stands here.
 */

/** What the host must know about a guest's architecture. */
export interface GuestMachine {
  /** Name of the architecture as `uname -m` prints it. */
  readonly arch: string;
  /** Name of the architecture in Debian's archive. */
  readonly debArch: string;
  /** QEMU binary and the Debian package that holds it. */
  readonly qemu: string;
  readonly qemuPackage: string;
  /** C compiler for the runner, and the Debian packages it needs. */
  readonly cc: string;
  readonly ccPackages: readonly string[];
  /** Value of QEMU's `-M` and `-cpu`. */
  readonly board: string;
  readonly cpu: string;
  /** Kernel console on the first serial port. */
  readonly console: string;
  /** Kernel parameters that shorten the boot and hide no report. */
  readonly append: readonly string[];
}

/** x86-64 on QEMU's q35 board. */
export const X86_64: GuestMachine = {
  arch: 'x86_64',
  debArch: 'amd64',
  qemu: 'qemu-system-x86_64',
  qemuPackage: 'qemu-system-x86',
  cc: 'gcc',
  ccPackages: ['gcc'],
  board: 'q35',
  cpu: 'max',
  console: 'ttyS0',
  append: [
    // The clock is QEMU's: nothing to calibrate, and no false alarm about it when the host is busy.
    'tsc=reliable',
    'no_timer_check',
    // A quarter of the boot: self-tests of crypto, random numbers from jitter, certificates for modules.
    'cryptomgr.notests=1',
    'initcall_blacklist=jent_mod_init,load_system_certificate_list',
    // Security modules without a policy only slow down open and fork.
    'lsm=',
    'audit=0',
  ],
};
