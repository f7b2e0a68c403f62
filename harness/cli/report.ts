/** ringfence report: any report from what an earlier run left. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { MATRIX_VERSION } from '../../reports/data/matrix.ts';
import type { MatrixResult } from '../../reports/data/matrix.ts';
import { RESULT_VERSION } from '../../reports/data/result.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { OutputError } from '../output/write.ts';
import { EXIT, SetupError, UsageError } from '../../vm/index.ts';
import { parse } from './options.ts';
import { deliver, REPORT_OPTIONS, wishesOf } from '../output/deliver.ts';
import type { Reported } from '../output/deliver.ts';

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
  const value = read(file);
  const out = dirname(file);
  if (isMatrix(value)) {
    const results = value.kernels.flatMap(({ name, result }): [string, RunResult][] => {
      if (result === undefined) return [];
      const one = read(join(out, result));
      if (!isResult(one)) throw notOurs(join(out, result));
      return [[name, whole(one)]];
    });
    return { reported: { kind: 'matrix', matrix: value, results: new Map(results) }, out };
  }
  if (!isResult(value)) throw notOurs(file);
  return { reported: { kind: 'run', result: whole(value) }, out };
}

function read(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new SetupError(
      `${file} cannot be read: ${(error as Error).message}`,
      'Name a result.json or matrix.json as a run or a matrix wrote it.',
    );
  }
}

function notOurs(file: string): SetupError {
  return new SetupError(
    `${file} is no result of this version of ringfence.`,
    `It takes results of version ${RESULT_VERSION} and matrices of version ${MATRIX_VERSION}; run it again with this version.`,
  );
}

type Shape = Readonly<Record<string, 'string' | 'number' | 'array' | 'object'>>;

const RESULT: Shape = {
  verdict: 'string',
  seed: 'number',
  command: 'string',
  kernel: 'object',
  abi: 'object',
  accel: 'object',
  versions: 'object',
  scenarios: 'number',
  outcomes: 'number',
  suites: 'object',
  rules: 'object',
  divergences: 'array',
  crashes: 'array',
  hangs: 'array',
  runner_errors: 'array',
  unconfirmed: 'array',
  known: 'array',
  missing_findings: 'array',
  times: 'object',
};
const MATRIX: Shape = {
  verdict: 'string',
  seed: 'number',
  command: 'string',
  kernels: 'array',
  abi: 'array',
  suites: 'array',
  rules: 'array',
  findings: 'array',
  comparison: 'object',
  versions: 'object',
  times: 'object',
};

function fits(value: unknown, version: number, shape: Shape): boolean {
  if (typeof value !== 'object' || value === null || (value as { version?: unknown }).version !== version) return false;
  return Object.entries(shape).every(([key, type]) => {
    const one = (value as Record<string, unknown>)[key];
    return type === 'array' ? Array.isArray(one) : typeof one === type && one !== null && !Array.isArray(one);
  });
}

function isResult(value: unknown): value is RunResult {
  return fits(value, RESULT_VERSION, RESULT);
}

function isMatrix(value: unknown): value is MatrixResult {
  return fits(value, MATRIX_VERSION, MATRIX);
}

/** Results from before there were expectations have none. */
function whole(result: RunResult): RunResult {
  return { ...result, expectations: (result as Partial<RunResult>).expectations ?? [] };
}
