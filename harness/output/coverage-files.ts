/** What a measured kernel leaves on disk. */
import { join } from 'node:path';
import type { CoverageResult } from '../../reports/data/coverage.ts';
import { formatCoverageHtml } from '../../reports/html/coverage.ts';
import { formatCoverage } from '../../reports/text/coverage.ts';
import { formatLcov } from '../../reports/text/lcov.ts';
import { writeWhole } from './write.ts';

/** The sources as they were compiled. */
export interface CoverageSourceTree {
  /** Directory that has them. */
  readonly root: string;
  /** Their lines, by path below it. */
  readonly sources: ReadonlyMap<string, readonly string[]>;
}

/** Writes tables, page, lcov's file, and entries to begin with for branches without a reason. @throws OutputError */
export function writeCoverage(out: string, result: CoverageResult, { root, sources }: CoverageSourceTree): void {
  writeWhole(join(out, 'coverage.txt'), formatCoverage(result, { out }));
  writeWhole(join(out, 'coverage.info'), formatLcov(result, root));
  writeWhole(join(out, 'report.html'), formatCoverageHtml(result, { source: (file) => sources.get(file) ?? [] }));
  writeWhole(join(out, 'unreached.json'), unreachedText(result));
  // Last: a reader that finds it finds everything else.
  writeWhole(join(out, 'coverage.json'), `${JSON.stringify(result)}\n`);
}

/** A file of reasons that lacks nothing but the reasons. */
function unreachedText({ linux, release, compiler, unreached }: CoverageResult): string {
  const lines = new Map<string, { file: string; function: string; line: string; branches: number[] }>();
  for (const { file, function: name, key, branch, kind } of unreached) {
    if (kind !== null) continue;
    const at = `${file}:${name}:${key}`;
    const entry = lines.get(at) ?? { file, function: name, line: key, branches: [] };
    entry.branches.push(branch);
    lines.set(at, entry);
  }
  const reasons = [...lines.values()].map((entry) => ({ ...entry, kind: '', why: '' }));
  return `${JSON.stringify({ linux: /^\d+\.\d+(\.\d+)?/.exec(release)?.[0] ?? linux, compiler, reasons }, null, 2)}\n`;
}
