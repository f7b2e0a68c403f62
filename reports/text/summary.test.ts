import { describe, expect, test } from 'vitest';
import { formatDivergence } from './divergence.ts';
import { formatSummary } from './summary.ts';
import { CASE } from '../../oracle/testing/socket-case.ts';
import { BAD, GOOD } from '../testing/results.ts';
import { ABI_7_0 } from '../../oracle/probe/abi-documented.ts';
import { printScenario } from '../../oracle/case/text.ts';
import { toJson } from '../../oracle/case/json.ts';

test('a good run is short', () => {
  expect(formatSummary(GOOD)).toBe(`CONFORMANT  Linux 7.0.13+deb13-cloud-amd64 kept every promise that was tested

  kernel    7.0.13+deb13-cloud-amd64 x86_64 (pinned 7.0.13), tcg, 2 guests
  compared  1,043,221 kernel answers in 26,000 scenarios, 4:12, 4,133/s
  suites    5, all passed
  rules     3 of 4 reached; never: op.zcrx

repeat:  npx ringfence run --seed 1
details: out/result.json
`);
});

test('a kernel out of a source tree says which', () => {
  const origin = {
    tree: '/linux',
    built: true,
    describe: 'v7.3-5-gabc',
    patches: [{ name: 'fix.patch', sha256: '00' }],
    debug: false,
  };
  const summary = (more: Partial<typeof origin>): string =>
    formatSummary({ ...GOOD, kernel: { ...GOOD.kernel, source: 'tree', origin: { ...origin, ...more } } });
  expect(summary({})).toContain('(built from v7.3-5-gabc with fix.patch), tcg');
  expect(summary({ built: false, patches: [], debug: true })).toContain('(found in v7.3-5-gabc, debug), tcg');
});

test('how programs were run, where that is not as people would think', () => {
  const jit = { compiler: true, interpreter: true, harden: true, watched: 40, compiled: 40 };
  const summary = (more: Partial<typeof jit>): string => formatSummary({ ...GOOD, jit: { ...jit, ...more } });
  expect(summary({})).toBe(formatSummary(GOOD));
  expect(summary({ compiled: 37 })).toContain('the BPF compiler gave up on 3 of 40 programs that were watched');
  expect(summary({ interpreter: false })).toContain('this kernel has no BPF interpreter');
  expect(summary({ compiler: false, interpreter: false, harden: false })).toContain(
    'this kernel has no BPF compiler: every program was interpreted\n',
  );
});

describe('a bad run', () => {
  const text = formatSummary(BAD, { out: 'my out' });
  test('says so first', () =>
    expect(text).toMatch(/^NOT CONFORMANT {2}Linux 7\.0\.13\S* broke 1 rule \(1 divergence, 1 crash, 1 hang\)\n/));
  test.each([
    ['the rule with its source', 'source: linux/io_uring/bpf_filter.h'],
    ['predicted', 'step 4 predicted: user_data 0x1: -EACCES'],
    ['observed', 'observed:  user_data 0x1: 5'],
    ['the case', '[4] |   1   io_uring_enter(ring 0, 1 SQE)'],
    ['where in the case', '> it differs here'],
    ['how to replay it', "npx ringfence replay 'my out/divergences/001.json'"],
    ['the crash', 'crash 1  WARNING: io_uring/io_uring.c:1234 io_submit_sqe  (suite links, case 77, reproduced 1/3)'],
    ['the hang', 'hang 1  no answer within 5 s'],
    [
      'what showed once and not again',
      'UNCONFIRMED  1 scenario failed in a batch and passed every time when run alone',
    ],
    [
      'what it looked like',
      'divergence of link.cancel: step 2: predicted CQE 1, observed no such CQE (suite links, case 90,',
    ],
    ['known findings', 'clone-shares-table: A filter that a parent registers after fork reaches the child'],
    ['missing findings', 'blind-register-unrestricted should show on this kernel and did not'],
    ['suites', '4 of 6 passed; not: stacking (3), links (2)'],
  ])('shows %s', (_, part) => expect(text).toContain(part));
  test('is not wider than a terminal, but for scenarios', () => {
    for (const line of text.split('\n')) if (!line.startsWith('      ')) expect(line.length).toBeLessThanOrEqual(110);
  });
  test('colour changes nothing but colour', () => {
    expect(formatSummary(BAD, { colour: true, out: 'my out' }).replace(/\u001b\[\d+m/g, '')).toBe(text);
  });
});

test('many findings of a kind are counted', () => {
  const text = formatSummary({
    ...BAD,
    divergences: Array.from({ length: 20 }, () => BAD.divergences[0]!),
    crashes: Array.from({ length: 7 }, () => BAD.crashes[0]!),
  });
  expect(text).toContain('14 more divergences: out/divergences/');
  expect(text).toContain('1 more crash: out/crashes/');
  expect(text.match(/it differs here/g)).toHaveLength(2);
  expect(text).toContain('out/divergences/006.json');
});

test.each([
  ['interrupted', 'INTERRUPTED  Linux 7.0.13+deb13-cloud-amd64 interrupted: this is what was found so far\n'],
  ['untestable', 'NOT TESTABLE  Linux 7.0.13+deb13-cloud-amd64 interrupted: this is what was found so far\n'],
] as const)('%s', (verdict, start) => {
  expect(
    formatSummary({ ...GOOD, verdict, reason: 'interrupted: this is what was found so far' }).startsWith(start),
  ).toBe(true);
});

test('nothing ran, runner errors, known findings, an appended command line', () => {
  const text = formatSummary({
    ...GOOD,
    suites: {},
    known: BAD.known,
    jobs: 1,
    rules: { a: 1, b: 0, c: 0, d: 0, e: 0 },
    kernel: { ...GOOD.kernel, append: 'nosmp' },
    runner_errors: [1, 2, 3, 4].map((index) => ({ index, detail: 'the guest sent garbage' })),
  });
  expect(text).toContain('kept every promise that was tested, but for 1 known finding\n');
  expect(text).toContain('suites    none ran');
  expect(text).toContain('append "nosmp"), tcg, 1 guest\n');
  expect(text).toContain('rules     1 of 5 reached; never: b, c, d and 1 more\n');
  expect(text).toContain('4 scenarios could not be judged:\n    case 1: the guest sent garbage');
  expect(text).not.toContain('case 4');
});

test('what is not there is not shown', () => {
  const { reason: _, ...bad } = BAD;
  const [first] = BAD.divergences;
  const text = formatSummary({
    ...bad,
    divergences: [{ ...first!, count: 1, source: '' }],
    suites: { links: GOOD.suites['stacking']! },
  });
  expect(text).toMatch(/^NOT CONFORMANT {2}Linux \S+ broke 1 rule\n/);
  expect(text).not.toMatch(/more like it|source:/);
  expect(text).toContain('suites    links: all passed\n');
  expect(formatSummary({ ...bad, divergences: [], rules: { a: 1 } })).toMatch(/^NOT CONFORMANT {2}Linux \S+\n/);
  expect(formatDivergence({ ...first!, source: '' }, 0, BAD)).not.toContain('source:');
});

test('a long case is cut, a case that cannot be read is left out', () => {
  const steps = Array.from({ length: 40 }, () => CASE.steps[0]!);
  const withCase = (scenario: unknown): string =>
    formatSummary({ ...BAD, divergences: [{ ...BAD.divergences[0]!, scenario }] });
  expect(withCase(toJson({ ...CASE, steps }))).toContain('... 28 more lines');
  expect(withCase({ steps: 3 })).not.toContain('differs here');
  expect(formatDivergence({ ...BAD.divergences[0]!, scenario: {} }, 0, BAD)).toContain(
    '(the case cannot be read: the field "version" is missing)',
  );
});

test('the text of a divergence has everything', () => {
  const text = formatDivergence(BAD.divergences[0]!, 11, BAD, 'o');
  for (const part of [
    'filter.deny-rest.kept: Linux 7.0.13+deb13-cloud-amd64 differs from the rule\n',
    'rule:       A filter registered later',
    'reproduced: 3/3; 3 scenarios of this run differ in the same way\n',
    'found by:   suite stacking, case 1234, seed 1\n',
    'jeq #0x2, l2, l3 ; { 0x15, 0, 1, 0x00000002 },\n',
    '> predicted: user_data 0x1: -EACCES\n',
    'What the rules say, step by step\n\nrequest 0 of step 4: denied\n',
    '  npx ringfence replay o/divergences/012.json\n  npx ringfence explain o/divergences/012.json\n',
    '  npx ringfence run --seed 1\n',
  ])
    expect(text).toContain(part);
  const tree = printScenario(CASE, ABI_7_0);
  const once = formatDivergence({ ...BAD.divergences[0]!, text: `${tree}\n\nthe explanation\n` }, 0, BAD);
  expect(once).toContain('What the rules say, step by step\n\nthe explanation\n');
  expect(once.split('io_uring_setup')).toHaveLength(2);
  expect(formatDivergence({ ...BAD.divergences[0]!, text: '', count: 1 }, 0, BAD)).not.toMatch(/step by step|same way/);
});
