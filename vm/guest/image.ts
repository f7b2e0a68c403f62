/** The guest's initial file system: the C runner as PID 1 and next to nothing else. */
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir, sha256, writeAtomic } from '../host/cache.ts';
import { cpio } from './cpio.ts';
import { SetupError, temporarySpace } from '../host/errors.ts';
import type { Machine } from '../machine/index.ts';
import { compilerOf, OWN_MACHINE } from '../machine/index.ts';
import { run } from '../host/processes.ts';
import { which } from '../host/tools.ts';

/** A built image. */
export interface GuestImage {
  /** Path of the cpio archive, world-readable. */
  readonly path: string;
  /** SHA-256 of the archive, in hex. */
  readonly sha256: string;
  /** SHA-256 over compiler, flags and sources: names the runner that made a result. */
  readonly runner: string;
}

/** What to build from. */
export interface ImageOptions {
  /** Directory with the runner's sources, all `*.c` of it. Default: this project's runner. */
  readonly sources?: string;
  readonly machine?: Machine;
  readonly log?: (line: string) => void;
}

const RUNNER_DIR = join(dirname(fileURLToPath(import.meta.url)), '../runner');
const FLAGS = [
  '-O2',
  '-g0',
  '-std=gnu11',
  '-Wall',
  '-Wextra',
  '-static',
  '-nostdlib',
  '-ffreestanding',
  '-fno-pie',
  '-no-pie',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-fno-strict-aliasing',
  '-Wl,--build-id=none',
  '-Wl,-z,noexecstack',
];

/**
 * Compiles the runner and packs it, or takes the image out of the cache when neither sources nor compiler changed.
 * @throws SetupError when there is no compiler, when it refuses the sources, or when the disk is full
 */
export async function buildImage(options: ImageOptions = {}): Promise<GuestImage> {
  const machine = options.machine ?? OWN_MACHINE;
  const dir = options.sources ?? RUNNER_DIR;
  const names = (await readdir(dir).catch(() => [])).filter((name) => /\.[chS]$/.test(name)).sort();
  const units = names.filter((name) => !name.endsWith('.h'));
  if (units.length === 0)
    throw new SetupError(`There is no C source in ${dir}.`, 'The checkout is incomplete: clone the repository again.');
  const { cc } = compilerOf(machine);
  if (!which(cc)) throw missingCompiler(machine);
  const version = await run([cc, '-v']);
  const files = await Promise.all(names.map(async (name) => ({ name, text: await readFile(join(dir, name)) })));
  const runner = sha256(
    JSON.stringify([version.stderr, FLAGS, machine.compilerFlags, files.map((f) => [f.name, sha256(f.text)])]),
  );
  const path = join(cacheDir(), 'images', machine.debArch, `${runner.slice(0, 32)}.cpio`);
  if (!existsSync(path)) {
    options.log?.(`compiling the guest's runner (${units.length} files)`);
    await writeAtomic(path, pack(await compile(dir, units, machine)));
  }
  return { path, sha256: sha256(await readFile(path)), runner };
}

function missingCompiler(machine: Machine): SetupError {
  const { cc, packages } = compilerOf(machine);
  return new SetupError(
    `The C compiler ${cc} is missing: it builds the program that runs in the guest.`,
    `Install it: apt-get install --no-install-recommends ${packages.join(' ')}`,
  );
}

async function compile(dir: string, units: readonly string[], machine: Machine): Promise<Buffer> {
  const { cc, packages } = compilerOf(machine);
  const out = await mkdtemp(join(tmpdir(), 'ringfence-cc-'));
  try {
    const binary = join(out, 'init');
    const result = await run([
      cc,
      ...FLAGS,
      ...machine.compilerFlags,
      '-o',
      binary,
      ...units.map((name) => join(dir, name)),
    ]);
    if (result.ok) return await readFile(binary);
    const said = result.stderr.trim().split('\n').slice(0, 30).join('\n');
    if (/No space left on device/.test(said)) throw temporarySpace(tmpdir());
    const headers = /fatal error: \S+: No such file/.test(said);
    throw new SetupError(
      `${cc} could not build the guest's runner:\n${said}`,
      headers
        ? `A header is missing. Install: apt-get install --no-install-recommends ${packages.join(' ')}`
        : 'If you changed vm/runner, correct it; otherwise report this together with the output of `gcc --version`.',
    );
  } finally {
    await rm(out, { recursive: true, force: true });
  }
}

function pack(init: Buffer): Buffer {
  const directory = (name: string, mode = 0o755) => ({ name, mode: 0o040000 | mode });
  return cpio([
    directory('dev'),
    { name: 'dev/console', mode: 0o020600, rdev: { major: 5, minor: 1 } },
    // For kernels without devtmpfs.
    { name: 'dev/null', mode: 0o020666, rdev: { major: 1, minor: 3 } },
    { name: 'dev/ttyS1', mode: 0o020600, rdev: { major: 4, minor: 65 } },
    directory('proc'),
    directory('sys'),
    directory('tmp', 0o1777),
    { name: 'init', mode: 0o100755, data: init },
  ]);
}
