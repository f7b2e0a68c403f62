/** Where the data of the mutants is. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readMutants } from '../../vm/build/mutant-file.ts';
import type { Mutant } from '../../vm/build/mutant-file.ts';
import type { Measured } from './tables.ts';

/** What campaigns came to. */
export const MEASURED = new URL('measured/', import.meta.url);
/** The document that is made from them. */
export const DOCUMENT = new URL('SENSITIVITY.md', import.meta.url);

const jsonIn = (directory: URL): readonly URL[] =>
  existsSync(directory)
    ? readdirSync(directory)
        .filter((name) => name.endsWith('.json'))
        .sort()
        .map((name) => new URL(name, directory))
    : [];

/** All mutants. @throws SetupError a file that is none of mutants */
export function allMutants(): readonly Mutant[] {
  return readMutants(jsonIn(new URL('.', import.meta.url)).map((file) => fileURLToPath(file)));
}

/** What was measured, in the order of the files' names. */
export function allMeasured(): readonly Measured[] {
  return jsonIn(MEASURED).map((file) => JSON.parse(readFileSync(file, 'utf8')) as Measured);
}
