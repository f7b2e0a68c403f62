/** The journal on disk: half lines, other people's files, places where nothing can be written. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Mutant } from '../../vm/build/mutant-file.ts';
import { digestOf, Journal } from './journal.ts';
import type { Trial } from './journal.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringfence-journal-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
let files = 0;
const fileWith = (text: string): string => {
  const path = join(dir, `${++files}.jsonl`);
  writeFileSync(path, text);
  return path;
};

const HEAD = { version: 1, linux: '../linux', seed: 1, cases: 'abcd', default_cases: 0 } as const;
const mutant = (id: string): Mutant => ({
  id,
  title: 't',
  class: 'common',
  file: 'a.c',
  in: 'f',
  find: 'a',
  as: 'expression',
  replace: id,
  symptom: 's',
  argument: 'a',
});
const trial = (id: string): Trial => ({
  id,
  digest: digestOf(mutant(id)),
  stage: 'quick',
  reached: true,
  kill: null,
  unconfirmed: 0,
});
/** Which of these a journal has a trial of. */
const known = (path: string): string[] => {
  const journal = new Journal(path, HEAD, false);
  return ['a', 'b', 'c'].filter((id) => journal.trial(mutant(id), 'quick') !== undefined);
};

test('what is added is there when it is opened again, but not for a mutant that was changed', () => {
  const path = join(dir, 'new.jsonl');
  new Journal(path, HEAD, false).add(trial('a'));
  const again = new Journal(path, HEAD, false);
  again.add(trial('b'));
  expect(known(path)).toEqual(['a', 'b']);
  expect(again.trial({ ...mutant('a'), replace: 'other' }, 'quick')).toBeUndefined();
  expect(again.trial(mutant('a'), 'default')).toBeUndefined();
  new Journal(path, HEAD, true);
  expect(known(path)).toEqual([]);
});

test('a half line is no trial, and takes no other one with it', () => {
  const line = JSON.stringify(trial('b'));
  for (const half of [line.slice(0, 20), line.slice(0, -1), '{']) {
    const path = fileWith(`${JSON.stringify({ campaign: HEAD })}\n${JSON.stringify(trial('a'))}\n${half}`);
    expect(known(path)).toEqual(['a']);
    const journal = new Journal(path, HEAD, false);
    journal.add(trial('b'));
    journal.add(trial('c'));
    expect(known(path)).toEqual(['a', 'b', 'c']);
  }
});

test.each(['', '{"campaign":{"vers'])('one that was never begun is begun anew: "%s"', (text) => {
  const path = fileWith(text);
  new Journal(path, HEAD, false).add(trial('a'));
  expect(known(path)).toEqual(['a']);
});

test.each([
  ['another campaign', `${JSON.stringify({ campaign: { ...HEAD, seed: 2 } })}\n`, /another campaign: its seed is not/],
  ['something else', 'dear diary\nno\n', /another campaign: its tree, seed, /],
])('%s is left as it is', (_, text, message) => {
  const path = fileWith(text);
  expect(() => new Journal(path, HEAD, false)).toThrow(
    expect.objectContaining({
      exitCode: 2,
      message: expect.stringMatching(message),
      advice: expect.stringMatching(/--fresh/),
    }),
  );
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('where nothing can be written it says so, and what to do', () => {
  const path = join(dir, 'none', 'x.jsonl');
  expect(() => new Journal(path, HEAD, false)).toThrow(
    expect.objectContaining({
      exitCode: 2,
      message: expect.stringMatching(/x\.jsonl could not be written: ENOENT.*\n.*--out/),
    }),
  );
});
