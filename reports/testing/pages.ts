/** Results and pages for the tests of the page. */
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { RULES } from '../../oracle/registry.ts';
import { storyOf } from '../../oracle/explain/story.ts';
import { FOUR_KERNELS, MATRIX_RESULTS } from './matrices.ts';
import { CASE } from '../../oracle/testing/socket-case.ts';
import { BAD, GOOD } from './results.ts';
import type { RunResult } from '../data/result.ts';
import { formatHtml, formatMatrixHtml } from '../html/index.ts';
import { formatCoverageHtml } from '../html/coverage.ts';
import { formatSensitivityHtml } from '../html/sensitivity.ts';
import { NINE_LINES, NINE_LINES_TEXT } from './coverages.ts';
import { FIVE_MUTANTS } from './sensitivities.ts';

/** What the pages are made with. */
export const OPTIONS = { rules: Object.values(RULES), out: 'out' };
/** Everything that could become mark-up, a control or an end of something. */
const EVIL =
  '</script><script>document.title="pwned"</script></style><img src=x onerror="document.title=1">' +
  '\'"`&lt;\u202e\u0000\u001b[31m\ud800';
/** The text that comes from outside, in every place that takes one. */
export const HOSTILE: RunResult = {
  ...BAD,
  reason: EVIL,
  command: EVIL,
  kernel: { ...BAD.kernel, release: EVIL, source: EVIL, append: EVIL },
  versions: { [EVIL]: EVIL },
  abi: { release: EVIL, pdu_size: [EVIL] },
  accel: { name: 'tcg', reason: EVIL },
  suites: { [EVIL]: BAD.suites['stacking']! },
  rules: { ...BAD.rules, [EVIL]: 3 },
  divergences: [
    {
      ...BAD.divergences[0]!,
      rule: EVIL,
      statement: EVIL,
      source: EVIL,
      predicted: EVIL,
      observed: EVIL,
      suite: EVIL,
      text: EVIL,
      story: { ...storyOf(CASE, ABI_7_0), fixtures: [EVIL] },
    },
    { ...BAD.divergences[0]!, text: EVIL },
  ],
  crashes: [{ ...BAD.crashes[0]!, kind: EVIL, title: EVIL, console: EVIL }],
  hangs: [{ ...BAD.hangs[0]!, detail: EVIL }],
  unconfirmed: [{ ...BAD.unconfirmed[0]!, detail: EVIL, rule: EVIL }],
  runner_errors: [{ index: 1, detail: EVIL }],
  known: [{ id: EVIL, rule: EVIL, title: EVIL, scenarios: 1 }],
  missing_findings: [{ id: EVIL, reason: EVIL }],
  expectations: [
    {
      id: EVIL,
      rule: EVIL,
      kernels: EVIL,
      reason: EVIL,
      link: 'javascript:alert(1)',
      expires: EVIL,
      expired: true,
      file: EVIL,
      state: 'gone',
      scenarios: 0,
      problem: EVIL,
    },
  ],
};
/** A run whose divergence has its story. */
export const DRAWN: RunResult = { ...BAD, divergences: [{ ...BAD.divergences[0]!, story: storyOf(CASE, ABI_7_0) }] };

/** A page of each kind. */
export const PAGES: readonly (readonly [name: string, text: string])[] = [
  ['conformant', formatHtml(GOOD, OPTIONS)],
  ['divergent', formatHtml(DRAWN, OPTIONS)],
  ['hostile', formatHtml(HOSTILE, OPTIONS)],
  [
    'interrupted',
    formatHtml(
      { ...GOOD, verdict: 'interrupted', reason: 'interrupted', rules: {}, suites: {}, scenarios: 0, outcomes: 0 },
      OPTIONS,
    ),
  ],
  ['coverage', formatCoverageHtml(NINE_LINES, { source: () => NINE_LINES_TEXT })],
  ['mutants', formatSensitivityHtml(FIVE_MUTANTS, OPTIONS)],
  ['matrix', formatMatrixHtml(FOUR_KERNELS, MATRIX_RESULTS, OPTIONS)],
  ['matrix without results', formatMatrixHtml(FOUR_KERNELS, new Map(), OPTIONS)],
];
