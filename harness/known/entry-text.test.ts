/** Each finding and note is whole, and its mail is one that a list takes. */
import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { OP } from '../../oracle/opcodes/index.ts';
import { OpenTally } from '../../oracle/judge/open-tally.ts';
import { openPlaces } from '../../oracle/open-answer.ts';
import { predict } from '../../oracle/predict.ts';
import { documentedAbi } from '../../oracle/probe/abi-documented.ts';
import { compareToBound, parseRelease } from '../../oracle/uapi/release.ts';
import { formatEntries, formatEntry } from '../../reports/text/entry.ts';
import { entryTexts } from './entry-text.ts';
import { affects, loadFindings } from './findings.ts';
import { loadNotes } from './notes.ts';
import { PINNED } from '../../vm/index.ts';

const WIDTH = 72;
/** Kernels that have the feature, by their short names. */
const FETCHED = PINNED.filter(({ feature }) => feature).map(({ release }) => release);
const files = (folder: string): string[] =>
  readdirSync(new URL(`../../suites/${folder}`, import.meta.url)).map((name) => name.replace(/\.json$/, ''));

test('each has the name of its file, and no two have one', () => {
  expect(loadFindings().map(({ id }) => id)).toEqual(files('findings').sort());
  expect(loadNotes().map(({ id }) => id)).toEqual(files('notes').sort());
  const ids = entryTexts().map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

describe.each([...loadFindings(), ...loadNotes()])('$id', (entry) => {
  test('says what is broken or left open, where it stands, what it means in two sentences, and since when', () => {
    const { words, title, explanation, consequence, affected, commit, seen, not_seen: notSeen } = entry;
    for (const text of [title, explanation, words.quote, words.where]) expect(text.trim()).toMatch(/\S{2}/);
    expect(words.quote.length).toBeLessThanOrEqual(160);
    expect(consequence.match(/[^.]\.(?= [A-Z]|$)/g)).toHaveLength(2);
    for (const release of [affected.from, ...(affected.fixed === null ? [] : [affected.fixed]), ...seen, ...notSeen])
      expect(parseRelease(release), release).toBeDefined();
    expect(seen.length).toBeGreaterThan(0);
    expect(commit === null || /^[0-9a-f]{40}$/.test(commit)).toBe(true);
  });

  test('was looked for on each kernel that can be fetched, and seen where it is said to be', () => {
    const { seen, not_seen: notSeen } = entry;
    const looked = [...seen, ...notSeen];
    expect(new Set(looked).size).toBe(looked.length);
    const within = (name: string): boolean => affects({ ...entry, seen: [], not_seen: [] }, name);
    // Before the first release that can have it there is nothing to look for.
    const from = parseRelease(entry.affected.from)!;
    const due = FETCHED.filter((name) => compareToBound(parseRelease(name)!, from) >= 0);
    expect(due.filter((name) => !looked.includes(name))).toEqual([]);
    expect(seen.filter((name) => !within(name))).toEqual([]);
    expect(notSeen.filter((name) => within(name))).toEqual([]);
  });
});

describe.each(entryTexts())('the mail of $id', (entry) => {
  const mail = formatEntry(entry);
  test(`is plain text of at most ${WIDTH} columns`, () => {
    expect(mail).toMatch(/^Subject: [^\n]+\n\n[\x20-\x7e\n]+\n$/);
    expect(mail.split('\n').filter((line) => line.length > WIDTH)).toEqual([]);
    expect(mail).not.toMatch(/[^\S\n]\n|undefined|null|\[object/);
  });
  test('tells everything', () => {
    const flat = mail.replaceAll(/\s+/g, ' ');
    for (const part of [entry.words.quote, entry.words.where, entry.consequence, entry.explanation])
      expect(flat).toContain(part.replaceAll(/\s+/g, ' '));
    for (const release of entry.seen) expect(flat).toContain(release);
    expect(flat).toContain(entry.commit?.slice(0, 12) ?? 'not known');
    expect(entry.answers.length).toBe(entry.kind === 'finding' ? 3 : 0);
    for (const answer of entry.answers) expect(flat).toContain(answer.replaceAll(/\s+/g, ' '));
  });
});

/** What the oracle leaves open in the cases of notes, and why the weakness shows all the same. */
const LEFT_OPEN: Readonly<Record<string, string>> = {
  'register.write-back': 'what a registration writes back is no part of it',
  'connect.network': 'whether it comes about; the peer is asked for by other means',
  'connect.datagram': 'the same',
  'made.at-all': 'follows from those',
};

describe.each(loadNotes())('note $id', ({ scenario, weakness, opcodes }) => {
  test('breaks no promise: the oracle itself says what happens, and one thing alone', () => {
    expect(weakness).toBe('no promise is broken');
    const tally = new OpenTally();
    tally.add(scenario, predict(scenario, documentedAbi('7.3')));
    const open = [...tally.uses.keys()].filter((id) => openPlaces().get(id)?.number !== true);
    expect(open.filter((id) => !Object.hasOwn(LEFT_OPEN, id))).toEqual([]);
  });
  test('is about opcodes that there are', () => {
    expect(opcodes.length).toBeGreaterThan(0);
    for (const name of opcodes) expect(OP, name).toHaveProperty(name);
  });
});

test('the list has a line for each', () => {
  const list = formatEntries(entryTexts());
  for (const { id, title } of entryTexts()) expect(list).toMatch(new RegExp(`^  ${id} +${title.slice(0, 3)}`, 'm'));
});
