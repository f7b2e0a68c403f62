/** Reads case files. */
import { readFileSync } from 'node:fs';
import { CASE_VERSION, parseCaseFile } from '../../oracle/case/json.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { isWellFormed } from '../../generators/well-formed.ts';
import { SetupError } from '../../vm/index.ts';

/**
 * The scenarios of a case file, or of a finding, which wraps one with more than a case has.
 * @throws SetupError naming the file, the place and what was expected
 */
export function readCases(path: string): readonly Scenario[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SetupError(
      `${path} cannot be read: ${(error as Error).message}`,
      'Name a case file, such as one of out/divergences/*.json.',
    );
  }
  const parsed = parseCaseFile(ofFinding(text) ?? text);
  if (!parsed.ok)
    throw new SetupError(
      `${path} is not a case file: ${parsed.error}`,
      'The form is described in oracle/scenario/schema.json.',
    );
  const well = isWellFormed(parsed.file.scenario);
  if (well !== true)
    throw new SetupError(
      `${path} holds a scenario that cannot be run: ${well}`,
      'Correct the case; `npx ringfence explain` shows its steps.',
    );
  return [parsed.file.scenario];
}

/** A finding as the text of a case file; undefined when the text is no finding. */
function ofFinding(text: string): string | undefined {
  let data: unknown;
  try {
    data = JSON.parse(text);
  } catch {
    return undefined;
  }
  // Findings written by earlier versions name their model beside their id.
  if (typeof data !== 'object' || data === null || 'ringfence' in data) return undefined;
  if (!('scenario' in data) || !('model' in data || ('id' in data && 'rule' in data))) return undefined;
  return JSON.stringify({ ringfence: CASE_VERSION, scenario: data.scenario });
}
