import { describe, expect, test } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { predict } from '../../oracle/predict.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import { CLONE, IORING_SETUP, IOSQE } from '../../oracle/uapi/constants.ts';
import { bpfArg } from '../args.ts';
import { ringFdUpdate } from '../registers.ts';
import { design } from './design.ts';
import { LEVELS } from './factors.ts';
import type { LevelName } from './factors.ts';
import { clash, IMPOSSIBLE } from './impossible.ts';
import { recognise } from './recognise.ts';
import { cellName, RefusalTally } from './refusals.ts';
import { PAIRS, PairTally, POSSIBLE } from './tally.ts';

const of = (...steps: Step[]): Scenario => ({ version: 1, fixtures: [], jit: true, steps });
const ring = (task: number, slot: number, flags: number = IORING_SETUP.SUBMIT_ALL): Step => ({
  do: 'ring',
  task,
  ring: slot,
  entries: 64,
  flags,
});
const filter = (task: number, slot: number | undefined, k = 1, flags = 0, opcode = 0): Step => ({
  do: 'register_bpf_filter',
  task,
  on: slot === undefined ? { kind: 'task' } : { kind: 'ring', ring: slot },
  nr_args: 1,
  arg: bpfArg(ABI_7_0, opcode, [{ code: 6, jt: 0, jf: 0, k }], flags),
});
const submit = (task: number, slot: number, ...flags: number[]): Step => ({
  do: 'submit',
  task,
  ring: slot,
  sqes: flags.map((one, i) => ({ opcode: 0, flags: one, user_data: BigInt(i + 1) })),
});
const spawn = (task: number, child: number, flags = 0): Step => ({ do: 'spawn', task, how: 'fork', child, flags });

/** Levels of each judged request. */
function seen(...steps: Step[]): LevelName[][] {
  const out: LevelName[][] = [];
  const scenario = of(...steps);
  recognise(scenario, predict(scenario, ABI_7_0), (levels) => out.push(levels.map((level) => LEVELS[level]!)));
  return out;
}

describe('a request is recognised', () => {
  test('the plainest one', () => {
    expect(seen(ring(0, 0), submit(0, 0, 0))).toEqual([
      [
        'ring:plain',
        'hands:made',
        'task:root',
        'generation:0',
        'restrictions:none',
        'before:nothing',
        'filters:none',
        'route:none',
        'way:plain',
        'verdict:allowed',
      ],
    ]);
  });

  test('rules of the ring, of its maker and of an ancestor', () => {
    const levels = seen(
      filter(0, undefined),
      spawn(0, 1),
      filter(1, undefined),
      ring(1, 0),
      filter(1, 0, 0),
      submit(1, 0, 0),
      filter(1, undefined),
      filter(0, undefined),
      submit(1, 0, 0),
    );
    expect(levels[0]).toEqual(
      expect.arrayContaining(['filters:ring+own+inherited', 'route:task-before', 'route:ring-first', 'verdict:filter']),
    );
    expect(levels[0]).not.toContain('route:task-after');
    expect(levels[1]).toEqual(expect.arrayContaining(['route:task-after', 'route:parent-after']));
  });

  test('DENY_REST stands for opcodes without a filter of their own', () => {
    const levels = seen(ring(0, 0), filter(0, 0, 1, 1, 18), submit(0, 0, 0));
    expect(levels[0]).toEqual(expect.arrayContaining(['filters:ring', 'route:deny-rest', 'verdict:filter']));
    const own = seen(ring(0, 0), filter(0, 0), filter(0, 0, 1, 1, 18), submit(0, 0, 0));
    expect(own[0]).not.toContain('route:deny-rest');
  });

  test('how a ring came to its user', () => {
    const hands = (...steps: Step[]): LevelName[] =>
      seen(...steps)
        .at(-1)!
        .filter((level) => level.startsWith('hands'));
    expect(hands(ring(0, 0), spawn(0, 1), submit(1, 0, 0))).toEqual(['hands:inherited']);
    expect(hands(spawn(0, 1, CLONE.FILES), ring(0, 0), submit(1, 0, 0))).toEqual(['hands:shared']);
    expect(hands(spawn(0, 1), ring(0, 0), { do: 'take_ring', task: 1, from: 0, ring: 0 }, submit(1, 0, 0))).toEqual([
      'hands:taken',
    ]);
    const registered: Step = {
      do: 'register',
      task: 0,
      on: { kind: 'ring', ring: 0 },
      opcode: 20,
      nr_args: 1,
      bytes: ringFdUpdate(ABI_7_0, 0, 3),
    };
    const through: Step = { ...submit(0, 0, 0), registered: 3 } as Step;
    expect(hands(ring(0, 0), registered, through)).toEqual(['hands:made', 'hands:registered']);
  });

  test('how it is made', () => {
    const { IO_LINK, IO_HARDLINK, ASYNC, CQE_SKIP_SUCCESS } = IOSQE;
    const ways = seen(
      ring(0, 0),
      submit(0, 0, IO_LINK, IO_LINK, 0, IO_HARDLINK, 0, ASYNC, CQE_SKIP_SUCCESS, ...Array<number>(26).fill(0)),
    ).map((levels) => levels.filter((level) => level.startsWith('way')));
    expect(ways.slice(0, 8)).toEqual([
      [],
      [],
      ['way:third'],
      ['way:hard'],
      ['way:hard'],
      ['way:async'],
      ['way:skip'],
      ['way:plain'],
    ]);
    expect(ways.at(-1)).toEqual(['way:batch']);
  });

  test('what is not judged is not counted', () => {
    // The ring is not there, and a submission behind a refused one of its chain has no verdict of its own.
    expect(seen(submit(0, 0, 0))).toEqual([]);
    expect(seen(ring(0, 0), filter(0, 0, 0), submit(0, 0, IOSQE.IO_LINK, 0))).toHaveLength(2);
    expect(seen(ring(0, 0), filter(0, 0, 0, 0, 18), submit(0, 0, 0x80))).toEqual([]);
  });
});

describe('pairs', () => {
  test('are counted once a request', () => {
    const tally = new PairTally();
    tally.add(of(ring(0, 0), submit(0, 0, 0, 0)), ABI_7_0);
    expect(tally.count(['ring:plain', 'way:plain'])).toBe(2);
    expect(tally.count(['ring:plain', 'way:async'])).toBe(0);
    expect(tally.missing().length).toBe(POSSIBLE.length - 45);
    expect(tally.wronglyListed()).toEqual([]);
  });

  test('that are listed as impossible are known to be pairs, each with a reason', () => {
    for (const { one, other, why } of IMPOSSIBLE) {
      expect(why.length).toBeGreaterThan(10);
      const pairs = PAIRS.filter(([a, b]) => clash(a, b) === why);
      expect(pairs.length, why).toBeGreaterThan(0);
      const listed = [...one, ...(other === 'any' ? [] : other)];
      for (const [a, b] of pairs) expect(listed.includes(a) || listed.includes(b), `${a} ${b}`).toBe(true);
    }
  });

  test('a pair that is drawn and listed as impossible is told', () => {
    const tally = new PairTally();
    tally.counts[LEVELS.indexOf('hands:made') * LEVELS.length + LEVELS.indexOf('route:user-own')] = 1;
    expect(tally.wronglyListed()).toEqual([['hands:made', 'route:user-own']]);
  });
});

test('the design has each pair of its columns that can be', () => {
  const rows = [0, 1, 2, 3].flatMap((n) => design(n));
  const have = new Set(
    rows.flatMap((row) => {
      const levels = Object.entries(row).map(([column, level]) => `${column}:${level}`);
      return levels.flatMap((one) => levels.map((other) => `${one} ${other}`));
    }),
  );
  const columns = Object.keys(rows[0]!);
  const inColumns = (level: LevelName): boolean => columns.includes(level.slice(0, level.indexOf(':')));
  const wanted = POSSIBLE.filter(([one, other]) => inColumns(one) && inColumns(other));
  expect(wanted.filter(([one, other]) => !have.has(`${one} ${other}`))).toEqual([]);
  for (const row of rows) {
    const levels = Object.entries(row).map(([column, level]) => `${column}:${level}` as LevelName);
    for (const one of levels) for (const other of levels) expect(clash(one, other), `${one} ${other}`).toBeUndefined();
  }
});

describe('refusals', () => {
  const refused = filter(1, undefined, 0);
  const bad = { ...refused, arg: { ...(refused as { arg: object }).arg, resv: 1 } } as Step;
  const names = (...steps: Step[]): string[] => {
    const tally = new RefusalTally();
    tally.add(of(...steps), ABI_7_0);
    return [...tally.counts.keys()];
  };
  const before = [ring(0, 0), filter(0, undefined), spawn(0, 1), filter(1, undefined), ring(1, 1), bad];
  const after = [filter(1, undefined), ring(1, 2), submit(1, 1, 0), submit(1, 2, 0), submit(0, 0, 0)];

  test('count with a good one and requests of everyone behind them', () => {
    expect(names(...before, ...after)).toEqual(['filter on task, filter-reg.resv, both']);
    for (const left of after.keys()) expect(names(...before, ...after.filter((_, i) => i !== left))).toEqual([]);
  });

  test('have names that differ', () => {
    expect(cellName({ call: 'filter on ring', rule: 'a', state: 'own' })).not.toBe(
      cellName({ call: 'filter on task', rule: 'a', state: 'own' }),
    );
  });
});
