/**
 * A result as a mail to a list: plain text at 72 columns, what is promised, the smallest case, what came instead and
 * how to see it again. What was fine is told in one sentence, so that a person reads only what asks for an answer.
 */
import { fromJson } from '../../oracle/case/json.ts';
import { printScenario } from '../../oracle/case/text.ts';
import type { MatrixResult } from '../data/matrix.ts';
import type { Crash, Divergence, Hang, RunResult } from '../data/result.ts';
import { letter, MAIL_WIDTH as WIDTH, oneLine } from './letter.ts';
import { counted, thousands, wrap } from './style.ts';
import { abiOf } from './summary.ts';

/** Troubles of each kind that are told whole; the others are counted. */
const SHOWN = 5;
/** Last lines of a console that are shown. */
const CONSOLE = 20;

/** The mail about one run: a Subject line, an empty line, the text. Ends with a newline. */
export function formatMail(result: RunResult): string {
  return letter(`Linux ${result.kernel.release}: ${subject(result)}`, [
    ...opening(result),
    ...troubles(result),
    ...close(result),
  ]);
}

/** The mail about several kernels: each one's troubles under its name. Ends with a newline. */
export function formatMatrixMail(matrix: MatrixResult, results: ReadonlyMap<string, RunResult>): string {
  const names = matrix.kernels.map(({ name }) => name);
  const sections = names.flatMap((name) => {
    const result = results.get(name);
    const text = result === undefined ? ['No result.', ''] : [...opening(result), ...troubles(result)];
    return [name, '='.repeat(name.length), '', ...text];
  });
  return letter(`io_uring filters on ${counted(names.length, 'kernel')}`, sections);
}

function subject({ divergences, crashes, hangs, verdict }: RunResult): string {
  const parts = [
    ...(divergences.length > 0 ? [`${counted(broken(divergences), 'io_uring promise')} broken`] : []),
    ...(crashes.length > 0 ? [counted(crashes.length, 'crash', 'crashes')] : []),
    ...(hangs.length > 0 ? [counted(hangs.length, 'hang')] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : `io_uring filters ${verdict}`;
}

function broken(divergences: readonly Divergence[]): number {
  return new Set(divergences.map(({ rule }) => rule)).size;
}

function opening({ kernel, scenarios, outcomes, known, verdict, reason }: RunResult): string[] {
  const { release, machine, origin } = kernel;
  const tree = origin === undefined ? '' : ` (${origin.describe ?? origin.version ?? origin.tree})`;
  const but = known.length === 0 ? '' : ` Known and left out: ${known.map(({ id }) => id).join(', ')}.`;
  return [
    ...wrap(
      `ringfence ran ${thousands(scenarios)} scenarios of io_uring BPF filters and restrictions on Linux ` +
        `${release}${tree}, ${machine}, and compared ${thousands(outcomes)} answers with what is documented: ` +
        `${verdict}${reason === undefined ? '' : ` (${reason})`}.${but}`,
      WIDTH,
    ),
    '',
  ];
}

function troubles(result: RunResult): string[] {
  const { divergences, crashes, hangs } = result;
  return [
    ...some(divergences, (one) => divergenceLines(one, result)),
    ...some(crashes, (one) => crashLines(one, result)),
    ...some(hangs, (one) => hangLines(one, result)),
  ];
}

function some<T>(all: readonly T[], lines: (one: T) => readonly string[]): string[] {
  const rest = all.length - SHOWN;
  return [...all.slice(0, SHOWN).flatMap(lines), ...(rest > 0 ? [`And ${rest} more of this kind.`, ''] : [])];
}

function divergenceLines(one: Divergence, result: RunResult): string[] {
  const { rule, statement, source, scenario, step, predicted, observed, reproduced, count } = one;
  return [
    `${rule}`,
    '-'.repeat(rule.length),
    ...wrap(statement, WIDTH),
    ...wrap(`Source: ${source}`, WIDTH),
    '',
    ...caseLines(scenario, result, new Map([[step, [`promised: ${predicted}`, `answered: ${observed}`]]])),
    '',
    ...wrap(
      `It showed in ${counted(count, 'scenario')}; the case above was run alone, and showed it: ${reproduced}.`,
      WIDTH,
    ),
    '',
  ];
}

function crashLines({ title, console, scenario, reproduced }: Crash, result: RunResult): string[] {
  const tail = console.replaceAll('\r', '').trimEnd().split('\n').slice(-CONSOLE);
  return [...wrap(title, WIDTH), '', ...tail, '', ...caseLines(scenario, result), '', `Reproduced: ${reproduced}.`, ''];
}

function hangLines({ detail, scenario, reproduced }: Hang, result: RunResult): string[] {
  return [...wrap(`Hang: ${detail}`, WIDTH), '', ...caseLines(scenario, result), '', `Reproduced: ${reproduced}.`, ''];
}

function caseLines(
  scenario: unknown,
  result: RunResult,
  notes: ReadonlyMap<number, readonly string[]> = new Map(),
): string[] {
  const read = fromJson(scenario);
  if (!read.ok) return [`(the case cannot be read: ${read.error})`];
  return printScenario(read.scenario, abiOf(result), { notes }).trimEnd().split('\n');
}

function close({ command }: RunResult): string[] {
  return ['To repeat the run:', '', `  ${oneLine(command)}`, ''];
}
