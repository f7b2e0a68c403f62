/**
 * Keeps what was measured, and makes COVERAGE.md anew:
 *
 *   node_modules/.bin/node suites/coverage/measure.ts NAME "what was measured" OUT/coverage.json
 *   node_modules/.bin/node suites/coverage/measure.ts        only the document
 *
 * NAME is the file below suites/coverage/measured; the document has them in the order of their names.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { CoverageResult } from '../../reports/data/coverage.ts';
import { allMeasured, allReasons, DOCUMENT, MEASURED } from './files.ts';
import { coverageDocument, measuredOf } from './tables.ts';

const [name, what, file] = process.argv.slice(2);
if (name !== undefined) {
  if (what === undefined || file === undefined) {
    console.error('usage: measure.ts [NAME WHAT OUT/coverage.json]');
    process.exit(2);
  }
  const result = JSON.parse(readFileSync(file, 'utf8')) as CoverageResult;
  writeFileSync(new URL(`${name}.json`, MEASURED), `${JSON.stringify(measuredOf(what, result), null, 1)}\n`);
}
writeFileSync(DOCUMENT, coverageDocument(allMeasured(), allReasons()));
