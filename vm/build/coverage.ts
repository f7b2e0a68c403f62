/** A kernel that counts how often each branch of some of its files is taken: gcov, switched on object by object. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { KernelError, SetupError } from '../host/errors.ts';
import { run } from '../host/processes.ts';
import { installCommand } from '../host/requirements.ts';
import { which } from '../host/tools.ts';
import { compilerOf, OWN_MACHINE } from '../machine/index.ts';
import type { ReadSource, Variant } from './variant.ts';

/** Where the kernel shows its counters. */
export const COUNTERS = '/sys/kernel/debug/gcov';

/**
 * What is asked of the compiler beside what the tree asks: each part of a condition is a branch of its own, and a
 * function that is not marked for it is not put into its callers before its branches are counted.
 */
const FLAGS = '--param logical-op-non-short-circuit=0 -fno-early-inlining';

/** The line of the top Makefile that ends what it says of gcov. */
const LAST = /^export CFLAGS_GCOV$/m;

/** A kernel that counts in the objects of these source files, such as `io_uring/net.c`. */
export function coverageVariant(sources: readonly string[]): Variant {
  return {
    name: 'gcov',
    options: ['DEBUG_FS', 'GCOV_KERNEL'],
    files: (read) => new Map([['Makefile', topMakefile(read)], ...switchedOn(sources, read)]),
  };
}

function topMakefile(read: ReadSource): string {
  const text = read('Makefile') ?? '';
  if (!LAST.test(text))
    throw new KernelError(
      'This tree does not build with gcov as it is expected: its Makefile exports no CFLAGS_GCOV.',
      'Take a tree of Linux 7.0 or later.',
      125,
    );
  return text.replace(LAST, `CFLAGS_GCOV += ${FLAGS}\n$&`);
}

/** The Makefiles of directories, each with a line per object. */
function switchedOn(sources: readonly string[], read: ReadSource): Map<string, string> {
  const files = new Map<string, string>();
  for (const source of sources) {
    const path = join(dirname(source), 'Makefile');
    const text = files.get(path) ?? read(path);
    if (text === undefined || read(source) === undefined)
      throw new KernelError(
        `This tree has no ${text === undefined ? path : source}.`,
        'Coverage is measured of the files that suites/coverage/feature.json names; take a tree that has them.',
        125,
      );
    files.set(path, `${text.trimEnd()}\n${`GCOV_PROFILE_${basename(source, '.c')}.o := y`}\n`);
  }
  return files;
}

/** The program that reads the counters of this compiler. */
export interface Gcov {
  readonly program: string;
  /** Such as `12.2.0`. */
  readonly version: string;
}

/**
 * The gcov of the compiler that kernels are built with.
 * @throws SetupError there is none, or it is another version's
 */
export async function findGcov(env: NodeJS.ProcessEnv = process.env): Promise<Gcov> {
  const named = env['CC']?.replace(/^ccache +/, '') ?? (env['LLVM'] ? 'clang' : compilerOf(OWN_MACHINE).cc);
  if (/clang/.test(named))
    throw new SetupError(
      'Coverage is read by gcov, which does not know what clang counts.',
      'Build with gcc: unset LLVM and CC.',
    );
  const program = named.replace(/gcc(?=[^/]*$)/, 'gcov');
  const missing = [named, program].find((name) => !isThere(name));
  if (missing !== undefined)
    throw new SetupError(
      `${missing} is missing: it ${missing === named ? 'builds the kernel' : 'reads the counters'}.`,
      `Install the package that brings both: ${installCommand(compilerOf(OWN_MACHINE).packages)}`,
    );
  const [compiler, reader] = await Promise.all([
    run([named, '-dumpfullversion', '-dumpversion']),
    run([program, '--version']),
  ]);
  const version = /(\d+\.\d+\.\d+)\s*$/m.exec(reader.stdout)?.[1] ?? 'unknown';
  if (version !== compiler.stdout.trim())
    throw new SetupError(
      `${program} is version ${version}, and ${named} is version ${compiler.stdout.trim()}: they do not fit.`,
      'Install both of one version, or set CC to a compiler whose gcov is there (CC=gcc-12 takes gcov-12).',
    );
  return { program, version };
}

/** Whether there is such a program, on the PATH or at its place. */
function isThere(program: string): boolean {
  return program.includes('/') ? existsSync(program) : which(program) !== undefined;
}

/**
 * What gcov says of one object, as its JSON.
 * @param notes the .gcno file that the compiler wrote
 * @param counters the .gcda file of the guest
 * @throws SetupError when they do not fit each other
 */
export async function readCounters(gcov: Gcov, notes: string, counters: Uint8Array): Promise<unknown> {
  const dir = await mkdtemp(join(tmpdir(), 'ringfence-gcov-'));
  try {
    const name = basename(notes, '.gcno');
    await symlink(notes, join(dir, `${name}.gcno`));
    await writeFile(join(dir, `${name}.gcda`), counters);
    const argv = [gcov.program, '--json-format', '--branch-probabilities', '--stdout', `${name}.gcda`];
    const { ok, stdout, stderr } = await run(argv, { cwd: dir });
    if (!ok || /mismatch|version '/.test(stderr) || stdout.trim() === '')
      throw new SetupError(
        `${gcov.program} cannot read the counters of ${name}: ${stderr.trim() || 'it says nothing'}`,
        'Kernel and notes are of two builds: build again.',
      );
    return JSON.parse(stdout) as unknown;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
