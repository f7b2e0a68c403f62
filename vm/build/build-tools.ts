/** The programs that building a kernel needs: found, or installed, or named in the exact command to type. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SetupError } from '../host/errors.ts';
import { installCommand, installPackages, rootPrefix } from '../host/requirements.ts';
import type { Machine } from '../machine/index.ts';
import { compilerOf, OWN_MACHINE } from '../machine/index.ts';
import { run } from '../host/processes.ts';
import { which } from '../host/tools.ts';

/** One program or header. */
export interface BuildTool {
  readonly what: string;
  readonly package: string;
  readonly there: () => Promise<boolean>;
  /** The file of the tree that needs it; absent: every tree does. */
  readonly for?: string;
}

const program = (name: string, pack = name, file?: string): BuildTool => ({
  what: name,
  package: pack,
  there: () => Promise.resolve(which(name) !== undefined),
  ...(file === undefined ? {} : { for: file }),
});

/** Everything that a tree needs for the compiler that is used; `patch` only when there is something to patch. */
export function buildTools(tree: string, patches: boolean, machine: Machine = OWN_MACHINE): readonly BuildTool[] {
  const { cc, packages } = compilerOf(machine);
  const llvm = Boolean(process.env['LLVM']);
  const all: readonly BuildTool[] = [
    program('make'),
    program('flex', 'flex', 'scripts/kconfig/lexer.l'),
    program('bison', 'bison', 'scripts/kconfig/parser.y'),
    program('bc', 'bc', 'kernel/time/timeconst.bc'),
    ...(llvm
      ? [program('clang'), program('ld.lld', 'lld'), program('llvm-ar', 'llvm')]
      : [program(cc, packages[0]), program('ld', 'binutils')]),
    {
      what: 'libelf (headers)',
      package: 'libelf-dev',
      there: () => hasHeader(llvm ? 'clang' : cc, 'gelf.h'),
      for: 'tools/objtool',
    },
    {
      what: 'the C library (headers)',
      package: 'libc6-dev',
      there: () => hasHeader(llvm ? 'clang' : cc, 'stdio.h'),
    },
    ...(patches ? [program('patch')] : []),
  ];
  return all.filter((tool) => tool.for === undefined || existsSync(join(tree, tool.for)));
}

async function hasHeader(cc: string, header: string): Promise<boolean> {
  return (await run([cc, '-E', '-include', header, '-x', 'c', '/dev/null', '-o', '/dev/null'], { timeoutMs: 60_000 }))
    .ok;
}

/**
 * Makes sure that kernels can be built; installs what is missing as root, or with a sudo that asks nothing.
 * @throws SetupError with the exact command to type
 */
export async function ensureBuildTools(tools: readonly BuildTool[], log: (line: string) => void): Promise<void> {
  const lacking = async (): Promise<BuildTool[]> => {
    const there = await Promise.all(tools.map((tool) => tool.there()));
    return tools.filter((_, i) => !there[i]);
  };
  const missing = await lacking();
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tool.package))];
  const what = `Building a kernel needs ${missing.map((tool) => tool.what).join(', ')}.`;
  if (!which('apt-get'))
    throw new SetupError(what, `Install them with your system's package manager. On Debian: ${packages.join(' ')}`);
  const advice = `Type this, then start again:\n    ${installCommand(packages)}`;
  const prefix = await rootPrefix();
  if (!prefix) throw new SetupError(what, advice);
  log(`installing ${packages.join(', ')}`);
  const failed = await installPackages(prefix, packages, log);
  if (failed !== undefined) throw new SetupError(`${what}\nInstalling failed: ${failed}`, advice);
  const still = await lacking();
  if (still.length > 0)
    throw new SetupError(
      `After installing ${packages.join(', ')} these are still missing: ${still.map((tool) => tool.what).join(', ')}.`,
      'Look at `apt-get` and the PATH.',
    );
}
