import { expect, test } from 'vitest';
import { FIVE_MUTANTS } from '../../reports/testing/sensitivities.ts';
import { expectCommitted } from '../../reports/testing/committed.ts';
import { allMeasured, allMutants, DOCUMENT } from './files.ts';
import { measuredOf, sensitivityDocument } from './tables.ts';

test('SENSITIVITY.md is made from what was measured', () => {
  const titles = new Map(allMutants().map(({ id, title }) => [id, title]));
  expectCommitted(DOCUMENT, () => sensitivityDocument(allMeasured(), titles));
});

test('what is kept of a result says how each mutant was seen, and what is alive', () => {
  const kept = measuredOf('now', FIVE_MUTANTS);
  expect(kept.alive).toEqual(['high-word-lost', 'never-there']);
  expect(kept.mutants).toMatchObject({
    'deny-forgotten': 'quick: filter.deny in evaluation, after 12 cases and 0.4 s',
    'never-there': 'unreached: none comes there',
  });
  const text = sensitivityDocument([kept], new Map([['high-word-lost', 'Loses the high word']]));
  expect(text).toContain('| rare-data | 4 | 2 (50 %) |');
  expect(text).toContain('- `high-word-lost`: Loses the high word. alive: no answer differs\n');
});
