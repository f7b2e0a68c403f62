/**
 * result.json and matrix.json of earlier runs, read back: whatever is in the file, what is returned is as its schema
 * says.
 */
import { readFileSync } from 'node:fs';
import { jsonErrorPlace } from '../../oracle/schema/place.ts';
import { readMatrixResult, readRunResult } from '../../reports/data/read.ts';
import type { ReadData } from '../../reports/data/read.ts';
import type { MatrixResult } from '../../reports/data/matrix.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { SetupError } from '../../vm/index.ts';

const ADVICE = 'Name a result.json or matrix.json as this version of ringfence wrote it, or run it again.';

/** A file's JSON. @throws SetupError when it cannot be read or is none, with line and column */
export function readJsonFile(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new SetupError(`${file} cannot be read: ${(error as Error).message}`, ADVICE);
  }
  return parseJson(text, (why) => new SetupError(`${file} cannot be read: ${why}`, ADVICE));
}

/** JSON that somebody else may have written. @param fault the error to throw, of what is wrong and where */
export function parseJson(text: string, fault: (why: string) => Error): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw fault(text.trim() === '' ? 'it is empty' : jsonErrorPlace(text, error as Error));
  }
}

/** The result of a run in a file. @throws SetupError with the place in the file that is not as it should be */
export function readRunFile(file: string): RunResult {
  return taken(file, readRunResult(readJsonFile(file)));
}

/** JSON of a matrix. @throws SetupError as readRunFile */
export function matrixOf(file: string, data: unknown): MatrixResult {
  return taken(file, readMatrixResult(data));
}

/** JSON of a run. @throws SetupError as readRunFile */
export function runOf(file: string, data: unknown): RunResult {
  return taken(file, readRunResult(data));
}

function taken<T>(file: string, read: ReadData<T>): T {
  if ('fault' in read) throw new SetupError(`${file} ${read.fault}.`, ADVICE);
  return read.value;
}
