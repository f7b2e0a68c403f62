/** What a matrix leaves on disk beside the results of its kernels. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Cause, MatrixResult } from '../../reports/data/matrix.ts';
import { formatMatrix } from '../../reports/text/matrix-text.ts';
import { caseText, writeWhole } from './write.ts';

/**
 * Writes its tables and the smallest case of each difference below `out`. May be called again with a newer one. @throws
 * OutputError
 */
export function writeMatrix(out: string, result: MatrixResult): void {
  for (const { causes, from, to, example } of result.comparison.changes) {
    const { step, answer_from, answer_to, suite, scenario, file } = example;
    const why = causes.map(causeText).join(', ');
    const note = `${from} -> ${to}, step ${step}: ${answer_from} -> ${answer_to} (${why})`;
    writeWhole(join(out, file), caseText(suite, note, scenario));
  }
  removeOthers(join(out, 'changes'), new Set(result.comparison.changes.map(({ example }) => basename(example.file))));
  writeWhole(join(out, 'matrix.txt'), formatMatrix(result, { out }));
  // Last: a reader that finds matrix.json finds everything it names.
  writeWhole(join(out, 'matrix.json'), `${JSON.stringify(result, null, 2)}\n`);
}

function causeText(cause: Cause): string {
  switch (cause.kind) {
    case 'finding':
    case 'expected':
      return cause.id;
    case 'abi':
      return `ABI ${cause.field}`;
    case 'open':
      return `left open by ${cause.rule}`;
    case 'unexplained':
      return 'unexplained';
  }
}

/** Numbered cases of an earlier matrix must not be taken for this one's. */
function removeOthers(dir: string, files: ReadonlySet<string>): void {
  if (!existsSync(dir)) return;
  for (const name of readdirSync(dir)) if (/^\d{3,}\.json$/.test(name) && !files.has(name)) rmSync(join(dir, name));
}
