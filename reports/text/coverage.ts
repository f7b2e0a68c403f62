/** What the cases came to of a kernel's own code, as a table for a terminal. */
import type { CoveredFunction, CoverageResult, ReasonProblem, UnreachedBranch } from '../data/coverage.ts';
import { below } from './replay.ts';
import { COLOUR, counted, PLAIN, wrap } from './style.ts';
import type { Style } from './style.ts';

/** Columns of the text. */
const WIDTH = 110;

/** Where things were written, and in colours or not. */
export interface CoverageStyle {
  readonly out: string;
  readonly colour?: boolean;
}

/** A function of the feature, with the file it stands in. */
export type FeatureFunction = CoveredFunction & { readonly file: string };

/** The feature's functions, in the order of the files. */
export function featureFunctions({ files }: CoverageResult): readonly FeatureFunction[] {
  return files.flatMap(({ path, functions }) =>
    functions.filter(({ feature }) => feature).map((one) => ({ ...one, file: path })),
  );
}

/** Branches that were neither taken nor have a reason. */
export function unexplained({ unreached }: CoverageResult): readonly UnreachedBranch[] {
  return unreached.filter(({ kind }) => kind === null);
}

/** What is wrong with a reason, as a sentence without a full stop. */
export function problemText({ problem, times, branch, line, key, why }: ReasonProblem): string {
  if (problem === 'reached')
    return `branch ${branch} of line ${line} (${key}) was taken ${counted(times, 'time')}, but its reason says: ${why}`;
  if (key === '') return 'this kernel has no such function';
  return `this kernel has no ${branch === null ? '' : `branch ${branch} on `}line ${key} for the reason: ${why}`;
}

/** The whole text: a row per function, what has no reason, what is wrong with reasons, the verdict. */
export function formatCoverage(result: CoverageResult, { out, colour = false }: CoverageStyle): string {
  const style = colour ? COLOUR : PLAIN;
  const { release, cases, seed, suites } = result;
  const lines = [
    `${counted(cases, 'case')} of ${counted(suites.length, 'suite')} on ${release}, seed ${seed}`,
    '',
    ...table(featureFunctions(result), style),
    '',
    ...unexplained(result).map(
      ({ file, function: name, line, branch, key }) =>
        `${style.yellow('not reached')}  ${file}:${line}  ${name}, branch ${branch} (${key})`,
    ),
    ...result.problems.flatMap((one) => [
      `${style.red(one.problem === 'reached' ? 'wrong reason' : 'gone        ')} ${one.file}  ${one.function}`,
      ...wrap(problemText(one), WIDTH - 13).map((text) => `${' '.repeat(13)}${text}`),
    ]),
    verdict(result, style),
    ...(result.lost > 0
      ? [`${counted(result.lost, 'guest')} ended early: what they did in their last seconds is not counted`]
      : []),
    `result:  ${below(out, 'coverage.json')}, ${below(out, 'coverage.info')}, ${below(out, 'report.html')}`,
  ];
  return `${lines.join('\n')}\n`;
}

function table(functions: readonly FeatureFunction[], style: Style): string[] {
  const wide = Math.max(8, ...functions.map(({ name }) => name.length + 2));
  const head = `${'function'.padEnd(wide)}  ${'lines'.padStart(9)}  ${'branches'.padStart(9)}  reasoned  open`;
  const rows: string[] = [head];
  for (const [i, one] of functions.entries()) {
    if (one.file !== functions[i - 1]?.file) rows.push(style.bold(one.file));
    const open = one.branches - one.branches_reached - one.reasoned;
    const cells = [
      `  ${one.name}`.padEnd(wide),
      `${one.lines_reached}/${one.lines}`.padStart(9),
      `${one.branches_reached}/${one.branches}`.padStart(9),
      String(one.reasoned).padStart(8),
      (open > 0 ? style.yellow : style.dim)(String(open).padStart(4)),
    ];
    rows.push(cells.join('  '));
  }
  return rows;
}

function verdict({ total, complete, problems }: CoverageResult, style: Style): string {
  const said =
    `${total.branches_reached} of ${counted(total.branches, 'branch', 'branches')} reached, ` +
    `${total.reasoned} with a reason, ${total.unexplained} without`;
  const wrong = problems.filter(({ problem }) => problem === 'reached').length;
  const bad = wrong === 0 ? '' : `; ${counted(wrong, 'reason')} ${wrong === 1 ? 'is' : 'are'} wrong`;
  return (complete ? style.green : style.yellow)(`${said}${bad}`);
}
