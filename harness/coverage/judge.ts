/** From counts, the feature's functions and reasons to what is shown: what was reached, and what was not and why. */
import type {
  CoveredFile,
  CoveredFunction,
  CoverageResult,
  ReasonProblem,
  UnreachedBranch,
} from '../../reports/data/coverage.ts';
import type { FileCount, FunctionCount, LineCount } from './gcov-json.ts';
import type { FeatureFile, Reason } from './reasons.ts';
import { lineKeys } from './source-keys.ts';

/** What is judged. */
export interface Counted {
  /** Counts by path in the tree. */
  readonly counts: ReadonlyMap<string, FileCount>;
  /** Lines of these sources. */
  readonly text: (file: string) => readonly string[];
  readonly feature: readonly FeatureFile[];
  readonly reasons: readonly Reason[];
}

/** What comes of it. */
export type Judged = Pick<CoverageResult, 'files' | 'total' | 'unreached' | 'problems' | 'complete'>;

/** Sums up, and lays reasons beside what was not reached. Pure. */
export function judgeCoverage({ counts, text, feature, reasons }: Counted): Judged {
  const files: CoveredFile[] = [];
  const unreached: UnreachedBranch[] = [];
  const problems: ReasonProblem[] = [];
  const used = new Set<Reason>();
  for (const { file, functions: names } of feature) {
    const count = counts.get(file);
    const found = new Set<string>();
    const functions = (count?.functions ?? []).map((one): CoveredFunction => {
      const lines = linesOf(one, count!);
      const isFeature = names.includes(one.name);
      if (!isFeature) return summed(one, lines, false, 0);
      found.add(one.name);
      const own = reasons.filter((reason) => reason.file === file && reason.function === one.name);
      const looked = look(file, one, lines, text(file), own);
      for (const reason of looked.used) used.add(reason);
      unreached.push(...looked.unreached);
      problems.push(...looked.problems);
      return summed(one, lines, true, looked.unreached.filter(({ kind }) => kind !== null).length);
    });
    problems.push(...names.filter((name) => !found.has(name)).map((name) => goneFunction(file, name)));
    files.push({ path: file, functions, counts: (count?.lines ?? []).map(copied) });
  }
  problems.push(...reasons.filter((reason) => !used.has(reason)).map(goneReason));
  return {
    files,
    total: totalOf(files.flatMap(({ functions }) => functions.filter((one) => one.feature))),
    unreached,
    problems,
    complete: unreached.every(({ kind }) => kind !== null) && problems.length === 0,
  };
}

/**
 * Lines of a function. What stands in two, as a system call's line does in the functions that its macro makes, is the
 * longest one's.
 */
function linesOf(one: FunctionCount, { functions, lines }: FileCount): readonly LineCount[] {
  const length = ({ from, to }: FunctionCount): number => to - from;
  const owns = (line: number): boolean =>
    functions.every(
      (other) =>
        other === one || line < other.from || line > other.to || length(other) < length(one) || within(one, other),
    );
  return lines.filter(({ line }) => line >= one.from && line <= one.to && owns(line));
}

/** Whether one function stands in the middle of another: then it is a shorter one's. */
function within(inner: FunctionCount, outer: FunctionCount): boolean {
  return inner.from > outer.from && inner.to <= outer.to;
}

function summed(
  { name, from, to, count }: FunctionCount,
  lines: readonly LineCount[],
  feature: boolean,
  reasoned: number,
): CoveredFunction {
  const branches = lines.flatMap((one) => one.branches);
  return {
    name,
    from,
    to,
    count,
    feature,
    lines: lines.length,
    lines_reached: lines.filter((one) => one.count > 0).length,
    branches: branches.length,
    branches_reached: branches.filter((taken) => taken > 0).length,
    reasoned,
  };
}

interface Looked {
  readonly unreached: readonly UnreachedBranch[];
  readonly problems: readonly ReasonProblem[];
  /** Reasons whose line is there. */
  readonly used: readonly Reason[];
}

/** Each branch of a function of the feature, and the reasons for it. */
function look(
  file: string,
  { name, from }: FunctionCount,
  lines: readonly LineCount[],
  text: readonly string[],
  reasons: readonly Reason[],
): Looked {
  const forked = lines.filter(({ branches }) => branches.length > 0);
  const keys = lineKeys(
    text,
    from,
    forked.map(({ line }) => line),
  );
  const unreached: UnreachedBranch[] = [];
  const problems: ReasonProblem[] = [];
  const used: Reason[] = [];
  for (const { line, branches } of forked) {
    const key = keys.get(line)!;
    const own = reasons.filter((reason) => reason.line === key);
    used.push(...own);
    for (const [branch, times] of branches.entries()) {
      const reason = own.find((one) => one.branches.includes(branch));
      const place = { file, function: name, line, key, branch };
      if (times === 0) unreached.push({ ...place, kind: reason?.kind ?? null, why: reason?.why ?? '' });
      else if (reason !== undefined) problems.push({ problem: 'reached', ...place, times, why: reason.why });
    }
    for (const reason of own)
      for (const branch of reason.branches.filter((one) => one >= branches.length))
        problems.push({ ...goneReason(reason), branch, line });
  }
  return { unreached, problems, used };
}

function goneReason({ file, function: name, line: key, why }: Reason): ReasonProblem {
  return { problem: 'gone', file, function: name, key, branch: null, line: null, times: 0, why };
}

function goneFunction(file: string, name: string): ReasonProblem {
  return { problem: 'gone', file, function: name, key: '', branch: null, line: null, times: 0, why: '' };
}

function totalOf(functions: readonly CoveredFunction[]): CoverageResult['total'] {
  const sum = (member: 'lines' | 'lines_reached' | 'branches' | 'branches_reached' | 'reasoned'): number =>
    functions.reduce((so, one) => so + one[member], 0);
  const [branches, reached, reasoned] = [sum('branches'), sum('branches_reached'), sum('reasoned')];
  return {
    functions: functions.length,
    called: functions.filter(({ count }) => count > 0).length,
    lines: sum('lines'),
    lines_reached: sum('lines_reached'),
    branches,
    branches_reached: reached,
    reasoned,
    unexplained: branches - reached - reasoned,
  };
}

function copied({ line, count, branches }: LineCount): CoveredFile['counts'][number] {
  return { line, count, branches: [...branches] };
}
