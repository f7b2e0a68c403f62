import { expect, test } from 'vitest';
import { expectCommitted } from '../../reports/testing/committed.ts';
import { NINE_LINES } from '../../reports/testing/coverages.ts';
import { allMeasured, allReasons, DOCUMENT } from './files.ts';
import { coverageDocument, measuredOf } from './tables.ts';

test('COVERAGE.md is made from what was measured and from the reasons', () => {
  expectCommitted(DOCUMENT, () => coverageDocument(allMeasured(), allReasons()));
});

test('what the last measure left open is nothing', () => {
  expect(allMeasured().at(-1)?.open).toEqual([]);
});

test('what is kept of a result has numbers by function, and what is open', () => {
  const kept = measuredOf('now', NINE_LINES);
  expect(kept.functions).toEqual({ 'io_uring/bpf_filter.c pour': [4, 2, 1] });
  expect(kept.open).toEqual(['io_uring/bpf_filter.c pour 0123abcd 1']);
  const whole = { ...kept, what: 'later', functions: { 'io_uring/bpf_filter.c pour': [4, 4, 0] as const }, open: [] };
  const text = coverageDocument(
    [kept, whole],
    [{ file: 'a.c', function: 'pour', line: '01234567', branches: [0, 1], kind: 'race', why: 'Two pour.' }],
  );
  expect(text).toContain('| function | now | later |');
  expect(text).toContain('| `pour` | 2/4 +1 (1) | 4/4 |');
  expect(text).toContain('| **all** | **2/4 +1 (1)** | **4/4** |');
  expect(text).toContain('### race: 2\n\n- Two pour. (`pour`: 2)\n');
});
