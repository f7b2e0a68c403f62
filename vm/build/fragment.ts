/**
 * The kernel configuration that ringfence builds with: everything the guest needs to boot and everything
 * that decides how a request answers, on top of nothing (`allnoconfig`). Kernels built with it answer as a
 * distribution's do.
 */

/** One group of options and why it is there. Options are switched on unless a value is given. */
interface Group {
  readonly why: string;
  readonly options: readonly string[];
}

const BASE: readonly Group[] = [
  {
    why: 'the feature under test',
    options: ['IO_URING', 'NET', 'BPF_SYSCALL', 'BPF_JIT', 'SECCOMP', 'SECCOMP_FILTER'],
  },
  {
    why: 'nothing is switched off behind our back, and a name to tell the kernel by',
    options: ['EXPERT', '64BIT', 'LOCALVERSION="-ringfence"', 'LOCALVERSION_AUTO=n', 'CC_OPTIMIZE_FOR_PERFORMANCE'],
  },
  {
    why: 'starting in QEMU: entry, boards, console, initial file system',
    options: [
      'HYPERVISOR_GUEST',
      'PARAVIRT',
      'KVM_GUEST',
      'PVH',
      'PCI',
      'PCI_MSI',
      'ACPI',
      'X86_X2APIC',
      'TTY',
      'UNIX98_PTYS',
      'SERIAL_8250',
      'SERIAL_8250_CONSOLE',
      'PRINTK',
      'BLK_DEV_INITRD',
      'RD_GZIP',
      'RD_ZSTD',
      'BINFMT_ELF',
      'BINFMT_SCRIPT',
      'DEVTMPFS',
    ],
  },
  { why: 'the port that carries scenarios and answers', options: ['VIRTIO_MENU', 'VIRTIO_PCI', 'VIRTIO_CONSOLE'] },
  {
    why: 'reports that name functions, and that end the guest',
    options: ['BUG', 'KALLSYMS', 'UNWINDER_FRAME_POINTER'],
  },
  {
    why: 'several processors, and time as a distribution keeps it',
    options: ['SMP', 'NR_CPUS=8', 'HZ_250', 'HIGH_RES_TIMERS', 'NO_HZ_IDLE', 'POSIX_TIMERS'],
  },
  {
    why: 'what requests work on: without one of these its opcodes answer another error',
    options: [
      'MULTIUSER',
      'FUTEX',
      'EPOLL',
      'SIGNALFD',
      'TIMERFD',
      'EVENTFD',
      'SHMEM',
      'MEMFD_CREATE',
      'AIO',
      'ADVISE_SYSCALLS',
      'MEMBARRIER',
      'KCMP',
      'RSEQ',
      'FHANDLE',
      'FILE_LOCKING',
      'CROSS_MEMORY_ATTACH',
      'BLOCK',
      'HUGETLBFS',
      'CHECKPOINT_RESTORE',
      'INOTIFY_USER',
      'FANOTIFY',
      'SYSVIPC',
      'POSIX_MQUEUE',
      'CGROUPS',
    ],
  },
  {
    why: 'file systems, with extended attributes',
    options: ['PROC_FS', 'PROC_SYSCTL', 'SYSCTL', 'SYSFS', 'TMPFS', 'TMPFS_POSIX_ACL', 'TMPFS_XATTR'],
  },
  { why: 'address families', options: ['UNIX', 'INET', 'IPV6', 'PACKET'] },
  { why: 'namespaces', options: ['NAMESPACES', 'UTS_NS', 'IPC_NS', 'TIME_NS', 'USER_NS', 'PID_NS', 'NET_NS'] },
];

const DEBUG: readonly Group[] = [
  {
    why: 'what the checks below need',
    options: ['DEBUG_KERNEL', 'DEBUG_FS', 'STACKTRACE', 'SLUB_DEBUG', 'FRAME_WARN=4096'],
  },
  {
    why: 'use after free, out of bounds',
    options: ['KASAN', 'KASAN_GENERIC', 'KASAN_OUTLINE', 'KASAN_VMALLOC', 'VMAP_STACK'],
  },
  {
    why: 'order of locks, context of locks, RCU',
    options: [
      'PROVE_LOCKING',
      'PROVE_RCU',
      'DEBUG_ATOMIC_SLEEP',
      'DEBUG_OBJECTS',
      'DEBUG_OBJECTS_RCU_HEAD',
      'DEBUG_OBJECTS_WORK',
      'DEBUG_OBJECTS_FREE',
      'DEBUG_OBJECTS_TIMERS',
    ],
  },
  {
    why: 'memory that nobody points to any more; the kernel looks every ten minutes',
    options: ['DEBUG_KMEMLEAK', 'DEBUG_KMEMLEAK_AUTO_SCAN', 'DEBUG_KMEMLEAK_MEM_POOL_SIZE=16000'],
  },
  {
    why: 'lists, locked up tasks; reference counts are checked by every kernel since 5.8',
    options: [
      'DEBUG_LIST',
      'DEBUG_PLIST',
      'BUG_ON_DATA_CORRUPTION',
      'DETECT_HUNG_TASK',
      'UBSAN',
      'UBSAN_BOUNDS',
      'UBSAN_SHIFT',
    ],
  },
];

/** Options a kernel must have for the guest to reach the host at all. */
export const NEEDED: readonly string[] = [
  '64BIT',
  'PCI',
  'VIRTIO_PCI',
  'VIRTIO_CONSOLE',
  'SERIAL_8250_CONSOLE',
  'BLK_DEV_INITRD',
  'BINFMT_ELF',
  'DEVTMPFS',
  'TMPFS',
  'PROC_FS',
  'SYSFS',
  'NET',
  'UNIX',
  'INET',
  'IO_URING',
  'BPF',
];

/** Options that make a kernel several times slower. */
const SLOW: readonly string[] = ['KASAN', 'PROVE_LOCKING', 'DEBUG_KMEMLEAK', 'KCSAN', 'KMSAN', 'DEBUG_OBJECTS'];

/** Which configuration. */
export interface FragmentOptions {
  /** With KASAN, lockdep, RCU checks, kmemleak and reference count checks. */
  readonly debug?: boolean;
  /** Options on top of these, as in the groups: `GCOV_KERNEL`, `NR_CPUS=2`, `BPF_JIT=n`. */
  readonly more?: readonly string[];
}

/** The configuration as a text that `KCONFIG_ALLCONFIG` or `scripts/kconfig/merge_config.sh` takes. Pure. */
export function kconfigFragment(options: FragmentOptions = {}): string {
  const more: readonly Group[] = options.more === undefined ? [] : [{ why: 'of this variant', options: options.more }];
  const groups = [...BASE, ...(options.debug ? DEBUG : []), ...more];
  const lines = groups.map((group) => [`# ${group.why}`, ...group.options.map(line)].join('\n'));
  return `${lines.join('\n\n')}\n`;
}

function line(option: string): string {
  if (option.endsWith('=n')) return `# CONFIG_${option.slice(0, -2)} is not set`;
  return `CONFIG_${option.includes('=') ? option : `${option}=y`}`;
}

/** Value of each option in a `.config`: `y`, `m`, a number or a string; those not set are absent. Pure. */
export function parseConfig(text: string): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, name, value] = /^CONFIG_(\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) values.set(name, value);
  }
  return values;
}

/** Needed options that are not built in, as `VIRTIO_CONSOLE=m` or `NET is not set`. Pure. */
export function missingOptions(config: ReadonlyMap<string, string>): string[] {
  return NEEDED.filter((name) => config.get(name) !== 'y').map((name) =>
    config.has(name) ? `CONFIG_${name}=${config.get(name)}` : `CONFIG_${name} is not set`,
  );
}

/** True when the kernel checks itself so much that it needs more time and memory. Pure. */
export function isSlow(config: ReadonlyMap<string, string>): boolean {
  return SLOW.some((name) => config.get(name) === 'y');
}
