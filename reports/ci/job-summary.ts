/** The job summary of GitHub Actions, in Markdown, of at most 1 MiB: the worst come first, the rest is counted. */
import type { MatrixResult } from '../data/matrix.ts';
import type { RunResult, Verdict } from '../data/result.ts';
import { below, caseFile, replayCommand } from '../text/replay.ts';
import { counted, duration, thousands } from '../text/style.ts';
import { block, code, document, fold, table, text } from './markdown.ts';

/** Divergences, crashes and hangs that are shown whole. */
const WHOLE = 20;

/** The job summary of a run: Markdown, ending with a newline. */
export function githubSummary(result: RunResult, out = 'out'): string {
  const { kernel, verdict, reason, divergences, crashes, hangs } = result;
  const beyond = [divergences, crashes, hangs].reduce((sum, all) => sum + Math.max(0, all.length - WHOLE), 0);
  return document([
    ...headline(verdict, `Linux ${kernel.release}`, reason),
    factTable(result),
    ...divergenceFolds(result, out),
    ...lostFolds(result, out),
    beyond === 0 ? '' : `${counted(beyond, 'more')} in ${code(below(out, 'result.json'))}.`,
    ...expectedTables(result),
    unconfirmedFold(result),
    suiteFold(result),
  ]);
}

function factTable({ kernel, outcomes, scenarios, times, rules, seed, command }: RunResult): string {
  const reached = Object.values(rules).filter((hits) => hits > 0).length;
  return table(
    ['', ''],
    [
      ['kernel', `${code(kernel.release)} ${code(kernel.machine)} (${text(kernel.source)})`],
      [
        'compared',
        `${thousands(outcomes)} kernel answers in ${counted(scenarios, 'scenario')}, ${duration(times.wall_s)}`,
      ],
      ['rules', `${reached} of ${Object.keys(rules).length} reached`],
      ['seed', code(String(seed))],
      ['repeat', code(command)],
    ],
  );
}

function divergenceFolds({ divergences }: RunResult, out: string): string[] {
  return divergences
    .slice(0, WHOLE)
    .map(({ rule, statement, source, step, predicted, observed, reproduced, count, text: full }, n) =>
      fold(
        `${code(rule)} is broken: ${text(statement)}`,
        [
          table(
            ['step', 'predicted', 'observed', 'reproduced', 'scenarios'],
            [[String(step), code(predicted), code(observed), reproduced, thousands(count)]],
          ),
          text(source),
          block(replayCommand(out, caseFile('divergences', n))),
          block(full),
        ],
        n === 0,
      ),
    );
}

/** Crashes and hangs. */
function lostFolds({ crashes, hangs }: RunResult, out: string): string[] {
  return [
    ...crashes
      .slice(0, WHOLE)
      .map(({ kind, title, console: said, reproduced }, n) =>
        fold(`${code(`${kind}: ${title}`)}, reproduced ${reproduced}`, [
          block(replayCommand(out, caseFile('crashes', n))),
          block(said),
        ]),
      ),
    ...hangs
      .slice(0, WHOLE)
      .map(({ detail, reproduced }, n) =>
        fold(`Hang: ${text(detail)}, reproduced ${reproduced}`, [block(replayCommand(out, caseFile('hangs', n)))]),
      ),
  ];
}

/** A table under its heading; nothing where it has no rows. */
function titled(title: string, heads: readonly string[], rows: readonly string[][], right?: readonly number[]): string {
  return rows.length === 0 ? '' : `### ${title}\n\n${table(heads, rows, right)}`;
}

function expectedTables({ known, missing_findings, expectations }: RunResult): string[] {
  return [
    titled(
      'Known findings',
      ['finding', 'rule', 'what', 'scenarios'],
      known.map(({ id, rule, title, scenarios }) => [code(id), code(rule), text(title), thousands(scenarios)]),
      [3],
    ),
    titled(
      'Expected and not shown',
      ['finding', 'why it was expected'],
      missing_findings.map(({ id, reason }) => [code(id), text(reason)]),
    ),
    titled(
      'Expectations',
      ['id', 'rule', 'state', 'until', 'scenarios', 'to do'],
      expectations.map(({ id, rule, state, expires, scenarios, problem }) => [
        code(id),
        code(rule),
        text(state),
        text(expires),
        thousands(scenarios),
        text(problem),
      ]),
      [4],
    ),
  ];
}

function unconfirmedFold({ unconfirmed }: RunResult): string {
  if (unconfirmed.length === 0) return '';
  const rows = unconfirmed
    .slice(0, WHOLE)
    .map(({ rule, verdict, detail, reproduced }) => [code(rule ?? verdict), text(detail), reproduced]);
  return fold(`${counted(unconfirmed.length, 'scenario')} failed in a batch and passed every time alone`, [
    table(['rule', 'what', 'reproduced'], rows),
  ]);
}

function suiteFold({ suites }: RunResult): string {
  const rows = Object.entries(suites).map(([name, one]) => [
    code(name),
    ...[one.scenarios, one.outcomes, one.pass, one.known, one.divergence, one.other].map(thousands),
  ]);
  return fold(counted(rows.length, 'suite'), [
    table(
      ['suite', 'scenarios', 'answers', 'as predicted', 'known', 'different', 'no answer'],
      rows,
      [1, 2, 3, 4, 5, 6],
    ),
  ]);
}

const RULE_MARKS = { kept: 'kept', known: 'known', broken: '**broken**', unreached: '-' } as const;

/** The job summary of a matrix. */
export function githubMatrixSummary(matrix: MatrixResult, out = 'out'): string {
  const { kernels, rules, findings, comparison, verdict, reason, command } = matrix;
  const heads = kernels.map(({ name }) => code(name));
  return document([
    ...headline(verdict, counted(kernels.length, 'kernel'), reason),
    kernelTable(matrix),
    titled(
      'What changes between kernels',
      ['rule', ...heads, 'story'],
      rules
        .filter(({ story }) => story !== '')
        .map(({ rule, cells, story }) => [
          code(rule),
          ...cells.map((cell) => (cell === null ? '' : RULE_MARKS[cell.state])),
          text(story),
        ]),
    ),
    titled(
      'Findings',
      ['finding', ...heads, 'story'],
      findings.map(({ id, cells, story }) => [
        code(id),
        ...cells.map((cell) => (cell === null ? '' : `${cell.state}${cell.expected ? '' : ' (unexpected)'}`)),
        text(story),
      ]),
    ),
    titled(
      'Neighbours',
      ['older', 'newer', 'shared', 'same', 'explained', 'unexplained'],
      comparison.pairs.map(({ from, to, shared, same, explained, unexplained }) => [
        code(from),
        code(to),
        ...[shared, same, explained, unexplained].map(thousands),
      ]),
      [2, 3, 4, 5],
    ),
    `Repeat: ${code(command)}; details: ${code(below(out, 'matrix.json'))}`,
  ]);
}

function kernelTable({ kernels }: MatrixResult): string {
  return table(
    ['kernel', 'verdict', 'answers', 'divergences', 'crashes', 'hangs', 'known'],
    kernels.map(({ name, state, reason = '', outcomes, divergences, crashes, hangs, known }) => [
      code(name),
      `${state === 'divergent' ? '**divergent**' : state}${reason === '' ? '' : `: ${text(reason)}`}`,
      ...[outcomes, divergences, crashes, hangs, known].map(thousands),
    ]),
    [2, 3, 4, 5, 6],
  );
}

const WORDS: Readonly<Record<Verdict, string>> = {
  conformant: 'Conformant',
  divergent: 'Not conformant',
  untestable: 'Not testable',
  interrupted: 'Interrupted',
};

function headline(verdict: Verdict, what: string, reason = ''): string[] {
  return [`## ${WORDS[verdict]}: ${text(what)}`, text(reason)];
}
