/** What a campaign on mutants leaves on disk beside its journal. */
import { join } from 'node:path';
import type { SensitivityResult } from '../../reports/data/sensitivity.ts';
import { formatSensitivityHtml } from '../../reports/html/sensitivity.ts';
import { formatSensitivity } from '../../reports/text/sensitivity.ts';
import type { Trial } from '../sensitivity/journal.ts';
import { caseText, writeWhole } from './write.ts';

/** Files of cases that this process wrote, by what they are about. */
const written = new Set<string>();

/** Writes tables, page and the case that killed each mutant below `out`. @throws OutputError */
export function writeSensitivity(out: string, result: SensitivityResult, trials: readonly Trial[]): void {
  for (const { id, kill, evidence, digest } of trials) {
    if (kill === null || evidence === undefined || written.has(`${id} ${digest}`)) continue;
    const note = `mutant ${id}: ${kill.rule ?? kill.verdict}: ${kill.detail}`;
    writeWhole(join(out, 'mutants', `${id}.json`), caseText(kill.suite ?? 'escape', note, evidence.scenario));
    written.add(`${id} ${digest}`);
  }
  writeWhole(join(out, 'sensitivity.txt'), formatSensitivity(result, { out }));
  writeWhole(join(out, 'report.html'), formatSensitivityHtml(result, { out }));
  // Last: a reader that finds it finds everything it names.
  writeWhole(join(out, 'sensitivity.json'), `${JSON.stringify(result, null, 2)}\n`);
}
