/** ringfence coverage as far as it goes without a kernel. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const LAUNCHER = fileURLToPath(new URL('../bin/ringfence.js', import.meta.url));

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-coverage-cli-'));
  mkdirSync(join(dir, 'empty'));
  writeFileSync(join(dir, 'bad.json'), '{"linux":"7.3.4","compiler":"gcc","reasons":[{"file":"x.c"}]}');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test.each<[what: string, args: readonly string[], env: Readonly<Record<string, string>>, said: RegExp]>([
  ['no tree', [], {}, /needs a source tree: add --linux DIR/],
  ['an empty name', ['--linux', ''], {}, /needs a source tree/],
  ['a directory that is none', ['--linux', 'empty'], {}, /empty/],
  ['two numbers of cases', ['--linux', 'empty', '--full', '--cases', '4'], {}, /--full and --cases exclude/],
  ['reasons that are none', ['--linux', 'empty', '--reasons', 'bad.json'], {}, /reasons\[0\]: .*(function|line)/],
  ['reasons that are not there', ['--linux', 'empty', '--reasons', 'none.json'], {}, /none\.json cannot be read/],
])('%s: exit code 2 and what to do', (_, args, env, said) => {
  const { status, stderr } = spawnSync(process.execPath, [LAUNCHER, 'coverage', ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  expect(stderr).toMatch(said);
  expect(status).toBe(2);
});
