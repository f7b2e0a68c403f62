/** The programs that a run needs: found, or installed, or named in the exact command to type. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SetupError, RingfenceError } from './errors.ts';
import type { Machine } from '../machine/index.ts';
import { anyOf } from './any-of.ts';
import { compilerOf, OWN_MACHINE } from '../machine/index.ts';
import { qemuVersion } from './qemu-version.ts';
import { run } from './processes.ts';
import { toolVersion, which } from './tools.ts';

/** QEMU before 7.0 is untested. */
const MIN_QEMU = [7, 0] as const;

/** One program that the host needs. */
export interface Requirement {
  /** For people: `QEMU`, `C compiler`. */
  readonly name: string;
  readonly program: string;
  /** Debian packages that bring it. */
  readonly packages: readonly string[];
  /** Version, when it is there. */
  readonly version?: string;
  /** What is wrong; absent when nothing is. */
  readonly problem?: string;
}

/** How to make sure. */
export interface EnsureOptions {
  readonly log?: (line: string) => void;
  /** False: never install anything, only say what is missing. Default true. */
  readonly install?: boolean;
  readonly machine?: Machine;
}

/** Looks at everything; installs nothing. */
export async function checkRequirements(machine: Machine = OWN_MACHINE): Promise<Requirement[]> {
  return [await checkQemu(machine), await checkCompiler(machine)];
}

async function checkQemu(machine: Machine): Promise<Requirement> {
  const base = { name: 'QEMU', program: machine.qemu, packages: [machine.qemuPackage] };
  if (!which(machine.qemu)) return { ...base, problem: `${machine.qemu} is not on the PATH` };
  try {
    const [major, minor, text] = await qemuVersion(machine);
    if (major < MIN_QEMU[0] || (major === MIN_QEMU[0] && minor < MIN_QEMU[1])) {
      return {
        ...base,
        version: text,
        problem: `version ${text} is too old; ${MIN_QEMU.join('.')} or newer is needed`,
      };
    }
    return { ...base, version: text };
  } catch (error) {
    return { ...base, problem: error instanceof RingfenceError ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

async function checkCompiler(machine: Machine): Promise<Requirement> {
  const { cc, packages } = compilerOf(machine);
  const base = { name: 'C compiler', program: cc, packages };
  if (!which(cc)) return { ...base, problem: `${cc} is not on the PATH` };
  const version = toolVersion(cc);
  // A compiler without its linker or its own headers is as good as none: try the real thing.
  const dir = await mkdtemp(join(tmpdir(), 'ringfence-cc-')).catch((error: Error) => error);
  if (dir instanceof Error)
    return { ...base, version, problem: `the temporary directory ${tmpdir()} cannot be used: ${dir.message}` };
  try {
    await writeFile(
      join(dir, 'a.c'),
      '#include <stdint.h>\nvoid _start(void) { for (volatile uint32_t i = 0;; i++); }\n',
    );
    const result = await run([cc, '-static', '-nostdlib', '-ffreestanding', '-o', join(dir, 'a'), join(dir, 'a.c')], {
      timeoutMs: 60_000,
    });
    return result.ok
      ? { ...base, version }
      : {
          ...base,
          version,
          problem: `it cannot build a small program: ${result.stderr.trim().split('\n').slice(-1)[0] ?? ''}`,
        };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The command that installs packages, as a user would type it. */
export function installCommand(packages: readonly string[], root = process.getuid?.() === 0): string {
  const sudo = root ? '' : 'sudo ';
  return `${sudo}apt-get update && ${sudo}apt-get install --no-install-recommends ${packages.join(' ')}`;
}

/**
 * Makes sure that everything is there, and installs what is missing when that needs no question: as root, or with a
 * sudo that asks none.
 * @throws SetupError with the exact command to type, when it cannot
 */
export async function ensureRequirements(options: EnsureOptions = {}): Promise<void> {
  const log = options.log ?? (() => {});
  const machine = options.machine ?? OWN_MACHINE;
  const missing = (await checkRequirements(machine)).filter((r) => r.problem !== undefined);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.flatMap((r) => r.packages))];
  const what = missing.map((r) => `${r.name}: ${r.problem}`).join('\n');
  const advice = `Type this, then start again:\n    ${installCommand(packages)}`;
  if (!which('apt-get')) {
    throw new SetupError(
      what,
      `Install QEMU for ${machine.arch} (version ${MIN_QEMU.join('.')} or newer) and a C compiler with your system's ` +
        `package manager. On Debian: ${packages.join(' ')}`,
    );
  }
  const prefix = options.install === false ? undefined : await rootPrefix();
  if (!prefix) throw new SetupError(what, advice);
  log(`installing ${packages.join(', ')}`);
  const failed = await installPackages(prefix, packages, log);
  if (failed !== undefined) throw new SetupError(`${what}\nInstalling failed: ${failed}`, advice);
  const still = (await checkRequirements(machine)).filter((r) => r.problem !== undefined);
  if (still.length > 0) {
    throw new SetupError(
      `After installing ${packages.join(', ')}:\n${still.map((r) => `${r.name}: ${r.problem}`).join('\n')}`,
      'Look at `apt-get` and the PATH, then run `ringfence doctor`.',
    );
  }
}

/** What to put before apt-get: nothing as root, sudo where it asks no password; undefined where neither works. */
export async function rootPrefix(): Promise<readonly string[] | undefined> {
  if (process.getuid?.() === 0) return [];
  if (which('sudo') && (await run(['sudo', '-n', 'apt-get', '--version'], { timeoutMs: 15_000 })).ok)
    return ['sudo', '-n'];
  return undefined;
}

const LOCK_TRIES = 30;
const LOCK_PAUSE_MS = 10_000;

/** Installs packages; undefined on success, otherwise the reason. */
export async function installPackages(
  prefix: readonly string[],
  packages: readonly string[],
  log: (line: string) => void,
): Promise<string | undefined> {
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=300', '-o', 'Acquire::Retries=3', '-o', 'Dpkg::Use-Pty=0'];
  const apt = (...args: string[]) =>
    withLock(() => run([...prefix, 'apt-get', ...options, ...args], { timeoutMs: 1_800_000 }), log);
  const update = await apt('update');
  // An update that failed in part may be good enough; the installation decides.
  const result = await apt('install', '-y', '--no-install-recommends', ...packages);
  if (result.ok) return undefined;
  return aptReason(`${update.stderr}\n${result.stderr}`);
}

async function withLock(job: () => ReturnType<typeof run>, log: (line: string) => void): ReturnType<typeof run> {
  for (let attempt = 1; ; attempt++) {
    const result = await job();
    if (result.ok || !/Could not get lock|Unable to (?:acquire|lock)/.test(result.stderr) || attempt >= LOCK_TRIES)
      return result;
    if (attempt === 1) log('another package manager is at work; waiting for it');
    await new Promise((resolve) => setTimeout(resolve, LOCK_PAUSE_MS));
  }
}

const UNREACHABLE = anyOf(
  /Could not resolve|Temporary failure|Could not connect|Unable to connect|Network is unreachable/,
  /[Cc]onnection (?:timed out|refused|failed)/,
);

/** The gist of apt's messages, for people. Pure. */
export function aptReason(text: string): string {
  const lines = text
    .split('\n')
    .map((l) => l.trim())
    .filter((l) => /^(?:E|W|Err):?/.test(l));
  const said = [...new Set(lines)].slice(0, 5).join('\n');
  if (UNREACHABLE.test(text)) return `the network or the package mirror cannot be reached.\n${said}`;
  if (/No space left|enough free space/.test(text)) return `the disk is full.\n${said}`;
  if (/Could not get lock/.test(text)) return `another package manager holds the lock and does not let go.\n${said}`;
  if (/Unable to locate package|has no installation candidate/.test(text))
    return `apt's sources do not have the package; Debian's "main" is needed.\n${said}`;
  return said === '' ? 'apt-get gave no reason' : said;
}

/** True where kernels can be fetched: apt, dpkg-deb and Debian's keyring are there. */
export function canFetchKernels(): boolean {
  return (
    which('apt-get') !== undefined &&
    which('dpkg-deb') !== undefined &&
    existsSync('/usr/share/keyrings/debian-archive-keyring.gpg')
  );
}
