/** Options for kernels out of the user's own source tree, and what set-up errors mean to git bisect. */
import type { ParseArgsOptionsConfig } from 'node:util';
import { join } from 'node:path';
import { isBisecting } from '../../vm/build/git.ts';
import type { TreeOptions } from '../../vm/build/index.ts';
import { EXIT, UsageError } from '../../vm/index.ts';
import { kernel } from './options.ts';

export const TREE_OPTIONS = {
  linux: { type: 'string' },
  build: { type: 'boolean' },
  debug: { type: 'boolean' },
  patch: { type: 'string', multiple: true },
} as const satisfies ParseArgsOptionsConfig;

export const TREE_OPTIONS_HELP = `      --linux DIR      a Linux source tree, or the output directory of a build: takes the newest kernel in it
      --build          builds the tree first, out of tree in our cache, with our own small configuration
                       (npx ringfence kconfig shows it); later builds make only what changed
      --debug          with --build: KASAN, lockdep, RCU checks, kmemleak; slower, so all deadlines are longer
      --patch FILE     with --build: applied to a throw-away copy, the tree stays as it is; may be repeated
`;

export const BISECT_HELP = `Bisecting: which commit broke a case (a file of out/divergences, or one that was good at first)
  git bisect start BAD GOOD
  git bisect run npx ringfence run --linux . --build --replay CASE.json
(\`npm link\` in ringfence's directory, once, makes \`npx ringfence\` work in every other; or: npx --prefix DIR ringfence ...)
A commit that does not build or boot, that has no io_uring filters, or that a --patch does not apply to is skipped (125).
While a bisection is under way, errors of usage and set-up end with 128 instead of 2: git stops there and can go on
later, instead of calling the commit bad.
`;

/** Where the kernel comes from. */
export interface KernelChoice {
  readonly kernel?: string;
  readonly release?: string;
  readonly tree?: TreeOptions & { readonly logFile: string };
}

interface KernelValues {
  readonly kernel?: string | undefined;
  readonly linux?: string | undefined;
  readonly build?: boolean | undefined;
  readonly debug?: boolean | undefined;
  readonly patch?: readonly string[] | undefined;
  readonly out?: string | undefined;
}

/** --kernel or --linux and its companions. @throws UsageError options that do not go together */
export function kernelChoice(values: KernelValues): KernelChoice {
  const { linux, build, debug, patch, out } = values;
  const companion = build ? '--build' : debug ? '--debug' : patch !== undefined ? '--patch' : undefined;
  if (linux === undefined) {
    if (companion !== undefined) throw new UsageError(`${companion} needs a source tree: add --linux DIR`);
    return kernel(values.kernel);
  }
  if (linux === '') throw new UsageError('--linux takes a directory');
  if (values.kernel !== undefined) throw new UsageError('--kernel and --linux name two kernels; give one of them');
  if (!build && companion !== undefined) throw new UsageError(`${companion} changes what is built: add --build`);
  return {
    tree: {
      dir: linux,
      build: build === true,
      debug: debug === true,
      patches: patch ?? [],
      logFile: join(out ?? 'out', 'build.log'),
    },
  };
}

/** `git bisect run` stops at any code from 128 on. */
const STOP_BISECT = 128;

/**
 * The exit code for a set-up or usage error: 2, but 128 while the tree of --linux is being bisected, because
 * git takes 2 for "this commit is bad".
 */
export function setupExit(argv: readonly string[]): number {
  const at = argv.findIndex((word) => word === '--linux' || word.startsWith('--linux='));
  const dir = at < 0 ? undefined : argv[at]!.includes('=') ? argv[at]!.slice('--linux='.length) : argv[at + 1];
  return dir !== undefined && isBisecting(dir) ? STOP_BISECT : EXIT.usage;
}
