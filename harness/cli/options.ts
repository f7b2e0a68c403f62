/** Options that several commands share: parsing, ranges, messages. */
import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';
import { SUITE_NAMES } from '../../generators/suites.ts';
import type { SuiteName } from '../../generators/suites.ts';
import type { Shard } from '../../reports/data/result.ts';
import { defaultJobs } from '../run/run.ts';
import { UsageError } from '../../vm/index.ts';
import { REPORT_OPTIONS, REPORT_OPTIONS_HELP } from '../output/deliver.ts';

/** Seed of a run that names none: fixed, so that a gate does not flake. */
export const DEFAULT_SEED = 1;
/** Scenarios of a default run: over a million compared answers. */
export const DEFAULT_CASES = 26_000;
export const QUICK_CASES = 1_600;

/** A gate's own list of what it expects to fail: run, fuzz, replay, and whoever runs several of them. */
export const EXPECT_OPTIONS = {
  expect: { type: 'string', multiple: true },
  strict: { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;

export const EXPECT_OPTIONS_HELP = `      --expect FILE    expectations of a gate instead of the built-in findings; may be repeated (npx ringfence help expect)
      --strict         an expectation that is expired, gone or reached by no case fails the run (exit code 1)
`;

export const BUNDLE_OPTIONS = { bundle: { type: 'string' } } as const satisfies ParseArgsOptionsConfig;
export const BUNDLE_OPTIONS_HELP = `      --bundle FILE    everything needed to check and repeat this run elsewhere, as FILE.tar.zst (npx ringfence help verify)
`;

/** How guests are run and where results go: the same for everything that runs scenarios. */
export const GUEST_OPTIONS = {
  append: { type: 'string' },
  accel: { type: 'string' },
  jobs: { type: 'string', short: 'j' },
  timeout: { type: 'string' },
  out: { type: 'string', short: 'o' },
} as const satisfies ParseArgsOptionsConfig;

export const RUN_OPTIONS = {
  suite: { type: 'string', multiple: true, short: 's' },
  cases: { type: 'string', short: 'n' },
  seed: { type: 'string' },
  kernel: { type: 'string', short: 'k' },
  ...GUEST_OPTIONS,
  quick: { type: 'boolean' },
  shard: { type: 'string' },
  ...EXPECT_OPTIONS,
  ...BUNDLE_OPTIONS,
  ...REPORT_OPTIONS,
} as const satisfies ParseArgsOptionsConfig;

export const RUN_OPTIONS_HELP = `  -s, --suite NAME     only this suite; may be repeated, or names joined by commas
  -n, --cases N        scenarios in all (default ${DEFAULT_CASES})
      --quick          about 30 seconds: ${QUICK_CASES} scenarios
      --seed N         same seed, same scenarios, same results (default ${DEFAULT_SEED}; "random" draws one)
  -k, --kernel PATH    bzImage or vmlinux, or a release that can be fetched such as 7.3.4 (default: the pinned 7.0.13)
      --append TEXT    extra kernel command line
      --accel NAME     auto, kvm or tcg (default auto: KVM if a guest really boots with it)
  -j, --jobs N         guests side by side (default: one per processor)
      --timeout SEC    how long a guest may take to boot, or be silent while it works (default 90)
  -o, --out DIR        where result.json, divergences and consoles go (default ./out)
      --shard I/N      the I-th of N equal parts of the run (1/3, 2/3, 3/3); \`npx ringfence merge\` joins them
${EXPECT_OPTIONS_HELP}${BUNDLE_OPTIONS_HELP}${REPORT_OPTIONS_HELP}
suites: ${SUITE_NAMES.join(', ')}
`;

/** parseArgs with errors as UsageError. */
export function parse<T extends ParseArgsOptionsConfig>(argv: readonly string[], options: T, positionals: number) {
  let parsed;
  try {
    parsed = parseArgs({ args: [...argv], options, allowPositionals: positionals > 0, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0] ?? 'bad options');
  }
  if (parsed.positionals.length > positionals)
    throw new UsageError(`unexpected argument "${parsed.positionals[positionals]}"`);
  return parsed;
}

/** A whole number in a range. */
export function number(name: string, text: string | undefined, fallback: number, min: number, max: number): number {
  if (text === undefined) return fallback;
  const value = /^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
  if (!(value >= min && value <= max))
    throw new UsageError(`--${name} takes a whole number from ${min} to ${max}, not "${text}"`);
  return value;
}

export function suites(names: readonly string[] | undefined): readonly SuiteName[] {
  if (names === undefined) return SUITE_NAMES;
  return names
    .flatMap((list) => list.split(','))
    .map((name) => {
      const suite = SUITE_NAMES.find((known) => known === name.trim());
      if (suite === undefined)
        throw new UsageError(`there is no suite "${name}"; suites are ${SUITE_NAMES.join(', ')}`);
      return suite;
    });
}

export function seed(text: string | undefined, fallback = DEFAULT_SEED): number {
  if (text === 'random') return Math.floor(Math.random() * 0x7fff_ffff);
  return number('seed', text, fallback, 0, 0xffff_ffff);
}

/** --accel. */
export function accel(text: string | undefined): 'auto' | 'kvm' | 'tcg' {
  if (text === undefined) return 'auto';
  if (text === 'auto' || text === 'kvm' || text === 'tcg') return text;
  throw new UsageError(`--accel is auto, kvm or tcg, not "${text}"`);
}

/** --kernel: a release that can be fetched, or a path. */
export function kernel(text: string | undefined): { readonly kernel?: string; readonly release?: string } {
  if (text === undefined) return {};
  return /^\d+\.\d+(\.\d+)?$/.test(text) ? { release: text } : { kernel: text };
}

export function jobs(text: string | undefined): number {
  return number('jobs', text, defaultJobs(), 1, 64);
}

/** --shard. @param cases how many cases are cut into shards; undefined: this command has no shards */
export function shard(text: string | undefined, cases: number | undefined): { readonly shard?: Shard } {
  if (text === undefined) return {};
  if (cases === undefined)
    throw new UsageError('--shard is for ringfence run: a run without end, or with cases of its own, has no parts');
  const [, index = '', count = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(text) ?? [];
  if (!(Number(index) >= 1 && Number(index) <= Number(count)))
    throw new UsageError(`--shard takes I/N with I from 1 to N, such as 2/3, not "${text}"`);
  if (Number(index) > cases)
    throw new UsageError(`--shard ${text}: there are only ${cases} cases, and none for this shard`);
  return { shard: { index: Number(index), count: Number(count) } };
}
