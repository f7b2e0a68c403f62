/** ringfence finding. */
import { entryTexts } from '../known/entry-text.ts';
import { formatEntries, formatEntry } from '../../reports/text/entry.ts';
import { EXIT, UsageError } from '../../vm/index.ts';
import { command } from './command.ts';
import { nearest } from './nearest.ts';

/** ringfence finding. */
export const FINDING = command({
  name: 'finding',
  summary: 'findings and notes; one of them as a mail',
  about: 'what released kernels break, and weaknesses; one of them as a mail',
  operands: {
    usage: '[ID]',
    least: 0,
    most: 1,
    help: [['ID', 'a file of suites/findings or suites/notes, without .json; absent: all are listed']],
  },
  options: {},
  notes: `
The mail has at most 72 columns: the words that are broken (of a note: those that leave it open) and where they stand,
the impact, since when, and the smallest case.`,
  examples: [['npx ringfence finding exec-drops-rules', '']],
  run: async (_values, [id]) => {
    const entries = entryTexts();
    if (id === undefined) {
      process.stdout.write(formatEntries(entries));
      return EXIT.ok;
    }
    const entry = entries.find((one) => one.id === id);
    if (entry === undefined)
      throw unknown(
        id,
        entries.map((one) => one.id),
      );
    process.stdout.write(formatEntry(entry));
    return EXIT.ok;
  },
});

function unknown(typed: string, ids: readonly string[]): UsageError {
  return new UsageError(
    `there is no finding and no note "${typed}"; did you mean ${nearest(typed, ids)}? ` +
      '"npx ringfence finding" lists them',
  );
}
