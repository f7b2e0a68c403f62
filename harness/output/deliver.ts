/** Where reports go: --ktap, --junit, --html and --github of every command that has a result. */
import { appendFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { ParseArgsOptionsConfig } from 'node:util';
import { RULES } from '../../oracle/registry.ts';
import {
  githubAnnotations,
  githubMatrixAnnotations,
  githubMatrixSummary,
  githubSummary,
} from '../../reports/ci/github.ts';
import { formatHtml, formatMatrixHtml } from '../../reports/html/index.ts';
import { formatJunit } from '../../reports/ci/junit.ts';
import { formatKtap, formatMatrixKtap } from '../../reports/ci/ktap.ts';
import type { MatrixResult } from '../../reports/data/matrix.ts';
import { matrixPoints, runPoints } from '../../reports/ci/points.ts';
import { below } from '../../reports/text/replay.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { OutputError, writeWhole } from './write.ts';
import { UsageError } from '../../vm/index.ts';

export const REPORT_OPTIONS = {
  ktap: { type: 'string' },
  junit: { type: 'string' },
  html: { type: 'string' },
  github: { type: 'boolean' },
  'no-github': { type: 'boolean' },
} as const satisfies ParseArgsOptionsConfig;

export const REPORT_OPTIONS_HELP = `      --ktap FILE      KTAP version 1, as the kernel's own tests write it; "-" is standard output
      --junit FILE     JUnit XML; "-" is standard output
      --html FILE      the page that also goes to report.html of --out; "-" is standard output
      --github         annotations and job summary for GitHub Actions (on where GITHUB_ACTIONS is "true"; --no-github: off)
`;

/** Values of REPORT_OPTIONS as parseArgs gives them. */
export interface ReportValues {
  readonly ktap?: string | undefined;
  readonly junit?: string | undefined;
  readonly html?: string | undefined;
  readonly github?: boolean | undefined;
  readonly 'no-github'?: boolean | undefined;
}

export interface Wishes {
  /** Format -> file, or `-`. */
  readonly files: ReadonlyMap<'ktap' | 'junit' | 'html', string>;
  readonly github: boolean;
  /** One of the formats goes to standard output: everything for people goes to standard error. */
  readonly piped: boolean;
}

export const NO_WISHES: Wishes = { files: new Map(), github: false, piped: false };

/** What is asked for. @throws UsageError for places that cannot be */
export function wishesOf(
  values: ReportValues,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Wishes {
  const files = new Map(
    (['ktap', 'junit', 'html'] as const).flatMap((format) =>
      values[format] === undefined ? [] : [[format, values[format]] as const],
    ),
  );
  const piped = [...files].filter(([, file]) => file === '-').map(([format]) => `--${format} -`);
  if (piped.length > 1)
    throw new UsageError(`${piped.join(' and ')} cannot share standard output; give all but one a file`);
  for (const [format, file] of files) {
    if (file === '') throw new UsageError(`--${format} needs a file, or "-" for standard output`);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new UsageError(`--${format} ${file} is a directory; name a file in it`);
  }
  const same = [...files].find(
    ([format, file], i) =>
      file !== '-' &&
      [...files].slice(0, i).some(([, other]) => resolve(other) === resolve(file) && other !== '-') &&
      format !== undefined,
  );
  if (same !== undefined)
    throw new UsageError(`--${same[0]} ${same[1]} is named twice; give each report a file of its own`);
  if (values.github === true && values['no-github'] === true)
    throw new UsageError('--github and --no-github exclude each other');
  return {
    files,
    github: values['no-github'] === true ? false : (values.github ?? env['GITHUB_ACTIONS'] === 'true'),
    piped: piped.length > 0,
  };
}

export type Reported =
  | { readonly kind: 'run'; readonly result: RunResult }
  | { readonly kind: 'matrix'; readonly matrix: MatrixResult; readonly results: ReadonlyMap<string, RunResult> };

/** Text of one format. `out`: the output directory as the user named it. */
export function formatReport(format: 'ktap' | 'junit' | 'html', reported: Reported, out: string): string {
  if (reported.kind === 'run') {
    const { result } = reported;
    if (format === 'html') return formatHtml(result, { rules: Object.values(RULES), out });
    const points = runPoints(result);
    return format === 'ktap' ? formatKtap(points) : formatJunit([points]);
  }
  const { matrix, results } = reported;
  if (format === 'html') return formatMatrixHtml(matrix, results, { rules: Object.values(RULES), out });
  const points = matrixPoints(matrix, results);
  return format === 'ktap' ? formatMatrixKtap('ringfence matrix', points) : formatJunit(points);
}

/**
 * Writes every report that is asked for, and report.html below `out`, which is told, unless `page` is false. One that cannot be written does not keep
 * the others back. @throws OutputError the first that could not be written
 */
export function deliver(reported: Reported, wishes: Wishes, out: string, page = true): void {
  let failed: OutputError | undefined;
  const attempt = (act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      failed ??= error;
    }
  };
  if (page) {
    attempt(() => {
      writeWhole(join(out, 'report.html'), formatReport('html', reported, out));
      (wishes.piped ? process.stderr : process.stdout).write(`page:    ${below(out, 'report.html')}\n`);
    });
  }
  for (const [format, file] of wishes.files) {
    const text = formatReport(format, reported, out);
    if (file === '-') process.stdout.write(text);
    else attempt(() => writeWhole(file, text));
  }
  if (wishes.github) attempt(() => github(reported, out, wishes.piped));
  if (failed !== undefined) throw failed;
}

function github(reported: Reported, out: string, piped: boolean): void {
  const [annotations, summary] =
    reported.kind === 'run'
      ? [githubAnnotations(reported.result, out), githubSummary(reported.result, out)]
      : [githubMatrixAnnotations(reported.matrix, reported.results, out), githubMatrixSummary(reported.matrix, out)];
  // Workflow commands are read from either stream.
  (piped ? process.stderr : process.stdout).write(annotations);
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (file === undefined || file === '') return;
  try {
    appendFileSync(file, summary);
  } catch (error) {
    throw new OutputError(file, error as NodeJS.ErrnoException);
  }
}
