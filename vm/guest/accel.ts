/** Which accelerator runs the guest. KVM is believed only after a real boot. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheDir, readJson, sha256, writeAtomic } from '../host/cache.ts';
import { SetupError, RingfenceError } from '../host/errors.ts';
import type { Machine } from '../machine/index.ts';
import { isNative } from '../machine/index.ts';
import type { BootOptions } from './guest.ts';
import { bootGuest } from './guest.ts';
import type { GuestImage } from './image.ts';
import type { Kernel } from '../kernels/kernel.ts';
import type { Accel } from './qemu.ts';
import { qemuVersion } from '../host/qemu-version.ts';
import { kvmAccessible, kvmDevice } from './qemu.ts';

/** What was chosen and why, for people. */
export interface AccelChoice {
  readonly accel: Accel;
  /** One line: `KVM boots this guest in 0.6 s`, `TCG: /dev/kvm is not there`. */
  readonly reason: string;
  /** True when the answer comes from an earlier run. */
  readonly remembered: boolean;
}

/** What to try it with. */
export interface ChooseOptions {
  readonly kernel: Kernel;
  readonly image: GuestImage;
  readonly log?: (line: string) => void;
  readonly signal?: AbortSignal;
  /** Milliseconds that a KVM guest may take until the runner's first byte. Default 15 000. */
  readonly deadlineMs?: number;
  /** For tests. */
  readonly boot?: (options: BootOptions) => Promise<{ readonly bootMs: number; kill(): Promise<void> }>;
  readonly kvm?: { readonly present: boolean; readonly accessible: boolean };
}

/**
 * `tcg` is taken as said; `kvm` too, when its device can be opened; `auto` boots the guest under KVM and falls back to
 * TCG.
 * The answer of `auto` is remembered until the host, QEMU or the kernel changes.
 * @throws SetupError when `kvm` is asked for and cannot be opened, or QEMU is missing
 */
export async function chooseAccel(preference: 'auto' | Accel, options: ChooseOptions): Promise<AccelChoice> {
  const log = options.log ?? (() => {});
  if (preference === 'tcg') return { accel: 'tcg', reason: 'TCG, as asked', remembered: false };
  const kvm = options.kvm ?? { present: kvmDevice() !== undefined, accessible: kvmAccessible() };
  const obstacle = obstacleTo(options.kernel.machine, kvm);
  if (preference === 'kvm') {
    if (obstacle)
      throw new SetupError(
        `KVM was asked for, but ${obstacle}.`,
        kvm.present
          ? 'Add yourself to the group of /dev/kvm (usually kvm), or use --accel tcg.'
          : 'Switch on virtualisation in the firmware or the outer machine, or use --accel tcg.',
      );
    return { accel: 'kvm', reason: 'KVM, as asked', remembered: false };
  }
  if (obstacle) return tell({ accel: 'tcg', reason: `TCG: ${obstacle}`, remembered: false }, log);
  const file = join(cacheDir(), 'accel', `${await memoryKey(options)}.json`);
  const earlier = asChoice(await readJson(file));
  if (earlier) return tell({ ...earlier, remembered: true }, log);
  log('trying KVM');
  const choice = await tryKvm(options);
  // What cannot be remembered is tried again; that is no reason to stop.
  await writeAtomic(file, JSON.stringify({ accel: choice.accel, reason: choice.reason })).catch(() => {});
  return tell(choice, log);
}

/** What keeps KVM from being tried. */
function obstacleTo(machine: Machine, kvm: NonNullable<ChooseOptions['kvm']>): string | undefined {
  if (!isNative(machine)) return `guests of ${machine.arch} do not run on this processor`;
  if (!kvm.present) return '/dev/kvm is not there';
  return kvm.accessible ? undefined : '/dev/kvm may not be opened by this user';
}

function tell(choice: AccelChoice, log: (line: string) => void): AccelChoice {
  log(choice.remembered ? `${choice.reason} (found earlier)` : choice.reason);
  return choice;
}

async function tryKvm(options: ChooseOptions): Promise<AccelChoice> {
  const deadlineMs = options.deadlineMs ?? 15_000;
  const boot = options.boot ?? bootGuest;
  try {
    const guest = await boot({
      kernel: options.kernel,
      image: options.image,
      accel: 'kvm',
      bootDeadlineMs: deadlineMs,
      ...(options.signal ? { signal: options.signal } : {}),
    });
    await guest.kill();
    return { accel: 'kvm', reason: `KVM boots this guest in ${(guest.bootMs / 1000).toFixed(1)} s`, remembered: false };
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!(error instanceof RingfenceError)) throw error;
    return { accel: 'tcg', reason: `TCG: KVM is there but does not work (${shortly(error)})`, remembered: false };
  }
}

/** The telling line of a boot failure. */
function shortly(error: RingfenceError): string {
  const lines = error.message.split('\n');
  return (lines.find((l) => /qemu-system-\S+: (?!terminating)/.test(l)) ?? lines[0] ?? '')
    .trim()
    .replace(/^qemu-system-\S+:\s*/, '')
    .replace(/[.:]$/, '');
}

async function memoryKey(options: ChooseOptions): Promise<string> {
  const boot = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => 'unknown');
  const version = await qemuVersion(options.kernel.machine);
  return sha256(JSON.stringify([boot.trim(), version, options.kernel.sha256, process.getuid?.()])).slice(0, 32);
}

function asChoice(value: unknown): { accel: Accel; reason: string } | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { accel, reason } = value as Record<string, unknown>;
  return (accel === 'kvm' || accel === 'tcg') && typeof reason === 'string' ? { accel, reason } : undefined;
}
