/**
 * Annotations for GitHub Actions, as workflow commands. GitHub shows ten errors, ten warnings and ten notices per step:
 * the worst come first, the rest is counted.
 */
import type { MatrixResult } from '../data/matrix.ts';
import type { RunResult } from '../data/result.ts';
import { caseFile, replayCommand } from '../text/replay.ts';
import { counted } from '../text/style.ts';

/** Annotations of one kind that GitHub shows per step. */
const SHOWN = 10;

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

/**
 * Annotations of a run, one a line; empty when there is nothing to tell.
 * @param out the output directory as the user named it
 */
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
  return [
    ...failures(result, out),
    ...unfinished(result),
    ...outdated(result),
    ...unconfirmed(result, out),
    ...knownFindings(result),
  ];
}

const linuxOf = ({ kernel }: RunResult): string => `Linux ${kernel.release}`;

/** How to see it again. */
function again(reproduced: string, out: string, ...file: Parameters<typeof caseFile>): string {
  return `reproduced ${reproduced}\n${replayCommand(out, caseFile(...file))}`;
}

function failures(result: RunResult, out: string): Annotation[] {
  const on = linuxOf(result);
  const divergences = result.divergences.map(
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
  );
  const crashes = result.crashes.map(
    ({ kind, title, reproduced }, n): Annotation => ({
      level: 'error',
      title: `${kind} on ${on}`,
      text: `${title}\n${again(reproduced, out, 'crashes', n)}`,
    }),
  );
  const hangs = result.hangs.map(
    ({ detail, reproduced }, n): Annotation => ({
      level: 'error',
      title: `hang on ${on}`,
      text: `${detail}\n${again(reproduced, out, 'hangs', n)}`,
    }),
  );
  return [...divergences, ...crashes, ...hangs];
}

function unfinished(result: RunResult): Annotation[] {
  const { verdict, reason = '', runner_errors } = result;
  if (verdict !== 'untestable' && verdict !== 'interrupted') return [];
  const first = runner_errors.slice(0, 3).map(({ index, detail }) => `case ${index}: ${detail}`);
  return [
    {
      level: verdict === 'untestable' ? 'error' : 'warning',
      title: `${linuxOf(result)}: ${verdict}`,
      text: [reason, ...first].join('\n'),
    },
  ];
}

/** What is expected to be broken, and is not as expected. */
function outdated(result: RunResult): Annotation[] {
  const { missing_findings, expectations, policy } = result;
  const level: Level = policy?.strict === true ? 'error' : 'warning';
  const on = linuxOf(result);
  return [
    ...missing_findings.map(({ id, reason }) => ({ level, title: `${id} did not show on ${on}`, text: reason })),
    ...expectations
      .filter(({ problem }) => problem !== '')
      .map(({ id, problem, file }) => ({ level, title: `expectation ${id}`, text: `${problem}\n${file}` })),
  ];
}

function unconfirmed(result: RunResult, out: string): Annotation[] {
  return result.unconfirmed.map(({ rule, verdict, detail, reproduced }, n) => ({
    level: 'warning',
    title: `unconfirmed ${rule ?? verdict} on ${linuxOf(result)}`,
    text: `${detail}\n${again(reproduced, out, 'unconfirmed', n)}`,
  }));
}

function knownFindings(result: RunResult): Annotation[] {
  const { known } = result;
  if (known.length === 0) return [];
  const all = known.map(({ id, title, scenarios }) => `${id}: ${title} (${counted(scenarios, 'scenario')})`);
  return [
    {
      level: 'notice',
      title: `${counted(known.length, 'known finding')} on ${linuxOf(result)}`,
      text: all.join('\n'),
    },
  ];
}
