/** What cases came to of a made-up kernel. */
import type { CoverageResult } from '../data/coverage.ts';

const path = 'io_uring/bpf_filter.c';

/** One file of nine lines: a function of the feature with a branch of each kind, and one that is not. */
export const NINE_LINES: CoverageResult = {
  version: 1,
  linux: '../linux-7.3.4',
  release: '7.3.4-ringfence',
  compiler: 'gcc 12.2.0',
  seed: 1,
  cases: 1600,
  suites: ['validator', 'links'],
  command: 'npx ringfence coverage --linux ../linux-7.3.4 --seed 1',
  verdict: 'conformant',
  guests: 2,
  lost: 0,
  files: [
    {
      path,
      functions: [
        {
          name: 'pour',
          from: 1,
          to: 6,
          count: 12_345,
          feature: true,
          lines: 4,
          lines_reached: 3,
          branches: 4,
          branches_reached: 2,
          reasoned: 1,
        },
        {
          name: 'stir',
          from: 8,
          to: 9,
          count: 3,
          feature: false,
          lines: 1,
          lines_reached: 1,
          branches: 2,
          branches_reached: 1,
          reasoned: 0,
        },
      ],
      counts: [
        { line: 1, count: 12_345, branches: [] },
        { line: 3, count: 12_345, branches: [12_300, 45] },
        { line: 4, count: 45, branches: [0, 0] },
        { line: 5, count: 0, branches: [] },
        { line: 9, count: 3, branches: [3, 0] },
      ],
    },
  ],
  total: {
    functions: 1,
    called: 1,
    lines: 4,
    lines_reached: 3,
    branches: 4,
    branches_reached: 2,
    reasoned: 1,
    unexplained: 1,
  },
  unreached: [
    {
      file: path,
      function: 'pour',
      line: 4,
      key: '0123abcd',
      branch: 0,
      kind: 'allocation',
      why: 'Only when there is no cup.',
    },
    { file: path, function: 'pour', line: 4, key: '0123abcd', branch: 1, kind: null, why: '' },
  ],
  problems: [
    {
      problem: 'reached',
      file: path,
      function: 'pour',
      key: '89abcdef',
      branch: 1,
      line: 3,
      times: 45,
      why: 'The pot is never empty.',
    },
    {
      problem: 'gone',
      file: path,
      function: 'sip',
      key: '',
      branch: null,
      line: null,
      times: 0,
      why: '',
    },
  ],
  complete: false,
  versions: { ringfence: '0.1.0', qemu: '7.2.0', gcov: '12.2.0' },
  times: { started: '2026-11-25T18:00:00.000Z', wall_s: 12.5 },
};

/** Text of its source. */
export const NINE_LINES_TEXT: readonly string[] = [
  'int pour(struct pot *pot)',
  '{',
  '\tif (!pot->tea)',
  '\t\tif (brew(pot) && pot->cup)',
  '\t\t\treturn -ENOTEA;',
  '}',
  '',
  'int stir(struct cup *cup)',
  '{ return cup->sugar ? 1 : 0; }',
];
