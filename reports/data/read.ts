/** result.json and matrix.json as they come from a file: untrusted, and perhaps of an older ringfence. */
import { MATRIX_SCHEMA, MATRIX_VERSION } from './matrix.ts';
import type { MatrixResult } from './matrix.ts';
import { RESULT_SCHEMA, RESULT_VERSION } from './result.ts';
import type { RunResult } from './result.ts';
import { dataFault } from './fault.ts';
import { STORY_SCHEMA } from './story.ts';

/** What was read, or what is wrong with it, as a sentence that the file's name begins and that has no full stop. */
export type ReadData<T> = { readonly value: T } | { readonly fault: string };

type Members = Readonly<Record<string, unknown>>;

/** A parsed result.json. Members that came later than the first files of this version are filled in. */
export function readRunResult(data: unknown): ReadData<RunResult> {
  const version = versionFault(data, RESULT_VERSION);
  if (version !== undefined) return { fault: `is no result of this version of ringfence: ${version}` };
  const value = completed(data as Members);
  const fault = dataFault(RESULT_SCHEMA, value) ?? storyFault(value as unknown as RunResult);
  if (fault !== undefined) return { fault: `is no result as ringfence writes it: ${fault}` };
  return { value: value as unknown as RunResult };
}

/** A parsed matrix.json. */
export function readMatrixResult(data: unknown): ReadData<MatrixResult> {
  const version = versionFault(data, MATRIX_VERSION);
  if (version !== undefined) return { fault: `is no matrix of this version of ringfence: ${version}` };
  const fault = dataFault(MATRIX_SCHEMA, data);
  if (fault !== undefined) return { fault: `is no matrix as ringfence writes it: ${fault}` };
  return { value: data as MatrixResult };
}

/** Whether parsed JSON is meant as a matrix; what else there is, is a result. */
export function looksLikeMatrix(data: unknown): boolean {
  return typeof data === 'object' && data !== null && 'comparison' in data;
}

function versionFault(data: unknown, version: number): string | undefined {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'it holds no object';
  const found = (data as { readonly version?: unknown }).version;
  if (found === version) return undefined;
  return found === undefined
    ? 'it has no version'
    : `its version is ${String(JSON.stringify(found)).slice(0, 40)}, not ${version}`;
}

/** What is wrong with a story of a result that is otherwise as it should be. */
function storyFault(result: RunResult): string | undefined {
  for (const kind of ['divergences', 'crashes', 'hangs'] as const) {
    for (const [n, { story }] of result[kind].entries()) {
      const fault = story === undefined ? undefined : dataFault(STORY_SCHEMA, story);
      if (fault !== undefined) return `${kind}[${n}].story: ${fault}`;
    }
  }
  return undefined;
}

/** Before there were shards and expectations, results had no plan, no digest and no groups. */
function completed(file: Members): Members {
  const { suites, divergences } = file;
  return {
    plan: { source: 'drawn', suites: Object.keys(suites ?? {}), cases: file['scenarios'] },
    // That of a run of which no case is listed.
    digest: '0'.repeat(64),
    expectations: [],
    ...file,
    ...(Array.isArray(divergences) ? { divergences: divergences.map(grouped) } : {}),
  };
}

function grouped(divergence: unknown): unknown {
  return typeof divergence === 'object' && divergence !== null ? { group: '', ...divergence } : divergence;
}
