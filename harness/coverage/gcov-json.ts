/** What gcov says of an object, as far as it is used here. The form is gcov's own (`man gcov`, --json-format). */
import { isAbsolute, relative, resolve } from 'node:path';

/** One line of a source file. */
export interface LineCount {
  readonly line: number;
  /** Times that it was executed. */
  readonly count: number;
  /** Times that each branch on it was taken, in the compiler's order. */
  readonly branches: readonly number[];
}

/** One function of a source file. */
export interface FunctionCount {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly count: number;
}

/** One source file. */
export interface FileCount {
  readonly functions: readonly FunctionCount[];
  readonly lines: readonly LineCount[];
}

interface Json {
  readonly current_working_directory: string;
  readonly files: readonly {
    readonly file: string;
    readonly functions: readonly {
      readonly name: string;
      readonly start_line: number;
      readonly end_line: number;
      readonly execution_count: number;
    }[];
    readonly lines: readonly {
      readonly line_number: number;
      readonly count: number;
      readonly branches: readonly { readonly count: number }[];
    }[];
  }[];
}

/**
 * The counts of one source file of an object; undefined when the object has nothing of it. Pure.
 * @param root directory of the sources, as the compiler was told
 */
export function fileCount(json: unknown, root: string, source: string): FileCount | undefined {
  const { current_working_directory: directory, files } = json as Json;
  const path = (file: string): string => relative(root, isAbsolute(file) ? file : resolve(directory, file));
  const found = files.find(({ file }) => path(file) === source);
  if (found === undefined) return undefined;
  const lines = new Map<number, LineCount>();
  for (const { line_number: line, count, branches } of found.lines) {
    const before = lines.get(line) ?? { line, count: 0, branches: [] };
    lines.set(line, {
      line,
      count: before.count + count,
      branches: [...before.branches, ...branches.map((branch) => branch.count)],
    });
  }
  return {
    functions: found.functions.map(({ name, start_line: from, end_line: to, execution_count: count }) => ({
      name,
      from,
      to,
      count,
    })),
    lines: [...lines.values()].sort((a, b) => a.line - b.line),
  };
}

/**
 * Counts of several guests of one kernel, added up. Pure.
 * @throws Error when they are not of one build
 */
export function addCounts(all: readonly FileCount[]): FileCount {
  const [first, ...others] = all;
  if (first === undefined) throw new Error('nothing was counted');
  return others.reduce(
    (sum, next) => ({
      functions: sum.functions.map((one, i) => ({ ...one, count: one.count + same(one, next.functions[i]).count })),
      lines: sum.lines.map((one, i) => addLine(one, same(one, next.lines[i]))),
    }),
    first,
  );
}

function addLine(one: LineCount, other: LineCount): LineCount {
  if (one.branches.length !== other.branches.length) throw different();
  return {
    line: one.line,
    count: one.count + other.count,
    branches: one.branches.map((count, i) => count + (other.branches[i] ?? 0)),
  };
}

/** The other's entry, if it is the same one. */
function same<T extends { readonly line?: number; readonly name?: string }>(one: T, other: T | undefined): T {
  if (other?.line !== one.line || other?.name !== one.name) throw different();
  return other!;
}

function different(): Error {
  return new Error('the counters are of two builds');
}
