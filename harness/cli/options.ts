/** Groups of options that several commands share, each said once. */
import { SUITE_NAMES } from '../../generators/suites.ts';
import type { SuiteName } from '../../generators/suites.ts';
import { OPENING } from '../../generators/turns.ts';
import type { Shard } from '../../reports/data/result.ts';
import { DEFAULT_RELEASE, UsageError } from '../../vm/index.ts';
import type { Machine } from '../../vm/machine/index.ts';
import { machineNamed, MACHINES, OWN_MACHINE } from '../../vm/machine/index.ts';
import { FORMATS } from '../output/formats.ts';
import type { FormatName } from '../output/formats.ts';
import { choice, flag, group, parsed, text, texts, whole, wholeNumber } from './option.ts';
import type { Option } from './option.ts';

/** Seed of a run that names none: fixed, so that a gate does not flake. */
export const DEFAULT_SEED = 1;
/** Scenarios of a default run: over a million compared answers. */
export const DEFAULT_CASES = 26_000;
/** Scenarios of a run with --quick: those that any run begins with. */
export const QUICK_CASES = OPENING;
/** Seconds a guest may take to boot, or be silent while it works, when nothing is said. */
export const DEFAULT_TIMEOUT = 90;
/** Output directory when none is named. */
export const DEFAULT_OUT = 'out';

/** -s NAME: which suites; undefined for all. */
export const SUITE: Option<readonly SuiteName[] | undefined> = {
  ...texts('NAME', 'only this suite, or several joined by commas', { short: 's', example: 'links' }),
  read: (typed) => (typed.length === 0 ? undefined : typed.flatMap(suites)),
};

function suites(list: string): SuiteName[] {
  return list.split(',').map((name) => {
    const suite = SUITE_NAMES.find((known) => known === name.trim());
    if (suite === undefined) throw new UsageError(`there is no suite "${name}"; suites are ${SUITE_NAMES.join(', ')}`);
    return suite;
  });
}

/** A seed that nobody has to remember: the result says which it was. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 0x7fff_ffff);
}

/** --seed. @param otherwise what it is when it is not given, for the help */
export function seedOption(otherwise: string): Option<number | undefined> {
  return parsed(
    'N',
    `same seed, same scenarios; "random" draws one (0 to 4294967295; default ${otherwise})`,
    { example: '7' },
    (typed, name) => {
      if (typed === undefined) return undefined;
      return typed === 'random' ? randomSeed() : wholeNumber(name, typed, 0, 0xffff_ffff);
    },
  );
}

/** --shard I/N. */
export const SHARD = parsed(
  'I/N',
  'the I-th of N equal parts of the run (1/3, 2/3, 3/3); `npx ringfence merge` joins them',
  { example: '2/3' },
  (typed): Shard | undefined => {
    if (typed === undefined) return undefined;
    const [, index = '', count = ''] = /^(\d{1,4})\/(\d{1,4})$/.exec(typed) ?? [];
    if (!(Number(index) >= 1 && Number(index) <= Number(count)))
      throw new UsageError(`--shard takes I/N with I from 1 to N, such as 2/3, not "${typed}"`);
    return { index: Number(index), count: Number(count) };
  },
);

/** -k PATH|RELEASE. */
export const KERNEL = text(
  'PATH',
  `bzImage or vmlinux, or a release that can be fetched such as 7.3.4 (default ${DEFAULT_RELEASE})`,
  { short: 'k' },
);

/** A kernel out of the user's own source tree. */
export const TREE_OPTIONS = {
  linux: text('DIR', 'a Linux source tree, or the output directory of a build: takes the newest kernel in it'),
  build: flag(
    `builds the tree first, out of tree in our cache, with our own small configuration (npx ringfence kconfig shows it);
    later builds make only what changed`,
  ),
  debug: flag('with --build: KASAN, lockdep, RCU checks, kmemleak; slower, so all deadlines are longer'),
  patch: texts('FILE', 'with --build: applied to a throw-away copy, the tree stays as it is'),
};

/** --accel. */
export const ACCEL = choice(['auto', 'kvm', 'tcg'], 'auto: KVM if a guest really boots with it');
/** --arch. */
const ARCH = parsed(
  'NAME',
  `machine of the guests: ${MACHINES.map(({ arch }) => arch).join(', ')} (default ${OWN_MACHINE.arch})`,
  { example: OWN_MACHINE.arch },
  (typed): Machine => {
    const machine = typed === undefined ? OWN_MACHINE : machineNamed(typed);
    if (machine === undefined)
      throw new UsageError(`--arch is ${MACHINES.map(({ arch }) => arch).join(' or ')}, not "${typed}"`);
    return machine;
  },
);
/** -j. @param otherwise what it is when it is not given, for the help */
export function jobsOption(otherwise: string): Option<number | undefined> {
  return whole('N', 'guests side by side', { short: 'j', min: 1, max: 64, shown: otherwise });
}
/** --timeout. @param otherwise what it is when it is not given, for the help */
export function timeoutOption(otherwise: string): Option<number | undefined> {
  return whole('SEC', 'how long a guest may take to boot, or be silent while it works', {
    min: 1,
    max: 86_400,
    shown: otherwise,
  });
}

/** How guests are run: the same for everything that runs scenarios. */
export const GUEST_OPTIONS = group('Guests', {
  append: text('TEXT', 'extra kernel command line'),
  arch: ARCH,
  accel: ACCEL,
  jobs: jobsOption('one per processor'),
  timeout: timeoutOption(String(DEFAULT_TIMEOUT)),
});

/** -o DIR. */
const OUT = text('DIR', `where result.json, divergences and consoles go (default ./${DEFAULT_OUT})`, {
  short: 'o',
});

/** A gate's own list of what it expects to fail. */
export const EXPECT_OPTIONS = {
  expect: texts('FILE', 'expectations of a gate instead of the built-in findings (npx ringfence help expect)'),
  strict: flag('an expectation that is expired, gone or reached by no case fails the run (exit code 1)'),
};

/** --bundle FILE. */
const BUNDLE = text(
  'FILE',
  'everything needed to check and repeat this run elsewhere, as FILE.tar.zst (npx ringfence help verify)',
);

const formatOptions = Object.fromEntries(
  Object.entries(FORMATS).map(([name, { help }]) => [name, text('FILE', `${help}; "-" is standard output`)]),
) as unknown as Readonly<Record<FormatName, Option<string | undefined>>>;

/** A row for each format of a report, and GitHub's. */
export const REPORT_OPTIONS = group('Reports', {
  ...formatOptions,
  github: flag('annotations and job summary for GitHub Actions (on where GITHUB_ACTIONS is "true")'),
  'no-github': flag('no annotations and no summary, wherever it runs'),
});

const RESULT_OPTIONS = { out: OUT, ...EXPECT_OPTIONS };

/** What run, fuzz and replay have in common. */
export const SESSION_OPTIONS = {
  ...group('Kernel', { kernel: KERNEL, ...TREE_OPTIONS }),
  ...GUEST_OPTIONS,
  ...group('Results', { ...RESULT_OPTIONS, bundle: BUNDLE }),
  ...REPORT_OPTIONS,
};

/** What a matrix has of these. */
export const MATRIX_OPTIONS = {
  ...GUEST_OPTIONS,
  ...group('Results', RESULT_OPTIONS),
  ...REPORT_OPTIONS,
};
