/**
 * A result as test points, for CI systems: the same names on each run, and one of them fails exactly when the
 * verdict is not "conformant". KTAP and JUnit are two ways to write these down.
 */
import type { MatrixKernel, MatrixResult, Pair } from '../data/matrix.ts';
import type { Divergence, Hang, RunResult, SuiteCount } from '../data/result.ts';
import { counted, duration, thousands } from '../text/style.ts';

/** fail: the kernel is wrong; error: it could not answer (crash, hang, not testable); skip: not asked, or known. */
export type PointState = 'pass' | 'fail' | 'error' | 'skip';

/** One test point. */
export interface Point {
  /** Stable name without blanks. */
  readonly name: string;
  readonly state: PointState;
  /** Kind of trouble, for machines: divergence, crash, hang ...; absent for a pass. */
  readonly type?: string;
  /** One line. */
  readonly message?: string;
  /** Everything there is to say, one entry per line. */
  readonly lines: readonly string[];
}

/** Test points that belong together. */
export interface Group {
  /** Dotted lower-case name, such as `rules.filter`. */
  readonly name: string;
  readonly points: readonly Point[];
}

/** All test points of one kernel, or of the kernels against each other. */
export interface PointReport {
  /** What was tested, one line. */
  readonly title: string;
  readonly properties: readonly (readonly [name: string, value: string])[];
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly wall_s: number;
  readonly groups: readonly Group[];
}

/** Test points of one run. */
export function runPoints(result: RunResult): PointReport {
  const { kernel, times } = result;
  return {
    title: `ringfence, Linux ${kernel.release} ${kernel.machine}`,
    properties: propertiesOf(result),
    started: times.started,
    wall_s: times.wall_s,
    groups: groupsOf(result),
  };
}

/**
 * Test points of a matrix: one report per kernel, and one of the kernels against each other.
 * @param results by name of the kernel
 */
export function matrixPoints(matrix: MatrixResult, results: ReadonlyMap<string, RunResult>): readonly PointReport[] {
  const kernels = matrix.kernels.map((kernel) => kernelReport(kernel, matrix, results.get(kernel.name)));
  const pairs = matrix.comparison.pairs.map(pairPoint);
  const whole: PointReport = {
    title: 'comparison',
    properties: [
      ['seed', String(matrix.seed)],
      ['command', matrix.command],
    ],
    started: matrix.times.started,
    wall_s: matrix.times.wall_s,
    groups: [
      { name: 'matrix', points: [finished(matrix)] },
      ...(pairs.length === 0 ? [] : [{ name: 'pairs', points: pairs }]),
    ],
  };
  return [...kernels, whole];
}

function kernelReport(
  kernel: MatrixKernel,
  { seed, command, times }: MatrixResult,
  result: RunResult | undefined,
): PointReport {
  const first = { name: 'kernel', points: [kernelPoint(kernel, result !== undefined)] };
  const shared = { title: kernel.name, wall_s: kernel.wall_s };
  if (result !== undefined)
    return {
      ...shared,
      properties: propertiesOf(result),
      started: result.times.started,
      groups: [first, ...groupsOf(result)],
    };
  return {
    ...shared,
    properties: [
      ['kernel', kernel.release],
      ['seed', String(seed)],
      ['command', command],
    ],
    started: times.started,
    groups: [first],
  };
}

function pairPoint({ from, to, shared, same, varying, explained, unexplained, unexamined }: Pair): Point {
  const parts = [
    `${thousands(same)} alike`,
    `${thousands(explained)} different for known causes`,
    `${thousands(varying)} vary by themselves`,
    `${thousands(unexplained)} unexplained`,
    `${thousands(unexamined)} not asked again`,
  ];
  const name = `${from}..${to}`;
  const lines = [`${counted(shared, 'scenario')} answered by both: ${parts.join(', ')}`];
  if (unexplained === 0) return { name, state: 'pass', lines };
  const message = `${counted(unexplained, 'scenario')} differ for no known cause`;
  return { name, state: 'fail', type: 'unexplained', message, lines };
}

/** Whether a kernel could be tested at all. What it answered is told by the other points, where they are known. */
function kernelPoint({ state, reason = '', divergences, crashes, hangs }: MatrixKernel, detailed: boolean): Point {
  const name = 'testable';
  const lines = reason === '' ? [] : [reason];
  switch (state) {
    case 'conformant':
      return { name, state: 'pass', lines };
    case 'divergent': {
      if (detailed) return { name, state: 'pass', lines: [] };
      const found = [counted(divergences, 'divergence'), counted(crashes, 'crash', 'crashes'), counted(hangs, 'hang')];
      return { name, state: 'fail', type: 'divergence', message: found.join(', '), lines };
    }
    case 'unsupported':
      return { name, state: 'skip', type: 'unsupported', message: reason || 'lacks the feature', lines };
    default:
      return { name, state: 'error', type: state, message: reason || state, lines };
  }
}

/** A matrix that was cut short, or could not be judged for a reason that no kernel of it names. */
function finished({ verdict, reason = '', kernels }: MatrixResult): Point {
  const lines = reason === '' ? [] : [reason];
  if (verdict === 'interrupted')
    return { name: 'finished', state: 'error', type: 'interrupted', message: reason || 'interrupted', lines };
  if (verdict === 'untestable' && kernels.every(({ state }) => state === 'conformant' || state === 'unsupported'))
    return {
      name: 'finished',
      state: 'error',
      type: 'untestable',
      message: reason || 'nothing could be judged',
      lines,
    };
  return { name: 'finished', state: 'pass', lines };
}

function propertiesOf({ kernel, seed, command, accel, versions, jobs }: RunResult): [string, string][] {
  return [
    ['kernel', kernel.release],
    ['machine', kernel.machine],
    ['kernel.source', kernel.source],
    ['kernel.sha256', kernel.sha256],
    ...(kernel.append === '' ? [] : [['kernel.append', kernel.append] as [string, string]]),
    ['seed', String(seed)],
    ['command', command],
    ['accel', accel.name],
    ['jobs', String(jobs)],
    ...Object.entries(versions).map(([name, version]): [string, string] => [`version.${name}`, version]),
  ];
}

function groupsOf(result: RunResult): Group[] {
  return [
    runGroup(result),
    { name: 'suites', points: suitePoints(result) },
    ...ruleGroups(result),
    ...findingGroup(result),
    ...expectationGroup(result),
  ];
}

function runGroup(result: RunResult): Group {
  const { crashes, hangs, runner_errors } = result;
  return {
    name: 'run',
    points: [
      runFinished(result),
      pointOf(
        'no-crash',
        'crash',
        crashes,
        ({ kind, title }) => `${kind}: ${title}`,
        ({ kind, title, suite, index, reproduced, console: said }) => [
          `${kind}: ${title}`,
          `suite ${suite}, case ${index}, reproduced ${reproduced}`,
          ...said.trimEnd().split('\n'),
        ],
      ),
      pointOf(
        'no-hang',
        'hang',
        hangs,
        ({ detail }) => detail,
        ({ detail, ...found }) => [`${detail} (${whereText(found)})`],
      ),
      pointOf(
        'all-judged',
        'runner-error',
        runner_errors,
        ({ detail }) => detail,
        ({ index, detail }) => [`case ${index}: ${detail}`],
      ),
      allConfirmed(result),
    ],
  };
}

function whereText({ suite, index, reproduced }: Pick<Hang, 'suite' | 'index' | 'reproduced'>): string {
  return `suite ${suite}, case ${index}, reproduced ${reproduced}`;
}

function runFinished({ verdict, reason = '', runner_errors, scenarios, outcomes, times }: RunResult): Point {
  const name = 'finished';
  const done = `${counted(outcomes, 'kernel answer')} in ${counted(scenarios, 'scenario')}, ${duration(times.wall_s)}`;
  const cut = verdict === 'interrupted' || (verdict === 'untestable' && runner_errors.length === 0);
  return cut
    ? { name, state: 'error', type: verdict, message: reason || verdict, lines: [reason, done] }
    : { name, state: 'pass', lines: [done] };
}

/** Unconfirmed failures do not fail the run: each passed every time it was asked alone. */
function allConfirmed({ unconfirmed }: RunResult): Point {
  const name = 'all-confirmed';
  if (unconfirmed.length === 0) return { name, state: 'pass', lines: [] };
  return {
    name,
    state: 'skip',
    type: 'unconfirmed',
    message: `${counted(unconfirmed.length, 'scenario')} failed in a batch and passed every time alone`,
    lines: unconfirmed.map(
      ({ verdict, rule, detail, ...found }) =>
        `${rule === undefined ? verdict : `${verdict} of ${rule}`}: ${detail} (${whereText(found)})`,
    ),
  };
}

/** An error where there is something bad, told by the first of it. */
function pointOf<T>(
  name: string,
  type: string,
  bad: readonly T[],
  short: (one: T) => string,
  long: (one: T) => string[],
): Point {
  if (bad.length === 0) return { name, state: 'pass', lines: [] };
  return {
    name,
    state: 'error',
    type,
    message: `${short(bad[0]!)}${bad.length > 1 ? `, and ${bad.length - 1} more` : ''}`,
    lines: bad.flatMap(long),
  };
}

function suitePoints(result: RunResult): Point[] {
  return Object.entries(result.suites).map(([name, count]) => suitePoint(name, count, result));
}

function suitePoint(name: string, count: SuiteCount, { divergences, crashes, hangs }: RunResult): Point {
  const parts = [
    `${thousands(count.pass)} as predicted`,
    `${thousands(count.known)} as known findings predict`,
    `${thousands(count.divergence)} different`,
    `${thousands(count.other)} without an answer`,
  ];
  const lines = [`${counted(count.scenarios, 'scenario')}, ${counted(count.outcomes, 'answer')}: ${parts.join(', ')}`];
  const rules = new Set(divergences.filter(({ suite }) => suite === name).map(({ rule }) => rule));
  if (rules.size > 0)
    return { name, state: 'fail', type: 'divergence', message: `differs from ${[...rules].join(', ')}`, lines };
  const ends = [...crashes, ...hangs].filter(({ suite }) => suite === name).length;
  if (ends > 0) {
    const message = counted(ends, 'crash or hang', 'crashes or hangs');
    return { name, state: 'error', type: 'crash', message, lines };
  }
  return count.scenarios === 0
    ? { name, state: 'skip', type: 'not-run', message: 'no scenario ran', lines }
    : { name, state: 'pass', lines };
}

function ruleGroups({ rules, unreachable, divergences, known, seed, kernel }: RunResult): Group[] {
  const broken = Map.groupBy(divergences, ({ rule }) => rule);
  const findings = Map.groupBy(known, ({ rule }) => rule);
  const ids = [...new Set([...Object.keys(rules), ...broken.keys()])].sort();
  const groups = new Map<string, Point[]>();
  for (const id of ids) {
    const group = `rules.${id.split('.')[0]!}`;
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group)!.push(rulePoint(id, rules[id] ?? 0));
  }
  return [...groups].map(([name, points]) => ({ name, points }));

  function rulePoint(name: string, hits: number): Point {
    const reached = `reached ${counted(hits, 'time')}`;
    const bad = broken.get(name);
    if (bad !== undefined)
      return {
        name,
        state: 'fail',
        type: 'divergence',
        message: `predicted ${bad[0]!.predicted}; observed ${bad[0]!.observed}`,
        lines: [reached, ...bad.flatMap((one) => divergenceLines(one, seed, kernel.release))],
      };
    const shown = findings.get(name);
    if (shown !== undefined)
      return {
        name,
        state: 'skip',
        type: 'known-finding',
        message: `known finding ${shown.map(({ id }) => id).join(', ')}`,
        lines: [
          reached,
          ...shown.map(
            ({ id, title, scenarios }) => `known finding ${id}: ${title} (${counted(scenarios, 'scenario')})`,
          ),
        ],
      };
    const why = unreachable?.[name];
    if (hits === 0 && why !== undefined)
      return { name, state: 'skip', type: 'cannot-be-reached', message: why, lines: [why] };
    return hits === 0
      ? {
          name,
          state: 'skip',
          type: 'not-reached',
          message: 'not reached in this run',
          lines: ['not reached in this run'],
        }
      : { name, state: 'pass', lines: [reached] };
  }
}

function divergenceLines(
  { statement, source, suite, index, step, predicted, observed, reproduced, count, text }: Divergence,
  seed: number,
  release: string,
): string[] {
  return [
    `rule: ${statement}`,
    `source: ${source}`,
    `Linux ${release}, step ${step}`,
    `predicted: ${predicted}`,
    `observed:  ${observed}`,
    `suite ${suite}, case ${index}, seed ${seed}, reproduced ${reproduced}, ${counted(count, 'scenario')} alike`,
    ...text.trimEnd().split('\n'),
  ];
}

/** Known findings neither pass nor fail; one that no longer shows is for somebody to look at. */
function findingGroup({ known, missing_findings, policy }: RunResult): Group[] {
  const points: Point[] = [
    ...known.map(
      ({ id, rule, title, scenarios }): Point => ({
        name: id,
        state: 'skip',
        type: 'known-finding',
        message: `known finding: ${title}`,
        lines: [`${title} (${rule}; ${counted(scenarios, 'scenario')})`],
      }),
    ),
    ...missing_findings.map(
      ({ id, reason }): Point => ({
        name: id,
        state: policy?.strict === true ? 'fail' : 'skip',
        type: 'missing-finding',
        message: `expected and not shown: ${reason}`,
        lines: [reason],
      }),
    ),
  ];
  return points.length === 0 ? [] : [{ name: 'findings', points: points.sort((a, b) => (a.name < b.name ? -1 : 1)) }];
}

/** An entry of an expectation file that something is wrong with fails a strict gate, and is skipped by another. */
function expectationGroup({ expectations, policy }: RunResult): Group[] {
  if (expectations.length === 0) return [];
  return [
    {
      name: 'expectations',
      points: expectations.map(({ id, rule, state, problem, reason, kernels, expires, scenarios, file }): Point => {
        const lines = [
          `${rule} on ${kernels}: ${reason}`,
          `${state}, ${counted(scenarios, 'scenario')}, until ${expires} (${file})`,
          ...(problem === '' ? [] : [problem]),
        ];
        if (problem !== '')
          return {
            name: id,
            state: policy?.strict === true ? 'fail' : 'skip',
            type: 'expectation',
            message: problem,
            lines,
          };
        return state === 'out of range'
          ? { name: id, state: 'skip', type: 'expectation', message: 'not for this kernel', lines }
          : { name: id, state: 'pass', lines };
      }),
    },
  ];
}
