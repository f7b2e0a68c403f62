/** From the values of options to the options of a run: the one place for all commands that run scenarios. */
import { join } from 'node:path';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { quoted } from '../../reports/text/replay.ts';
import { UsageError } from '../../vm/index.ts';
import { checkBundlePlace } from '../bundle/create.ts';
import { loadExpectations } from '../known/expectation-file.ts';
import type { PolicyOptions } from '../known/policy.ts';
import { readCases } from '../run/cases.ts';
import { defaultJobs } from '../run/options.ts';
import type { RunOptions } from '../run/options.ts';
import type { Values } from './option.ts';
import { DEFAULT_OUT, DEFAULT_TIMEOUT } from './options.ts';
import type { EXPECT_OPTIONS, GUEST_OPTIONS, SESSION_OPTIONS } from './options.ts';

/** Distinct differences of a run that are shrunk. */
const INVESTIGATED = 8;
/** Seconds for shrinking each of them. A recorded case is small already. */
const SHRINK_SECONDS = 60;

/** Where the kernel comes from. */
export type KernelChoice = Pick<RunOptions, 'kernel' | 'release' | 'tree'>;

/** --kernel, --linux and its companions, --out. */
export interface KernelValues {
  readonly kernel?: string | undefined;
  readonly linux?: string | undefined;
  readonly build?: boolean | undefined;
  readonly debug?: boolean | undefined;
  readonly patch?: readonly string[] | undefined;
  readonly out?: string | undefined;
}

/** The kernel that is to be tested. @throws UsageError options that do not go together */
export function kernelChoice({ kernel, linux, build, debug, patch, out }: KernelValues): KernelChoice {
  const companion = build ? '--build' : debug ? '--debug' : patch !== undefined ? '--patch' : undefined;
  if (linux === undefined) {
    if (companion !== undefined) throw new UsageError(`${companion} needs a source tree: add --linux DIR`);
    return kernel === undefined ? {} : /^\d+\.\d+(\.\d+)?$/.test(kernel) ? { release: kernel } : { kernel };
  }
  if (linux === '') throw new UsageError('--linux takes a directory');
  if (kernel !== undefined) throw new UsageError('--kernel and --linux name two kernels; give one of them');
  if (!build && companion !== undefined) throw new UsageError(`${companion} changes what is built: add --build`);
  return {
    tree: {
      dir: linux,
      build: build === true,
      debug: debug === true,
      patches: patch ?? [],
      logFile: join(out ?? DEFAULT_OUT, 'build.log'),
    },
  };
}

/** How guests are run. */
export function guestSettings({
  append = '',
  arch,
  accel,
  jobs = defaultJobs(),
  timeout = DEFAULT_TIMEOUT,
}: Values<typeof GUEST_OPTIONS>): Pick<RunOptions, 'machine' | 'append' | 'accel' | 'jobs' | 'timeout'> {
  return { machine: arch, append, accel, jobs, timeout };
}

/**
 * Reads the expectation files. A bad one ends everything before anything is run. @throws SetupError naming file, place
 * and what was expected
 */
export function policyOf({ expect, strict }: Values<typeof EXPECT_OPTIONS>): PolicyOptions {
  return {
    ...(expect === undefined ? {} : { expect: loadExpectations(expect) }),
    ...(strict ? { strict: true } : {}),
  };
}

/** What a command asks of a run beside kernel, guests and policy. */
type Job = Pick<RunOptions, 'command'> & Partial<RunOptions>;

/** A run of drawn cases. @throws UsageError, SetupError what cannot be */
export function drawnRun(
  values: Values<typeof SESSION_OPTIONS>,
  job: Job & Pick<RunOptions, 'suites' | 'cases' | 'seed'>,
): RunOptions {
  return {
    ...kernelChoice(values),
    ...guestSettings(values),
    ...policyOf(values),
    investigate: INVESTIGATED,
    shrinkSeconds: SHRINK_SECONDS,
    ...job,
  };
}

/**
 * A run of recorded cases, one after the other unless --jobs says otherwise. @throws UsageError, SetupError what cannot
 * be
 */
export function recordedRun(
  values: Values<typeof SESSION_OPTIONS>,
  paths: readonly string[],
  command: string,
): RunOptions {
  const scenarios = paths.flatMap((path) => readCases(path));
  return drawnRun(
    { ...values, jobs: values.jobs ?? 1 },
    { suites: SUITE_NAMES, cases: scenarios.length, seed: 0, scenarios, shrinkSeconds: 0, command },
  );
}

/**
 * Where the bundle goes; undefined for none. @throws UsageError for another name than FILE.tar.zst, SetupError for a
 * place that cannot be written
 */
export function bundlePlace(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  if (!/.\.tar\.zst$/.test(file)) throw new UsageError(`--bundle takes a name that ends in .tar.zst, not "${file}"`);
  checkBundlePlace(file);
  return file;
}

/** The command line that repeats a run names its seed, also where it was drawn. */
export function repeatCommand(name: string, argv: readonly string[], seed?: number): string {
  const words =
    seed === undefined
      ? argv
      : [...argv.filter((word, i) => !/^--seed(=|$)/.test(word) && argv[i - 1] !== '--seed'), '--seed', String(seed)];
  return ['npx ringfence', name, ...words.map(quoted)].join(' ');
}
