import { expect, test } from 'vitest';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { OP } from '../../oracle/opcodes/index.ts';
import { RULES } from '../../oracle/registry.ts';
import type { Comparison, KernelState } from '../../reports/data/matrix.ts';
import type { RunResult } from '../../reports/data/result.ts';
import { BAD, GOOD } from '../../reports/testing/results.ts';
import { matrixExit } from '../output/exit.ts';
import { loadFindings } from '../known/findings.ts';
import { buildMatrix, verdictOfMatrix } from './build.ts';
import { emptyColumn } from './column.ts';
import type { Column } from './column.ts';

const FINDINGS = loadFindings();
const EXEC = FINDINGS.find(({ id }) => id === 'exec-drops-rules')!;
const NONE: Comparison = { pairs: [], changes: [] };
const UNEXPLAINED: Comparison = {
  pairs: [{ from: 'a', to: 'b', shared: 9, same: 8, varying: 0, explained: 0, unexplained: 1, unexamined: 0 }],
  changes: [],
};

function column(
  release: string,
  state: KernelState,
  more: { readonly result?: Partial<RunResult>; readonly exec?: boolean } = {},
): Column {
  const made = emptyColumn({ requested: release, release }, release, `${release}+deb13`);
  made.state = state;
  if (more.result === undefined) return made;
  made.abi = {
    ...ABI_7_0,
    release,
    pdu_size: ABI_7_0.pdu_size.map((size, op) => (op === OP.CONNECT && release >= '7.2' ? 24 : size)),
  };
  made.result = {
    ...GOOD,
    rules: { 'inherit.exec': 3, 'filter.deny': 9, 'filter.ctx.connect': release >= '7.2' ? 4 : 0 },
    ...more.result,
  };
  for (const { id } of FINDINGS) made.findings.set(id, 'absent');
  if (more.exec === true) {
    made.findings.set(EXEC.id, 'shown');
    made.active = [EXEC];
  }
  return made;
}

function build(columns: readonly Column[], comparison = NONE) {
  return buildMatrix({
    columns,
    comparison,
    findings: FINDINGS,
    rules: RULES,
    seed: 1,
    cases: 9,
    suites: ['stacking', 'links'],
    append: '',
    command: 'x',
    versions: {},
    started: new Date(0),
    wall_s: 1,
    interrupted: false,
  });
}

test('where a finding, a rule and the ABI change', () => {
  const known = [{ id: EXEC.id, rule: EXEC.rule, title: EXEC.title, scenarios: 2 }];
  const matrix = build([
    column('6.19.14', 'unsupported'),
    column('7.0.4', 'conformant', { result: { known }, exec: true }),
    column('7.1.7', 'conformant', { result: {}, exec: true }),
    column('7.1.8', 'conformant', { result: {} }),
    column('7.2.6', 'conformant', { result: {} }),
  ]);
  expect(matrix.verdict).toBe('conformant');
  expect(matrix.findings.find(({ id }) => id === EXEC.id)).toMatchObject({
    story: 'on 7.0.4..7.1.7, gone from 7.1.8',
    cells: [
      null,
      { state: 'shown', expected: true, scenarios: 2 },
      { state: 'shown', scenarios: 0 },
      { state: 'absent', expected: true },
      { state: 'absent' },
    ],
  });
  const rule = matrix.rules.find(({ rule }) => rule === 'inherit.exec')!;
  expect(rule.story).toBe('known finding on 7.0.4..7.1.7, gone from 7.1.8');
  expect(rule.cells.map((cell) => cell?.state ?? null)).toEqual([null, 'known', 'known', 'kept', 'kept']);
  expect(matrix.rules.find(({ rule }) => rule === 'filter.deny')!.story).toBe('');
  expect(matrix.abi.find(({ field }) => field === 'pdu_size.CONNECT')).toEqual({
    field: 'pdu_size.CONNECT',
    values: [null, '0', '0', '0', '24'],
    differs: true,
    story: '0 on 7.0.4..7.1.8, 24 on 7.2.6',
  });
  expect(matrix.abi.find(({ field }) => field === 'op_last')).toMatchObject({ differs: false, story: '' });
  // A finding that its list of kernels names and that does not show, or the other way round.
  expect(matrix.findings.find(({ id }) => id === 'blind-msg-ring')!.cells[1]).toMatchObject({
    state: 'absent',
    expected: false,
  });
});

test('a broken rule is told', () => {
  const matrix = build([
    column('7.0.4', 'divergent', { result: { ...BAD, rules: GOOD.rules } }),
    column('7.3.4', 'conformant', { result: {} }),
  ]);
  const broken = matrix.rules.filter(({ cells }) => cells[0]?.state === 'broken');
  expect(broken.length).toBeGreaterThan(0);
  expect(broken[0]!.story).toBe('BROKEN on 7.0.4, gone from 7.3.4');
  expect(matrix.kernels[0]).toMatchObject({
    state: 'divergent',
    crashes: BAD.crashes.length,
    result: '7.0.4/result.json',
  });
  expect(matrix.reason).toBe('7.0.4 diverges');
});

test('worst wins', () => {
  const of = (...states: KernelState[]): Column[] => states.map((state, i) => column(`7.0.${i}`, state));
  expect(verdictOfMatrix(of('conformant', 'unsupported'), NONE, false)).toBe('conformant');
  expect(verdictOfMatrix(of('unsupported', 'unsupported'), NONE, false)).toBe('untestable');
  expect(verdictOfMatrix(of('conformant', 'untestable'), NONE, false)).toBe('untestable');
  expect(verdictOfMatrix(of('conformant', 'unavailable'), NONE, false)).toBe('untestable');
  expect(verdictOfMatrix(of('untestable', 'divergent'), NONE, true)).toBe('divergent');
  expect(verdictOfMatrix(of('conformant', 'not-run'), NONE, true)).toBe('interrupted');
  expect(verdictOfMatrix(of('conformant', 'conformant'), UNEXPLAINED, false)).toBe('divergent');
});

test('exit codes', () => {
  const code = (states: readonly KernelState[], interrupted = false, comparison = NONE): number =>
    matrixExit(
      build(
        states.map((state, i) => column(`7.0.${i}`, state)),
        comparison,
      ),
      interrupted,
    );
  expect(code(['conformant', 'unsupported'])).toBe(0);
  expect(code(['divergent', 'untestable', 'unavailable'])).toBe(1);
  expect(code(['conformant', 'conformant'], false, UNEXPLAINED)).toBe(1);
  expect(code(['conformant', 'untestable', 'unavailable'])).toBe(125);
  expect(code(['unsupported'])).toBe(125);
  expect(code(['conformant', 'unavailable'])).toBe(2);
  expect(code(['divergent', 'not-run'], true)).toBe(130);
});
