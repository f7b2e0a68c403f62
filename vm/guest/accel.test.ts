import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ChooseOptions } from './accel.ts';
import { chooseAccel } from './accel.ts';
import { BootError, SetupError } from '../host/errors.ts';
import { OWN_MACHINE } from '../machine/index.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-test-'));
  vi.stubEnv('RINGFENCE_CACHE', dir);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(dir, { recursive: true, force: true });
});

const kernel = {
  release: '7',
  machine: OWN_MACHINE,
  path: '/k',
  sha256: 'a',
  format: 'elf',
  source: 'file',
  requested: '/k',
} as const;
const image = { path: '/i', sha256: 'b', runner: 'c' };
const kvm = { present: true, accessible: true };
const options = (boot: ChooseOptions['boot'], more: Partial<ChooseOptions> = {}): ChooseOptions => ({
  kernel,
  image,
  kvm,
  ...(boot ? { boot } : {}),
  ...more,
});
const never: ChooseOptions['boot'] = async () => {
  throw new Error('nothing should boot');
};

describe('chooseAccel', () => {
  it('takes tcg and kvm as asked', async () => {
    expect((await chooseAccel('tcg', options(never))).accel).toBe('tcg');
    expect((await chooseAccel('kvm', options(never))).accel).toBe('kvm');
  });

  it('refuses kvm where it cannot be opened', async () => {
    for (const facts of [
      { present: false, accessible: false },
      { present: true, accessible: false },
    ]) {
      const error = await chooseAccel('kvm', options(never, { kvm: facts })).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(SetupError);
      expect((error as SetupError).message).toMatch(/--accel tcg/);
    }
  });

  it('auto uses TCG without a boot where there is no /dev/kvm', async () => {
    expect(await chooseAccel('auto', options(never, { kvm: { present: false, accessible: false } }))).toMatchObject({
      accel: 'tcg',
      reason: 'TCG: /dev/kvm is not there',
    });
  });

  it('auto believes a boot, kills that guest, and remembers', async () => {
    const kill = vi.fn(async () => {});
    const boot = vi.fn(async () => ({ bootMs: 640, kill }));
    expect(await chooseAccel('auto', options(boot))).toEqual({
      accel: 'kvm',
      reason: 'KVM boots this guest in 0.6 s',
      remembered: false,
    });
    expect(kill).toHaveBeenCalledOnce();
    expect(await chooseAccel('auto', options(never))).toMatchObject({ accel: 'kvm', remembered: true });
    // Another kernel is another question.
    await chooseAccel('auto', options(boot, { kernel: { ...kernel, sha256: 'other' } }));
    expect(boot).toHaveBeenCalledTimes(2);
  });

  it('auto falls back, says why, and remembers that too', async () => {
    const lines: string[] = [];
    const hang: ChooseOptions['boot'] = async () => {
      throw new BootError('deadline', 'Linux 7 did not reach the runner within 15 s under KVM.', 'x', '', '');
    };
    expect(await chooseAccel('auto', options(hang, { log: (l) => lines.push(l) }))).toMatchObject({
      accel: 'tcg',
      remembered: false,
    });
    expect(lines).toEqual([
      'trying KVM',
      'TCG: KVM is there but does not work (Linux 7 did not reach the runner within 15 s under KVM)',
    ]);
    expect(await chooseAccel('auto', options(never))).toMatchObject({ accel: 'tcg', remembered: true });
  });

  it('auto remembers nothing of an interrupted try', async () => {
    const controller = new AbortController();
    const aborted: ChooseOptions['boot'] = async () => {
      controller.abort();
      throw new BootError('exit', 'x', 'x', '', '');
    };
    await expect(chooseAccel('auto', options(aborted, { signal: controller.signal }))).rejects.toThrow(/abort/i);
    const boot = vi.fn(async () => ({ bootMs: 1, kill: async () => {} }));
    await chooseAccel('auto', options(boot));
    expect(boot).toHaveBeenCalledOnce();
  });
});
