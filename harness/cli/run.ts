/** ringfence run and ringfence fuzz. */
import { SUITE_NAMES } from '../../generators/suites.ts';
import { UsageError } from '../../vm/index.ts';
import { wishesOf } from '../output/deliver.ts';
import type { RunOptions } from '../run/options.ts';
import { command } from './command.ts';
import { flag, group, texts, whole } from './option.ts';
import type { Values } from './option.ts';
import {
  DEFAULT_CASES,
  DEFAULT_OUT,
  DEFAULT_SEED,
  QUICK_CASES,
  randomSeed,
  seedOption,
  SESSION_OPTIONS,
  SHARD,
  SUITE,
} from './options.ts';
import { runAndReport } from './run-session.ts';
import { bundlePlace, drawnRun, recordedRun, repeatCommand } from './settings.ts';
import { BISECT_HELP } from './bisect.ts';

/** What draws cases; a replay cannot have it. @param otherwise number and seed when none is given, for the help */
function drawing(otherwise: { readonly cases: string; readonly seed: string }) {
  return group('Cases', {
    suite: SUITE,
    cases: whole('N', 'scenarios in all', { short: 'n', min: 1, shown: otherwise.cases }),
    quick: flag(`about 30 seconds: ${QUICK_CASES} scenarios`),
    seed: seedOption(otherwise.seed),
    shard: SHARD,
  });
}

const DRAWING = drawing({ cases: String(DEFAULT_CASES), seed: String(DEFAULT_SEED) });
const FUZZ_OPTIONS = { ...drawing({ cases: 'without end', seed: 'a new one' }), ...SESSION_OPTIONS };
const RUN_OPTIONS = {
  ...DRAWING,
  ...group('Cases', { replay: texts('CASE', 'runs this recorded case instead of drawn ones') }),
  ...SESSION_OPTIONS,
};

const SUITES_HELP = `Suites
  ${SUITE_NAMES.slice(0, 7).join(', ')},
  ${SUITE_NAMES.slice(7, 13).join(', ')},
  ${SUITE_NAMES.slice(13).join(', ')}
`;

/** Runs, and reports where these say. */
async function start(options: RunOptions, values: Values<typeof SESSION_OPTIONS>): Promise<number> {
  return await runAndReport(options, {
    out: values.out ?? DEFAULT_OUT,
    bundle: bundlePlace(values.bundle),
    reports: wishesOf(values),
  });
}

/** ringfence run. */
export const RUN = command({
  name: 'run',
  summary: 'the same, with options',
  about: 'draws scenarios, lets the oracle predict and a real kernel answer, and compares',
  options: RUN_OPTIONS,
  notes: `${SUITES_HELP}${BISECT_HELP}`,
  examples: [
    ['npx ringfence run --quick', 'a look in half a minute'],
    ['npx ringfence run --suite inheritance --seed 7', 'one suite, another seed'],
    ['npx ringfence run --kernel ../linux/vmlinux', 'your own kernel'],
    ['npx ringfence run --linux ../linux --build --patch fix.patch', 'your own tree'],
  ],
  run: async ({ replay, ...values }, _, argv) => {
    if (replay !== undefined) {
      const given = Object.keys(DRAWING) as (keyof typeof DRAWING)[];
      const drawn = given.find((name) => values[name] !== undefined && values[name] !== false);
      if (drawn !== undefined) throw new UsageError(`--${drawn} draws cases, --replay gives them; use one of the two`);
      return await start(recordedRun(values, replay, repeatCommand('run', argv)), values);
    }
    const { suite, quick, shard } = values;
    const cases = values.cases ?? (quick ? QUICK_CASES : DEFAULT_CASES);
    const seed = values.seed ?? DEFAULT_SEED;
    if (shard !== undefined && shard.index > cases)
      throw new UsageError(
        `--shard ${shard.index}/${shard.count}: there are only ${cases} cases, and none for this shard`,
      );
    const job = { suites: suite ?? SUITE_NAMES, cases, seed, command: repeatCommand('run', argv, seed) };
    return await start(drawnRun(values, { ...job, ...(shard === undefined ? {} : { shard }) }), values);
  },
});

/** ringfence fuzz. */
export const FUZZ = command({
  name: 'fuzz',
  summary: 'as run, with a new seed and without end, until Ctrl-C',
  about: 'as run, but with a random seed and until Ctrl-C (or --cases)',
  options: FUZZ_OPTIONS,
  notes: SUITES_HELP,
  run: async (values, _, argv) => {
    if (values.shard !== undefined)
      throw new UsageError('--shard is for ringfence run: a run without end, or with cases of its own, has no parts');
    const cases = values.cases ?? (values.quick ? QUICK_CASES : Infinity);
    const seed = values.seed ?? randomSeed();
    const job = { suites: values.suite ?? SUITE_NAMES, cases, seed, command: repeatCommand('fuzz', argv, seed) };
    return await start(drawnRun(values, job), values);
  },
});
