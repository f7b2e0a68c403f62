/** ringfence report: any report from what an earlier run left. */
import { statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { looksLikeMatrix } from '../../reports/data/read.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { EXIT, SetupError } from '../../vm/index.ts';
import { deliver, wishesOf } from '../output/deliver.ts';
import type { Reported } from '../output/formats.ts';
import { matrixOf, readJsonFile, readRunFile, runOf } from '../output/read.ts';
import { orSetupError } from '../output/write.ts';
import { command } from './command.ts';
import { REPORT_OPTIONS } from './options.ts';

/** ringfence report. */
export const REPORT = command({
  name: 'report',
  summary: 'KTAP, JUnit or one HTML page from a result that is there',
  about: 'reports from a result that is there already; runs nothing',
  operands: {
    usage: 'PATH',
    least: 1,
    most: 1,
    missing: 'report needs a result.json, a matrix.json or a directory with one',
    help: [['PATH', 'result.json of a run, matrix.json of a matrix, or the directory that holds one']],
  },
  options: REPORT_OPTIONS,
  notes: `
Without any of these, report.html is written beside the result. GitHub's job summary goes where GITHUB_STEP_SUMMARY
names a file; here it is off unless it is asked for.

Exit code: 0 when the reports are made, whatever they say; 2 otherwise.`,
  examples: [
    ['npx ringfence report out', 'out/report.html'],
    ['npx ringfence report out --junit junit.xml --ktap -', ''],
  ],
  run: async (values, [path = '']) => {
    const wishes = wishesOf(values, {});
    const { reported, out } = readReported(path);
    const page = wishes.files.size === 0 && !wishes.github;
    orSetupError('The result is as it was.', () => deliver(reported, wishes, out, page));
    return EXIT.ok;
  },
});

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
