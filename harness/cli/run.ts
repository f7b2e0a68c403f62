/** ringfence run and ringfence fuzz. */
import type { RunOptions } from '../run/run.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { readCases } from '../run/cases.ts';
import { UsageError } from '../../vm/index.ts';
import {
  accel,
  DEFAULT_CASES,
  jobs,
  number,
  parse,
  QUICK_CASES,
  RUN_OPTIONS,
  RUN_OPTIONS_HELP,
  seed,
  shard,
  suites,
} from './options.ts';
import { bundlePlace, policy } from './policy.ts';
import { wishesOf } from '../output/deliver.ts';
import { runAndReport } from '../output/run-session.ts';
import { BISECT_HELP, kernelChoice, TREE_OPTIONS, TREE_OPTIONS_HELP } from './tree.ts';

const OPTIONS = { ...RUN_OPTIONS, ...TREE_OPTIONS } as const;
/** What a replay cannot have: its cases are given. */
const DRAWING = ['suite', 'cases', 'seed', 'quick', 'shard'] as const;

export const RUN_HELP = `ringfence run [options]: draws scenarios, lets the oracle predict and a real kernel answer, and compares

${RUN_OPTIONS_HELP}
Your own kernel
${TREE_OPTIONS_HELP}      --replay CASE    runs this recorded case instead of drawn ones; may be repeated

${BISECT_HELP}
Examples
  npx ringfence run --quick                      a look in half a minute
  npx ringfence run --suite inheritance --seed 7
  npx ringfence run --kernel ../linux/vmlinux    your own kernel
  npx ringfence run --linux ../linux --build --patch fix.patch
`;

export const FUZZ_HELP = `ringfence fuzz [options]: as run, but with a random seed and until Ctrl-C (or --cases)

${RUN_OPTIONS_HELP}
Your own kernel
${TREE_OPTIONS_HELP}`;

export async function runCommand(argv: readonly string[]): Promise<number> {
  const {
    values: { replay, ...values },
  } = parse(argv, { ...OPTIONS, replay: { type: 'string', multiple: true } }, 0);
  if (replay !== undefined) return await replayed(argv, replay, values);
  const cases = number(
    'cases',
    values.cases,
    values.quick === true ? QUICK_CASES : DEFAULT_CASES,
    1,
    Number.MAX_SAFE_INTEGER,
  );
  return await start(argv, 'run', cases, seed(values.seed), values);
}

export async function fuzzCommand(argv: readonly string[]): Promise<number> {
  const { values } = parse(argv, OPTIONS, 0);
  const cases =
    values.cases === undefined && values.quick !== true
      ? Infinity
      : number('cases', values.cases, QUICK_CASES, 1, Number.MAX_SAFE_INTEGER);
  return await start(argv, 'fuzz', cases, seed(values.seed ?? 'random'), values);
}

type Values = ReturnType<typeof parse<typeof OPTIONS>>['values'];

async function start(
  argv: readonly string[],
  name: string,
  cases: number,
  chosen: number,
  values: Values,
): Promise<number> {
  const rest = withoutSeed(argv);
  const options: RunOptions = {
    suites: suites(values.suite),
    cases,
    seed: chosen,
    ...kernelChoice(values),
    append: values.append ?? '',
    accel: accel(values.accel),
    jobs: jobs(values.jobs),
    timeout: number('timeout', values.timeout, 90, 1, 86_400),
    command: ['npx ringfence', name, ...rest.map(quote), '--seed', String(chosen)].join(' '),
    investigate: 8,
    shrinkSeconds: 60,
    ...policy(values),
    ...shard(values.shard, name === 'run' ? cases : undefined),
  };
  return await runAndReport(options, values.out ?? 'out', {
    bundle: bundlePlace(values.bundle),
    reports: wishesOf(values),
  });
}

/** run --replay: the given cases, one after the other. */
async function replayed(argv: readonly string[], paths: readonly string[], values: Values): Promise<number> {
  const drawing = DRAWING.find((name) => values[name] !== undefined);
  if (drawing !== undefined) throw new UsageError(`--${drawing} draws cases, --replay gives them; use one of the two`);
  const scenarios = paths.flatMap((path) => readCases(path));
  return await runAndReport(
    {
      suites: SUITE_NAMES,
      cases: scenarios.length,
      seed: 0,
      ...kernelChoice(values),
      append: values.append ?? '',
      accel: accel(values.accel),
      jobs: values.jobs === undefined ? 1 : jobs(values.jobs),
      timeout: number('timeout', values.timeout, 90, 1, 86_400),
      command: ['npx ringfence run', ...argv.map(quote)].join(' '),
      scenarios,
      investigate: 8,
      shrinkSeconds: 0,
      ...policy(values),
    },
    values.out ?? 'out',
    { bundle: bundlePlace(values.bundle), reports: wishesOf(values) },
  );
}

/** The command line that repeats a run names its seed, also where it was drawn. */
function withoutSeed(argv: readonly string[]): readonly string[] {
  return argv.filter((word, i) => !word.startsWith('--seed') && argv[i - 1] !== '--seed');
}

function quote(word: string): string {
  return /^[\w./,:=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
