/** ringfence report: any report from what an earlier run left. */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { looksLikeMatrix } from '../../reports/data/read.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { OutputError } from '../output/write.ts';
import { EXIT, SetupError, UsageError } from '../../vm/index.ts';
import { parse } from './options.ts';
import { deliver, REPORT_OPTIONS, wishesOf } from '../output/deliver.ts';
import type { Reported } from '../output/deliver.ts';
import { matrixOf, readJsonFile, readRunFile, runOf } from '../output/read.ts';

export const HELP = `ringfence report PATH [options]: reports from a result that is there already; runs nothing

  PATH                 result.json of a run, matrix.json of a matrix, or the directory that holds one
      --ktap FILE      KTAP version 1; "-" is standard output
      --junit FILE     JUnit XML; "-" is standard output
      --html FILE      one page that needs no network; "-" is standard output
      --github         annotations, and the job summary where GITHUB_STEP_SUMMARY names a file

Without any of these, report.html is written beside the result.

Exit code: 0 when the reports are made, whatever they say; 2 otherwise.

Examples
  npx ringfence report out                       out/report.html
  npx ringfence report out --junit junit.xml --ktap -
`;

export async function command(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, REPORT_OPTIONS, 1);
  const [path] = positionals;
  if (path === undefined) throw new UsageError('report needs a result.json, a matrix.json or a directory with one');
  const wishes = wishesOf(values, {});
  const { reported, out } = readReported(path);
  const page = wishes.files.size === 0 && !wishes.github;
  try {
    deliver(reported, wishes, out, page);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    throw new SetupError(error.message, 'The result is as it was.');
  }
  return EXIT.ok;
}

/** The result at a path, and the directory it lies in. @throws SetupError */
export function readReported(path: string): { readonly reported: Reported; readonly out: string } {
  const file =
    statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
      ? ['matrix.json', 'result.json']
          .map((name) => join(path, name))
          .find((name) => statSync(name, { throwIfNoEntry: false }) !== undefined)
      : path;
  if (file === undefined)
    throw new SetupError(
      `${path} holds neither result.json nor matrix.json.`,
      'Name the directory that a run or a matrix was given with --out.',
    );
  const data = readJsonFile(file);
  const out = dirname(file);
  if (!looksLikeMatrix(data)) return { reported: { kind: 'run', result: runOf(file, data) }, out };
  const matrix = matrixOf(file, data);
  const results = matrix.kernels.flatMap(({ name, result }): [string, RunResult][] =>
    result === undefined ? [] : [[name, readRunFile(join(out, result))]],
  );
  return { reported: { kind: 'matrix', matrix, results: new Map(results) }, out };
}
