import { describe, expect, it } from 'vitest';
import { scanConsole } from './console.ts';

const BOOT = [
  '\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS (version 1.16.2)',
  'Booting from ROM..[    0.000000] Linux version 7.0.13 (someone@somewhere)',
  '[    0.000000] Kernel command line: console=ttyS0 oops=panic panic=-1 panic_on_warn=0',
  '[    0.036000] tsc: Unable to calibrate against PIT',
  '[    0.500000] WARNING: this driver is deprecated and will go',
  '[    1.591986] amd_pstate: the _CPC object is not present in SBIOS or ACPI disabled',
  '[    4.287360] reboot: Power down',
].join('\r\n');

const at = (lines: string[], stamp = '[   12.345678]'): string => lines.map((l) => `${stamp} ${l}`).join('\r\n');

const TRACE = [
  'CPU: 0 UID: 0 PID: 77 Comm: init Not tainted 7.0.13+deb13-cloud-amd64 #1 PREEMPT(lazy)',
  'Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2 04/01/2014',
  'RIP: 0010:io_register_thing+0x31/0x90',
  'Code: 48 89 e5 0f 0b',
  'Call Trace:',
  ' <TASK>',
  ' __x64_sys_io_uring_register+0x4f/0x120',
  ' do_syscall_64+0x82/0x190',
  ' </TASK>',
];
const END = '---[ end trace 0000000000000000 ]---';

const SAMPLES: readonly (readonly [kind: string, title: RegExp, lines: string[]])[] = [
  [
    'warning',
    /^WARNING: io_uring\/x.c:12 at .*: something is odd$/,
    [
      '------------[ cut here ]------------',
      'something is odd',
      'WARNING: io_uring/x.c:12 at io_register_thing+0x31/0x90, CPU#0: init/77',
      'Modules linked in:',
      ...TRACE,
      END,
    ],
  ],
  [
    'warning',
    /^WARNING: CPU: 0 PID: 77 at io_uring/,
    [
      '------------[ cut here ]------------',
      'WARNING: CPU: 0 PID: 77 at io_uring/x.c:12 io_register_thing+0x31/0x90',
      ...TRACE,
      END,
    ],
  ],
  [
    'refcount',
    /^refcount_t: underflow; use-after-free\.$/,
    [
      '------------[ cut here ]------------',
      'refcount_t: underflow; use-after-free.',
      'WARNING: lib/refcount.c:28 at refcount_warn_saturate+0x55/0x90, CPU#0: init/77',
      ...TRACE,
      END,
    ],
  ],
  [
    'oops',
    /^BUG: kernel NULL pointer dereference, address: 0000000000000008$/,
    [
      'BUG: kernel NULL pointer dereference, address: 0000000000000008',
      '#PF: supervisor read access in kernel mode',
      '#PF: error_code(0x0000) - not-present page',
      'PGD 0 P4D 0 ',
      'Oops: Oops: 0000 [#1] SMP NOPTI',
      ...TRACE,
      'Modules linked in:',
      'CR2: 0000000000000008',
      END,
    ],
  ],
  [
    'oops',
    /^Oops: general protection fault/,
    [
      'Oops: general protection fault, probably for non-canonical address 0xdead000000000108: 0000 [#1] SMP NOPTI',
      ...TRACE,
      END,
    ],
  ],
  [
    'bug',
    /^kernel BUG at mm\/slub.c:553!$/,
    [
      '------------[ cut here ]------------',
      'kernel BUG at mm/slub.c:553!',
      'Oops: invalid opcode: 0000 [#1] SMP NOPTI',
      ...TRACE,
      END,
    ],
  ],
  [
    'bug',
    /^BUG: sleeping function called from invalid context/,
    [
      'BUG: sleeping function called from invalid context at mm/page_alloc.c:1',
      'in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 77, name: init',
      ...TRACE,
    ],
  ],
  [
    'bug',
    /^BUG kmalloc-64 \(Not tainted\): Poison overwritten$/,
    [
      '=============================================================================',
      'BUG kmalloc-64 (Not tainted): Poison overwritten',
      '-----------------------------------------------------------------------------',
      ...TRACE,
    ],
  ],
  [
    'panic',
    /^Kernel panic - not syncing: sysrq triggered crash$/,
    [
      'Kernel panic - not syncing: sysrq triggered crash',
      ...TRACE,
      'Kernel Offset: disabled',
      '---[ end Kernel panic - not syncing: sysrq triggered crash ]---',
    ],
  ],
  [
    'kasan',
    /^BUG: KASAN: slab-use-after-free in io_register_thing/,
    [
      '==================================================================',
      'BUG: KASAN: slab-use-after-free in io_register_thing+0x31/0x90',
      'Read of size 8 at addr ffff888003a4c008 by task init/77',
      '',
      ...TRACE,
      '',
      'Allocated by task 77:',
      ' kasan_save_stack+0x24/0x50',
      'Memory state around the buggy address:',
      ' ffff888003a4bf00: fc fc fc fc',
      '==================================================================',
    ],
  ],
  [
    'ubsan',
    /^UBSAN: array-index-out-of-bounds in io_uring\/x.c:44:12$/,
    [
      '------------[ cut here ]------------',
      'UBSAN: array-index-out-of-bounds in io_uring/x.c:44:12',
      "index 66 is out of range for type 'u8 [65]'",
      ...TRACE,
      '---[ end trace ]---',
    ],
  ],
  [
    'kfence',
    /^BUG: KFENCE: use-after-free read in /,
    [
      '==================================================================',
      'BUG: KFENCE: use-after-free read in io_register_thing+0x31/0x90',
      ...TRACE,
      '==================================================================',
    ],
  ],
  [
    'lockdep',
    /^WARNING: possible circular locking dependency detected$/,
    [
      '======================================================',
      'WARNING: possible circular locking dependency detected',
      '7.0.13 #1 Not tainted',
      '------------------------------------------------------',
      'init/77 is trying to acquire lock:',
      'ffff888003a4c0a8 (&ctx->uring_lock){+.+.}-{4:4}, at: io_register_thing+0x31/0x90',
      '',
      'but task is already holding lock:',
      ...Array.from({ length: 18 }, (_, i) => `  plain ${i}`),
      ' *** DEADLOCK ***',
      ...TRACE,
    ],
  ],
  [
    'lockdep',
    /^WARNING: inconsistent lock state$/,
    [
      '================================',
      'WARNING: inconsistent lock state',
      '7.0.13 #1 Not tainted',
      '--------------------------------',
      ...TRACE,
    ],
  ],
  [
    'lockdep',
    /^WARNING: suspicious RCU usage$/,
    ['=============================', 'WARNING: suspicious RCU usage', ...TRACE],
  ],
  [
    'rcu-stall',
    /^rcu: INFO: rcu_preempt detected stalls on CPUs\/tasks:$/,
    [
      'rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:',
      'rcu: \tTasks blocked on level-0 rcu_node (CPUs 0-0): P77',
      ...TRACE,
    ],
  ],
  ['rcu-stall', /self-detected stall/, ['rcu: INFO: rcu_preempt self-detected stall on CPU', ...TRACE]],
  [
    'lockup',
    /^watchdog: BUG: soft lockup - CPU#0 stuck for 26s!/,
    ['watchdog: BUG: soft lockup - CPU#0 stuck for 26s! [init:77]', ...TRACE],
  ],
  [
    'hung-task',
    /^INFO: task init:77 blocked for more than 120 seconds\.$/,
    [
      'INFO: task init:77 blocked for more than 120 seconds.',
      '      Not tainted 7.0.13 #1',
      '"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
      'task:init state:D stack:0 pid:77',
      ...TRACE,
    ],
  ],
  ['bpf-jit', /^bpf_jit: fatal error$/, ['bpf_jit: fatal error']],
  [
    'kmemleak',
    /^kmemleak: 1 new suspicious memory leaks/,
    ['kmemleak: 1 new suspicious memory leaks (see /sys/kernel/debug/kmemleak)'],
  ],
  ['bpf-jit', /^cond_jmp gen bug 80000000$/, ['cond_jmp gen bug 80000000']],
  [
    // A kernel without CONFIG_DEBUG_BUGVERBOSE names no file.
    'warning',
    /^WARNING: at io_submit_sqes/,
    ['WARNING: at io_submit_sqes+0x11ca/0x1370, CPU#0: init/56', ...TRACE, END],
  ],
];

describe('scanConsole', () => {
  it('finds nothing in a quiet boot, whatever its command line says', () => {
    expect(scanConsole(BOOT)).toEqual([]);
    expect(scanConsole('')).toEqual([]);
  });

  it.each(SAMPLES)('finds %s: %s', (kind, title, lines) => {
    const before = at(['something ordinary']);
    const after = at(['something ordinary afterwards']);
    const [report, ...more] = scanConsole(`${BOOT}\r\n${before}\r\n${at(lines)}\r\n${after}\r\n`);
    expect(more).toEqual([]);
    expect(report?.kind).toBe(kind);
    expect(report?.title).toMatch(title);
    expect(report?.text).toBe(at(lines).replaceAll('\r', ''));
  });

  it('keeps reports that follow each other apart', () => {
    const both = SAMPLES.flatMap(([, , lines]) => lines);
    expect(scanConsole(at(both)).map((r) => r.kind)).toEqual(SAMPLES.map(([kind]) => kind));
  });

  it('reads lines with a task or processor number, and without a time stamp', () => {
    expect(scanConsole('[   12.345678][   T77] BUG: unable to handle page fault for address: ffff888')[0]?.kind).toBe(
      'oops',
    );
    expect(scanConsole('[   12.345678][    C0] BUG: workqueue lockup - pool')[0]?.kind).toBe('lockup');
    expect(scanConsole('BUG: KASAN: wild-memory-access in f+0x1/0x2')[0]?.kind).toBe('kasan');
  });

  it('shows an oops and the panic that follows it as two, the oops first', () => {
    const oops = SAMPLES[3]![2];
    const panic = [
      'Kernel panic - not syncing: Fatal exception',
      '---[ end Kernel panic - not syncing: Fatal exception ]---',
    ];
    expect(scanConsole(at([...oops, 'RIP: 0010:io_register_thing+0x31/0x90', ...panic])).map((r) => r.kind)).toEqual([
      'oops',
      'panic',
    ]);
  });

  it('copes with a report cut off in the middle', () => {
    const [report] = scanConsole(at(SAMPLES[3]![2].slice(0, 7)));
    expect(report?.kind).toBe('oops');
    expect(report?.text.split('\n')).toHaveLength(7);
  });

  it('is total', () => {
    for (const text of ['\0\x1b[\x1b', '[[[', '\r\r\r\n', 'WARNING:', 'BUG', '-'.repeat(70), '='.repeat(70)])
      expect(() => scanConsole(text)).not.toThrow();
  });
});
