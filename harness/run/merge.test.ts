import { describe, expect, test } from 'vitest';
import { BAD, GOOD } from '../../reports/testing/results.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { planCases, shardSize } from './plan.ts';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { addDigests, Ledger, parseLedger, scenarioDigest } from './ledger.ts';
import type { LedgerLine } from './ledger.ts';
import { mergeShards } from './merge.ts';

const shard = (index: number, change: Partial<RunResult> = {}, count = 3): RunResult => ({
  ...GOOD,
  plan: { ...GOOD.plan, cases: 10 },
  scenarios: shardSize(10, { index, count }),
  outcomes: 100 * index,
  shard: { index, count },
  command: `npx ringfence run --shard ${index}/${count} --seed 1`,
  ...change,
});
const parts = (...results: RunResult[]) => results.map((result, n) => ({ from: `dir-${n + 1}`, result }));

describe('the plan', () => {
  const cases = (index: number, count: number) => [
    ...planCases(['links', 'escape'], ABI_7_0, 5, 301, { index, count }),
  ];
  test('shards share out every case once, as it is in the whole run', () => {
    const name = ({ index, suite, scenario }: ReturnType<typeof cases>[number]): string =>
      `${index} ${suite} ${scenarioDigest(scenario)}`;
    const union = [1, 2, 3, 4]
      .flatMap((index) => cases(index, 4))
      .sort((a, b) => a.index - b.index)
      .map(name);
    expect(union).toEqual(cases(1, 1).map(name));
    for (const index of [1, 2, 3, 4]) expect(cases(index, 4)).toHaveLength(shardSize(301, { index, count: 4 }));
    expect(shardSize(2, { index: 3, count: 3 })).toBe(0);
  });
});

describe('ledgers', () => {
  const line = (index: number, change: Partial<LedgerLine> = {}): LedgerLine => ({
    index,
    suite: 'links',
    scenario: '0'.repeat(32),
    verdict: 'pass',
    answers: '1'.repeat(32),
    ...change,
  });
  const of = (...lines: LedgerLine[]): Ledger => {
    const ledger = new Ledger();
    for (const one of lines) ledger.add(one);
    return ledger;
  };
  test('the order does not matter; anything else does', () => {
    expect(of(line(1), line(2)).digest()).toBe(of(line(2), line(1)).digest());
    for (const other of [
      line(3),
      line(2, { verdict: 'difference' }),
      line(2, { answers: '2'.repeat(32) }),
      line(2, { scenario: '2'.repeat(32) }),
      line(2, { suite: 'escape' }),
    ])
      expect(of(line(1), other).digest()).not.toBe(of(line(1), line(2)).digest());
  });
  test('digests of parts add up', () =>
    expect(addDigests([of(line(1)).digest(), of(line(2), line(3)).digest()])).toBe(
      of(line(1), line(2), line(3)).digest(),
    ));
  test('a correction stands for its line', () => {
    const ledger = of(line(1), line(2, { verdict: 'hang', answers: '-' }));
    expect(ledger.digest([line(2)])).toBe(of(line(1), line(2)).digest());
    expect(ledger.text([line(2)])).toBe(of(line(2), line(1)).text());
  });
  test('text and back', () => {
    const ledger = of(line(2, { verdict: 'kernel-crash', answers: '-' }), line(1));
    const text = ledger.text()!;
    expect(parseLedger(text).digest()).toBe(ledger.digest());
    expect(() => parseLedger(text.slice(0, -1))).toThrow(/line 3: the list ends too early/);
    expect(() => parseLedger(text.replace('links', 'li nks'))).toThrow(/line 2: expected case/);
    expect(() => parseLedger(`${text}${text.split('\n')[1]}\n`)).toThrow(/case 1 is listed twice/);
    expect(() => parseLedger('x')).toThrow(/line 1/);
  });
});

describe('merging', () => {
  test('sums, and is the whole run', () => {
    const { result, faults } = mergeShards(parts(shard(2), shard(3), shard(1)));
    expect(faults).toEqual([]);
    expect(result).toMatchObject({
      verdict: 'conformant',
      scenarios: 10,
      outcomes: 600,
      jobs: 6,
      command: 'npx ringfence run --seed 1',
      digest: addDigests([GOOD.digest, GOOD.digest, GOOD.digest]),
      rules: { 'filter.allow': 3 * 812 },
    });
    expect(result).not.toHaveProperty('shard');
    expect(result).not.toHaveProperty('reason');
  });
  test('differences of one kind are one, with the first case and all counts', () => {
    const [one] = BAD.divergences;
    const { result } = mergeShards(
      parts(
        shard(1, { divergences: [{ ...one!, index: 9, count: 2 }] }),
        shard(2, {
          divergences: [
            { ...one!, index: 4, count: 5 },
            { ...one!, index: 7, group: 'f'.repeat(16), count: 1 },
          ],
        }),
        shard(3, { crashes: BAD.crashes, hangs: BAD.hangs }),
      ),
    );
    expect(result).toMatchObject({ verdict: 'divergent', reason: '2 divergences, 1 crash, 1 hang' });
    expect(result!.divergences.map(({ index, count }) => [index, count])).toEqual([
      [4, 7],
      [7, 1],
    ]);
  });
  test('expectations: what one shard reached was reached; what none did fails a strict whole, not the shard', () => {
    const entry = { ...BAD.expectations[1]!, problem: '' };
    const policy = { strict: true, files: [{ file: 'a', sha256: 'b' }] };
    const merge = (...scenarios: number[]) =>
      mergeShards(
        parts(
          ...scenarios.map((n, i) =>
            shard(i + 1, { policy, expectations: [{ ...entry, state: n > 0 ? 'met' : 'unreached', scenarios: n }] }),
          ),
        ),
      ).result!;
    expect(merge(0, 2, 1)).toMatchObject({
      verdict: 'conformant',
      expectations: [{ state: 'met', scenarios: 3, problem: '' }],
    });
    expect(merge(0, 0, 0)).toMatchObject({
      verdict: 'divergent',
      reason: '1 outdated expectation',
      expectations: [{ state: 'unreached', problem: expect.stringContaining('no case') }],
    });
  });

  describe('what does not fit is said, and the others are joined', () => {
    test.each<[string, RunResult[], RegExp, number]>([
      ['another seed', [shard(1), shard(2), shard(3, { seed: 2 })], /^dir-3 has another seed: 2; dir-1 has 1$/, 7],
      [
        'other suites',
        [shard(1), shard(2), shard(3, { plan: { ...shard(3).plan, suites: ['links'] } })],
        /^dir-3 has another suites: links; /,
        7,
      ],
      [
        'another number of cases',
        [shard(1), shard(2), shard(3, { plan: { ...shard(3).plan, cases: 11 } })],
        /^dir-3 has another number of cases: 11; /,
        7,
      ],
      [
        'another kernel',
        [shard(1, { kernel: { ...GOOD.kernel, sha256: 'beef' } }), shard(2), shard(3)],
        /^dir-1 has another kernel: .*beef; dir-2 has /,
        6,
      ],
      [
        'another ringfence',
        [shard(1), shard(2), shard(3, { versions: { ...GOOD.versions, ringfence: '0.2.0' } })],
        /^dir-3 has another version of ringfence: 0\.2\.0; /,
        7,
      ],
      [
        'another policy',
        [shard(1), shard(2), shard(3, { policy: { strict: true, files: [] } })],
        /^dir-3 has another policy/,
        7,
      ],
      ['other parts', [shard(1), shard(2), shard(3, {}, 4)], /^dir-3 has another number of shards: 4; /, 7],
      ['a whole run', [shard(1), shard(2), GOOD], /^dir-3 is no shard/, 7],
      ['one twice', [shard(1), shard(2), shard(2)], /^dir-3 is shard 2\/3 once more: dir-2 is that shard already$/, 7],
      ['one missing', [shard(1), shard(3)], /^shard 2\/3 is missing$/, 7],
      [
        'one interrupted',
        [
          shard(1),
          shard(2),
          shard(3, { scenarios: 1, verdict: 'interrupted', reason: 'interrupted: this is what was found so far' }),
        ],
        /^dir-3 is not whole: shard 3\/3 has 3 cases, and 1 were run \(interrupted/,
        8,
      ],
    ])('%s', (_, results, message, scenarios) => {
      const { result, faults } = mergeShards(parts(...results));
      expect(faults[0]).toMatch(message);
      expect(result).toMatchObject({ verdict: 'interrupted', scenarios });
    });
    test('a stranger among all of them: they are whole', () => {
      const { result, faults } = mergeShards(parts(shard(1), shard(2), shard(3), shard(1, { seed: 9 })));
      expect(faults).toEqual([expect.stringMatching(/^dir-4 has another seed/)]);
      expect(result).toMatchObject({ verdict: 'conformant', scenarios: 10 });
    });
    test('a divergence in half a run stays one', () =>
      expect(mergeShards(parts(shard(1, { divergences: BAD.divergences }))).result).toMatchObject({
        verdict: 'divergent',
        reason: expect.stringMatching(/^1 divergence; incomplete: shards 2\/3, 3\/3 are missing/),
      }));
    test('nothing at all', () => expect(mergeShards(parts(GOOD)).result).toBeUndefined());
  });
});
