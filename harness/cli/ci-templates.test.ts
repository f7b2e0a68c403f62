/**
 * The ready-made gates use options that exist. (Their YAML is checked by hand, with actionlint and gitlab-ci-local.)
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { COMMANDS } from './commands.ts';

/** Options of other programs in these files. */
const FOREIGN = new Set(['--quiet', '--depth', '--branch', '--prefix', '--device', '--init', '--arg', '--argjson']);

test.each(['.github/workflows/ringfence.yml', '.gitlab/ringfence.gitlab-ci.yml'])('%s', (path) => {
  const text = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const used = new Set(
    [...text.matchAll(/(?<![\w-])--[a-z][a-z-]*/g)].map(([option]) => option).filter((option) => !FOREIGN.has(option)),
  );
  expect(used.size).toBeGreaterThan(6);
  const known = `${COMMANDS.get('run')!.help}${COMMANDS.get('merge')!.help}`;
  expect([...used].filter((option) => !known.includes(option))).toEqual([]);
  // Tabs are no YAML.
  expect(text).not.toMatch(/\t/);
});
