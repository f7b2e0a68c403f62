/** ringfence coverage. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { formatCoverage } from '../../reports/text/coverage.ts';
import { createProgress } from '../../reports/text/progress.ts';
import type { CoverageResult } from '../../reports/data/coverage.ts';
import { EXIT, UsageError } from '../../vm/index.ts';
import { coverage } from '../coverage/coverage.ts';
import type { CoverageOptions, Measured } from '../coverage/coverage.ts';
import { readFeature, readReasons } from '../coverage/reasons.ts';
import { Attempts } from '../output/attempts.ts';
import { writeCoverage } from '../output/coverage-files.ts';
import { inColour } from '../output/screen.ts';
import { makeOutput } from '../output/write.ts';
import { defaultJobs } from '../run/options.ts';
import { command } from './command.ts';
import { interruptible } from './interrupt.ts';
import { flag, group, text, texts, whole } from './option.ts';
import {
  DEFAULT_CASES,
  DEFAULT_SEED,
  DEFAULT_TIMEOUT,
  GUEST_OPTIONS,
  QUICK_CASES,
  seedOption,
  SUITE,
} from './options.ts';
import { repeatCommand } from './settings.ts';

const DATA = fileURLToPath(new URL('../../suites/coverage', import.meta.url));
/** Output directory when none is named. */
const OUT = 'out/coverage';

const { append, accel, jobs, timeout } = GUEST_OPTIONS;
const OPTIONS = {
  ...group('Kernel', {
    linux: text('DIR', 'the Linux source tree that is built so that it counts, from a throw-away copy'),
    patch: texts('FILE', 'applied to the copy before'),
  }),
  ...group('Cases', {
    suite: SUITE,
    cases: whole('N', 'scenarios in all', { short: 'n', min: 1, max: 1_000_000, shown: String(QUICK_CASES) }),
    full: flag(`the ${DEFAULT_CASES} scenarios of a default run`),
    seed: seedOption(String(DEFAULT_SEED)),
  }),
  append,
  accel,
  jobs,
  timeout,
  ...group('Results', {
    out: text('DIR', `where coverage.json, coverage.info and the page go (default ./${OUT})`, { short: 'o' }),
    reasons: texts('FILE', 'reasons of your own instead of suites/coverage/reasons.json'),
    strict: flag('a branch that was not reached and has no reason, or a reason for nothing, fails (exit code 1)'),
  }),
};

/** ringfence coverage. */
export const COVERAGE = command({
  name: 'coverage',
  summary: "which branches of the kernel's own code the cases come to (gcov)",
  options: OPTIONS,
  notes: `
The tree is built with gcov for the files of the feature (bpf_filter.c, register.c, tctx.c, io_uring.c, net.c,
openclose.c, msg_ring.c, net/core/filter.c), the cases run as ever, and the counters come out of the guests' debugfs.
Boot and probing do not count. suites/coverage says which functions are the feature's, and why some of their branches
are reached by no case.

Below DIR: coverage.json (reports/README.md describes it), coverage.txt, report.html: the feature's functions line by
line, coverage.info: the same for genhtml and CI services (genhtml --branch-coverage -o html coverage.info),
unreached.json: branches without a reason, to be filled in.

A tree: unpack the sources of Linux 7.0 or newer anywhere (kernel.org, or a git clone); nothing in it is changed. The
reasons are those of 7.3.4 and gcc 12; elsewhere other branches may need one.

Exit code: 130 interrupted, with what was counted on disk; 2 usage, or a compiler without its gcov; 125 the tree does
not build; 1 a reason whose branch was reached, or a divergence; with --strict also a branch that has neither; 0
otherwise.`,
  examples: [
    ['npx ringfence coverage --linux ../linux-7.3.4', 'the cases of run --quick'],
    ['npx ringfence coverage --linux ../linux-7.3.4 --full --strict', 'a gate'],
    ['npx ringfence coverage --linux ../linux --suite validator --cases 400', 'what one suite comes to'],
  ],
  run: async (values, _, argv) => {
    const { linux, out = OUT, seed = DEFAULT_SEED } = values;
    if (linux === undefined || linux === '')
      throw new UsageError(
        'coverage needs a source tree: add --linux DIR (unpack the sources of Linux 7.3.4 from kernel.org anywhere)',
      );
    if (values.full && values.cases !== undefined) throw new UsageError('--full and --cases exclude each other');
    const feature = readFeature(join(DATA, 'feature.json'));
    const reasons = readReasons(values.reasons ?? [join(DATA, 'reasons.json')]);
    makeOutput(out);
    const options: CoverageOptions = {
      linux,
      patches: values.patch ?? [],
      logFile: join(out, 'build.log'),
      feature,
      reasons,
      run: {
        append: values.append ?? '',
        accel: values.accel,
        jobs: values.jobs ?? defaultJobs(),
        timeout: values.timeout ?? DEFAULT_TIMEOUT,
        suites: values.suite ?? SUITE_NAMES,
        cases: values.cases ?? (values.full ? DEFAULT_CASES : QUICK_CASES),
        seed,
        command: repeatCommand('coverage', argv, seed),
        investigate: 8,
        shrinkSeconds: 0,
      },
    };
    return await measure(options, out, values.strict);
  },
});

async function measure(options: CoverageOptions, out: string, strict: boolean): Promise<number> {
  const progress = createProgress(process.stderr);
  const note = (line: string): void => progress.note(line);
  const events = {
    note,
    progress: (state: Parameters<typeof progress.update>[0]) => progress.update(state),
    consoleFile: (boot: number) => join(out, `console-${boot}.txt`),
  };
  return await interruptible({ note }, async (signal) => {
    const measured = await measuredOrStopped(options, events, signal).finally(() => progress.end());
    if (measured === undefined) {
      process.stderr.write('ringfence: interrupted before anything was counted; nothing is lost.\n');
      return EXIT.interrupted;
    }
    const { result, ...tree } = measured;
    // What was counted in minutes is shown also where there is no room for it.
    const attempts = new Attempts(note);
    attempts.write(() => writeCoverage(out, result, tree));
    process.stdout.write(formatCoverage(result, { out, colour: inColour(process.stdout) }));
    if (signal.aborted) return EXIT.interrupted;
    if (attempts.failed !== undefined) throw attempts.failed;
    if (result.verdict === 'divergent')
      process.stdout.write(
        'This kernel diverges from the rules: `npx ringfence run --linux DIR --build` looks into it.\n',
      );
    return failed(result, strict) ? EXIT.divergent : EXIT.ok;
  });
}

/** Undefined when it was interrupted before there was anything to tell. */
async function measuredOrStopped(
  options: CoverageOptions,
  events: Parameters<typeof coverage>[1],
  signal: AbortSignal,
): Promise<Measured | undefined> {
  try {
    return await coverage(options, events, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    return undefined;
  }
}

function failed({ verdict, problems, complete }: CoverageResult, strict: boolean): boolean {
  return verdict === 'divergent' || problems.some(({ problem }) => problem === 'reached') || (strict && !complete);
}
