/** A finding or a note as a mail to those who can mend it, and the list of all. */
import { folded, letter, MAIL_WIDTH } from './letter.ts';
import { wrap } from './style.ts';

/** What findings and notes have in common: what their files say beside the case. */
export interface EntryFacts {
  readonly id: string;
  readonly title: string;
  /** The words in question as the source has them, a short quotation, and where they stand. */
  readonly words: { readonly quote: string; readonly where: string };
  /** What it means for someone who relies on the feature; two sentences. */
  readonly consequence: string;
  readonly explanation: string;
  /** First release affected (7.0-rc1: there from the beginning), and first without it (null: none yet). */
  readonly affected: { readonly from: string; readonly fixed: string | null };
  /** The commit of a source tree that brought it, or the merge it came with; null: not known. */
  readonly commit: string | null;
  /** Kernels it was seen on, and kernels it was looked for and not seen. */
  readonly seen: readonly string[];
  readonly not_seen: readonly string[];
}

/** What is told of a finding or a note. */
export interface EntryText extends EntryFacts {
  readonly kind: 'finding' | 'note';
  /** The smallest scenario, as text. */
  readonly scenario: string;
  /** What is promised and what is answered, one line each; empty for a note. */
  readonly answers: readonly string[];
}

/** The mail. Ends with a newline. */
export function formatEntry(entry: EntryText): string {
  const { kind, id, title, words, consequence, explanation, scenario, answers } = entry;
  const finding = kind === 'finding';
  return letter(`${finding ? 'io_uring' : 'io_uring (note)'}: ${id}`, [
    ...wrap(sentence(title), MAIL_WIDTH),
    ...(finding ? [] : ['', 'Weakness: no promise is broken.']),
    '',
    finding ? 'What is promised' : 'The words that leave it open',
    '',
    ...wrap(`"${words.quote}"`, MAIL_WIDTH - 4).map((line) => `    ${line}`),
    '',
    ...wrap(words.where, MAIL_WIDTH - 4).map((line) => `    ${line}`),
    '',
    'Impact',
    '',
    ...wrap(consequence, MAIL_WIDTH),
    '',
    'How it comes about',
    '',
    ...wrap(explanation, MAIL_WIDTH),
    '',
    'Where',
    '',
    ...where(entry),
    '',
    'Smallest case',
    '',
    ...folded(scenario.trimEnd().split('\n')),
    ...(answers.length === 0 ? [] : ['', ...folded(answers)]),
    '',
    'To see it:',
    '',
    '  npx ringfence replay --kernel RELEASE \\',
    `    suites/${kind}s/${id}.json`,
  ]);
}

function where({ affected: { from, fixed }, commit, seen, not_seen: notSeen }: EntryText): string[] {
  const list = (releases: readonly string[]): string => (releases.length === 0 ? 'none' : releases.join(', '));
  return [
    ...wrap(`Since Linux ${from}, commit ${commit?.slice(0, 12) ?? 'not known'}.`, MAIL_WIDTH),
    ...wrap(fixed === null ? 'Not mended in any release so far.' : `Gone in ${fixed}.`, MAIL_WIDTH),
    ...wrap(`Seen on: ${list(seen)}.`, MAIL_WIDTH),
    ...wrap(`Looked for and not seen on: ${list(notSeen)}.`, MAIL_WIDTH),
  ];
}

/** With a capital letter, unless it begins with a name, and a full stop. */
function sentence(text: string): string {
  const begun = /^[a-z]+ /.test(text) ? `${text[0]!.toUpperCase()}${text.slice(1)}` : text;
  return `${begun}${/[.?!]$/.test(text) ? '' : '.'}`;
}

/** All of them, one line each: id, and what it is. */
export function formatEntries(entries: readonly Pick<EntryText, 'kind' | 'id' | 'title'>[]): string {
  const wide = Math.max(...entries.map(({ id }) => id.length));
  const part = (kind: EntryText['kind'], heading: string): string[] => {
    const rows = entries.filter((entry) => entry.kind === kind);
    return rows.length === 0 ? [] : [heading, ...rows.map(({ id, title }) => `  ${id.padEnd(wide)}  ${title}`), ''];
  };
  const all = [
    ...part('finding', 'Findings: promises that released kernels break'),
    ...part('note', 'Notes: weaknesses, no promise is broken'),
  ];
  return `${all.join('\n').trimEnd()}\n`;
}
