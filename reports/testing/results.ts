/** A made-up result for the tests of reports. */
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { toJson } from '../../oracle/case/json.ts';
import { CASE } from '../../oracle/testing/socket-case.ts';
import type { RunResult } from '../data/result.ts';

/** A run in which all went well. */
export const GOOD: RunResult = {
  version: 1,
  verdict: 'conformant',
  seed: 1,
  command: 'npx ringfence run --seed 1',
  kernel: {
    release: '7.0.13+deb13-cloud-amd64',
    machine: 'x86_64',
    source: 'pinned 7.0.13',
    sha256: 'c0ffee',
    append: '',
  },
  abi: { ...ABI_7_0 },
  accel: { name: 'tcg', reason: 'KVM: the guest did not boot within 10 s' },
  jobs: 2,
  versions: { ringfence: '0.1.0', node: 'v24.21.0', qemu: '7.2.22', gcc: '12.2.0' },
  plan: { source: 'drawn', suites: ['validator', 'evaluation', 'arguments', 'stacking', 'deny-rest'], cases: 26000 },
  digest: '5f'.repeat(32),
  scenarios: 26000,
  outcomes: 1043221,
  suites: Object.fromEntries(
    ['validator', 'evaluation', 'arguments', 'stacking', 'deny-rest'].map((name) => [
      name,
      { scenarios: 5200, outcomes: 208644, pass: 5200, known: 0, divergence: 0, other: 0 },
    ]),
  ),
  rules: { 'filter.allow': 812, 'filter.deny': 400, 'filter.none': 9, 'op.zcrx': 0 },
  divergences: [],
  crashes: [],
  hangs: [],
  runner_errors: [],
  unconfirmed: [],
  known: [],
  missing_findings: [],
  expectations: [],
  times: {
    started: '2026-11-22T04:00:00.000Z',
    wall_s: 252.4,
    boot_s: 3.1,
    first_result_s: 4.2,
    outcomes_per_s: 4133,
    guest_busy: 0.91,
    oracle_s: 6.2,
    reboots: 0,
  },
};

/** A run with one of each trouble. */
export const BAD: RunResult = {
  ...GOOD,
  verdict: 'divergent',
  reason: '1 divergence, 1 crash, 1 hang',
  suites: {
    ...GOOD.suites,
    stacking: { scenarios: 5200, outcomes: 208644, pass: 5183, known: 14, divergence: 3, other: 0 },
    links: { scenarios: 2, outcomes: 0, pass: 0, known: 0, divergence: 0, other: 2 },
  },
  divergences: [
    {
      rule: 'filter.deny-rest.kept',
      suite: 'stacking',
      index: 1234,
      scenario: toJson(CASE),
      step: 4,
      what: 'cqe',
      predicted: 'user_data 0x1: -EACCES',
      observed: 'user_data 0x1: 5',
      statement: 'A filter registered later on an opcode that DENY_REST denied does not lift the denial.',
      source:
        'linux/io_uring/bpf_filter.h, DENY_REST ("will have a deny filter attached") with ' +
        'io_uring_register_bpf_filter(3), "Filter Stacking" (all must allow)',
      reproduced: '3/3',
      count: 3,
      group: '0123456789abcdef',
      text: 'request 0 of step 4: denied\n',
    },
  ],
  crashes: [
    {
      suite: 'links',
      index: 77,
      kind: 'WARNING',
      title: 'io_uring/io_uring.c:1234 io_submit_sqe',
      console: 'a\nb\n',
      scenario: toJson(CASE),
      reproduced: '1/3',
    },
  ],
  hangs: [{ suite: 'links', index: 78, detail: 'no answer within 5 s', scenario: toJson(CASE), reproduced: '3/3' }],
  unconfirmed: [
    {
      suite: 'links',
      index: 90,
      verdict: 'divergence',
      rule: 'link.cancel',
      detail: 'step 2: predicted CQE 1, observed no such CQE',
      scenario: toJson(CASE),
      reproduced: '0/10',
    },
  ],
  known: [
    {
      id: 'clone-shares-table',
      rule: 'inherit.child-own-way',
      title: 'A filter that a parent registers after fork reaches the child',
      scenarios: 14,
    },
  ],
  missing_findings: [
    {
      id: 'blind-register-unrestricted',
      reason: 'listed for 7.0.13, but its smallest scenario answers as the rules say',
    },
  ],
  policy: { strict: true, files: [{ file: 'gate/expect.json', sha256: 'ab'.repeat(32) }] },
  expectations: [
    {
      id: 'gate-17',
      rule: 'inherit.exec',
      finding: 'exec-drops-rules',
      kernels: '>=7.0.4 <7.1.8',
      reason: 'fixed in the next stable update',
      link: 'https://example.org/17',
      expires: '2026-11-01',
      expired: true,
      file: 'gate/expect.json',
      state: 'met',
      scenarios: 14,
      problem: 'expired on 2026-11-01: renew it with a reason, or remove it',
    },
    {
      id: 'gate-18',
      rule: 'link.cancel',
      kernels: '7.0.*',
      reason: 'harmless here',
      link: 'https://example.org/18',
      expires: '2027-01-31',
      expired: false,
      file: 'gate/expect.json',
      state: 'unreached',
      scenarios: 0,
      problem: 'no case of this run reached it',
    },
  ],
};
