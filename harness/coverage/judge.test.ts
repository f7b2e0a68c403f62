import { describe, expect, it } from 'vitest';
import type { CoverageResult } from '../../reports/data/coverage.ts';
import { addCounts, fileCount } from './gcov-json.ts';
import type { FileCount } from './gcov-json.ts';
import { judgeCoverage } from './judge.ts';
import type { Reason } from './reasons.ts';
import { lineKeys } from './source-keys.ts';

const FILE = 'net/tea.c';
const TEXT = [
  'int pour(struct pot *pot)',
  '{',
  '\tif (!pot->tea)',
  '\t\treturn -ENOTEA;',
  '\tswitch (pot->kind) {',
  '\tcase GREEN:',
  '\t\tif (hot(pot))',
  '\t\t\tbreak;',
  '\tcase BLACK:',
  '\t\tif (hot(pot))',
  '\t\t\tbreak;',
  '\t\tif (hot(pot))',
  '\t\t\tbreak;',
  '\t}',
  '\treturn 0;',
  '}',
];

/** As gcov says it. */
const json = (counts: readonly number[] = [5, 2, 3, 0, 0, 7]): unknown => ({
  format_version: '1',
  current_working_directory: '/build/out',
  files: [
    { file: '/tree/include/linux/tea.h', functions: [], lines: [] },
    {
      file: '../../tree/net/tea.c',
      functions: [
        { name: 'pour', start_line: 1, end_line: 16, execution_count: 5, blocks: 9 },
        { name: 'idle', start_line: 20, end_line: 22, execution_count: 0, blocks: 2 },
      ],
      lines: [
        { line_number: 1, function_name: 'pour', count: counts[0], branches: [], unexecuted_block: false },
        {
          line_number: 3,
          function_name: 'pour',
          count: counts[0],
          branches: [
            { count: counts[1], throw: false, fallthrough: true },
            { count: counts[2], throw: false, fallthrough: false },
          ],
        },
        { line_number: 7, count: 1, branches: [{ count: counts[3] }, { count: 1 }] },
        { line_number: 10, count: 1, branches: [{ count: 1 }, { count: 1 }] },
        { line_number: 12, count: 1, branches: [{ count: 1 }, { count: counts[4] }] },
        { line_number: 21, count: 0, branches: [{ count: 0 }] },
      ],
    },
  ],
});
const counted = (): FileCount => fileCount(json(), '/tree', FILE)!;

const keys = lineKeys(TEXT, 1, [3, 7, 10, 12]);
const reason = (line: number, branches: readonly number[], more: Partial<Reason> = {}): Reason => ({
  file: FILE,
  function: 'pour',
  line: keys.get(line)!,
  branches,
  kind: 'impossible',
  why: 'There is always tea.',
  ...more,
});
const judge = (reasons: readonly Reason[], functions: readonly string[] = ['pour']) =>
  judgeCoverage({
    counts: new Map([[FILE, counted()]]),
    text: () => TEXT,
    feature: [{ file: FILE, functions }],
    reasons,
  });
const open = ({ unreached }: Pick<CoverageResult, 'unreached'>): (string | number | null)[][] =>
  unreached.map(({ line, branch, kind }) => [line, branch, kind]);

describe("gcov's JSON", () => {
  it('is read by path, wherever it was compiled', () => {
    expect(counted()).toEqual({
      functions: [
        { name: 'pour', from: 1, to: 16, count: 5 },
        { name: 'idle', from: 20, to: 22, count: 0 },
      ],
      lines: [
        { line: 1, count: 5, branches: [] },
        { line: 3, count: 5, branches: [2, 3] },
        { line: 7, count: 1, branches: [0, 1] },
        { line: 10, count: 1, branches: [1, 1] },
        { line: 12, count: 1, branches: [1, 0] },
        { line: 21, count: 0, branches: [0] },
      ],
    });
    expect(fileCount(json(), '/tree', 'net/milk.c')).toBeUndefined();
  });

  it('adds up what several guests counted', () => {
    const other = fileCount(json([1, 1, 0, 4, 0, 0]), '/tree', FILE)!;
    expect(addCounts([counted(), other]).lines.slice(0, 3)).toEqual([
      { line: 1, count: 6, branches: [] },
      { line: 3, count: 6, branches: [3, 3] },
      { line: 7, count: 2, branches: [4, 2] },
    ]);
    expect(addCounts([counted(), other]).functions[0]).toMatchObject({ name: 'pour', count: 10 });
  });

  it('is not added to that of another build', () => {
    const one = counted();
    const shifted = { ...one, lines: one.lines.map((line) => ({ ...line, line: line.line + 1 })) };
    const forked = { ...one, lines: one.lines.map((line) => ({ ...line, branches: [...line.branches, 0] })) };
    for (const other of [shifted, forked, { ...one, functions: [] }])
      expect(() => addCounts([one, other])).toThrow('two builds');
    expect(() => addCounts([])).toThrow('nothing');
  });
});

describe('the key of a line', () => {
  it('stays when lines move, and tells equal lines apart by their label, then by their order', () => {
    expect(new Set(keys.values()).size).toBe(4);
    expect(keys.get(12)).toBe(`${keys.get(10)}#2`);
    expect(keys.get(7)).not.toBe(keys.get(10));
    const moved = ['/* New. */', '', ...TEXT.map((line) => line.replace(/\t/g, '    '))];
    expect([...lineKeys(moved, 3, [5, 9, 12, 14]).values()]).toEqual([...keys.values()]);
  });

  it('changes with the line', () => {
    const other = TEXT.with(2, '\tif (pot->tea)');
    expect(lineKeys(other, 1, [3]).get(3)).not.toBe(keys.get(3));
  });
});

describe('a judgement', () => {
  it('lists each branch of the feature that was not taken, and no other', () => {
    const judged = judge([]);
    expect(open(judged)).toEqual([
      [7, 0, null],
      [12, 1, null],
    ]);
    expect(judged.complete).toBe(false);
    expect(judged.total).toEqual({
      functions: 1,
      called: 1,
      lines: 5,
      lines_reached: 5,
      branches: 8,
      branches_reached: 6,
      reasoned: 0,
      unexplained: 2,
    });
    expect(judged.files[0]!.functions.map(({ name, feature }) => [name, feature])).toEqual([
      ['pour', true],
      ['idle', false],
    ]);
  });

  it('is complete when each has a reason', () => {
    const judged = judge([reason(7, [0]), reason(12, [1], { kind: 'allocation', why: 'No cup.' })]);
    expect(open(judged)).toEqual([
      [7, 0, 'impossible'],
      [12, 1, 'allocation'],
    ]);
    expect(judged.unreached[1]!.why).toBe('No cup.');
    expect(judged).toMatchObject({ complete: true, problems: [], total: { reasoned: 2, unexplained: 0 } });
  });

  it('calls a reason wrong whose branch was taken', () => {
    const judged = judge([reason(7, [0, 1]), reason(12, [1])]);
    expect(judged.problems).toMatchObject([{ problem: 'reached', line: 7, branch: 1, times: 1 }]);
    expect(judged.complete).toBe(false);
  });

  it('tells reasons for lines, branches and functions that are not there, and functions that are not', () => {
    const judged = judge(
      [
        reason(7, [0, 5]),
        reason(12, [1]),
        reason(3, [0], { line: '01234567' }),
        reason(3, [0], { function: 'sip' }),
        reason(3, [0], { file: 'net/milk.c' }),
      ],
      ['pour', 'stir'],
    );
    expect(
      judged.problems.map(({ problem, file, function: name, key, branch }) => [problem, file, name, key, branch]),
    ).toEqual([
      ['gone', FILE, 'pour', keys.get(7), 5],
      ['gone', FILE, 'stir', '', null],
      ['gone', FILE, 'pour', '01234567', null],
      ['gone', FILE, 'sip', keys.get(3), null],
      ['gone', 'net/milk.c', 'pour', keys.get(3), null],
    ]);
    expect(judged.complete).toBe(false);
  });

  it('gives the line of a system call to the function that has its body', () => {
    const shared = (name: string, to: number): FileCount['functions'][number] => ({ name, from: 3, to, count: 1 });
    const count: FileCount = {
      functions: [shared('__se_sys_tea', 3), shared('__do_sys_tea', 12), shared('__x64_sys_tea', 3)],
      lines: [
        { line: 3, count: 1, branches: [1, 0] },
        { line: 7, count: 1, branches: [0, 1] },
      ],
    };
    const judged = judgeCoverage({
      counts: new Map([[FILE, count]]),
      text: () => TEXT,
      feature: [{ file: FILE, functions: ['__do_sys_tea', '__se_sys_tea'] }],
      reasons: [],
    });
    expect(judged.unreached.map(({ function: name, line }) => [name, line])).toEqual([
      ['__do_sys_tea', 3],
      ['__do_sys_tea', 7],
    ]);
  });
});
