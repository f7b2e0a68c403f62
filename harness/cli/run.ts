/** ringfence run and ringfence fuzz. */
import type { RunOptions } from '../run.ts';
import { accel, DEFAULT_CASES, jobs, kernel, number, parse, QUICK_CASES, RUN_OPTIONS, RUN_OPTIONS_HELP, seed, suites } from './options.ts';
import { runAndReport } from './session.ts';

export const RUN_HELP = `ringfence run [options]: draws scenarios, lets the oracle predict and a real kernel answer, and compares

${RUN_OPTIONS_HELP}
Examples
  npx ringfence run --quick                      a look in half a minute
  npx ringfence run --suite inheritance --seed 7
  npx ringfence run --kernel ../linux/vmlinux    your own kernel
`;

export const FUZZ_HELP = `ringfence fuzz [options]: as run, but with a random seed and until Ctrl-C (or --cases)

${RUN_OPTIONS_HELP}`;

export async function runCommand(argv: readonly string[]): Promise<number> {
  const { values } = parse(argv, RUN_OPTIONS, 0);
  const cases = number('cases', values.cases, values.quick === true ? QUICK_CASES : DEFAULT_CASES, 1, Number.MAX_SAFE_INTEGER);
  return await start(argv, 'run', cases, seed(values.seed), values);
}

export async function fuzzCommand(argv: readonly string[]): Promise<number> {
  const { values } = parse(argv, RUN_OPTIONS, 0);
  const cases = values.cases === undefined && values.quick !== true ? Infinity : number('cases', values.cases, QUICK_CASES, 1, Number.MAX_SAFE_INTEGER);
  return await start(argv, 'fuzz', cases, seed(values.seed ?? 'random'), values);
}

type Values = ReturnType<typeof parse<typeof RUN_OPTIONS>>['values'];

async function start(argv: readonly string[], name: string, cases: number, chosen: number, values: Values): Promise<number> {
  const rest = withoutSeed(argv);
  const options: RunOptions = {
    suites: suites(values.suite),
    cases,
    seed: chosen,
    ...kernel(values.kernel),
    append: values.append ?? '',
    accel: accel(values.accel),
    jobs: jobs(values.jobs),
    timeout: number('timeout', values.timeout, 90, 1, 86_400),
    command: ['npx ringfence', name, ...rest.map(quote), '--seed', String(chosen)].join(' '),
    investigate: 8,
    shrinkSeconds: 60,
  };
  return await runAndReport(options, values.out ?? 'out');
}

/** The command line that repeats a run names its seed, also where it was drawn. */
function withoutSeed(argv: readonly string[]): readonly string[] {
  return argv.filter((word, i) => !word.startsWith('--seed') && argv[i - 1] !== '--seed');
}

function quote(word: string): string {
  return /^[\w./,:=+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
