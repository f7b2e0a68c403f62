/**
 * A matrix as a user meets it, on real guests: one kernel twice, one that does not boot, one that cannot be fetched.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { MatrixResult } from '../../reports/data/matrix.ts';
import { cacheDir } from '../../vm/host/cache.ts';
import { fakeElf } from '../../vm/testing/kernels.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/ringfence.js', import.meta.url));

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-matrix-'));
  chmodSync(dir, 0o755);
  mkdirSync(join(dir, 'mirror'));
  writeFileSync(join(dir, 'vmlinux'), fakeElf({ release: '7.2.99' }));
  // The cache as it is, without one release.
  for (const name of readdirSync(cacheDir())) if (name !== 'kernels') link(name);
  const kernels = join('kernels', 'amd64');
  for (const name of readdirSync(join(cacheDir(), kernels))) if (!name.startsWith('7.0.12')) link(join(kernels, name));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function link(name: string): void {
  mkdirSync(join(dir, 'cache', name, '..'), { recursive: true });
  symlinkSync(join(cacheDir(), name), join(dir, 'cache', name));
}

function matrix(...args: readonly string[]): {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
} {
  const env = { ...process.env, RINGFENCE_CACHE: join(dir, 'cache'), RINGFENCE_MIRROR: `file:${join(dir, 'mirror')}` };
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, 'matrix', ...args], {
    cwd: dir,
    encoding: 'utf8',
    env,
    timeout: 170_000,
  });
  return { code: status, out: stdout, err: stderr };
}

test('one that does not boot and one that cannot be had do not keep the others from finishing', () => {
  const { code, out, err } = matrix(
    '--kernels',
    'vmlinux,7.0.13,7.0.12',
    '-k',
    '7.0.13',
    '--cases',
    '60',
    '--jobs',
    '1',
  );
  expect(code, err).toBe(125);
  expect(out).toMatch(/^INCOMPLETE {2}7\.2\.99 cannot be tested; 7\.0\.12 could not be fetched$/m);
  expect(out).toMatch(/7\.0\.13 -> 7\.0\.13-2 +60 +\d+ +\d+ +\d+ +0 +0$/m);
  const result = JSON.parse(readFileSync(join(dir, 'out', 'matrix.json'), 'utf8')) as MatrixResult;
  expect(result.kernels.map(({ name, state }) => [name, state])).toEqual([
    ['7.0.12', 'unavailable'],
    ['7.0.13', 'conformant'],
    ['7.0.13-2', 'conformant'],
    ['7.2.99', 'untestable'],
  ]);
  // The same kernel twice: no difference has a cause but what the rules leave open.
  expect(
    result.comparison.changes.flatMap(({ causes }) => causes.map(({ kind }) => kind)).filter((kind) => kind !== 'open'),
  ).toEqual([]);
  expect(result.kernels.map(({ scenarios }) => scenarios)).toEqual([0, 60, 60, 0]);
  for (const file of [
    'matrix.txt',
    'report.html',
    '7.0.13/result.json',
    '7.0.13-2/answers.txt',
    '7.2.99/console-0.txt',
  ])
    expect(existsSync(join(dir, 'out', file)), file).toBe(true);
  expect(readFileSync(join(dir, 'out', '7.0.13', 'answers.txt'), 'utf8')).toMatch(
    /^0 [0-9a-f]{16}\n(\d+ [0-9a-f]{16}\n){59}$/,
  );
}, 180_000);

test('a mistyped kernel ends it before anything is booted', () => {
  expect(matrix('--kernels', '7.0.13,7.0.99')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/there is no kernel 7\.0\.99 to fetch/) as string,
  });
  expect(matrix('--kernels', '7.0.13,missing.img')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/missing\.img cannot be read/) as string,
  });
  expect(matrix('--kernels', 'mirror')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/is not a file/) as string,
  });
});
