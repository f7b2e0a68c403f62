/** ringfence report as a user meets it, and the options that it shares with run. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BAD, GOOD } from '../../reports/testing/results.ts';
import { FOUR_KERNELS, MATRIX_RESULTS } from '../../reports/testing/matrices.ts';
import { UsageError } from '../../vm/index.ts';
import { REPORT, readReported } from './report.ts';
import { deliver, NO_WISHES, wishesOf } from '../output/deliver.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/ringfence.js', import.meta.url));
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ringfence-report-'));
  mkdirSync(join(dir, 'run'));
  writeFileSync(join(dir, 'run', 'result.json'), JSON.stringify(BAD));
  for (const [name, result] of MATRIX_RESULTS) {
    mkdirSync(join(dir, 'matrix', name), { recursive: true });
    writeFileSync(join(dir, 'matrix', name, 'result.json'), JSON.stringify(result));
  }
  writeFileSync(join(dir, 'matrix', 'matrix.json'), JSON.stringify(FOUR_KERNELS));
  mkdirSync(join(dir, 'empty'));
  writeFileSync(join(dir, 'text.json'), 'not JSON');
  writeFileSync(join(dir, 'other.json'), '{"version":1,"verdict":"conformant","divergences":{}}');
  const { other: _other, ...links } = BAD.suites['links']!;
  writeFileSync(join(dir, 'spoilt.json'), JSON.stringify({ ...BAD, suites: { links } }));
  writeFileSync(join(dir, 'newer.json'), JSON.stringify({ ...GOOD, version: 99 }));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function report(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { code: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [LAUNCHER, 'report', ...args], {
    cwd: dir,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    timeout: 60_000,
  });
  return { code: status, out: stdout, err: stderr };
}

test('the page by default; nothing is judged', () => {
  expect(report(['run'])).toEqual({ code: 0, out: 'page:    run/report.html\n', err: '' });
  expect(readFileSync(join(dir, 'run', 'report.html'), 'utf8')).toMatch(/^<!doctype html>[^]*Not conformant/);
});

test('each format; the page only when asked', () => {
  rmSync(join(dir, 'run', 'report.html'), { force: true });
  const { code, out, err } = report([
    'run/result.json',
    '--ktap',
    '-',
    '--junit',
    'deep/junit.xml',
    '--html',
    'page.html',
  ]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(/^KTAP version 1\n[^]*not ok 1 run\n[^]*\n$/);
  expect(readFileSync(join(dir, 'deep', 'junit.xml'), 'utf8')).toContain('<testcase name="filter.deny-rest.kept"');
  expect(readFileSync(join(dir, 'page.html'), 'utf8')).toContain('npx ringfence replay run/divergences/001.json');
  expect(existsSync(join(dir, 'run', 'report.html'))).toBe(false);
});

test('a matrix, with the results of its kernels', () => {
  const { code, out } = report(['matrix', '--ktap', '-', '--github'], { GITHUB_STEP_SUMMARY: join(dir, 'summary.md') });
  expect(code).toBe(0);
  expect(out).toMatch(/^ {8}# Subtest: rules\.filter$/m);
  expect(readFileSync(join(dir, 'summary.md'), 'utf8')).toMatch(/^## Not conformant: 4 kernels/);
});

test.each<readonly [string, readonly string[], RegExp]>([
  ['no path', [], /report needs a result\.json, a matrix\.json or a directory/],
  ['no file', ['nowhere'], /nowhere cannot be read: ENOENT/],
  ['an empty directory', ['empty'], /empty holds neither result\.json nor matrix\.json/],
  ['no JSON', ['text.json'], /text\.json cannot be read: line 1, column 2: this is not JSON/],
  ['another JSON', ['other.json'], /other\.json is no result as ringfence writes it: lacks /],
  [
    'another version',
    ['newer.json'],
    /newer\.json is no result of this version of ringfence: its version is 99, not 1/,
  ],
  ['a spoilt one', ['spoilt.json'], /spoilt\.json is no result as ringfence writes it: suites\.links: lacks other/],
  ['a place that cannot be written', ['run', '--junit', '/proc/nowhere/junit.xml'], /junit\.xml could not be written/],
  ['a directory', ['run', '--junit', 'empty'], /--junit .*empty is a directory/],
  ['two on one stream', ['run', '--junit', '-', '--ktap', '-'], /--ktap - and --junit - cannot share standard output/],
])('%s', async (_, args, message) => {
  const there = args.map((arg) => (arg.startsWith('-') || arg.startsWith('/') ? arg : join(dir, arg)));
  await expect(REPORT.run(there)).rejects.toThrow(message);
});

test('bad input ends with 2', () => {
  const { code, out, err } = report(['nowhere']);
  expect(err).toMatch(/^ringfence: nowhere cannot be read: ENOENT/);
  expect({ code, out }).toEqual({ code: 2, out: '' });
});

describe('what is asked for', () => {
  test('GitHub by itself where it runs', () => {
    expect(wishesOf({}, { GITHUB_ACTIONS: 'true' }).github).toBe(true);
    expect(wishesOf({ 'no-github': true }, { GITHUB_ACTIONS: 'true' }).github).toBe(false);
    expect(wishesOf({ github: true }, {}).github).toBe(true);
    expect(wishesOf({}, {})).toEqual(NO_WISHES);
    expect(() => wishesOf({ github: true, 'no-github': true }, {})).toThrow(UsageError);
  });
  test('one file for two reports', () => {
    expect(() => wishesOf({ ktap: 'a', junit: './a' }, {})).toThrow(/named twice/);
    expect(() => wishesOf({ ktap: '' }, {})).toThrow(/needs a file/);
    expect(wishesOf({ ktap: '-', junit: 'b' }, {}).piped).toBe(true);
  });
  test('one report that cannot be written does not keep the others back', () => {
    const { reported } = readReported(join(dir, 'run'));
    const last = join(dir, 'last.html');
    expect(() => deliver(reported, wishesOf({ ktap: '/proc/nowhere/x', html: last }, {}), join(dir, 'other'))).toThrow(
      /could not be written/,
    );
    expect(existsSync(last) && existsSync(join(dir, 'other', 'report.html'))).toBe(true);
  });
});
