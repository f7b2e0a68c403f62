/**
 * A result as test points, for CI systems: the same names on each run, and one of them fails exactly when the
 * verdict is not "conformant". KTAP and JUnit are two ways to write these down.
 */
import type { MatrixKernel, MatrixResult } from '../data/matrix.ts';
import type { Divergence, RunResult } from '../data/result.ts';
import { counted, duration, thousands } from '../text/style.ts';

/** fail: the kernel is wrong; error: it could not answer (crash, hang, not testable); skip: not asked, or known. */
export type PointState = 'pass' | 'fail' | 'error' | 'skip';

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

export interface Group {
  /** Dotted lower-case name, such as `rules.filter`. */
  readonly name: string;
  readonly points: readonly Point[];
}

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

/** Test points of a matrix: one report per kernel, and one of the kernels against each other. `results` by name of the kernel. */
export function matrixPoints(matrix: MatrixResult, results: ReadonlyMap<string, RunResult>): readonly PointReport[] {
  const { started } = matrix.times;
  const kernels = matrix.kernels.map((kernel): PointReport => {
    const result = results.get(kernel.name);
    const state = kernelPoint(kernel, result !== undefined);
    const own = result === undefined ? [] : groupsOf(result);
    return {
      title: kernel.name,
      properties:
        result === undefined
          ? [
              ['kernel', kernel.release],
              ['seed', String(matrix.seed)],
              ['command', matrix.command],
            ]
          : propertiesOf(result),
      started: result?.times.started ?? started,
      wall_s: kernel.wall_s,
      groups: [{ name: 'kernel', points: [state] }, ...own],
    };
  });
  const pairs = matrix.comparison.pairs.map(
    ({ from, to, shared, same, varying, explained, unexplained, unexamined }): Point => {
      const lines = [
        `${counted(shared, 'scenario')} answered by both: ${thousands(same)} alike, ${thousands(explained)} different for known causes, ${thousands(varying)} vary by themselves, ${thousands(unexplained)} unexplained, ${thousands(unexamined)} not asked again`,
      ];
      return {
        name: `${from}..${to}`,
        ...(unexplained > 0
          ? {
              state: 'fail',
              type: 'unexplained',
              message: `${counted(unexplained, 'scenario')} differ for no known cause`,
            }
          : { state: 'pass' }),
        lines,
      };
    },
  );
  const whole: PointReport = {
    title: 'comparison',
    properties: [
      ['seed', String(matrix.seed)],
      ['command', matrix.command],
    ],
    started,
    wall_s: matrix.times.wall_s,
    groups: [
      { name: 'matrix', points: [finished(matrix)] },
      ...(pairs.length === 0 ? [] : [{ name: 'pairs', points: pairs }]),
    ],
  };
  return [...kernels, whole];
}

/** Whether a kernel could be tested at all. What it answered is told by the other points, where they are known. */
function kernelPoint({ state, reason = '', divergences, crashes, hangs }: MatrixKernel, detailed: boolean): Point {
  const name = 'testable';
  const lines = reason === '' ? [] : [reason];
  switch (state) {
    case 'conformant':
      return { name, state: 'pass', lines };
    case 'divergent':
      return detailed
        ? { name, state: 'pass', lines: [] }
        : {
            name,
            state: 'fail',
            type: 'divergence',
            message: `${counted(divergences, 'divergence')}, ${counted(crashes, 'crash', 'crashes')}, ${counted(hangs, 'hang')}`,
            lines,
          };
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
  const { verdict, reason = '', crashes, hangs, runner_errors, unconfirmed, scenarios, outcomes, times } = result;
  const done = `${counted(outcomes, 'kernel answer')} in ${counted(scenarios, 'scenario')}, ${duration(times.wall_s)}`;
  const cut = verdict === 'interrupted' || (verdict === 'untestable' && runner_errors.length === 0);
  const points: Point[] = [
    cut
      ? { name: 'finished', state: 'error', type: verdict, message: reason || verdict, lines: [reason, done] }
      : { name: 'finished', state: 'pass', lines: [done] },
    pointOf(
      'no-crash',
      'error',
      'crash',
      crashes,
      ({ kind, title }) => `${kind}: ${title}`,
      (crash) => [
        `${crash.kind}: ${crash.title}`,
        `suite ${crash.suite}, case ${crash.index}, reproduced ${crash.reproduced}`,
        ...crash.console.trimEnd().split('\n'),
      ],
    ),
    pointOf(
      'no-hang',
      'error',
      'hang',
      hangs,
      ({ detail }) => detail,
      ({ suite, index, detail, reproduced }) => [`${detail} (suite ${suite}, case ${index}, reproduced ${reproduced})`],
    ),
    pointOf(
      'all-judged',
      'error',
      'runner-error',
      runner_errors,
      ({ detail }) => detail,
      ({ index, detail }) => [`case ${index}: ${detail}`],
    ),
  ];
  // They do not fail the run: an unconfirmed failure passed each time it was asked alone.
  points.push({
    name: 'all-confirmed',
    state: unconfirmed.length === 0 ? 'pass' : 'skip',
    ...(unconfirmed.length === 0
      ? {}
      : {
          type: 'unconfirmed',
          message: `${counted(unconfirmed.length, 'scenario')} failed in a batch and passed every time alone`,
        }),
    lines: unconfirmed.map(
      ({ suite, index, verdict: kind, rule, detail, reproduced }) =>
        `${rule === undefined ? kind : `${kind} of ${rule}`}: ${detail} (suite ${suite}, case ${index}, reproduced ${reproduced})`,
    ),
  });
  return { name: 'run', points };
}

function pointOf<T>(
  name: string,
  state: PointState,
  type: string,
  bad: readonly T[],
  short: (one: T) => string,
  long: (one: T) => string[],
): Point {
  if (bad.length === 0) return { name, state: 'pass', lines: [] };
  return {
    name,
    state,
    type,
    message: `${short(bad[0]!)}${bad.length > 1 ? `, and ${bad.length - 1} more` : ''}`,
    lines: bad.flatMap(long),
  };
}

function suitePoints({ suites, divergences, crashes, hangs }: RunResult): Point[] {
  return Object.entries(suites).map(([name, count]): Point => {
    const lines = [
      `${counted(count.scenarios, 'scenario')}, ${counted(count.outcomes, 'answer')}: ${thousands(count.pass)} as predicted, ${thousands(count.known)} as known findings predict, ${thousands(count.divergence)} different, ${thousands(count.other)} without an answer`,
    ];
    const rules = divergences.filter(({ suite }) => suite === name).map(({ rule }) => rule);
    if (rules.length > 0)
      return {
        name,
        state: 'fail',
        type: 'divergence',
        message: `differs from ${[...new Set(rules)].join(', ')}`,
        lines,
      };
    const ends = [...crashes, ...hangs].filter(({ suite }) => suite === name).length;
    if (ends > 0)
      return {
        name,
        state: 'error',
        type: 'crash',
        message: `${counted(ends, 'crash or hang', 'crashes or hangs')}`,
        lines,
      };
    return count.scenarios === 0
      ? { name, state: 'skip', type: 'not-run', message: 'no scenario ran', lines }
      : { name, state: 'pass', lines };
  });
}

function ruleGroups({ rules, divergences, known, seed, kernel }: RunResult): Group[] {
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
