/**
 * The report as one page that needs nothing but itself: no network, no files beside it, no script to be read. The
 * same result gives the same page, byte for byte.
 */
import { openSection } from './open-answers.ts';
import type { Rule } from '../../oracle/rule.ts';
import type { MatrixResult } from '../data/matrix.ts';
import type { RunResult, Verdict } from '../data/result.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { pageOf } from './document.ts';
import { matrixSection } from './matrix.ts';
import { notesSection } from './notes.ts';
import type { NoteLine } from './notes.ts';
import { section } from './parts.ts';
import { hitsPlot, sharesPlot, suitesPlot } from './plots.ts';
import { RULE_MARKS, rulesSection } from './rule-table.ts';
import type { RuleLine } from './rule-table.ts';
import { expectationsSection, knownSection, setupSection } from './sections.ts';
import { crashesSection, divergencesSection, unconfirmedSection, unjudgedSection } from './troubles.ts';
import type { Run } from './troubles.ts';
import { matrixVerdict, runVerdict, WORDS } from './verdict.ts';

/** What the page needs beside the result. */
export interface HtmlOptions {
  /** Statements and citations. */
  readonly rules: readonly Rule[];
  /** Output directory as the user named it, for the commands on the page. */
  readonly out: string;
  /** Weaknesses that break no promise; absent: none are told. */
  readonly notes?: readonly NoteLine[];
}

/** The page of one run. */
export function formatHtml(result: RunResult, { rules, out, notes = [] }: HtmlOptions): string {
  const run: Run = { result, name: '', out };
  const title = `${WORDS[result.verdict]}: Linux ${result.kernel.release}`;
  return page(title, result.verdict, runVerdict(run), [
    ...troubles([run]),
    plots([run]),
    knownSection([run]),
    expectationsSection([run]),
    rulesSection(ruleLines([result]), rules),
    openSection([result]),
    notesSection(notes),
    setupSection([run], undefined),
  ]);
}

/** The page of a matrix. `results` by name of the kernel. */
export function formatMatrixHtml(
  matrix: MatrixResult,
  results: ReadonlyMap<string, RunResult>,
  { rules, out, notes = [] }: HtmlOptions,
): string {
  const runs = matrix.kernels.flatMap(({ name, result: path = '' }): Run[] => {
    const result = results.get(name);
    return result === undefined ? [] : [{ result, name, out: `${out}/${path.replace(/\/?[^/]*$/, '')}` }];
  });
  return page(
    `${WORDS[matrix.verdict]}: ${matrix.kernels.length} kernels`,
    matrix.verdict,
    matrixVerdict(matrix, runs),
    [
      matrixSection(matrix, out),
      ...troubles(runs),
      plots(runs),
      expectationsSection(runs),
      rulesSection(matrixRules(matrix, runs), rules),
      openSection(runs.map(({ result }) => result)),
      notesSection(notes),
      setupSection(runs, matrix),
    ],
  );
}

function troubles(runs: readonly Run[]): Markup[] {
  return [divergencesSection(runs), crashesSection(runs), unjudgedSection(runs), unconfirmedSection(runs)];
}

function plots(runs: readonly Run[]): Markup {
  const results = runs.map(({ result }) => result);
  if (results.length === 0) return NOTHING;
  const rules = sumRules(results);
  const broken = new Set(results.flatMap(({ divergences }) => divergences.map(({ rule }) => rule)));
  return section(
    'coverage',
    'Coverage',
    html`<div class="plots">
      ${hitsPlot(rules, broken)}
      <div>${suitesPlot(sumSuites(results))}${sharesPlot(rules)}</div>
    </div>`,
  );
}

function sumRules(results: readonly RunResult[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const { rules } of results) for (const [id, hits] of Object.entries(rules)) sum[id] = (sum[id] ?? 0) + hits;
  return sum;
}

function sumSuites(results: readonly RunResult[]): RunResult['suites'] {
  const sum: Record<string, RunResult['suites'][string]> = {};
  for (const { suites } of results) {
    for (const [name, one] of Object.entries(suites)) {
      const so = sum[name] ?? { scenarios: 0, outcomes: 0, pass: 0, known: 0, divergence: 0, other: 0 };
      sum[name] = {
        scenarios: so.scenarios + one.scenarios,
        outcomes: so.outcomes + one.outcomes,
        pass: so.pass + one.pass,
        known: so.known + one.known,
        divergence: so.divergence + one.divergence,
        other: so.other + one.other,
      };
    }
  }
  return sum;
}

function ruleLines(results: readonly RunResult[]): RuleLine[] {
  const hits = sumRules(results);
  const broken = new Set(results.flatMap(({ divergences }) => divergences.map(({ rule }) => rule)));
  const known = new Set(results.flatMap((result) => result.known.map(({ rule }) => rule)));
  const ids = [...new Set([...Object.keys(hits), ...broken, ...known])].sort();
  const why = unreachableIn(results);
  return ids.map((id) => ({
    id,
    hits: hits[id] ?? 0,
    mark: broken.has(id)
      ? 'broken'
      : known.has(id)
        ? 'known'
        : (hits[id] ?? 0) > 0
          ? 'kept'
          : why(id) === undefined
            ? 'unreached'
            : 'unreachable',
    why: why(id),
  }));
}

/** Why a rule cannot be reached on any kernel of the page. */
function unreachableIn(results: readonly RunResult[]): (id: string) => string | undefined {
  return (id) =>
    results.every(({ unreachable }) => unreachable?.[id] !== undefined) ? results[0]?.unreachable?.[id] : undefined;
}

/** The worst state of a rule on any kernel. */
function matrixRules({ rules }: MatrixResult, runs: readonly Run[]): RuleLine[] {
  const why = unreachableIn(runs.map(({ result }) => result));
  return rules
    .map(
      ({ rule, cells }): RuleLine => ({
        id: rule,
        why: why(rule),
        hits: cells.reduce((sum, cell) => sum + (cell?.hits ?? 0), 0),
        mark:
          RULE_MARKS.find((mark) => cells.some((cell) => cell?.state === mark && mark !== 'unreached')) ??
          (why(rule) === undefined ? 'unreached' : 'unreachable'),
      }),
    )
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

const NAMES: readonly (readonly [id: string, name: string])[] = [
  ['kernels', 'Kernels'],
  ['divergences', 'Divergences'],
  ['crashes', 'Crashes'],
  ['unjudged', 'Not judged'],
  ['unconfirmed', 'Unconfirmed'],
  ['coverage', 'Coverage'],
  ['known', 'Known'],
  ['expectations', 'Expectations'],
  ['rules', 'Rules'],
  ['open', 'Left open'],
  ['setup', 'Made with'],
];

function page(title: string, verdict: Verdict, top: Markup, sections: readonly Markup[]): string {
  return pageOf({ title, verdict, top, sections, names: NAMES });
}
