/** The mutants as data; that they fit a tree and compile is for `ringfence sensitivity --check` to say. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { MUTANT_CLASSES, readMutants } from '../../vm/build/mutant-file.ts';

const DIRECTORY = fileURLToPath(new URL('.', import.meta.url));
const FILES = readdirSync(DIRECTORY).filter((name) => name.endsWith('.json'));
const MUTANTS = readMutants(FILES.map((name) => join(DIRECTORY, name)));

test('there are 300 and more, well formed, each with an id of its own', () => {
  expect(MUTANTS.length).toBeGreaterThanOrEqual(300);
});

test('of every class, and out of the whole feature', () => {
  const classes = new Set(MUTANTS.map((mutant) => mutant.class));
  expect([...classes].sort()).toEqual([...MUTANT_CLASSES].sort());
  const files = new Set(MUTANTS.map(({ file }) => file));
  for (const file of [
    'io_uring/bpf_filter.c',
    'io_uring/register.c',
    'io_uring/tctx.c',
    'io_uring/io_uring.c',
    'io_uring/net.c',
    'io_uring/openclose.c',
    'kernel/fork.c',
    'fs/exec.c',
    'kernel/exit.c',
    'net/core/filter.c',
    'kernel/bpf/core.c',
    'arch/x86/net/bpf_jit_comp.c',
  ])
    expect([...files], file).toContain(file);
});

test('what a race, a failing allocation or a sanitizer is needed for says so', () => {
  const silent = MUTANTS.filter((mutant) => ['race', 'allocation'].includes(mutant.class) && !mutant.needs);
  expect(silent.map(({ id }) => id)).toEqual([]);
});

test('titles, symptoms and arguments say something, and no two mutants the same', () => {
  const words = (text: string): number => text.trim().split(/\s+/).length;
  const short = MUTANTS.filter(
    ({ title, symptom, argument }) => words(title) < 3 || words(symptom) < 1 || words(argument) < 3,
  );
  expect(short.map(({ id }) => id)).toEqual([]);
  const places = MUTANTS.map(({ file, in: where, find, nth, replace }) =>
    JSON.stringify([file, where, find.replace(/\s+/g, ' '), nth ?? 1, replace.replace(/\s+/g, ' ')]),
  );
  expect(places.filter((place, i) => places.indexOf(place) !== i)).toEqual([]);
});
