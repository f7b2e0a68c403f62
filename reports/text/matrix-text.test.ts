import { expect, test } from 'vitest';
import { causeText, formatMatrix } from './matrix-text.ts';
import type { MatrixResult } from '../data/matrix.ts';
import { FOUR_KERNELS } from '../testing/matrices.ts';

test('verdict first, a column per kernel, every kernel that failed, every difference', () => {
  const text = formatMatrix(FOUR_KERNELS, { out: 'o' });
  expect(text.split('\n')[0]).toMatch(/^(NOT CONFORMANT|INCOMPLETE|CONFORMANT)/);
  for (const { name, reason } of FOUR_KERNELS.kernels) {
    expect(text).toContain(name);
    if (reason !== undefined) expect(text.replace(/\s+/g, ' ')).toContain(reason);
  }
  for (const { from, to, example } of FOUR_KERNELS.comparison.changes) {
    expect(text).toContain(`${from} -> ${to}`);
    expect(text).toContain(`o/${example.file}`);
  }
  expect(text).toMatch(/details: o\/matrix\.json.*\n$/);
  expect(text).not.toContain('\u001b');
});

test('no line of the table is wider than asked; further kernels go into further blocks', () => {
  const kernels = Array.from({ length: 16 }, (_, i) => ({ ...FOUR_KERNELS.kernels[1]!, name: `7.0.${i}` }));
  const spread = <T>(cells: readonly T[]): T[] => kernels.map(() => cells[1]!);
  const wide: MatrixResult = {
    ...FOUR_KERNELS,
    kernels,
    abi: FOUR_KERNELS.abi.map((row) => ({ ...row, values: spread(row.values) })),
    suites: FOUR_KERNELS.suites.map((row) => ({ ...row, cells: spread(row.cells) })),
    rules: FOUR_KERNELS.rules.map((row) => ({ ...row, cells: spread(row.cells) })),
    findings: FOUR_KERNELS.findings.map((row) => ({ ...row, cells: spread(row.cells) })),
  };
  const lines = formatMatrix(wide, { width: 100 }).split('\n');
  const heads = lines.filter((line) => /^\s+7\.0\.\d+(\s+7\.0\.\d+)+$/.test(line));
  expect(heads.length).toBeGreaterThan(1);
  expect(heads.join(' ').match(/7\.0\.\d+/g)).toHaveLength(16);
  for (const head of heads) expect(head.length).toBeLessThanOrEqual(100);
});

test('causes in words', () => {
  expect(causeText({ kind: 'finding', id: 'exec-drops-rules', rule: 'inherit.exec', shown_on: 'from' })).toBe(
    'finding exec-drops-rules (inherit.exec) is gone',
  );
  expect(causeText({ kind: 'finding', id: 'x', rule: 'r', shown_on: 'to' })).toBe('finding x (r) begins');
  expect(causeText({ kind: 'abi', field: 'op_last', from: '65', to: '66' })).toBe('ABI op_last: 65 becomes 66');
  expect(causeText({ kind: 'unexplained', detail: 'odd' })).toBe('UNEXPLAINED: odd');
});
