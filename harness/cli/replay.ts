/** ringfence replay: recorded cases on a kernel. */
import { wishesOf } from '../output/deliver.ts';
import { command } from './command.ts';
import { group } from './option.ts';
import { DEFAULT_OUT, jobsOption, SESSION_OPTIONS } from './options.ts';
import { runAndReport } from './run-session.ts';
import { bundlePlace, recordedRun, repeatCommand } from './settings.ts';

/** ringfence replay. */
export const REPLAY = command({
  name: 'replay',
  summary: 'run recorded cases on a kernel',
  about: 'runs recorded cases on a kernel and judges them',
  operands: { usage: 'CASE.json...', least: 1, most: 1000, missing: 'replay needs at least one case file' },
  options: { ...SESSION_OPTIONS, ...group('Guests', { jobs: jobsOption('1') }) },
  notes: `
A case is a file that ringfence wrote (out/divergences/*.json, suites/findings/*.json) or one written by hand;
oracle/scenario/schema.json describes the form.`,
  examples: [['npx ringfence replay suites/findings/exec-drops-rules.json --kernel 7.3.4', '']],
  run: async (values, paths, argv) =>
    await runAndReport(recordedRun(values, paths, repeatCommand('replay', argv)), {
      out: values.out ?? DEFAULT_OUT,
      bundle: bundlePlace(values.bundle),
      reports: wishesOf(values),
    }),
});
