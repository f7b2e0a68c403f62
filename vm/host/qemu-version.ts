/** QEMU on this machine: whether it is there, and which. */
import type { Machine } from '../machine/index.ts';
import { OWN_MACHINE } from '../machine/index.ts';
import { SetupError } from './errors.ts';
import { run } from './processes.ts';
import { which } from './tools.ts';

const known = new Map<string, Promise<readonly [number, number, string]>>();

/**
 * QEMU's version as [major, minor, whole text]. Remembered for the life of the process.
 * @throws SetupError when QEMU is missing or does not answer
 */
export async function qemuVersion(machine: Machine = OWN_MACHINE): Promise<readonly [number, number, string]> {
  const path = which(machine.qemu);
  if (!path) throw missingQemu(machine);
  let answer = known.get(path);
  if (!answer) {
    answer = askVersion(path);
    known.set(path, answer);
  }
  return await answer;
}

/** The error for a machine without QEMU. */
export function missingQemu(machine: Machine = OWN_MACHINE): SetupError {
  return new SetupError(
    `QEMU is missing: ${machine.qemu} is not on the PATH.`,
    `Install it: apt-get install --no-install-recommends ${machine.qemuPackage}`,
  );
}

async function askVersion(path: string): Promise<readonly [number, number, string]> {
  const result = await run([path, '--version'], { timeoutMs: 20_000 });
  const match = /version (\d+)\.(\d+)[^\n]*/.exec(result.stdout);
  if (!match)
    throw new SetupError(
      `${path} --version does not answer: ${result.stderr.trim() || result.stdout.trim()}`,
      'Install QEMU again.',
    );
  return [Number(match[1]), Number(match[2]), match[0].replace(/^version /, '')];
}
