/** The files of this folder. */
import { readdirSync, readFileSync } from 'node:fs';
import { readReasons } from '../../harness/coverage/reasons.ts';
import type { Reason } from '../../harness/coverage/reasons.ts';
import type { Measured } from './tables.ts';

/** The document. */
export const DOCUMENT = new URL('COVERAGE.md', import.meta.url);
/** What was measured, a file each. */
export const MEASURED = new URL('measured/', import.meta.url);

/** All measures, in the order of their names. */
export function allMeasured(): readonly Measured[] {
  return readdirSync(MEASURED)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) => JSON.parse(readFileSync(new URL(name, MEASURED), 'utf8')) as Measured);
}

/** The reasons. */
export function allReasons(): readonly Reason[] {
  return readReasons([new URL('reasons.json', import.meta.url).pathname]);
}
