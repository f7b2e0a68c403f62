/** oracle/OPEN.md says of each place what the oracle says of it; how often it is used is a measure of its day. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { measureOpen } from '../../generators/open-sample.ts';
import { openPlaces } from '../../oracle/open-answer.ts';
import { documentedAbi } from '../../oracle/probe/abi-documented.ts';
import { formatOpenPage, openLines } from '../../reports/text/open-list.ts';

/** Rows of places, without the number of uses, in the order of their ids. */
const rows = (page: string): string[] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.replace(/\| [\d,]+ \|$/, '|'))
    .toSorted();

test('it is made of the places that there are (npm run open)', () => {
  const sample = { about: '', ...measureOpen(1, 1, documentedAbi('7.3')) };
  const made = rows(formatOpenPage(openLines([...openPlaces().values()], sample), sample));
  expect(made.length).toBe(openPlaces().size);
  expect(rows(readFileSync(new URL('../../oracle/OPEN.md', import.meta.url), 'utf8'))).toEqual(made);
});
