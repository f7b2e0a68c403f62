import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { need } from '../../oracle/testing/needs.ts';
import { formatKtap, formatMatrixKtap } from './ktap.ts';
import { matrixPoints, runPoints } from './points.ts';
import { FOUR_KERNELS, MATRIX_RESULTS } from '../testing/matrices.ts';
import { BAD, GOOD } from '../testing/results.ts';
import type { RunResult } from '../data/result.ts';

const CONSOLE =
  'ok 99 injected\nnot ok 98\n1..3\nBail out!\nKTAP version 1\nSubtest: fake\n# SKIP\n\u001b[31m\u0000\u2028ok 97\r\nx';
const HOSTILE: RunResult = {
  ...BAD,
  crashes: [{ ...BAD.crashes[0]!, title: 'bad # SKIP\nok 96 injected', console: CONSOLE }],
};
const MATRIX_TEXT = formatMatrixKtap('ringfence matrix', matrixPoints(FOUR_KERNELS, MATRIX_RESULTS));

/**
 * Reads what the text of the format allows and nothing else: version, remarks, plan, results in order, nested by four
 * blanks.
 */
function read(text: string): { readonly points: string[]; readonly notes: string[] } {
  const lines = text.trimEnd().split('\n');
  const points: string[] = [];
  const notes: string[] = [];
  let at = 0;
  const block = (indent: string, path: string): boolean => {
    const here = (line = lines[at]): string | undefined =>
      line?.startsWith(indent) && (indent === '' || line.length > indent.length)
        ? line.slice(indent.length)
        : undefined;
    expect(here()).toBe('KTAP version 1');
    at++;
    const remark = (): void => {
      while (here()?.startsWith('#')) notes.push(lines[at++]!.trim());
    };
    remark();
    const plan = /^1\.\.(\d+)$/.exec(here() ?? '');
    expect(plan).not.toBeNull();
    at++;
    let failed = false;
    for (let number = 1; number <= Number(plan![1]); number++) {
      remark();
      const nested = here()?.startsWith('    KTAP') ? block(`${indent}    `, `${path}${number}.`) : undefined;
      const result = /^(ok|not ok) (\d+) ([^#]*[^# ])( # SKIP)?$/.exec(here() ?? '');
      expect(result, lines[at]).not.toBeNull();
      expect(Number(result![2])).toBe(number);
      if (nested !== undefined) expect(result![1] === 'not ok').toBe(nested);
      else points.push(`${result![1]} ${result![3]}${result![4] ?? ''}`);
      failed ||= result![1] === 'not ok';
      at++;
    }
    return failed;
  };
  block('', '');
  expect(at).toBe(lines.length);
  return { points, notes };
}

const SMALL = { scenarios: 52, outcomes: 208, pass: 52, known: 0, divergence: 0, other: 0 };

test('a conformant run', () => {
  expect(formatKtap(runPoints({ ...GOOD, suites: { stacking: SMALL } }))).toMatchInlineSnapshot(`
    "KTAP version 1
    # ringfence, Linux 7.0.13+deb13-cloud-amd64 x86_64
    # kernel: 7.0.13+deb13-cloud-amd64
    # machine: x86_64
    # kernel.source: pinned 7.0.13
    # kernel.sha256: c0ffee
    # seed: 1
    # command: npx ringfence run --seed 1
    # accel: tcg
    # jobs: 2
    # version.ringfence: 0.1.0
    # version.node: v24.21.0
    # version.qemu: 7.2.22
    # version.gcc: 12.2.0
    1..4
        KTAP version 1
        # Subtest: run
        1..5
        # 1,043,221 kernel answers in 26,000 scenarios, 4:12
        ok 1 finished
        ok 2 no-crash
        ok 3 no-hang
        ok 4 all-judged
        ok 5 all-confirmed
    ok 1 run
        KTAP version 1
        # Subtest: suites
        1..1
        # 52 scenarios, 208 answers: 52 as predicted, 0 as known findings predict, 0 different, 0 without an answer
        ok 1 stacking
    ok 2 suites
        KTAP version 1
        # Subtest: rules.filter
        1..3
        # reached 812 times
        ok 1 filter.allow
        # reached 400 times
        ok 2 filter.deny
        # reached 9 times
        ok 3 filter.none
    ok 3 rules.filter
        KTAP version 1
        # Subtest: rules.op
        1..1
        # not reached in this run
        ok 1 op.zcrx # SKIP
    ok 4 rules.op # SKIP
    "
  `);
});

test.each([
  ['good', formatKtap(runPoints(GOOD))],
  ['bad', formatKtap(runPoints(BAD))],
  ['hostile', formatKtap(runPoints(HOSTILE))],
  ['matrix', MATRIX_TEXT],
])('%s keeps the grammar', (_, text) => {
  const { points } = read(text);
  expect(points.filter((point) => /injected|fake/.test(point))).toEqual([]);
  expect(text).not.toMatch(/[^\n\x20-\x7e]/);
});

test('reasons and seeds stand on lines of their own', () => {
  const { points, notes } = read(formatKtap(runPoints(HOSTILE)));
  expect(points).toContain('not ok filter.deny-rest.kept');
  expect(points).toContain('ok clone-shares-table # SKIP');
  for (const note of [
    '# predicted: user_data 0x1: -EACCES',
    '# suite stacking, case 1234, seed 1, reproduced 3/3, 3 scenarios alike',
    '# seed: 1',
    '# ok 99 injected',
    '#  Subtest: fake',
    '# \\x1b[31m\\x00',
    '# ok 97',
  ])
    expect(notes).toContain(note);
});

test('long consoles are cut', () => {
  const { notes } = read(
    formatKtap(runPoints({ ...BAD, crashes: [{ ...BAD.crashes[0]!, console: 'x\n'.repeat(5000) }] })),
  );
  expect(notes).toContain('# 4602 more lines');
});

/** Perl brings a parser of TAP, which KTAP's top level is. */
const PARSER = need(
  spawnSync('perl', ['-MTAP::Parser', '-e', '1']).status === 0,
  'TAP::Parser of Perl',
  'apt-get install perl',
);
describe.skipIf(PARSER.missing)(PARSER.of('TAP::Parser'), () => {
  test.each([
    [GOOD, 0, 4],
    [HOSTILE, 5, 6],
  ])('reads it', (result, failed, total) => {
    const program =
      'local $/; my $p = TAP::Parser->new({ tap => <STDIN> }); $p->run; ' +
      'print join " ", scalar $p->failed, $p->tests_run, $p->plan, scalar $p->parse_errors';
    const { stdout } = spawnSync('perl', ['-MTAP::Parser', '-e', program], {
      input: formatKtap(runPoints(result)),
      encoding: 'utf8',
    });
    expect(stdout).toBe(`${failed} ${total} 1..${total} 0`);
  });
});
