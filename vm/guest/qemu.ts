/** QEMU's command line. Pure but for the two look-ups at the end. */
import { accessSync, constants, statSync } from 'node:fs';
import { uidOf } from '../host/accounts.ts';
import { qemuVersion } from '../host/qemu-version.ts';
import type { Machine } from '../machine/index.ts';
import { OWN_MACHINE } from '../machine/index.ts';
import { PORT_NAME } from '../protocol/table.ts';
import { run } from '../host/processes.ts';
import { which } from '../host/tools.ts';

/** What runs the guest's instructions: the processor (`kvm`) or QEMU's translator (`tcg`). */
export type Accel = 'kvm' | 'tcg';

/** Descriptor at which QEMU inherits the kernel. */
export const KERNEL_FD = 3;
/** Descriptor at which QEMU inherits the initial file system. */
export const INITRD_FD = 4;
/** Descriptor at which QEMU inherits the port's socket. */
export const PORT_FD = 5;
/** Descriptor at which QEMU inherits the socket of the second serial line. */
export const LINE_FD = 6;

/** Kernel parameters of every guest: where to report, and that an oops ends the guest at once. */
const REPORTING = ['loglevel=5', 'oops=panic', 'panic=-1'];

/** What to boot and how. */
export interface QemuOptions {
  readonly accel: Accel;
  /** Guest memory in MiB. Default 512. */
  readonly memoryMiB?: number;
  /** Virtual processors. Default 1. */
  readonly smp?: number;
  /** Text added at the end of the kernel command line. */
  readonly append?: string;
  readonly machine?: Machine;
}

/** How QEMU gives up the rights of the user who started it. */
export interface Privileges {
  /** Program and arguments that QEMU's own command line follows. */
  readonly wrapper: readonly string[];
  /** Arguments of QEMU's own. */
  readonly qemuArgs: readonly string[];
  /** Value of the sandbox's `elevateprivileges`. */
  readonly elevate: 'deny' | 'allow';
  /** One line for `ringfence doctor`. */
  readonly summary: string;
}

/** The kernel command line. User text comes last, so that it wins. */
export function kernelCommandLine(options: QemuOptions): string {
  const machine = options.machine ?? OWN_MACHINE;
  const words = [`console=${machine.console}`, ...REPORTING, ...machine.append];
  if (options.append?.trim()) words.push(options.append.trim());
  return words.join(' ');
}

/** The whole argument vector, wrapper first. Kernel, initial file system and port come as inherited descriptors. */
export function qemuArgv(options: QemuOptions, privileges: Privileges): string[] {
  const machine = options.machine ?? OWN_MACHINE;
  return [
    ...privileges.wrapper,
    machine.qemu,
    '-no-user-config',
    '-nodefaults',
    '-M',
    machine.board,
    '-accel',
    options.accel === 'kvm' ? 'kvm' : 'tcg,tb-size=128',
    '-cpu',
    options.accel === 'kvm' ? 'host' : machine.cpu,
    '-smp',
    String(options.smp ?? 1),
    '-m',
    `${options.memoryMiB ?? 512}M`,
    '-no-reboot',
    '-display',
    'none',
    '-nic',
    'none',
    '-sandbox',
    `on,obsolete=deny,elevateprivileges=${privileges.elevate},spawn=deny,resourcecontrol=deny`,
    ...privileges.qemuArgs,
    '-chardev',
    'stdio,id=console,signal=off',
    '-serial',
    'chardev:console',
    '-chardev',
    `socket,id=line,fd=${LINE_FD}`,
    '-serial',
    'chardev:line',
    '-device',
    `${machine.serialDevice},max_ports=2`,
    '-chardev',
    `socket,id=port,fd=${PORT_FD}`,
    '-device',
    `virtserialport,chardev=port,name=${PORT_NAME},nr=1`,
    '-kernel',
    `/proc/self/fd/${KERNEL_FD}`,
    '-initrd',
    `/proc/self/fd/${INITRD_FD}`,
    '-append',
    kernelCommandLine(options),
  ];
}

/** What decides how rights are given up; passed in, so that the choice can be tested. */
export interface PrivilegeFacts {
  readonly uid: number;
  readonly accel: Accel;
  /** Account to become, when we are root. */
  readonly nobody: { readonly uid: number; readonly gid: number };
  /** Whether `setpriv` exists, and whether it may change the user here. */
  readonly setpriv: boolean;
  readonly canSwitch: boolean;
  /** Mode and group of /dev/kvm; undefined when it is not there. */
  readonly kvm: { readonly mode: number; readonly gid: number } | undefined;
  /** QEMU's version, such as [7, 2]. */
  readonly qemu: readonly [number, number];
}

/**
 * Chooses how QEMU gives up root. Without root nothing is to be given up; `no_new_privs` is set in any case.
 *
 * - TCG, or KVM that others or a group may open: `setpriv` changes the user before QEMU starts, keeping that one group.
 * - KVM that only root may open: QEMU opens it as root and changes the user itself before the guest runs. Its sandbox
 *   must then permit the change; `no_new_privs` and the loss of all capabilities keep it from going back.
 */
export function choosePrivileges(facts: PrivilegeFacts): Privileges {
  const base = ['setpriv', '--pdeathsig', 'KILL', '--no-new-privs'];
  if (!facts.setpriv)
    return { wrapper: [], qemuArgs: [], elevate: 'deny', summary: 'runs as the calling user (setpriv is missing)' };
  if (facts.uid !== 0)
    return { wrapper: [...base, '--'], qemuArgs: [], elevate: 'deny', summary: 'runs as the calling user' };
  if (!facts.canSwitch)
    return {
      wrapper: [...base, '--'],
      qemuArgs: [],
      elevate: 'deny',
      summary: 'runs as root of this container, which may not change the user',
    };
  const { uid, gid } = facts.nobody;
  const drop = (groups: string[], summary: string): Privileges => ({
    wrapper: [...base, '--reuid', String(uid), '--regid', String(gid), ...groups, '--'],
    qemuArgs: [],
    elevate: 'deny',
    summary,
  });
  if (facts.accel === 'tcg' || !facts.kvm || (facts.kvm.mode & 0o006) === 0o006) {
    return drop(['--clear-groups'], 'runs as nobody');
  }
  if ((facts.kvm.mode & 0o060) === 0o060 && facts.kvm.gid !== 0) {
    return drop(['--groups', String(facts.kvm.gid)], 'runs as nobody, with the group of /dev/kvm');
  }
  const [major, minor] = facts.qemu;
  const user = `${uid}:${gid}`;
  const qemuArgs = major > 9 || (major === 9 && minor >= 1) ? ['-run-with', `user=${user}`] : ['-runas', user];
  return {
    wrapper: [...base, '--'],
    qemuArgs,
    elevate: 'allow',
    summary: 'opens /dev/kvm as root, then runs as nobody',
  };
}

let switching: Promise<boolean> | undefined;

/** Collects the facts and chooses. @throws SetupError when QEMU is missing */
export async function privileges(accel: Accel, machine: Machine = OWN_MACHINE): Promise<Privileges> {
  const uid = process.getuid?.() ?? 0;
  const nobody = (await uidOf('nobody')) ?? 65534;
  const setpriv = which('setpriv') !== undefined;
  const qemu = await qemuVersion(machine);
  if (uid === 0 && setpriv)
    switching ??= run(['setpriv', '--reuid', String(nobody), '--regid', String(nobody), '--clear-groups', 'true'], {
      timeoutMs: 20_000,
    }).then((r) => r.ok);
  return choosePrivileges({
    uid,
    accel,
    setpriv,
    nobody: { uid: nobody, gid: nobody },
    qemu: [qemu[0], qemu[1]],
    canSwitch: (await switching) ?? false,
    kvm: kvmDevice(),
  });
}

/** Mode and group of /dev/kvm; undefined when there is no such device. */
export function kvmDevice(): { mode: number; gid: number } | undefined {
  const stat = statSync('/dev/kvm', { throwIfNoEntry: false });
  return stat ? { mode: stat.mode & 0o777, gid: stat.gid } : undefined;
}

/** Whether this user may open /dev/kvm for reading and writing. */
export function kvmAccessible(): boolean {
  try {
    accessSync('/dev/kvm', constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
