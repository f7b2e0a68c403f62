/** From the trials of a campaign to the result that tables and pages are made from. Pure. */
import { MUTANT_CLASSES } from '../../vm/build/mutant-file.ts';
import type { Mutant } from '../../vm/build/mutant-file.ts';
import type { MutantKernel } from '../../vm/build/mutant-kernel.ts';
import { SENSITIVITY_VERSION } from '../../reports/data/sensitivity.ts';
import type { MutantResult, SensitivityResult, SensitivityRow } from '../../reports/data/sensitivity.ts';
import type { StageName, Trial } from './journal.ts';
import type { SensitivityOptions } from './options.ts';

/** Seconds from the first case within which a user sees a fault soon. */
const SOON = 2;

/** Everything that a result is made of. */
export interface SensitivityParts {
  readonly options: SensitivityOptions;
  readonly kernel: Pick<MutantKernel, 'mutants' | 'misfits' | 'kernel'>;
  readonly release: string;
  readonly trial: (mutant: Mutant, stage: StageName) => Trial | undefined;
  readonly versions: Readonly<Record<string, string>>;
  readonly started: Date;
}

/** Pure. */
export function buildSensitivity(parts: SensitivityParts): SensitivityResult {
  const { options, kernel, release, started, versions } = parts;
  const mutants = options.mutants
    .filter((mutant) => options.wanted(mutant))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map((mutant) => resultOf(mutant, parts));
  const judged = mutants.filter(({ needs }) => needs === undefined);
  const others = mutants.filter(({ needs }) => needs !== undefined);
  const total = rowOf('all', judged);
  return {
    version: SENSITIVITY_VERSION,
    linux: options.linux,
    release,
    kernel: kernel.kernel.path,
    seed: options.seed,
    quick_cases: options.quick,
    default_cases: options.cases,
    command: options.command,
    mutants,
    classes: rowsOf(MUTANT_CLASSES, judged, (mutant) => mutant.class),
    needs: rowsOf([...new Set(others.map(({ needs }) => needs!))].sort(), others, (mutant) => mutant.needs),
    total,
    required: options.required,
    met: (total.quick + total.default) * 100 >= options.required * total.mutants,
    complete: mutants.every(({ state, tried }) => state === 'killed' || tried !== null || state === 'misfit'),
    versions: { ringfence: versions['ringfence'] ?? '', qemu: versions['qemu'] ?? '' },
    times: { started: started.toISOString(), wall_s: Math.round((Date.now() - started.getTime()) / 10) / 100 },
  };
}

function resultOf(mutant: Mutant, { kernel, trial, options }: SensitivityParts): MutantResult {
  const { id, title, needs, file, symptom, argument } = mutant;
  const misfit = kernel.misfits.find((one) => one.id === id)?.problem;
  const trials = [trial(mutant, 'quick'), trial(mutant, 'default')].filter((one) => one !== undefined);
  const kill = trials.find((one) => one.kill !== null)?.kill ?? null;
  const last = trials.at(-1);
  const reached = trials.some((one) => one.reached);
  const cases = last?.stage === 'default' ? options.cases : options.quick;
  const state =
    misfit !== undefined
      ? 'misfit'
      : kill !== null
        ? 'killed'
        : last === undefined
          ? 'untried'
          : reached
            ? 'alive'
            : 'unreached';
  return {
    id,
    number: kernel.mutants.find((one) => one.mutant.id === id)?.number ?? 0,
    title,
    class: mutant.class,
    ...(needs === undefined ? {} : { needs }),
    file,
    in: mutant.in,
    symptom,
    argument,
    state,
    kill: kill === null ? null : { ...kill, ...(kill.where === 'cases' ? { case: `mutants/${id}.json` } : {}) },
    tried: last?.stage ?? null,
    unconfirmed: trials.reduce((sum, { unconfirmed }) => sum + unconfirmed, 0),
    missing: misfit ?? MISSING[state](casesText(trials, cases), needs),
  };
}

/** Such as `12 of 1600 cases come`; `cases`: those of the last stage. */
function casesText(trials: readonly Trial[], cases: number): string {
  const reaching = trials.reduce<number | undefined>(
    (sum, trial) => (sum === undefined || trial.reaching === undefined ? undefined : sum + trial.reaching),
    0,
  );
  if (reaching === undefined) return `many of ${cases} cases come`;
  return reaching === 0
    ? `none of ${cases} cases comes`
    : `${reaching} of ${cases} cases come${reaching === 1 ? 's' : ''}`;
}

/** What was missing, by what became of a mutant. */
const MISSING: Readonly<Record<MutantResult['state'], (come: string, needs: string | undefined) => string>> = {
  killed: () => '',
  misfit: () => '',
  untried: () => 'it was not tried',
  unreached: (come) => `${come} to its place`,
  alive: (come, needs) =>
    needs === undefined
      ? `${come} to its place and get no other answer`
      : `it needs what no scenario has yet: ${needs}`,
};

function rowsOf(
  names: readonly string[],
  mutants: readonly MutantResult[],
  nameOf: (mutant: MutantResult) => string | undefined,
): SensitivityRow[] {
  return names
    .map((name) =>
      rowOf(
        name,
        mutants.filter((mutant) => nameOf(mutant) === name),
      ),
    )
    .filter((row) => row.mutants > 0);
}

function rowOf(name: string, mutants: readonly MutantResult[]): SensitivityRow {
  const count = (is: (mutant: MutantResult) => boolean): number => mutants.filter(is).length;
  const kills = mutants.flatMap(({ kill }) => kill ?? []);
  return {
    name,
    mutants: mutants.length,
    quick: kills.filter(({ stage }) => stage === 'quick').length,
    default: kills.filter(({ stage }) => stage === 'default').length,
    alive: count(({ state }) => state === 'alive'),
    unreached: count(({ state }) => state === 'unreached'),
    untried: count(({ state }) => state === 'untried' || state === 'misfit'),
    soon: kills.filter(({ stage, seconds }) => stage === 'quick' && seconds <= SOON).length,
    median_cases: median(kills.map(({ cases }) => cases)),
    median_seconds: median(kills.map(({ seconds }) => seconds)),
  };
}

function median(values: readonly number[]): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}
