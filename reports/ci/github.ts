/**
 * For GitHub Actions: annotations as workflow commands, and the job summary as Markdown. GitHub shows ten errors,
 * ten warnings and ten notices per step, and a summary of at most 1 MiB: the worst come first, the rest is counted.
 */
import type { MatrixResult } from '../data/matrix.ts';
import { below, caseFile, replayCommand } from '../text/replay.ts';
import type { RunResult, Verdict } from '../data/result.ts';
import { counted, duration, thousands } from '../text/style.ts';

/** Annotations of one kind that GitHub shows per step. */
const SHOWN = 10;
/** Divergences, crashes and hangs that the summary shows whole. */
const WHOLE = 20;
/** Lines of a text that the summary shows, and their width in characters. */
const LINES = 60;
const WIDTH = 400;

type Level = 'error' | 'warning' | 'notice';

interface Annotation {
  readonly level: Level;
  readonly title: string;
  readonly text: string;
}

/** One workflow command, without the final newline. */
export function workflowCommand({ level, title, text }: Annotation): string {
  return `::${level} title=${escapeProperty(title)}::${escapeData(text)}`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/** Annotations of a run, one a line; empty when there is nothing to tell. `out`: the output directory as the user named it. */
export function githubAnnotations(result: RunResult, out = 'out'): string {
  return lines(annotationsOf(result, out));
}

/** Annotations of a matrix. `results` by name of the kernel. */
export function githubMatrixAnnotations(
  matrix: MatrixResult,
  results: ReadonlyMap<string, RunResult>,
  out = 'out',
): string {
  const own = matrix.kernels.flatMap(({ name, state, reason = '', result: path }): Annotation[] => {
    const result = results.get(name);
    if (result !== undefined)
      return annotationsOf(result, path === undefined ? out : `${out}/${path.replace(/\/?[^/]*$/, '')}`);
    if (state === 'conformant' || state === 'unsupported') return [];
    return [
      {
        level: state === 'divergent' || state === 'untestable' || state === 'unavailable' ? 'error' : 'warning',
        title: `Linux ${name}: ${state}`,
        text: reason || state,
      },
    ];
  });
  const pairs = matrix.comparison.pairs
    .filter(({ unexplained }) => unexplained > 0)
    .map(
      ({ from, to, unexplained }): Annotation => ({
        level: 'error',
        title: `${from} and ${to} differ`,
        text: `${counted(unexplained, 'scenario')} answered differently for no known cause`,
      }),
    );
  return lines([...own, ...pairs]);
}

function lines(all: readonly Annotation[]): string {
  return (['error', 'warning', 'notice'] as const)
    .flatMap((level) => {
      const own = all.filter((one) => one.level === level);
      if (own.length <= SHOWN) return own;
      return [
        ...own.slice(0, SHOWN - 1),
        { level, title: 'ringfence', text: `${own.length - SHOWN + 1} more; see the job summary` },
      ];
    })
    .map((one) => `${workflowCommand(one)}\n`)
    .join('');
}

function annotationsOf(result: RunResult, out: string): Annotation[] {
  const {
    kernel,
    verdict,
    reason = '',
    divergences,
    crashes,
    hangs,
    runner_errors,
    unconfirmed,
    missing_findings,
    known,
    expectations,
    policy,
  } = result;
  const on = `Linux ${kernel.release}`;
  return [
    ...divergences.map(
      ({ rule, statement, source, step, predicted, observed, reproduced, count }, n): Annotation => ({
        level: 'error',
        title: `${rule} broken on ${on}`,
        text: [
          statement,
          `step ${step}, predicted: ${predicted}`,
          `observed: ${observed}`,
          `reproduced ${reproduced}, ${counted(count, 'scenario')}`,
          `source: ${source}`,
          replayCommand(out, caseFile('divergences', n)),
        ].join('\n'),
      }),
    ),
    ...crashes.map(
      ({ kind, title, reproduced }, n): Annotation => ({
        level: 'error',
        title: `${kind} on ${on}`,
        text: `${title}\nreproduced ${reproduced}\n${replayCommand(out, caseFile('crashes', n))}`,
      }),
    ),
    ...hangs.map(
      ({ detail, reproduced }, n): Annotation => ({
        level: 'error',
        title: `hang on ${on}`,
        text: `${detail}\nreproduced ${reproduced}\n${replayCommand(out, caseFile('hangs', n))}`,
      }),
    ),
    ...(verdict === 'untestable' || verdict === 'interrupted'
      ? [
          {
            level: verdict === 'untestable' ? 'error' : 'warning',
            title: `${on}: ${verdict}`,
            text: [reason, ...runner_errors.slice(0, 3).map(({ index, detail }) => `case ${index}: ${detail}`)].join(
              '\n',
            ),
          } satisfies Annotation,
        ]
      : []),
    ...missing_findings.map(
      ({ id, reason }): Annotation => ({
        level: policy?.strict === true ? 'error' : 'warning',
        title: `${id} did not show on ${on}`,
        text: reason,
      }),
    ),
    ...expectations
      .filter(({ problem }) => problem !== '')
      .map(
        ({ id, problem, file }): Annotation => ({
          level: policy?.strict === true ? 'error' : 'warning',
          title: `expectation ${id}`,
          text: `${problem}\n${file}`,
        }),
      ),
    ...unconfirmed.map(
      ({ rule, verdict: kind, detail, reproduced }, n): Annotation => ({
        level: 'warning',
        title: `unconfirmed ${rule ?? kind} on ${on}`,
        text: `${detail}\nreproduced ${reproduced}\n${replayCommand(out, caseFile('unconfirmed', n))}`,
      }),
    ),
    ...(known.length === 0
      ? []
      : [
          {
            level: 'notice',
            title: `${counted(known.length, 'known finding')} on ${on}`,
            text: known
              .map(({ id, title, scenarios }) => `${id}: ${title} (${counted(scenarios, 'scenario')})`)
              .join('\n'),
          } satisfies Annotation,
        ]),
  ];
}

/** The job summary of a run: Markdown, ending with a newline. */
export function githubSummary(result: RunResult, out = 'out'): string {
  const {
    kernel,
    divergences,
    crashes,
    hangs,
    known,
    missing_findings,
    unconfirmed,
    expectations,
    suites,
    rules,
    times,
  } = result;
  const reached = Object.values(rules).filter((hits) => hits > 0).length;
  return document([
    ...headline(result.verdict, `Linux ${kernel.release}`, result.reason),
    table(
      ['', ''],
      [
        ['kernel', `${code(kernel.release)} ${code(kernel.machine)} (${text(kernel.source)})`],
        [
          'compared',
          `${thousands(result.outcomes)} kernel answers in ${counted(result.scenarios, 'scenario')}, ${duration(times.wall_s)}`,
        ],
        ['rules', `${reached} of ${Object.keys(rules).length} reached`],
        ['seed', code(String(result.seed))],
        ['repeat', code(result.command)],
      ],
    ),
    ...divergences
      .slice(0, WHOLE)
      .map(({ rule, statement, source, step, predicted, observed, reproduced, count, text: full }, n) =>
        section(
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
      ),
    ...crashes
      .slice(0, WHOLE)
      .map(({ kind, title, console: said, reproduced }, n) =>
        section(`${code(`${kind}: ${title}`)}, reproduced ${reproduced}`, [
          block(replayCommand(out, caseFile('crashes', n))),
          block(said),
        ]),
      ),
    ...hangs
      .slice(0, WHOLE)
      .map(({ detail, reproduced }, n) =>
        section(`Hang: ${text(detail)}, reproduced ${reproduced}`, [block(replayCommand(out, caseFile('hangs', n)))]),
      ),
    more(
      Math.max(0, divergences.length - WHOLE) + Math.max(0, crashes.length - WHOLE) + Math.max(0, hangs.length - WHOLE),
      out,
    ),
    known.length === 0
      ? ''
      : `### Known findings\n\n${table(
          ['finding', 'rule', 'what', 'scenarios'],
          known.map(({ id, rule, title, scenarios }) => [code(id), code(rule), text(title), thousands(scenarios)]),
          [3],
        )}`,
    missing_findings.length === 0
      ? ''
      : `### Expected and not shown\n\n${table(
          ['finding', 'why it was expected'],
          missing_findings.map(({ id, reason }) => [code(id), text(reason)]),
        )}`,
    expectations.length === 0
      ? ''
      : `### Expectations\n\n${table(
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
        )}`,
    unconfirmed.length === 0
      ? ''
      : section(`${counted(unconfirmed.length, 'scenario')} failed in a batch and passed every time alone`, [
          table(
            ['rule', 'what', 'reproduced'],
            unconfirmed
              .slice(0, WHOLE)
              .map(({ rule, verdict, detail, reproduced }) => [code(rule ?? verdict), text(detail), reproduced]),
          ),
        ]),
    section(`${counted(Object.keys(suites).length, 'suite')}`, [
      table(
        ['suite', 'scenarios', 'answers', 'as predicted', 'known', 'different', 'no answer'],
        Object.entries(suites).map(([name, one]) => [
          code(name),
          ...[one.scenarios, one.outcomes, one.pass, one.known, one.divergence, one.other].map(thousands),
        ]),
        [1, 2, 3, 4, 5, 6],
      ),
    ]),
  ]);
}

/** The job summary of a matrix. */
export function githubMatrixSummary(matrix: MatrixResult, out = 'out'): string {
  const { kernels, rules, findings, comparison } = matrix;
  const heads = kernels.map(({ name }) => code(name));
  const changed = rules.filter(({ story }) => story !== '');
  const mark = { kept: 'kept', known: 'known', broken: '**broken**', unreached: '-' } as const;
  return document([
    ...headline(matrix.verdict, counted(kernels.length, 'kernel'), matrix.reason),
    table(
      ['kernel', 'verdict', 'answers', 'divergences', 'crashes', 'hangs', 'known'],
      kernels.map(({ name, state, reason = '', outcomes, divergences, crashes, hangs, known }) => [
        code(name),
        `${state === 'divergent' ? '**divergent**' : state}${reason === '' ? '' : `: ${text(reason)}`}`,
        ...[outcomes, divergences, crashes, hangs, known].map(thousands),
      ]),
      [2, 3, 4, 5, 6],
    ),
    changed.length === 0
      ? ''
      : `### What changes between kernels\n\n${table(
          ['rule', ...heads, 'story'],
          changed.map(({ rule, cells, story }) => [
            code(rule),
            ...cells.map((cell) => (cell === null ? '' : mark[cell.state])),
            text(story),
          ]),
        )}`,
    findings.length === 0
      ? ''
      : `### Findings\n\n${table(
          ['finding', ...heads, 'story'],
          findings.map(({ id, cells, story }) => [
            code(id),
            ...cells.map((cell) => (cell === null ? '' : `${cell.state}${cell.expected ? '' : ' (unexpected)'}`)),
            text(story),
          ]),
        )}`,
    comparison.pairs.length === 0
      ? ''
      : `### Neighbours\n\n${table(
          ['older', 'newer', 'shared', 'same', 'explained', 'unexplained'],
          comparison.pairs.map((pair) => [
            code(pair.from),
            code(pair.to),
            ...[pair.shared, pair.same, pair.explained, pair.unexplained].map(thousands),
          ]),
          [2, 3, 4, 5],
        )}`,
    `Repeat: ${code(matrix.command)}; details: ${code(below(out, 'matrix.json'))}`,
  ]);
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

function more(count: number, out: string): string {
  return count === 0 ? '' : `${counted(count, 'more')} in ${code(below(out, 'result.json'))}.`;
}

function document(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function section(summary: string, parts: readonly string[], open = false): string {
  return `<details${open ? ' open' : ''}><summary>${summary}</summary>\n\n${parts.filter((part) => part !== '').join('\n\n')}\n\n</details>`;
}

function table(heads: readonly string[], rows: readonly (readonly string[])[], right: readonly number[] = []): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(heads), row(heads.map((_, i) => (right.includes(i) ? '---:' : '---'))), ...rows.map(row)].join('\n');
}

/** Text in Markdown that means nothing but itself: no mark-up, no mention, no link, no cell border. */
function text(value: string): string {
  return value.replace(/\s+/g, ' ').replace(/[&<>"'\\`*_{}[\]()#+!|~@:$-]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Code on one line. */
function code(value: string): string {
  return `<code>${text(value)}</code>`;
}

/** Lines as they are; neither a fence nor a tag in them ends the block. */
function block(value: string): string {
  const all = value.trimEnd().split(/\r\n|[\r\n]/);
  const cut = all.length <= LINES ? all : [...all.slice(0, LINES), `... ${all.length - LINES} more lines`];
  const body = cut.map((line) => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '?').slice(0, WIDTH)).join('\n');
  const fence = '`'.repeat(Math.max(3, ...[...body.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}text\n${body}\n${fence}`;
}
