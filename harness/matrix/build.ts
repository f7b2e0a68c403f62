/** Turns columns and their comparison into the result that tables and pages are made from. Pure. */
import type { Rule } from '../../oracle/rule.ts';
import { MATRIX_VERSION } from '../../reports/data/matrix.ts';
import type {
  AbiRow,
  Comparison,
  FindingCell,
  FindingRow,
  MatrixKernel,
  MatrixResult,
  RuleCell,
  RuleRow,
  RuleState,
  SuiteCell,
  SuiteRow,
} from '../../reports/data/matrix.ts';
import { worstOf } from '../../oracle/judge/verdict.ts';
import type { RunVerdict } from '../../oracle/judge/verdict.ts';
import { affects } from '../known/findings.ts';
import type { Finding } from '../known/findings.ts';
import { abiMembers, missingMember } from './abi.ts';
import type { Column } from './column.ts';
import { presenceStory, stretches, valueStory, range } from './stories.ts';

/** Everything that a matrix is made of. */
export interface MatrixParts {
  readonly columns: readonly Column[];
  readonly comparison: Comparison;
  readonly findings: readonly Finding[];
  readonly rules: Readonly<Record<string, Rule>>;
  readonly seed: number;
  readonly cases: number;
  readonly suites: readonly string[];
  readonly append: string;
  readonly command: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly started: Date;
  readonly wall_s: number;
  readonly interrupted: boolean;
}

/** Pure. */
export function buildMatrix(parts: MatrixParts): MatrixResult {
  const { columns, comparison } = parts;
  const verdict = verdictOfMatrix(columns, comparison, parts.interrupted);
  return {
    version: MATRIX_VERSION,
    verdict,
    ...(verdict === 'conformant' ? {} : { reason: reasonOf(columns, comparison, parts.interrupted) }),
    seed: parts.seed,
    cases: parts.cases,
    suite_names: parts.suites,
    append: parts.append,
    command: parts.command,
    kernels: columns.map(kernelOf),
    abi: abiRows(columns),
    suites: suiteRows(columns, parts.suites),
    rules: ruleRows(columns, parts.rules, parts.findings),
    findings: findingRows(columns, parts.findings),
    comparison,
    versions: parts.versions,
    times: { started: parts.started.toISOString(), wall_s: Math.round(parts.wall_s * 100) / 100 },
  };
}

/** The worst of all kernels. One without the feature is no failure, but if none has it nothing was tested. */
export function verdictOfMatrix(columns: readonly Column[], { pairs }: Comparison, interrupted: boolean): RunVerdict {
  const verdicts = columns.map(({ state }): RunVerdict => {
    if (state === 'divergent' || state === 'conformant') return state;
    return state === 'unsupported' ? 'conformant' : 'untestable';
  });
  if (pairs.some(({ unexplained }) => unexplained > 0)) verdicts.push('divergent');
  if (interrupted) verdicts.push('interrupted');
  if (!columns.some(({ state }) => state === 'conformant')) verdicts.push('untestable');
  return worstOf(verdicts);
}

function reasonOf(columns: readonly Column[], { pairs }: Comparison, interrupted: boolean): string {
  const named = (state: Column['state']): string =>
    columns
      .filter((column) => column.state === state)
      .map(({ name }) => name)
      .join(', ');
  const parts: string[] = [];
  const say = (state: Column['state'], text: string): void => {
    if (named(state) !== '') parts.push(`${named(state)} ${text}`);
  };
  say('divergent', columns.filter(({ state }) => state === 'divergent').length === 1 ? 'diverges' : 'diverge');
  const unexplained = pairs.reduce((sum, pair) => sum + pair.unexplained, 0);
  if (unexplained > 0)
    parts.push(`${unexplained} difference${unexplained === 1 ? '' : 's'} between kernels without an explanation`);
  say('untestable', 'cannot be tested');
  say('unavailable', 'could not be fetched');
  if (interrupted) parts.push('interrupted: this is what was found so far');
  if (parts.length === 0) parts.push('no kernel has the feature');
  return parts.join('; ');
}

function kernelOf(column: Column): MatrixKernel {
  const { name, spec, release, kernel, state, reason, result } = column;
  const known = Object.values(result?.suites ?? {}).reduce((sum, suite) => sum + suite.known, 0);
  return {
    name,
    requested: spec.requested,
    release,
    source: spec.tree !== undefined ? 'tree' : spec.release === undefined ? 'file' : 'pinned',
    sha256: kernel?.sha256 ?? '',
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(kernel?.note === undefined ? {} : { note: kernel.note }),
    scenarios: result?.scenarios ?? 0,
    outcomes: result?.outcomes ?? 0,
    known,
    divergences: result?.divergences.length ?? 0,
    crashes: result?.crashes.length ?? 0,
    hangs: result?.hangs.length ?? 0,
    unconfirmed: result?.unconfirmed.length ?? 0,
    ...(result === undefined ? {} : { result: `${name}/result.json` }),
    wall_s: Math.round(column.wall_s * 100) / 100,
  };
}

function names(columns: readonly Column[]): string[] {
  return columns.map(({ name }) => name);
}

function abiRows(columns: readonly Column[]): AbiRow[] {
  const members = columns.map(({ abi }) => (abi === undefined ? undefined : abiMembers(abi)));
  const fields = [...new Set(members.flatMap((one) => [...(one?.keys() ?? [])]))];
  return fields.map((field) => {
    const values = members.map((one) => (one === undefined ? null : (one.get(field) ?? missingMember(field))));
    return {
      field,
      values,
      differs: new Set(values.filter((value) => value !== null)).size > 1,
      story: valueStory(names(columns), values),
    };
  });
}

function suiteRows(columns: readonly Column[], suites: readonly string[]): SuiteRow[] {
  return suites.map((suite) => ({
    suite,
    cells: columns.map(({ result }): SuiteCell | null => {
      const count = result?.suites[suite];
      return count === undefined
        ? null
        : {
            scenarios: count.scenarios,
            outcomes: count.outcomes,
            known: count.known,
            divergence: count.divergence,
            other: count.other,
          };
    }),
  }));
}

const TOLD: Readonly<Record<RuleState, string>> = {
  kept: 'kept',
  known: 'known finding',
  broken: 'BROKEN',
  unreached: 'not reached',
};

function ruleRows(
  columns: readonly Column[],
  rules: Readonly<Record<string, Rule>>,
  findings: readonly Finding[],
): RuleRow[] {
  return Object.values(rules).map(({ id, statement, source }) => {
    const cells = columns.map(({ result, active }): RuleCell | null => {
      if (result === undefined) return null;
      const hits = result.rules[id] ?? 0;
      if (result.divergences.some(({ rule }) => rule === id)) return { state: 'broken', hits };
      // Its smallest scenario showed it, also where no drawn one came to it.
      if (
        result.known.some(({ rule }) => rule === id) ||
        findings.some((finding) => finding.rule === id && active.includes(finding))
      )
        return { state: 'known', hits };
      return { state: hits > 0 ? 'kept' : 'unreached', hits };
    });
    return { rule: id, statement, source, cells, story: ruleStory(names(columns), cells) };
  });
}

/** What is kept wherever it was reached has no story. */
function ruleStory(columns: readonly string[], cells: readonly (RuleCell | null)[]): string {
  const states = cells.map((cell) => cell?.state ?? null);
  const bad = states.filter((state) => state === 'known' || state === 'broken');
  if (bad.length === 0) {
    const reached = states.some((state) => state === 'kept');
    return reached && states.includes('unreached')
      ? valueStory(
          columns,
          states.map((state) => (state === null ? null : TOLD[state])),
        )
      : '';
  }
  const kinds = new Set(states.filter((state) => state !== null));
  if (kinds.size === 1) return `${TOLD[bad[0]!]} on all`;
  if (new Set(bad).size > 1)
    return valueStory(
      columns,
      states.map((state) => (state === null ? null : TOLD[state])),
    );
  const folded = states.map((state) => (state === null ? null : state === bad[0] ? state : 'other'));
  return `${TOLD[bad[0]!]} ${presenceStory(columns, folded, bad[0]!)}`;
}

function findingRows(columns: readonly Column[], findings: readonly Finding[]): FindingRow[] {
  return findings.map((finding) => {
    const cells = columns.map((column): FindingCell | null => {
      const state = column.findings.get(finding.id);
      if (state === undefined) return null;
      return {
        state,
        expected: (state === 'shown') === affects(finding, column.release),
        scenarios: column.result?.known.find(({ id }) => id === finding.id)?.scenarios ?? 0,
      };
    });
    const states = cells.map((cell) => cell?.state ?? null);
    const other = stretches(
      names(columns),
      states.map((state) => (state === null ? null : state === 'other' ? 'other' : 'plain')),
    )
      .filter(({ value }) => value === 'other')
      .map(range);
    const shown = presenceStory(
      names(columns),
      states.map((state) => (state === 'other' ? 'absent' : state)),
      'shown',
    );
    const story = [
      shown === '' ? (states.some((state) => state !== null) ? 'on none' : '') : shown,
      other.length === 0 ? '' : `something else on ${other.join(', ')}`,
    ]
      .filter((text) => text !== '')
      .join('; ');
    return { id: finding.id, rule: finding.rule, title: finding.title, cells, story };
  });
}
