/** A made-up matrix for the tests of reports. */
import { toJson } from '../../oracle/case/json.ts';
import { CASE } from '../../oracle/testing/socket-case.ts';
import type { MatrixKernel, MatrixResult } from '../data/matrix.ts';
import type { RunResult } from '../data/result.ts';
import { BAD, GOOD } from './results.ts';

const kernel = (name: string, more: Partial<MatrixKernel>): MatrixKernel => ({
  name,
  requested: name,
  release: `${name}+deb13-cloud-amd64`,
  source: 'pinned',
  sha256: 'c0ffee',
  state: 'conformant',
  scenarios: 26000,
  outcomes: 1043221,
  known: 0,
  divergences: 0,
  crashes: 0,
  hangs: 0,
  unconfirmed: 0,
  wall_s: 252.4,
  ...more,
});
const NONE = { scenarios: 0, outcomes: 0, sha256: '', wall_s: 0 } as const;
const suite = { scenarios: 5200, outcomes: 208644, known: 0, divergence: 0, other: 0 };

/** One kernel without the feature, one bad, one good, one that could not be had. */
export const FOUR_KERNELS: MatrixResult = {
  version: 1,
  verdict: 'divergent',
  reason: '7.0.13 broke 1 rule; 7.0.13 and 7.3.4 differ for no known cause',
  seed: 1,
  cases: 26000,
  suite_names: ['stacking', 'links'],
  append: '',
  command: 'npx ringfence matrix --kernels 6.19.14,7.0.13,7.3.4,7.9.9 --seed 1',
  kernels: [
    kernel('6.19.14', { ...NONE, state: 'unsupported', reason: 'no IORING_REGISTER_BPF_FILTER' }),
    kernel('7.0.13', {
      state: 'divergent',
      reason: '1 divergence, 1 crash, 1 hang',
      divergences: 1,
      crashes: 1,
      hangs: 1,
      known: 14,
      result: '7.0.13/result.json',
    }),
    kernel('7.3.4', { result: '7.3.4/result.json' }),
    kernel('7.9.9', { ...NONE, state: 'unavailable', reason: 'not at the mirror' }),
  ],
  abi: [
    { field: 'op_last', values: [null, '65', '66', null], differs: true, story: '65 on 7.0.13, 66 from 7.3.4' },
    { field: 'ctx_size', values: [null, '40', '40', null], differs: false, story: '' },
  ],
  suites: [
    { suite: 'stacking', cells: [null, { ...suite, known: 14, divergence: 3 }, suite, null] },
    { suite: 'links', cells: [null, { ...suite, other: 2 }, suite, null] },
  ],
  rules: [
    {
      rule: 'filter.allow',
      statement: 's',
      source: 'c',
      cells: [null, { state: 'kept', hits: 812 }, { state: 'kept', hits: 812 }, null],
      story: '',
    },
    {
      rule: 'filter.deny-rest.kept',
      statement: 's',
      source: 'c',
      cells: [null, { state: 'broken', hits: 3 }, { state: 'kept', hits: 3 }, null],
      story: 'broken on 7.0.13, kept from 7.3.4',
    },
    {
      rule: 'inherit.child-own-way',
      statement: 's',
      source: 'c',
      cells: [null, { state: 'known', hits: 14 }, { state: 'kept', hits: 20 }, null],
      story: 'known finding on 7.0.13, gone from 7.3.4',
    },
    {
      rule: 'op.zcrx',
      statement: 's',
      source: 'c',
      cells: [null, { state: 'unreached', hits: 0 }, { state: 'unreached', hits: 0 }, null],
      story: '',
    },
  ],
  findings: [
    {
      id: 'clone-shares-table',
      rule: 'inherit.child-own-way',
      title: 't',
      cells: [
        null,
        { state: 'shown', expected: true, scenarios: 14 },
        { state: 'other', expected: false, scenarios: 0 },
        null,
      ],
      story: 'on 7.0.13, gone from 7.3.4',
    },
  ],
  comparison: {
    pairs: [
      {
        from: '7.0.13',
        to: '7.3.4',
        shared: 25998,
        same: 25000,
        varying: 4,
        explained: 990,
        unexplained: 3,
        unexamined: 1,
      },
    ],
    changes: [
      {
        from: '7.0.13',
        to: '7.3.4',
        scenarios: 3,
        suites: { stacking: 3 },
        causes: [
          { kind: 'unexplained', detail: '7.0.13 answers 5' },
          { kind: 'finding', id: 'clone-shares-table', rule: 'inherit.child-own-way', shown_on: 'from' },
          { kind: 'abi', field: 'op_last', from: '65', to: '66' },
          { kind: 'open', rule: 'filter.allow' },
        ],
        example: {
          index: 1234,
          suite: 'stacking',
          scenario: toJson(CASE),
          step: 4,
          answer_from: '5',
          answer_to: '-EACCES',
          file: 'changes/001.json',
        },
      },
    ],
  },
  versions: { ringfence: '0.1.0' },
  times: { started: '2026-11-22T04:00:00.000Z', wall_s: 600.5 },
};

/** Results of the two that ran. */
export const MATRIX_RESULTS: ReadonlyMap<string, RunResult> = new Map([
  ['7.0.13', BAD],
  ['7.3.4', { ...GOOD, kernel: { ...GOOD.kernel, release: '7.3.4+deb13-cloud-amd64' } }],
]);
