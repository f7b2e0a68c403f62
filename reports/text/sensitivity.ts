/** What became of mutants, as tables for a terminal and for a document. */
import type { MutantResult, SensitivityResult, SensitivityRow } from '../data/sensitivity.ts';
import { COLOUR, counted, PLAIN, wrap } from './style.ts';
import { below } from './replay.ts';

/** Columns of the text. */
const WIDTH = 110;

/** Headings of a table, and what stands under them. */
const COLUMNS: readonly (readonly [heading: string, cell: (row: SensitivityRow) => string])[] = [
  ['mutants', ({ mutants }) => String(mutants)],
  ['quick', (row) => share(row.quick, row)],
  ['default', (row) => share(row.default, row)],
  ['alive', ({ alive }) => String(alive)],
  ['unreached', ({ unreached }) => String(unreached)],
  ['untried', ({ untried }) => String(untried)],
  ['in 2 s', (row) => share(row.soon, row)],
  ['median cases', ({ median_cases }) => (median_cases === null ? '-' : String(median_cases))],
  ['median seconds', ({ median_seconds }) => (median_seconds === null ? '-' : median_seconds.toFixed(1))],
];

/** Of those that were tried. */
function share(count: number, { mutants, untried }: SensitivityRow): string {
  const tried = mutants - untried;
  return tried === 0 ? '0' : `${count} (${Math.floor((100 * count) / tried)} %)`;
}

/** The rows of both tables, headings first: names, then the columns as text. */
export function sensitivityTables(
  result: Pick<SensitivityResult, 'classes' | 'needs' | 'total'>,
): readonly (readonly (readonly string[])[])[] {
  const table = (heading: string, rows: readonly SensitivityRow[]): readonly (readonly string[])[] => [
    [heading, ...COLUMNS.map(([name]) => name)],
    ...rows.map((row) => [row.name, ...COLUMNS.map(([, cell]) => cell(row))]),
  ];
  const judged = table('class', [...result.classes, result.total]);
  return result.needs.length === 0 ? [judged] : [judged, table('needs first', result.needs)];
}

/** Mutants that a scenario can show and none has. */
export function survivors({ mutants }: SensitivityResult): readonly MutantResult[] {
  return mutants.filter(({ state, needs }) => state !== 'killed' && needs === undefined);
}

/** In words, how a mutant was seen. */
export function killText({ kill }: MutantResult): string {
  if (kill === null) return '';
  const what = kill.rule ?? kill.verdict;
  if (kill.where !== 'cases') return `${what} while ${kill.where}`;
  return `${what} in ${kill.suite}, after ${counted(kill.cases, 'case')} and ${kill.seconds.toFixed(1)} s`;
}

/** Where things were written, and in colours or not. */
export interface SensitivityStyle {
  readonly out: string;
  readonly colour?: boolean;
}

/** The whole text: tables, what is alive and why, the verdict. */
export function formatSensitivity(result: SensitivityResult, { out, colour = false }: SensitivityStyle): string {
  const style = colour ? COLOUR : PLAIN;
  const left = survivors(result);
  const lines = [
    `${counted(result.mutants.length, 'mutant')} of ${result.release}, seed ${result.seed}: ` +
      `${counted(result.quick_cases, 'case')} of --quick` +
      (result.default_cases > 0 ? `, then ${counted(result.default_cases, 'case')}` : ''),
    '',
    ...sensitivityTables(result).flatMap((table) => [...columns(table), '']),
    ...left.flatMap((mutant) => [
      `${style.yellow(mutant.state.padEnd(9))}  ${style.bold(mutant.id)}  ${mutant.file}, ${mutant.in}`,
      ...wrap(`${mutant.title}: ${mutant.missing}`, WIDTH - 11).map((line) => `${' '.repeat(11)}${line}`),
    ]),
    ...(left.length > 0 ? [''] : []),
    verdict(result, (text) => (result.met ? style.green(text) : style.red(text))),
    `result:  ${below(out, 'sensitivity.json')}`,
  ];
  return `${lines.join('\n')}\n`;
}

function verdict({ total, required, met, complete }: SensitivityResult, paint: (text: string) => string): string {
  const killed = total.quick + total.default;
  const goal = `${met ? 'at least' : 'less than'} ${required} %`;
  const text = `${killed} of ${counted(total.mutants, 'mutant')} killed, ${goal}`;
  return `${paint(text)}${complete ? '' : ' (not all were tried)'}`;
}

/** Columns of one width each; the first is text, the others are numbers. */
function columns(table: readonly (readonly string[])[]): string[] {
  const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
  return table.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join('  ')
      .trimEnd(),
  );
}
