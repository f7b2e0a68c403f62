/**
 * What mutants of a kernel became of, as plain data: what `sensitivity.json` holds, and what its tables and page are
 * made from. As in result.ts, this is the one statement of its shape.
 */
import { always, amount, count, flag, list, maybe, orNull, record, text, word } from './schema.ts';
import type { Data } from './schema.ts';

/** Version of the format. */
export const SENSITIVITY_VERSION = 1;

const kill = record(
  {
    stage: word(['quick', 'default'], 'Whose cases: those of `run --quick`, or those of a default run'),
    verdict: word(
      ['divergence', 'kernel-crash', 'hang', 'runner-error', 'untestable'],
      'As of a case; untestable: the kernel does not start, or lacks the feature, and a run ends with 125',
    ),
    where: word(['booting', 'probing', 'findings', 'cases'], 'What the kernel was asked when it showed'),
    rule: maybe(text('Id of the rule that the answer breaks; absent for what is no divergence')),
    suite: maybe(text('Suite of the case')),
    cases: count('Number of cases until then, that one included; 0 before the first'),
    seconds: amount('From the first case sent until then'),
    detail: text('What was predicted and observed, or what the console said'),
    case: maybe(text('Path of the case file below the output directory')),
  },
  'How it was seen',
);

/** How a mutant was seen. */
export type Kill = Data<typeof kill>;

const mutant = record(
  {
    id: text('Id'),
    number: count('What ringfence_mutant= on the command line of the kernel chooses it by; 0: it is not in the kernel'),
    title: text('What the faulty kernel does wrong'),
    class: text('Class, such as rare-data'),
    needs: maybe(text('What has to be there before a scenario can show it, such as race')),
    file: text('Source file'),
    in: text('Function'),
    symptom: text('How a user would see it'),
    argument: text('Why it is no equivalent'),
    state: word(
      ['killed', 'alive', 'unreached', 'untried', 'misfit'],
      'alive: its place was reached and no answer differed; unreached: no case came to its place; ' +
        'untried: not yet, or the guests failed; misfit: it does not fit the tree or does not compile',
    ),
    kill: orNull(kill, 'How it was seen; null unless killed'),
    tried: orNull(word(['quick', 'default']), 'The last stage it went through; null for none'),
    unconfirmed: count('Cases that differed once and not again alone'),
    missing: text('What was missing, or what is wrong with it; empty when killed'),
  },
  'One mutant',
);

/** What became of one mutant. */
export type MutantResult = Data<typeof mutant>;

const row = record(
  {
    name: text('Class, or what is needed first'),
    mutants: count('Mutants of it'),
    quick: count('Killed by the cases of --quick'),
    default: count('Killed by a default run only'),
    alive: count('Reached, and not seen'),
    unreached: count('Not reached'),
    untried: count('Not tried, or not in the kernel'),
    soon: count('Killed within two seconds of the first case'),
    median_cases: orNull(count(), 'Median of the cases until it was seen; null where none was killed'),
    median_seconds: orNull(amount(), 'Median of the seconds'),
  },
  'One row of a table',
);

/** One row of a table. */
export type SensitivityRow = Data<typeof row>;

/** Shape of `sensitivity.json`. */
export const SENSITIVITY_SCHEMA = record({
  version: always(SENSITIVITY_VERSION, 'Version of the format'),
  linux: text('The tree, as the user named it'),
  release: text('uname -r of its kernel'),
  kernel: text('Image with all mutants in it'),
  seed: count('Seed of all cases'),
  quick_cases: count('Cases of the first stage'),
  default_cases: count('Cases of the second stage; 0 where it was not wanted'),
  command: text('Command line that goes on, or repeats it'),
  mutants: list(mutant, 'By id'),
  classes: list(row, 'By class: mutants that a scenario can show'),
  needs: list(row, 'By what they need first: mutants that no scenario can show yet'),
  total: row,
  required: amount('Percent of the mutants that a scenario can show that are to be killed'),
  met: flag('Whether that many are'),
  complete: flag('Whether all were tried'),
  versions: record({ ringfence: text('Of the program'), qemu: text('Of QEMU') }, 'Versions'),
  times: record({ started: text('ISO 8601'), wall_s: amount('Seconds of this call') }, 'When'),
});

/** What mutants of a kernel became of. */
export type SensitivityResult = Data<typeof SENSITIVITY_SCHEMA>;
