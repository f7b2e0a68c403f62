import { expect, test } from 'vitest';
import { formatSensitivityHtml } from '../html/sensitivity.ts';
import { FIVE_MUTANTS } from '../testing/sensitivities.ts';
import { formatSensitivity } from './sensitivity.ts';

test('tables, what is alive and why, and the verdict', () => {
  expect(formatSensitivity(FIVE_MUTANTS, { out: 'out' })).toBe(`\
5 mutants of 7.3.4-ringfence, seed 1: 1,600 cases of --quick, then 26,000 cases

class      mutants     quick  default  alive  unreached  untried    in 2 s  median cases  median seconds
rare-data        4  2 (50 %)  0 (0 %)      1          1        0  2 (50 %)             0             0.0
all              4  2 (50 %)  0 (0 %)      1          1        0  2 (50 %)             0             0.0

needs first  mutants    quick  default  alive  unreached  untried   in 2 s  median cases  median seconds
race               1  0 (0 %)  0 (0 %)      1          0        0  0 (0 %)             -               -

alive      high-word-lost  io_uring/bpf_filter.c, io_register_bpf_filter
           Faulty by high-word-lost: no answer differs
unreached  never-there  io_uring/bpf_filter.c, io_register_bpf_filter
           Faulty by never-there: none comes there

2 of 4 mutants killed, less than 100 %
result:  out/sensitivity.json
`);
  const met = { ...FIVE_MUTANTS, required: 50, met: true, complete: false };
  expect(formatSensitivity(met, { out: 'out' })).toContain('2 of 4 mutants killed, at least 50 % (not all were tried)');
});

test('the page has each mutant in its place, and a command that shows the fault again', () => {
  const page = formatSensitivityHtml(FIVE_MUTANTS, { out: 'out' });
  const part = (id: string): string => new RegExp(`<section id="${id}"[^]*?</section>`).exec(page)?.[0] ?? '';
  expect(page).toContain('<h1>Not sensitive enough</h1>');
  expect(part('alive')).toMatch(/high-word-lost[^]*never-there/);
  expect(part('alive')).not.toContain('deny-forgotten');
  expect(part('killed')).toContain(
    'npx ringfence replay out/mutants/deny-forgotten.json --kernel &#39;/cache/it is/vmlinux&#39; ' +
      '--append ringfence_mutant=1',
  );
  expect(part('killed')).toContain('kernel-crash while booting');
  expect(part('needs')).toContain('put-too-early');
});
