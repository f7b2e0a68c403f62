/** Coverage in lcov's format (`man geninfo`, FILES): genhtml, editors and CI services read it. */
import type { CoveredFile, CoverageResult } from '../data/coverage.ts';

/** The text of an `.info` file. @param root directory of the sources, which a reader of the file has to find */
export function formatLcov(result: CoverageResult, root: string): string {
  return result.files.map((file) => `TN:\n${record(file, root)}end_of_record\n`).join('');
}

function record({ path, functions, counts }: CoveredFile, root: string): string {
  const lines: string[] = [`SF:${root}/${path}`];
  // The three functions of a system call's macro begin on one line.
  for (const { name, from } of functions) lines.push(`FN:${from},${name}`);
  for (const { name, count } of functions) lines.push(`FNDA:${count},${name}`);
  lines.push(`FNF:${functions.length}`, `FNH:${functions.filter(({ count }) => count > 0).length}`);
  for (const { line, count, branches } of counts)
    for (const [branch, taken] of branches.entries())
      lines.push(`BRDA:${line},0,${branch},${count === 0 ? '-' : taken}`);
  const branches = counts.flatMap((one) => one.branches);
  lines.push(`BRF:${branches.length}`, `BRH:${branches.filter((taken) => taken > 0).length}`);
  for (const { line, count } of counts) lines.push(`DA:${line},${count}`);
  lines.push(`LF:${counts.length}`, `LH:${counts.filter(({ count }) => count > 0).length}`);
  return `${lines.join('\n')}\n`;
}
