/**
 * On the real kernel, through the command line: shards are the whole run, a bundle repeats it, and both say so when
 * they do not.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadFindings } from '../known/findings.ts';
import { packBundle } from '../bundle/format.ts';
import { readBundle } from '../bundle/verify.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { Ledger } from './ledger.ts';

const LAUNCHER = fileURLToPath(new URL('../bin/ringfence.js', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'ringfence-union-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function ringfence(...args: string[]): Promise<Said> {
  const child = spawn(process.execPath, [LAUNCHER, ...args], {
    cwd: dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The kernel is in the cache; its configuration is not looked for.
    env: { ...process.env, RINGFENCE_MIRROR: 'http://127.0.0.1:9/' },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  return new Promise((resolve) => child.once('exit', (code) => resolve({ code, out, err })));
}

const read = (path: string): RunResult => JSON.parse(readFileSync(join(dir, path, 'result.json'), 'utf8')) as RunResult;
const RUN = [
  'run',
  '--suite',
  'escape,links',
  '--cases',
  '90',
  '--seed',
  '3',
  '--jobs',
  '1',
  '--accel',
  'tcg',
  '--expect',
  'gate.json',
];

beforeAll(async () => {
  const expectations = loadFindings().map(({ id, rule }) => ({
    id: `gate-${id}`,
    rule,
    finding: id,
    kernels: '7.0.*',
    reason: 'test',
    link: 'https://bugs.example/1',
    expires: '2999-12-31',
  }));
  writeFileSync(join(dir, 'gate.json'), JSON.stringify({ ringfence_expectations: 1, expectations }));
  expect(await ringfence(...RUN, '--out', 'whole', '--bundle', 'whole.tar.zst')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^CONFORMANT[^]*bundle: {2}whole\.tar\.zst, SHA-256 [0-9a-f]{64}/),
  });
}, 200_000);

test('the union of three shards is the whole run, outcome for outcome', async () => {
  for (const i of [1, 2, 3])
    expect(await ringfence(...RUN, '--shard', `${i}/3`, '--out', `shard-${i}`)).toMatchObject({ code: 0 });
  expect(await ringfence('merge', 'shard-2', 'shard-3', 'shard-1', '--out', 'merged')).toMatchObject({
    code: 0,
    err: '',
  });
  const comparable = ({ times: _times, jobs: _jobs, command: _command, ...rest }: RunResult) => rest;
  expect(comparable(read('merged'))).toEqual(comparable(read('whole')));
  expect(readFileSync(join(dir, 'merged/cases.txt'), 'utf8')).toBe(readFileSync(join(dir, 'whole/cases.txt'), 'utf8'));
  expect(read('merged').scenarios).toBe(90);
  expect(readFileSync(join(dir, 'merged/shard-2/console-0.txt'), 'utf8').length).toBeGreaterThan(0);

  const before = readFileSync(join(dir, 'shard-1/result.json'), 'utf8');
  const half = await ringfence('merge', 'shard-1', 'shard-3', 'whole', '--out', 'half');
  expect(half).toMatchObject({ code: 2, err: expect.stringMatching(/whole is no shard[^]*shard 2\/3 is missing/) });
  expect(read('half')).toMatchObject({ verdict: 'interrupted', scenarios: 60 });
  expect(readFileSync(join(dir, 'shard-1/result.json'), 'utf8')).toBe(before);
}, 200_000);

test('a bundle is checked, and repeats the run; one that says something else is found out', async () => {
  expect(await ringfence('verify', 'whole.tar.zst', '--no-run')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/recorded {2}conformant; 90 scenarios/),
  });
  expect(await ringfence('verify', 'whole.tar.zst', '--jobs', '1', '--accel', 'tcg')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/repeated: 90 cases, .*: the same, outcome for outcome/),
  });

  const { manifest, files, ledger } = await readBundle(join(dir, 'whole.tar.zst'));
  const lies = new Ledger();
  for (const line of ledger!.lines()!) lies.add(line.index === 7 ? { ...line, verdict: 'hang', answers: '-' } : line);
  const result = { ...read('whole'), digest: lies.digest() };
  const changed = new Map<string, Buffer>([
    ...files,
    ['cases.txt', Buffer.from(lies.text()!)],
    ['result.json', Buffer.from(JSON.stringify(result))],
  ]);
  const lying = [...changed].map(([path, data]) => ({ path, data }));
  await writeFile(join(dir, 'lies.tar.zst'), await packBundle(manifest, lying));
  const found = await ringfence('verify', 'lies.tar.zst', '--jobs', '1', '--accel', 'tcg');
  expect(found.out).toMatch(/REPEATED WITH OTHER OUTCOMES\n {2}case 7 \(escape\): recorded hang, now /);
  expect(found.code).toBe(1);

  writeFileSync(join(dir, 'short.tar.zst'), readFileSync(join(dir, 'whole.tar.zst')).subarray(0, 3000));
  expect(await ringfence('verify', 'short.tar.zst')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/short\.tar\.zst is not a whole bundle/),
  });
}, 200_000);
