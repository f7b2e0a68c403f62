/** What campaigns on the mutants came to, kept small, and the document made from it. Pure. */
import type { SensitivityResult, SensitivityRow } from '../../reports/data/sensitivity.ts';
import { killText, sensitivityTables, survivors } from '../../reports/text/sensitivity.ts';

/** One campaign: the result without what the mutants' own files say. */
export interface Measured {
  /** What was measured, in a few words. */
  readonly what: string;
  readonly release: string;
  readonly seed: number;
  readonly quick_cases: number;
  readonly default_cases: number;
  readonly classes: readonly SensitivityRow[];
  readonly needs: readonly SensitivityRow[];
  readonly total: SensitivityRow;
  /** By id: how it was seen, or what was missing. */
  readonly mutants: Readonly<Record<string, string>>;
  /** Ids of those that a scenario can show and none has. */
  readonly alive: readonly string[];
}

/** A result as it is kept. */
export function measuredOf(what: string, result: SensitivityResult): Measured {
  const { release, seed, quick_cases, default_cases, classes, needs, total, mutants } = result;
  return {
    what,
    release,
    seed,
    quick_cases,
    default_cases,
    classes,
    needs,
    total,
    mutants: Object.fromEntries(
      mutants.map((mutant) => [
        mutant.id,
        mutant.kill === null ? `${mutant.state}: ${mutant.missing}` : `${mutant.kill.stage}: ${killText(mutant)}`,
      ]),
    ),
    alive: survivors(result).flatMap(({ id, state }) => (state === 'untried' ? [] : [id])),
  };
}

/** SENSITIVITY.md. */
export function sensitivityDocument(all: readonly Measured[], titles: ReadonlyMap<string, string>): string {
  return [
    '# Sensitivity: which faults in a real kernel a run notices',
    '',
    'Made from `measured/*.json` by `suites/mutants/measure.ts`; do not edit. `README.md` says what the mutants are.',
    '',
    '"quick": killed by the cases of `run --quick`; "default": by those of a default run only; "in 2 s": within two',
    'seconds of the first case; percent of those that were tried. Seconds are those of one guest on the machine that',
    'measured: an order of magnitude.',
    ...all.flatMap((measured) => ['', ...partOf(measured, titles)]),
    '',
  ].join('\n');
}

function partOf(measured: Measured, titles: ReadonlyMap<string, string>): string[] {
  const { what, release, seed, quick_cases, default_cases, alive, mutants } = measured;
  const then = default_cases > 0 ? `, then a default run of ${default_cases}` : '';
  const stages = `${quick_cases} cases of --quick${then}`;
  const tables = sensitivityTables(measured).flatMap(([heads = [], ...rows]) => [
    '',
    `| ${heads.join(' | ')} |`,
    `| ${heads.map((_, i) => (i === 0 ? '---' : '---:')).join(' | ')} |`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ]);
  return [
    `## ${what}`,
    '',
    `Linux ${release}, seed ${seed}, ${stages}.`,
    ...tables,
    ...(alive.length === 0 ? [] : ['', `Alive or not reached (${alive.length}):`, '']),
    ...alive.map((id) => `- \`${id}\`: ${titles.get(id) ?? 'gone since'}. ${mutants[id] ?? ''}`),
  ];
}
