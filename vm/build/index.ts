/** A kernel out of the user's own tree: as it was built there, or built here from a throw-away copy. */
import { appendFileSync, writeFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { realpathSync } from 'node:fs';
import { cacheDir, sha256, writeAtomic } from '../host/cache.ts';
import { diskError, hasCode, KernelError, SetupError } from '../host/errors.ts';
import type { AppliedPatch, Kernel, KernelOrigin } from '../kernels/kernel.ts';
import { kernelFromFile } from '../kernels/fetch.ts';
import { compilerOf, OWN_MACHINE } from '../machine/index.ts';
import { which } from '../host/tools.ts';
import { buildTools, ensureBuildTools } from './build-tools.ts';
import { follow } from './copy.ts';
import { isSlow, kconfigFragment, missingOptions, parseConfig } from './fragment.ts';
import { gitDescribe } from './git.ts';
import { withLock } from './lock.ts';
import type { MakeOptions } from './make.ts';
import { make } from './make.ts';
import { withPatches } from './patches.ts';
import { findBuilt, sourceTree, treeVersion } from './tree.ts';
import { withVariant } from './variant.ts';
import type { Variant } from './variant.ts';

/** Which kernel of a tree. */
export interface TreeOptions {
  /** Source tree, or output directory of a build. */
  readonly dir: string;
  /** Build it first. */
  readonly build?: boolean;
  /** With the debugging configuration. */
  readonly debug?: boolean;
  /** Patch files, applied in this order to a copy. */
  readonly patches?: readonly string[];
  /** Something else than the plain kernel; only with `build`. */
  readonly variant?: Variant;
}

/** A kernel of a tree; its `origin` is set. */
export interface TreeKernel {
  readonly kernel: Kernel;
  /** True when it checks itself so much that it needs more time and memory. */
  readonly slow: boolean;
  /** Where it was built; absent when it was not built here. */
  readonly places?: BuildPlaces;
}

/** The directories of a build. */
export interface BuildPlaces {
  /** The throw-away copy of the sources. */
  readonly source: string;
  /** What make made. */
  readonly output: string;
}

/** What happens meanwhile. */
export interface TreeEvents {
  readonly log: (line: string) => void;
  /** File that gets make's output; default: beside the build. */
  readonly logFile?: string;
  readonly signal?: AbortSignal;
}

/** Built kernels of one tree that are kept: bisecting goes back and forth. */
const KEPT = 4;

/** The same bytes from the same sources, whoever builds them and when. */
const REPRODUCIBLE = {
  KBUILD_BUILD_TIMESTAMP: '2026-01-01 00:00:00 UTC',
  KBUILD_BUILD_USER: 'ringfence',
  KBUILD_BUILD_HOST: 'ringfence',
  KBUILD_BUILD_VERSION: '1',
};

/** Where everything about one tree is kept: its throw-away copy, builds, kernels. */
export function treeCache(tree: string): string {
  return join(cacheDir(), 'trees', `${basename(tree).replace(/[^\w.-]/g, '_') || 'tree'}-${sha256(tree).slice(0, 12)}`);
}

/**
 * The kernel of a tree.
 * @throws SetupError (2) no tree, nothing built, missing tools, no space
 * @throws KernelError (125) does not build, no io_uring, a patch that does not apply
 */
export async function kernelFromTree(options: TreeOptions, events: TreeEvents): Promise<TreeKernel> {
  if (!OWN_MACHINE.kernel.trees)
    throw new SetupError(
      `Kernels of ${OWN_MACHINE.arch} are not taken out of source trees.`,
      `Build it yourself and give ${OWN_MACHINE.kernel.files} with --kernel.`,
    );
  return options.build ? await build(options, events) : await asBuilt(options, events);
}

async function asBuilt(options: TreeOptions, events: TreeEvents): Promise<TreeKernel> {
  const found = await findBuilt(options.dir);
  if (found.note !== undefined) events.log(found.note);
  events.log(`taking ${found.path}`);
  const kernel = await kernelFromFile(found.path, { log: events.log });
  const tree = resolve(options.dir);
  const origin = {
    ...originOf(tree, false, found.slow),
    patches: [],
    ...(found.config === undefined ? {} : { config_sha256: sha256(found.config) }),
  };
  return { kernel: { ...kernel, source: 'tree', requested: options.dir, origin }, slow: found.slow };
}

function originOf(tree: string, built: boolean, debug: boolean): Omit<KernelOrigin, 'patches'> {
  const version = treeVersion(tree);
  return { tree, built, debug, ...(version === undefined ? {} : { version }), ...gitDescribe(tree) };
}

async function build(options: TreeOptions, events: TreeEvents): Promise<TreeKernel> {
  const { log, signal } = events;
  const tree = realpathSync(sourceTree(options.dir));
  const patches = (options.patches ?? []).map((file) => resolve(file));
  await ensureBuildTools(buildTools(tree, patches.length > 0), log);
  signal?.throwIfAborted();
  const home = treeCache(tree);
  return await withLock(
    join(home, `lock${suffix(options.variant)}`),
    (pid) => log(`${pid === undefined ? 'another process' : `process ${pid}`} is building this tree; waiting for it`),
    signal,
    () => buildLocked({ ...options, patches }, { tree, home }, events),
  );
}

/** What the names of a variant's directories, and of its lock, end with. */
const suffix = (variant: Variant | undefined): string => (variant === undefined ? '' : `-${variant.name}`);

/** Brings the copy up to date, configures it, builds it, and keeps the kernel. */
async function buildLocked(
  { dir, debug = false, patches = [], variant }: TreeOptions,
  { tree, home }: { readonly tree: string; readonly home: string },
  events: TreeEvents,
): Promise<TreeKernel> {
  const { log } = events;
  const origin = originOf(tree, true, debug);
  const own = suffix(variant);
  const source = join(home, `source${own}`);
  const output = join(home, `build${debug ? '-debug' : ''}${own}`);
  const applied = await bringUpToDate(origin, source, { patches, variant }, events);
  const fragment = kconfigFragment({ debug, ...(variant?.options === undefined ? {} : { more: variant.options }) });
  const job = await prepareJob(source, output, fragment, events);
  const config = await configure(job);
  const targets = [...(variant?.allErrors ? ['--keep-going'] : []), 'vmlinux'];
  await make({ ...job, targets, jobs: jobs(), what: debug ? 'the debugging kernel' : 'the kernel' });
  const path = await keep(home, join(output, 'vmlinux'));
  logged(() => appendFileSync(job.logFile, `built ${path}\n`));
  const kernel = await kernelFromFile(path);
  log(`built ${kernel.release}`);
  return {
    kernel: {
      ...kernel,
      source: 'tree',
      requested: dir,
      origin: { ...origin, patches: applied, config_sha256: sha256(config) },
    },
    slow: isSlow(parseConfig(config)),
    places: { source, output },
  };
}

/** Makes the copy follow the tree, patches applied, and says what it came to. */
async function bringUpToDate(
  origin: Omit<KernelOrigin, 'patches'>,
  source: string,
  { patches, variant }: { readonly patches: readonly string[]; readonly variant: Variant | undefined },
  { log, logFile, signal }: TreeEvents,
): Promise<readonly AppliedPatch[]> {
  const results = logFile === undefined ? undefined : dirname(resolve(logFile));
  const applied = await withPatches(origin.tree, patches, async (patched) => {
    const { files, changed } = await withVariant(origin.tree, patched.overrides, variant, (overrides) =>
      follow(origin.tree, source, overrides, results),
    );
    const names = patched.applied.map(({ name }) => name).join(', ');
    log(
      `${origin.describe ?? origin.version ?? origin.tree}${names === '' ? '' : ` with ${names}`}: ${files} files` +
        (changed > 0 ? `, ${changed} changed since the last build` : ''),
    );
    return patched.applied;
  });
  signal?.throwIfAborted();
  return applied;
}

/** What all calls of make have in common. */
type Job = Omit<MakeOptions, 'targets' | 'jobs' | 'what'>;

async function prepareJob(source: string, output: string, options: string, events: TreeEvents): Promise<Job> {
  await mkdir(output, { recursive: true }).catch((error: unknown) => {
    throw diskError(error, output, 1500);
  });
  const fragment = join(output, 'ringfence.config');
  await writeAtomic(fragment, options);
  const logFile = resolve(events.logFile ?? join(output, 'build.log'));
  logged(() => writeFileSync(logFile, ''));
  return {
    source,
    output,
    logFile,
    log: events.log,
    variables: variables(),
    env: { ...REPRODUCIBLE, KCONFIG_ALLCONFIG: fragment },
    ...(events.signal ? { signal: events.signal } : {}),
  };
}

/** Writes to the log. A full disk must not end the build, as it does not end make's part of the log. */
function logged(write: () => void): void {
  try {
    write();
  } catch (error) {
    if (!hasCode(error, 'ENOSPC') && !hasCode(error, 'EDQUOT')) throw error;
  }
}

/** Configures the copy; answers its .config. @throws KernelError (125) when the tree lacks what the guest needs */
async function configure(job: Job): Promise<string> {
  await make({ ...job, targets: ['allnoconfig'], jobs: 1, what: 'the configuration' });
  const config = await readFile(join(job.output, '.config'), 'utf8');
  const missing = missingOptions(parseConfig(config));
  if (missing.length > 0)
    throw new KernelError(
      `This tree cannot be configured for the guest: ${missing.join(', ')}.`,
      'This commit cannot be tested as it is; `npx ringfence kconfig` shows what is asked for.',
      125,
    );
  return config;
}

function variables(): string[] {
  const compiler = process.env['CC'] ?? (process.env['LLVM'] ? 'clang' : compilerOf(OWN_MACHINE).cc);
  const cc = which('ccache') && !compiler.startsWith('ccache ') ? `ccache ${compiler}` : compiler;
  return [`ARCH=${OWN_MACHINE.arch}`, `CC=${cc}`];
}

/** `RINGFENCE_BUILD_JOBS`, else one per processor. */
function jobs(): number {
  const wanted = Number(process.env['RINGFENCE_BUILD_JOBS']);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : availableParallelism();
}

/** The next build writes over vmlinux while this one's guests may still be booted: they get a file of their own. */
async function keep(home: string, vmlinux: string): Promise<string> {
  const bytes = await readFile(vmlinux);
  const dir = join(home, 'kernels');
  const path = join(dir, `${sha256(bytes).slice(0, 32)}.vmlinux`);
  const there = await stat(path).catch(() => undefined);
  if (there?.size !== bytes.length) await writeAtomic(path, bytes);
  const now = new Date();
  await utimes(path, now, now);
  const all = await Promise.all(
    (await readdir(dir))
      .filter((name) => name.endsWith('.vmlinux'))
      .map(async (name) => ({ name, at: (await stat(join(dir, name))).mtimeMs })),
  );
  for (const { name } of all.sort((a, b) => b.at - a.at).slice(KEPT)) await rm(join(dir, name), { force: true });
  return path;
}
