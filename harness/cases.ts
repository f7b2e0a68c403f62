/** Reads case files. */
import { readFileSync } from 'node:fs';
import { parseCaseFile } from '../oracle/scenario/json.ts';
import type { Scenario } from '../oracle/scenario/types.ts';
import { isWellFormed } from '../generators/well_formed.ts';
import { SetupError } from '../vm/index.ts';

/** The scenarios of a case file. @throws SetupError naming the file, the place and what was expected */
export function readCases(path: string): readonly Scenario[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SetupError(`${path} cannot be read: ${(error as Error).message}`, 'Name a case file, such as one of out/divergences/*.json.');
  }
  const parsed = parseCaseFile(text);
  if (!parsed.ok) throw new SetupError(`${path} is not a case file: ${parsed.error}`, 'The form is described in oracle/scenario/schema.json; a truncated file must be written again.');
  const well = isWellFormed(parsed.file.scenario);
  if (well !== true) throw new SetupError(`${path} holds a scenario that cannot be run: ${well}`, 'Correct the case; `npx ringfence explain` shows its steps.');
  return [parsed.file.scenario];
}
