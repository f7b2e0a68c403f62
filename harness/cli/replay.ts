/** ringfence replay: recorded cases on a kernel. */
import { readCases } from '../run/cases.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { UsageError } from '../../vm/index.ts';
import {
  accel,
  BUNDLE_OPTIONS,
  BUNDLE_OPTIONS_HELP,
  EXPECT_OPTIONS,
  EXPECT_OPTIONS_HELP,
  GUEST_OPTIONS,
  jobs,
  number,
  parse,
} from './options.ts';
import { bundlePlace, policy } from './policy.ts';
import { REPORT_OPTIONS, REPORT_OPTIONS_HELP, wishesOf } from '../output/deliver.ts';
import { runAndReport } from '../output/run-session.ts';
import { kernelChoice, TREE_OPTIONS, TREE_OPTIONS_HELP } from './tree.ts';

export const HELP = `ringfence replay CASE.json... [options]: runs recorded cases on a kernel and judges them

  -k, --kernel PATH    bzImage or vmlinux, or a release that can be fetched (default: the pinned 7.0.13)
${TREE_OPTIONS_HELP}      --append TEXT    extra kernel command line
      --accel NAME     auto, kvm or tcg
      --timeout SEC    how long a guest may take to boot, or be silent (default 90)
  -o, --out DIR        where the result goes (default ./out)
${EXPECT_OPTIONS_HELP}${BUNDLE_OPTIONS_HELP}${REPORT_OPTIONS_HELP}
A case is a file that ringfence wrote (out/divergences/*.json, suites/findings/*.json) or one written by hand;
oracle/scenario/schema.json describes the form.
`;

const OPTIONS = {
  kernel: { type: 'string', short: 'k' },
  ...GUEST_OPTIONS,
  ...TREE_OPTIONS,
  ...EXPECT_OPTIONS,
  ...BUNDLE_OPTIONS,
  ...REPORT_OPTIONS,
} as const;

export async function command(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, OPTIONS, 1000);
  if (positionals.length === 0) throw new UsageError('replay needs at least one case file');
  const scenarios = positionals.flatMap((path) => readCases(path));
  return await runAndReport(
    {
      suites: SUITE_NAMES,
      cases: scenarios.length,
      seed: 0,
      ...kernelChoice(values),
      append: values.append ?? '',
      accel: accel(values.accel),
      jobs: values.jobs === undefined ? 1 : jobs(values.jobs),
      timeout: number('timeout', values.timeout, 90, 1, 86_400),
      command: ['npx ringfence replay', ...argv].join(' '),
      scenarios,
      investigate: 8,
      shrinkSeconds: 0,
      ...policy(values),
    },
    values.out ?? 'out',
    { bundle: bundlePlace(values.bundle), reports: wishesOf(values) },
  );
}
