/** ringfence sensitivity. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SensitivityResult } from '../../reports/data/sensitivity.ts';
import { formatSensitivity } from '../../reports/text/sensitivity.ts';
import { createProgress } from '../../reports/text/progress.ts';
import { counted } from '../../reports/text/style.ts';
import { MUTANT_CLASSES, readMutants } from '../../vm/build/mutant-file.ts';
import type { Mutant } from '../../vm/build/mutant-file.ts';
import { EXIT, SetupError, UsageError } from '../../vm/index.ts';
import { Attempts } from '../output/attempts.ts';
import { inColour } from '../output/screen.ts';
import { writeSensitivity } from '../output/sensitivity-files.ts';
import { makeOutput } from '../output/write.ts';
import { defaultJobs } from '../run/options.ts';
import type { SensitivityEvents, SensitivityOptions } from '../sensitivity/options.ts';
import { buildKernel, sensitivity } from '../sensitivity/sensitivity.ts';
import { command } from './command.ts';
import { interruptible } from './interrupt.ts';
import { nearest } from './nearest.ts';
import { flag, group, text, texts, whole } from './option.ts';
import { ACCEL, DEFAULT_CASES, DEFAULT_SEED, jobsOption, QUICK_CASES, seedOption, timeoutOption } from './options.ts';
import { repeatCommand } from './settings.ts';

const DIRECTORY = fileURLToPath(new URL('../../suites/mutants', import.meta.url));
/** Output directory when none is named. */
const OUT = 'out/sensitivity';
/** Seconds that a guest may take or be silent: a mutant that hangs costs as much. */
const TIMEOUT = 20;
/** Seconds that a mutant may take beside several times what its cases take without a fault. */
const GRACE = 60;

const OPTIONS = {
  ...group('Kernel', {
    linux: text('DIR', 'the Linux source tree that the mutants are put into, on a throw-away copy'),
    patch: texts('FILE', 'applied to the copy before'),
    debug: flag('with KASAN, lockdep, RCU checks, kmemleak: shows more, and takes its time'),
  }),
  ...group('Mutants', {
    mutants: texts('FILE', 'mutants of your own instead of those of suites/mutants (which has the form)'),
    only: texts('ID', 'only this mutant, or several joined by commas', { short: 'i' }),
    class: texts('NAME', `only this class: ${MUTANT_CLASSES.join(', ')}`, { example: 'crash' }),
    needs: flag('also those that no scenario can show yet (races, failing allocations, sanitizers)'),
    'keep-going': flag('leaves out mutants that do not fit the tree or do not compile'),
    check: flag('only builds: do they fit and compile?'),
  }),
  ...group('Cases', {
    quick: flag(`only the ${QUICK_CASES} cases of "run --quick"; otherwise a default run for those that survive them`),
    cases: whole('N', 'cases of the second stage', {
      short: 'n',
      min: 1,
      max: 1_000_000,
      shown: String(DEFAULT_CASES),
    }),
    seed: seedOption(String(DEFAULT_SEED)),
  }),
  ...group('Guests', {
    append: text('TEXT', 'extra kernel command line'),
    accel: ACCEL,
    jobs: jobsOption('one per processor'),
    timeout: timeoutOption(String(TIMEOUT)),
  }),
  ...group('Results', {
    out: text('DIR', `where sensitivity.json, page and journal go (default ./${OUT})`, { short: 'o' }),
    fresh: flag('forgets what an earlier call found in DIR'),
    require: whole('PERCENT', 'of the mutants that a scenario can show, so many must be killed', {
      min: 0,
      max: 100,
      fallback: 100,
    }),
  }),
};

/** ringfence sensitivity. */
export const SENSITIVITY = command({
  name: 'sensitivity',
  summary: 'which faults in a real kernel would be seen: mutants, one boot each',
  options: OPTIONS,
  notes: `
All mutants are compiled into one kernel; ringfence_mutant=N on its command line chooses one. First the kernel without
a fault runs all cases: it must be conformant, and it tells which cases come to which places. Then each mutant gets
those of the same cases that come to its place (all where a fault may show later: lifetime, crash), on a guest of its
own, until the first difference that shows again when its case runs alone on a fresh guest, a crash or a hang. A
mutant whose place no case comes to needs no guest. Cases and seconds are counted as if all cases had run.

The kernel takes some minutes to build, the next time seconds; a mutant takes a second or two, one that is alive as long
as its cases. DIR takes about 30 MB, half of it the kernel.

What is found is written to DIR at once (sensitivity.jsonl), and the same command goes on after Ctrl-C. Other cases
(another seed, another version of ringfence) need another DIR, or --fresh. Below DIR: sensitivity.json
(reports/README.md describes it), sensitivity.txt, report.html, mutants/ID.json: the case that killed each.

A tree: unpack the sources of Linux 7.0 or newer anywhere (kernel.org, or a git clone); nothing in it is changed. The
mutants of suites/mutants fit 7.3.4; elsewhere --keep-going leaves out what does not fit.

Exit code: 130 interrupted, with what was found on disk; 2 usage, or mutants that do not fit or compile; 125 the tree
does not build; 1 fewer mutants were killed than --require asks for, or the kernel does not pass without one; 0
otherwise.`,
  examples: [
    ['npx ringfence sensitivity --linux ../linux-7.3.4', ''],
    ['npx ringfence sensitivity --linux ../linux --quick --require 90', 'a gate'],
    ['npx ringfence sensitivity --linux ../linux --mutants mine.json --check', 'do mine fit and compile?'],
    ['npx ringfence sensitivity --linux ../linux --only ctx-user-data-bit-63', 'one of them'],
  ],
  run: async (values, _, argv) => {
    const { linux, out = OUT, seed = DEFAULT_SEED } = values;
    if (linux === undefined || linux === '')
      throw new UsageError(
        'sensitivity needs a source tree: add --linux DIR (unpack the sources of Linux 7.3.4 from kernel.org anywhere)',
      );
    if (values.quick && values.cases !== undefined) throw new UsageError('--quick and --cases exclude each other');
    const mutants = readMutants(values.mutants ?? ownFiles());
    const options: SensitivityOptions = {
      linux,
      mutants,
      wanted: wanted(mutants, values),
      keepGoing: values['keep-going'],
      patches: values.patch ?? [],
      debug: values.debug,
      seed,
      quick: QUICK_CASES,
      cases: values.quick ? 0 : (values.cases ?? DEFAULT_CASES),
      jobs: values.jobs ?? defaultJobs(),
      append: values.append ?? '',
      accel: values.accel,
      timeout: values.timeout ?? TIMEOUT,
      grace: GRACE,
      required: values.require,
      out,
      fresh: values.fresh,
      command: repeatCommand('sensitivity', argv, seed),
    };
    makeOutput(out);
    return values.check ? await check(options) : await campaign(options);
  },
});

/** The files of suites/mutants. */
function ownFiles(): readonly string[] {
  const files = readdirSync(DIRECTORY).filter((name) => name.endsWith('.json'));
  return files.sort().map((name) => join(DIRECTORY, name));
}

/** Which mutants are tried. @throws UsageError names that there are not */
function wanted(
  mutants: readonly Mutant[],
  {
    only,
    class: classes,
    needs,
  }: {
    readonly only?: readonly string[] | undefined;
    readonly class?: readonly string[] | undefined;
    readonly needs: boolean;
  },
): (mutant: Mutant) => boolean {
  const split = (list: readonly string[] | undefined): ReadonlySet<string> | undefined =>
    list === undefined ? undefined : new Set(list.flatMap((one) => one.split(',').map((name) => name.trim())));
  const [ids, names] = [split(only), split(classes)];
  const all = mutants.map(({ id }) => id);
  for (const id of ids ?? [])
    if (!all.includes(id)) throw new UsageError(`there is no mutant "${id}"; did you mean ${nearest(id, all)}?`);
  const known: readonly string[] = MUTANT_CLASSES;
  for (const name of names ?? [])
    if (!known.includes(name)) throw new UsageError(`there is no class "${name}"; classes are ${known.join(', ')}`);
  const isWanted = (mutant: Mutant): boolean =>
    (ids?.has(mutant.id) ?? (needs || mutant.needs === undefined)) && (names?.has(mutant.class) ?? true);
  if (!mutants.some(isWanted))
    throw new UsageError('no mutant is left to be tried: look at --only and --class, or add --needs');
  return isWanted;
}

/** Builds, and says what fits. */
async function check(options: SensitivityOptions): Promise<number> {
  const progress = createProgress(process.stderr);
  const note = (text: string): void => progress.note(text);
  return await interruptible({ note }, async (signal) => {
    try {
      const { mutants, misfits, kernel } = await buildKernel(options, { note }, signal);
      process.stdout.write(`${counted(mutants.length, 'mutant')} in ${kernel.path}\n`);
      return misfits.length > 0 ? EXIT.usage : EXIT.ok;
    } catch (error) {
      if (!signal.aborted) throw error;
      return EXIT.interrupted;
    }
  });
}

async function campaign(options: SensitivityOptions): Promise<number> {
  const { out } = options;
  const progress = createProgress(process.stderr);
  const note = (text: string): void => progress.note(text);
  const attempts = new Attempts(note);
  let last: SensitivityResult | undefined;
  const events: SensitivityEvents = {
    note,
    progress: (state) => progress.update(state),
    finished: () => progress.end(),
    checkpoint: (result, trials) => {
      last = result;
      attempts.write(() => writeSensitivity(out, result, trials));
    },
  };
  return await interruptible({ note }, async (signal) => {
    try {
      last = await sensitivity(options, events, signal);
    } catch (error) {
      progress.end();
      if (!signal.aborted) throw error;
    }
    if (last === undefined) note('ringfence: interrupted before the first mutant; nothing was found, nothing is lost.');
    else process.stdout.write(formatSensitivity(last, { out, colour: inColour(process.stdout) }));
    if (signal.aborted) return EXIT.interrupted;
    if (attempts.failed !== undefined) throw new SetupError(attempts.failed.message, 'The journal goes on from there.');
    return last?.met === true ? EXIT.ok : EXIT.divergent;
  });
}
