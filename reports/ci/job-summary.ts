/** The job summary of GitHub Actions, in Markdown, of at most 1 MiB: the worst come first, the rest is counted. */
import { barredText, ruleCounts } from '../data/rule-counts.ts';
import type { MatrixResult } from '../data/matrix.ts';
import type { RunResult, Verdict } from '../data/result.ts';
import { below, caseFile, replayCommand } from '../text/replay.ts';
import { counted, duration, thousands } from '../text/style.ts';
import { codeBlock, codeSpan, fold, joined, pipeTable, plainText } from './markdown.ts';

/** Divergences, crashes and hangs that are shown whole. */
const WHOLE = 20;

/** The job summary of a run: Markdown, ending with a newline. */
export function githubSummary(result: RunResult, out = 'out'): string {
  const { kernel, verdict, reason, divergences, crashes, hangs } = result;
  const beyond = [divergences, crashes, hangs].reduce((sum, all) => sum + Math.max(0, all.length - WHOLE), 0);
  return joined([
    ...headline(verdict, `Linux ${kernel.release}`, reason),
    factTable(result),
    ...divergenceFolds(result, out),
    ...lostFolds(result, out),
    beyond === 0 ? '' : `${counted(beyond, 'more')} in ${codeSpan(below(out, 'result.json'))}.`,
    ...expectedTables(result),
    unconfirmedFold(result),
    suiteFold(result),
  ]);
}

function factTable(result: RunResult): string {
  const { kernel, outcomes, scenarios, times, seed, command } = result;
  const counts = ruleCounts(result);
  return pipeTable(
    ['', ''],
    [
      ['kernel', `${codeSpan(kernel.release)} ${codeSpan(kernel.machine)} (${plainText(kernel.source)})`],
      [
        'compared',
        `${thousands(outcomes)} kernel answers in ${counted(scenarios, 'scenario')}, ${duration(times.wall_s)}`,
      ],
      ['rules', `${counts.reached} of ${counts.all} reached${barredText(counts)}`],
      ['seed', codeSpan(String(seed))],
      ['repeat', codeSpan(command)],
    ],
  );
}

function divergenceFolds({ divergences }: RunResult, out: string): string[] {
  return divergences
    .slice(0, WHOLE)
    .map(({ rule, statement, source, step, predicted, observed, reproduced, count, text: full }, n) =>
      fold(
        `${codeSpan(rule)} is broken: ${plainText(statement)}`,
        [
          pipeTable(
            ['step', 'predicted', 'observed', 'reproduced', 'scenarios'],
            [[String(step), codeSpan(predicted), codeSpan(observed), reproduced, thousands(count)]],
          ),
          plainText(source),
          codeBlock(replayCommand(out, caseFile('divergences', n))),
          codeBlock(full),
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
        fold(`${codeSpan(`${kind}: ${title}`)}, reproduced ${reproduced}`, [
          codeBlock(replayCommand(out, caseFile('crashes', n))),
          codeBlock(said),
        ]),
      ),
    ...hangs
      .slice(0, WHOLE)
      .map(({ detail, reproduced }, n) =>
        fold(`Hang: ${plainText(detail)}, reproduced ${reproduced}`, [
          codeBlock(replayCommand(out, caseFile('hangs', n))),
        ]),
      ),
  ];
}

/** A table under its heading; nothing where it has no rows. */
function titled(title: string, heads: readonly string[], rows: readonly string[][], right?: readonly number[]): string {
  return rows.length === 0 ? '' : `### ${title}\n\n${pipeTable(heads, rows, right)}`;
}

function expectedTables({ known, missing_findings, expectations }: RunResult): string[] {
  return [
    titled(
      'Known findings',
      ['finding', 'rule', 'what', 'scenarios'],
      known.map(({ id, rule, title, scenarios }) => [
        codeSpan(id),
        codeSpan(rule),
        plainText(title),
        thousands(scenarios),
      ]),
      [3],
    ),
    titled(
      'Expected and not shown',
      ['finding', 'why it was expected'],
      missing_findings.map(({ id, reason }) => [codeSpan(id), plainText(reason)]),
    ),
    titled(
      'Expectations',
      ['id', 'rule', 'state', 'until', 'scenarios', 'to do'],
      expectations.map(({ id, rule, state, expires, scenarios, problem }) => [
        codeSpan(id),
        codeSpan(rule),
        plainText(state),
        plainText(expires),
        thousands(scenarios),
        plainText(problem),
      ]),
      [4],
    ),
  ];
}

function unconfirmedFold({ unconfirmed }: RunResult): string {
  if (unconfirmed.length === 0) return '';
  const rows = unconfirmed
    .slice(0, WHOLE)
    .map(({ rule, verdict, detail, reproduced }) => [codeSpan(rule ?? verdict), plainText(detail), reproduced]);
  return fold(`${counted(unconfirmed.length, 'scenario')} failed in a batch and passed every time alone`, [
    pipeTable(['rule', 'what', 'reproduced'], rows),
  ]);
}

function suiteFold({ suites }: RunResult): string {
  const rows = Object.entries(suites).map(([name, one]) => [
    codeSpan(name),
    ...[one.scenarios, one.outcomes, one.pass, one.known, one.divergence, one.other].map(thousands),
  ]);
  return fold(counted(rows.length, 'suite'), [
    pipeTable(
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
  const heads = kernels.map(({ name }) => codeSpan(name));
  return joined([
    ...headline(verdict, counted(kernels.length, 'kernel'), reason),
    kernelTable(matrix),
    titled(
      'What changes between kernels',
      ['rule', ...heads, 'story'],
      rules
        .filter(({ story }) => story !== '')
        .map(({ rule, cells, story }) => [
          codeSpan(rule),
          ...cells.map((cell) => (cell === null ? '' : RULE_MARKS[cell.state])),
          plainText(story),
        ]),
    ),
    titled(
      'Findings',
      ['finding', ...heads, 'story'],
      findings.map(({ id, cells, story }) => [
        codeSpan(id),
        ...cells.map((cell) => (cell === null ? '' : `${cell.state}${cell.expected ? '' : ' (unexpected)'}`)),
        plainText(story),
      ]),
    ),
    titled(
      'Neighbours',
      ['older', 'newer', 'shared', 'same', 'explained', 'unexplained'],
      comparison.pairs.map(({ from, to, shared, same, explained, unexplained }) => [
        codeSpan(from),
        codeSpan(to),
        ...[shared, same, explained, unexplained].map(thousands),
      ]),
      [2, 3, 4, 5],
    ),
    `Repeat: ${codeSpan(command)}; details: ${codeSpan(below(out, 'matrix.json'))}`,
  ]);
}

function kernelTable({ kernels }: MatrixResult): string {
  return pipeTable(
    ['kernel', 'verdict', 'answers', 'divergences', 'crashes', 'hangs', 'known'],
    kernels.map(({ name, state, reason = '', outcomes, divergences, crashes, hangs, known }) => [
      codeSpan(name),
      `${state === 'divergent' ? '**divergent**' : state}${reason === '' ? '' : `: ${plainText(reason)}`}`,
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
  return [`## ${WORDS[verdict]}: ${plainText(what)}`, plainText(reason)];
}
