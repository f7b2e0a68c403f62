/** What gates type: expectation files, shards, bundles; above all what is wrong with them. No guest is booted here. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BAD, GOOD } from '../../reports/testing/results.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { RingfenceError } from '../../vm/index.ts';
import { parseExpectations } from '../known/expectation-file.ts';
import { COMMANDS } from './commands.ts';

const dir = mkdtempSync(join(tmpdir(), 'ringfence-gate-'));
const home = process.cwd();
beforeAll(() => process.chdir(dir));
afterAll(() => {
  process.chdir(home);
  rmSync(dir, { recursive: true, force: true });
});

/** The command in this process: starting one for each takes too long. */
async function ringfence(name: string, ...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const said = { out: '', err: '' };
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream === 'stdout' ? 'out' : 'err'] += String(text);
      return true;
    }),
  );
  try {
    return { code: await COMMANDS.get(name)!.run(args), ...said };
  } catch (error) {
    if (!(error instanceof RingfenceError)) throw error;
    return { code: error.exitCode, out: said.out, err: said.err + error.message };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
const put = (name: string, value: unknown): string => {
  mkdirSync(join(dir, name, '..'), { recursive: true });
  writeFileSync(join(dir, name), typeof value === 'string' ? value : JSON.stringify(value));
  return name;
};
const ENTRY = {
  id: 'gate-1',
  rule: 'inherit.exec',
  finding: 'exec-drops-rules',
  kernels: '>=7.0.4 <7.1.8',
  reason: 'no exec here',
  link: 'https://bugs.example/1',
  expires: '2999-03-31',
};
const file = (...expectations: object[]): object => ({ ringfence_expectations: 1, expectations });

describe('nothing is run with', () => {
  test.each<[string, string[], RegExp]>([
    [
      'a bad expectation file',
      ['run', '--expect', put('bad.json', file({ ...ENTRY, expires: '2027-02-30' }))],
      /bad\.json: expectations\[0\]\.expires: expected a day[^]*nothing was run/,
    ],
    [
      'an id in two files',
      ['fuzz', '--expect', put('a.json', file(ENTRY)), '--expect', put('b.json', file({ ...ENTRY, kernels: '*' }))],
      /b\.json: the id "gate-1" is used twice: also in a\.json/,
    ],
    [
      'no expectation file',
      [
        'replay',
        fileURLToPath(new URL('../../suites/findings/exec-drops-rules.json', import.meta.url)),
        '--expect',
        'absent.json',
      ],
      /absent\.json cannot be read/,
    ],
    [
      'a shard that is not',
      ['run', '--shard', '4/3'],
      /--shard takes I\/N with I from 1 to N, such as 2\/3, not "4\/3"/,
    ],
    ['half a shard', ['run', '--shard', '2'], /--shard takes I\/N/],
    ['an empty shard', ['run', '--cases', '2', '--shard', '3/3'], /there are only 2 cases, and none for this shard/],
    ['a shard of what has no end', ['fuzz', '--shard', '1/2'], /--shard is for ringfence run/],
    [
      'a bundle of another kind',
      ['run', '--bundle', 'x.zip'],
      /--bundle takes a name that ends in \.tar\.zst, not "x\.zip"/,
    ],
    [
      'a bundle in no place',
      ['run', '--bundle', 'bad.json/x.tar.zst'],
      /The bundle bad\.json\/x\.tar\.zst cannot be written[^]*--bundle/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, out, err } = await ringfence(...(args as [string, ...string[]]));
    expect(err).toMatch(message);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(existsSync(join(dir, 'out'))).toBe(false);
  });
});

describe('expect', () => {
  test('check', async () => {
    put('good.json', file(ENTRY, { ...ENTRY, id: 'old', kernels: '9.*', expires: '2020-01-01' }));
    const said = await ringfence('expect', 'check', 'good.json', '--release', '7.0.13+deb13-cloud-amd64');
    expect(said).toMatchObject({ code: 0, err: '' });
    const [one, reason, old, ...rest] = said.out.split('\n');
    expect(one).toMatch(
      /^gate-1 {2}inherit\.exec \(exec-drops-rules\).* for 7\.0\.13.* until 2999-03-31 \([\d,]+ days\)$/,
    );
    expect(reason).toBe('    no exec here');
    expect(old).toMatch(/^old .*not for 7\.0\.13.*EXPIRED after 2020-01-01$/);
    expect(rest.join('\n')).toContain('2 expectations, 1 expired');
    expect((await ringfence('expect', 'check', 'good.json', '--strict')).code).toBe(1);
    expect((await ringfence('expect', 'check')).code).toBe(2);
    expect((await ringfence('expect', 'nope')).err).toMatch(/expect takes check or update, not "nope"/);
  });

  test('update proposes, and what it proposes is refused until a person has decided', async () => {
    const scenario = { version: 1, steps: [{ task: 0, do: 'ring', ring: 0, entries: 8 }] };
    const found: RunResult = {
      ...BAD,
      policy: { strict: false, files: [{ file: 'use.json', sha256: '' }] },
      expectations: [{ ...BAD.expectations[0]!, id: 'gate-1', state: 'gone', problem: 'unexpected pass' }],
      divergences: [{ ...BAD.divergences[0]!, rule: 'inherit.exec', step: 0, scenario }],
    };
    put('result.json', found);
    put('use.json', file(ENTRY));
    const said = await ringfence('expect', 'update', 'result.json', '--expect', 'use.json', '--out', 'new.json');
    expect(said).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringMatching(
        /gate-1: unexpected pass\n {2}inherit\.exec: new: 3 scenarios[^]*2 proposals\. Nothing is accepted yet/,
      ),
    });
    const text = readFileSync(join(dir, 'new.json'), 'utf8');
    expect(JSON.parse(text)).toMatchObject({
      expectations: [
        { ...ENTRY, proposed: true, proposal: 'unexpected pass' },
        {
          id: 'inherit.exec',
          kernels: '=7.0.13',
          reason: 'TODO',
          link: 'TODO',
          expires: 'TODO',
          proposed: true,
          case: { step: 0, what: 'cqe', scenario },
        },
      ],
    });
    expect(() => parseExpectations(text, 'new.json')).toThrow(
      /expectations\[0\]\.proposed[^]*expectations\[1\]\.proposed/,
    );
    const decided = JSON.parse(text) as { expectations: Record<string, unknown>[] };
    for (const entry of decided.expectations) {
      delete entry['proposed'];
      delete entry['proposal'];
    }
    expect(() => parseExpectations(JSON.stringify(decided), 'new.json')).toThrow(
      /^new\.json: expectations\[1\]\.reason: expected the reason/,
    );
    Object.assign(decided.expectations[1]!, { reason: 'r', link: 'https://bugs.example/2', expires: '2027-01-01' });
    expect(parseExpectations(JSON.stringify(decided), 'new.json')).toHaveLength(2);

    expect(await ringfence('expect', 'update', 'result.json', '--out', 'new.json')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/new\.json is there already/),
    });
    expect(readFileSync(join(dir, 'new.json'), 'utf8')).toBe(text);
    put('fine.json', GOOD);
    expect(await ringfence('expect', 'update', 'fine.json', '--out', 'none.json')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/nothing to propose/),
    });
    expect(await ringfence('expect', 'update', 'use.json', '--out', 'none.json')).toMatchObject({
      code: 2,
      err: expect.stringMatching(/is no result of this version/),
    });
  });
});

describe('merge', () => {
  test.each<[string, string[], RegExp]>([
    ['no shards', ['merge', '--out', 'm'], /merge needs the directories/],
    ['no place', ['merge', 's1'], /merge needs --out DIR/],
    ['its own place', ['merge', 's1', 's2', '--out', './s1/'], /--out \.\/s1\/ is one of the shards/],
    [
      'nothing there',
      ['merge', 'absent', '--out', 'm'],
      /absent\/result\.json is not there: this shard has not been run[^]*There is no shard to join/,
    ],
    [
      'something else there',
      ['merge', join(put('other/result.json', '{'), '..'), '--out', 'm'],
      /other\/result\.json cannot be read[^]*no shard to join/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, err } = await ringfence(...(args as [string, ...string[]]));
    expect(err).toMatch(message);
    expect(code).toBe(2);
    expect(existsSync(join(dir, 'm'))).toBe(false);
  });
});
