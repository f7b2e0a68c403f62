/** `npm run open`: writes oracle/OPEN.md, the table of open answers with how often each is used. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { measureOpen } from '../../generators/open-sample.ts';
import { openPlaces } from '../../oracle/open-answer.ts';
import { documentedAbi } from '../../oracle/probe/abi-documented.ts';
import { formatOpenPage, openLines } from '../../reports/text/open-list.ts';

/** Cases of each suite over which uses are measured. */
const SAMPLE = 1000;

if (import.meta.main) {
  const sample = {
    about: `the first ${SAMPLE} cases of each suite, seed 1, Linux 7.3`,
    ...measureOpen(SAMPLE, 1, documentedAbi('7.3')),
  };
  const page = fileURLToPath(new URL('../../oracle/OPEN.md', import.meta.url));
  writeFileSync(page, formatOpenPage(openLines([...openPlaces().values()], sample), sample));
}
