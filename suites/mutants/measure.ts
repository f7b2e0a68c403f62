/**
 * Keeps what a campaign came to, and makes SENSITIVITY.md anew:
 *
 *   node_modules/.bin/node suites/mutants/measure.ts NAME "what was measured" OUT/sensitivity.json
 *   node_modules/.bin/node suites/mutants/measure.ts        only the document
 *
 * NAME is the file below suites/mutants/measured; the document has them in the order of their names.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import type { SensitivityResult } from '../../reports/data/sensitivity.ts';
import { allMeasured, allMutants, DOCUMENT, MEASURED } from './files.ts';
import { measuredOf, sensitivityDocument } from './tables.ts';

const [name, what, file] = process.argv.slice(2);
if (name !== undefined) {
  if (what === undefined || file === undefined) {
    console.error('usage: measure.ts [NAME WHAT OUT/sensitivity.json]');
    process.exit(2);
  }
  const result = JSON.parse(readFileSync(file, 'utf8')) as SensitivityResult;
  writeFileSync(new URL(`${name}.json`, MEASURED), `${JSON.stringify(measuredOf(what, result), null, 1)}\n`);
}
writeFileSync(DOCUMENT, sensitivityDocument(allMeasured(), new Map(allMutants().map(({ id, title }) => [id, title]))));
