import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { RULES } from '../../oracle/registry.ts';
import { writeTree } from '../../vm/testing/trees.ts';
import { programs } from '../../oracle/testing/needs.ts';
import { loadPlanted, patchOf } from './planted.ts';

test('each planted bug names rules and suites that exist; each of the three files has one', () => {
  const bugs = loadPlanted();
  expect(new Set(bugs.map(({ file }) => file))).toEqual(
    new Set(['io_uring/bpf_filter.c', 'io_uring/register.c', 'io_uring/tctx.c']),
  );
  for (const bug of bugs) {
    expect(bug.rules.filter((rule) => !Object.hasOwn(RULES, rule))).toEqual([]);
    expect(bug.suites.filter((suite) => !SUITE_NAMES.some((name) => name === suite))).toEqual([]);
    expect(bug.replace).not.toMatch(new RegExp(bug.find));
  }
});

const BUG = { id: 'x', file: 'a/b.c', find: 'k >= 3', replace: 'k > 3' };

const PATCH = programs('patch');
test.skipIf(PATCH.missing).each<readonly [string, string]>([
  ['in the middle', 'a\nb\nc\nd\n\tif (k >= 3)\ne\nf\ng\nh\n'],
  ['in the first line', 'k >= 3\nb\n'],
  ['in the last line', 'a\nb\nc\nd\nk >= 3\n'],
  ['alone', 'k >= 3\n'],
])(PATCH.of('a patch for a place %s applies'), (_, source) => {
  const dir = mkdtempSync(join(tmpdir(), 'ringfence-planted-'));
  try {
    writeTree(dir, { 'a/b.c': source, patch: patchOf(BUG, source) });
    execFileSync('patch', ['-p1', '-F0', '-i', 'patch'], { cwd: dir });
    expect(readFileSync(join(dir, 'a/b.c'), 'utf8')).toBe(source.replace('k >= 3', 'k > 3'));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

test('a place that is not there, or there twice, is no guess', () => {
  expect(() => patchOf(BUG, 'nothing\n')).toThrow(/0 times, not once/);
  expect(() => patchOf(BUG, 'k >= 3\nk >= 3\n')).toThrow(/2 times, not once/);
  expect(() => patchOf({ ...BUG, replace: 'a\nb' }, 'k >= 3\n')).toThrow(/more or less than one line/);
});
