import { describe, expect, it } from 'vitest';
import type { PrivilegeFacts } from './qemu.ts';
import { choosePrivileges, kernelCommandLine, qemuArgv } from './qemu.ts';

const FACTS: PrivilegeFacts = {
  uid: 0,
  accel: 'tcg',
  nobody: { uid: 65534, gid: 65534 },
  setpriv: true,
  canSwitch: true,
  kvm: { mode: 0o600, gid: 0 },
  qemu: [7, 2],
};

describe('choosePrivileges', () => {
  it('root under TCG becomes nobody before QEMU starts', () => {
    const { wrapper, qemuArgs, elevate } = choosePrivileges(FACTS);
    expect(wrapper.join(' ')).toBe(
      'setpriv --pdeathsig KILL --no-new-privs --reuid 65534 --regid 65534 --clear-groups --',
    );
    expect([qemuArgs, elevate]).toEqual([[], 'deny']);
  });

  it('keeps the one group that opens /dev/kvm, and only for KVM', () => {
    const kvm = { mode: 0o660, gid: 104 };
    expect(choosePrivileges({ ...FACTS, accel: 'kvm', kvm }).wrapper.join(' ')).toMatch(/--groups 104 --$/);
    expect(choosePrivileges({ ...FACTS, kvm }).wrapper.join(' ')).toMatch(/--clear-groups --$/);
    expect(choosePrivileges({ ...FACTS, accel: 'kvm', kvm: { mode: 0o666, gid: 104 } }).wrapper.join(' ')).toMatch(
      /--clear-groups --$/,
    );
  });

  it('lets QEMU itself change the user when only root may open /dev/kvm', () => {
    const old = choosePrivileges({ ...FACTS, accel: 'kvm' });
    expect(old.qemuArgs).toEqual(['-runas', '65534:65534']);
    expect(old.elevate).toBe('allow');
    expect(old.wrapper.join(' ')).not.toMatch(/reuid/);
    expect(old.wrapper).toContain('--no-new-privs');
    expect(choosePrivileges({ ...FACTS, accel: 'kvm', qemu: [10, 0] }).qemuArgs).toEqual([
      '-run-with',
      'user=65534:65534',
    ]);
    // A group of 0 would leave QEMU in root's group.
    expect(choosePrivileges({ ...FACTS, accel: 'kvm', kvm: { mode: 0o660, gid: 0 } }).qemuArgs[0]).toBe('-runas');
  });

  it('changes nothing for an ordinary user, or where the user cannot be changed', () => {
    for (const facts of [
      { ...FACTS, uid: 1000 },
      { ...FACTS, canSwitch: false },
    ]) {
      expect(choosePrivileges(facts).wrapper.join(' ')).toBe('setpriv --pdeathsig KILL --no-new-privs --');
    }
    expect(choosePrivileges({ ...FACTS, setpriv: false }).wrapper).toEqual([]);
  });
});

describe('the command lines', () => {
  const none = { wrapper: [], qemuArgs: [], elevate: 'deny', summary: '' } as const;

  it("QEMU: no network, sandbox on, no configuration of the user's", () => {
    const text = qemuArgv({ accel: 'tcg' }, none).join(' ');
    for (const part of [
      '-no-user-config',
      '-nodefaults',
      '-nic none',
      '-no-reboot',
      '-display none',
      '-sandbox on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny',
    ])
      expect(text).toContain(part);
    expect(text).not.toMatch(/netdev|-monitor|-qmp/);
  });

  it("QEMU: KVM uses the host's processor", () => {
    expect(qemuArgv({ accel: 'kvm', smp: 2, memoryMiB: 1024 }, none).join(' ')).toMatch(
      /-accel kvm -cpu host -smp 2 -m 1024M/,
    );
  });

  it("kernel: reports stay on, the user's text comes last", () => {
    expect(kernelCommandLine({ accel: 'tcg', append: '  loglevel=7 slub_debug ' })).toMatch(
      /^console=ttyS0 loglevel=5 oops=panic panic=-1 .* loglevel=7 slub_debug$/,
    );
    expect(kernelCommandLine({ accel: 'tcg' })).not.toMatch(/quiet|loglevel=[0-4]/);
  });
});
