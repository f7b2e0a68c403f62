/** Where reports go: those of formats.ts and GitHub's, for every command that has a result. */
import { appendFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { githubAnnotations, githubMatrixAnnotations } from '../../reports/ci/annotations.ts';
import { githubMatrixSummary, githubSummary } from '../../reports/ci/job-summary.ts';
import { below } from '../../reports/text/replay.ts';
import { UsageError } from '../../vm/index.ts';
import { FORMAT_NAMES, formatReport } from './formats.ts';
import type { FormatName, Reported } from './formats.ts';
import { OutputError, writeWhole } from './write.ts';

/** What the command line says about reports: a file or `-` for each format. */
export type ReportValues = { readonly [K in FormatName]?: string | undefined } & {
  readonly github?: boolean | undefined;
  readonly 'no-github'?: boolean | undefined;
};

/** The reports that are wanted. */
export interface Wishes {
  /** Format -> file, or `-`. */
  readonly files: ReadonlyMap<FormatName, string>;
  readonly github: boolean;
  /** One of the formats goes to standard output: everything for people goes to standard error. */
  readonly piped: boolean;
}

/** No report. */
export const NO_WISHES: Wishes = { files: new Map(), github: false, piped: false };

/** What is asked for. @throws UsageError for places that cannot be */
export function wishesOf(
  values: ReportValues,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Wishes {
  const asked = FORMAT_NAMES.flatMap((format) => {
    const file = values[format];
    return file === undefined ? [] : [[format, file] as const];
  });
  const piped = asked.filter(([, file]) => file === '-').map(([format]) => `--${format} -`);
  if (piped.length > 1)
    throw new UsageError(`${piped.join(' and ')} cannot share standard output; give all but one a file`);
  const taken = new Set<string>();
  for (const [format, file] of asked) {
    if (file === '-') continue;
    if (file === '') throw new UsageError(`--${format} needs a file, or "-" for standard output`);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true)
      throw new UsageError(`--${format} ${file} is a directory; name a file in it`);
    if (taken.has(resolve(file)))
      throw new UsageError(`--${format} ${file} is named twice; give each report a file of its own`);
    taken.add(resolve(file));
  }
  const off = values['no-github'] === true;
  if (values.github === true && off) throw new UsageError('--github and --no-github exclude each other');
  // A switch that was not given and one that is off are the same.
  const github = !off && (values.github === true || env['GITHUB_ACTIONS'] === 'true');
  return { files: new Map(asked), github, piped: piped.length > 0 };
}

/**
 * Runs each of these; one whose output cannot be written does not keep the others back. @throws OutputError the first
 * of them
 */
function attemptAll(acts: readonly (() => void)[]): void {
  let failed: OutputError | undefined;
  for (const act of acts) {
    try {
      act();
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      failed ??= error;
    }
  }
  if (failed !== undefined) throw failed;
}

/**
 * Writes every report that is asked for, and report.html below `out`, which is told, unless `page` is false. One that
 * cannot be written does not keep the others back. @throws OutputError the first that could not be written
 */
export function deliver(reported: Reported, wishes: Wishes, out: string, page = true): void {
  const screen = wishes.piped ? process.stderr : process.stdout;
  const own = (): void => {
    writeWhole(join(out, 'report.html'), formatReport('html', reported, out));
    screen.write(`page:    ${below(out, 'report.html')}\n`);
  };
  const files = [...wishes.files].map(([format, file]) => (): void => {
    const text = formatReport(format, reported, out);
    if (file === '-') process.stdout.write(text);
    else writeWhole(file, text);
  });
  attemptAll([...(page ? [own] : []), ...files, ...(wishes.github ? [() => github(reported, out, screen)] : [])]);
}

function github(reported: Reported, out: string, screen: NodeJS.WriteStream): void {
  const [annotations, summary] =
    reported.kind === 'run'
      ? [githubAnnotations(reported.result, out), githubSummary(reported.result, out)]
      : [githubMatrixAnnotations(reported.matrix, reported.results, out), githubMatrixSummary(reported.matrix, out)];
  // Workflow commands are read from either stream.
  screen.write(annotations);
  const file = process.env['GITHUB_STEP_SUMMARY'];
  if (file === undefined || file === '') return;
  try {
    appendFileSync(file, summary);
  } catch (error) {
    throw new OutputError(file, error as NodeJS.ErrnoException);
  }
}
