import { describe, expect, it } from 'vitest';
import { NINE_LINES } from '../testing/coverages.ts';
import { formatCoverage } from './coverage.ts';
import { formatLcov } from './lcov.ts';

describe('the text', () => {
  it('has a row per function of the feature, what is open, what is wrong, and the sum', () => {
    expect(formatCoverage(NINE_LINES, { out: 'out' })).toBe(
      [
        '1,600 cases of 2 suites on 7.3.4-ringfence, seed 1',
        '',
        'function      lines   branches  reasoned  open',
        'io_uring/bpf_filter.c',
        '  pour          3/4        2/4         1     1',
        '',
        'not reached  io_uring/bpf_filter.c:4  pour, branch 1 (0123abcd)',
        'wrong reason io_uring/bpf_filter.c  pour',
        '             branch 1 of line 3 (89abcdef) was taken 45 times, but its reason says: The pot is never empty.',
        'gone         io_uring/bpf_filter.c  sip',
        '             this kernel has no such function',
        '2 of 4 branches reached, 1 with a reason, 1 without; 1 reason is wrong',
        'result:  out/coverage.json, out/coverage.info, out/report.html',
        '',
      ].join('\n'),
    );
  });

  it('says that guests were lost, and nothing of what there is not', () => {
    const whole = formatCoverage({ ...NINE_LINES, lost: 2, problems: [], unreached: [], complete: true }, { out: '.' });
    expect(whole).toContain('2 guests ended early');
    expect(whole).not.toMatch(/not reached|wrong/);
  });
});

describe("lcov's file", () => {
  it('has functions, branches and lines as geninfo writes them', () => {
    expect(formatLcov(NINE_LINES, '/src').split('\n')).toEqual([
      'TN:',
      'SF:/src/io_uring/bpf_filter.c',
      'FN:1,pour',
      'FN:8,stir',
      'FNDA:12345,pour',
      'FNDA:3,stir',
      'FNF:2',
      'FNH:2',
      'BRDA:3,0,0,12300',
      'BRDA:3,0,1,45',
      'BRDA:4,0,0,0',
      'BRDA:4,0,1,0',
      'BRDA:9,0,0,3',
      'BRDA:9,0,1,0',
      'BRF:6',
      'BRH:3',
      'DA:1,12345',
      'DA:3,12345',
      'DA:4,45',
      'DA:5,0',
      'DA:9,3',
      'LF:5',
      'LH:4',
      'end_of_record',
      '',
    ]);
  });

  it('tells a branch that was never come to from one that was never taken', () => {
    const [file] = NINE_LINES.files;
    const counts = [{ line: 4, count: 0, branches: [0] }];
    expect(formatLcov({ ...NINE_LINES, files: [{ ...file!, counts }] }, '/src')).toContain('BRDA:4,0,0,-\n');
  });
});
