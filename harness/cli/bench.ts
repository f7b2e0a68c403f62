/** ringfence bench. */
import { SUITE_NAMES } from '../../generators/suites.ts';
import { EXIT } from '../../vm/index.ts';
import { bench } from '../tools/bench.ts';
import type { StepBench, SuiteBench } from '../tools/bench.ts';
import { command } from './command.ts';
import { group, whole } from './option.ts';
import { DEFAULT_SEED, GUEST_OPTIONS, KERNEL, SUITE } from './options.ts';
import { guestSettings, kernelChoice } from './settings.ts';

/** Scenarios per suite. */
const CASES = 1500;

/** A column of a table: its heading, its width with the blanks before it, and its text. */
type Column<T> = readonly [heading: string, width: number, text: (row: T) => string];

const STEPS: readonly Column<StepBench>[] = [
  ['step', -10, ({ step }) => step],
  ['bare C loop', 13, ({ bare_us }) => `${bare_us.toFixed(1)} us`],
  ['in a scenario', 16, ({ scenario_us }) => `${scenario_us.toFixed(1)} us`],
  ['ratio', 8, ({ bare_us, scenario_us }) => (scenario_us / bare_us).toFixed(2)],
];
const SUITES: readonly Column<SuiteBench>[] = [
  ['suite', -22, ({ suite }) => suite],
  ['outcomes/s', 11, ({ outcomes_per_s }) => String(outcomes_per_s)],
  ['guests busy', 14, ({ guest_busy }) => `${(guest_busy * 100).toFixed(0)} %`],
  ['oracle : guest', 17, ({ oracle_ratio }) => `${oracle_ratio.toFixed(0)} : 1`],
  ['draw', 7, ({ draw_ms }) => draw_ms.toFixed(2)],
  ['predict', 9, ({ predict_ms }) => predict_ms.toFixed(2)],
  [' encode (ms a scenario)', 8, ({ encode_ms }) => encode_ms.toFixed(2)],
];

/** Prints a table row by row; its heading comes with the first. */
function printer<T>(columns: readonly Column<T>[]): (row: T) => void {
  const pad = (text: string, width: number): string => (width < 0 ? text.padEnd(-width) : text.padStart(width));
  const print = (cells: readonly string[]): void => void process.stdout.write(`${cells.join('')}\n`);
  let begun = false;
  return (row) => {
    if (!begun) print(['\n', ...columns.map(([heading, width]) => pad(heading, width))]);
    begun = true;
    print(columns.map(([, width, text]) => pad(text(row), width)));
  };
}

/** ringfence bench. */
export const BENCH = command({
  name: 'bench',
  summary: 'rates per suite and the cost of each step',
  notes: `
Per suite: outcomes per second, how busy the guests are, the rate of the oracle against theirs. Per step: what it
costs against a bare C loop in the same guest.`,
  options: {
    ...group('Cases', {
      suite: SUITE,
      cases: whole('N', 'scenarios per suite', { short: 'n', min: 1, max: 1_000_000, fallback: CASES }),
    }),
    ...group('Kernel', { kernel: KERNEL }),
    ...GUEST_OPTIONS,
  },
  run: async ({ suite, cases, kernel, ...guests }) => {
    const { tree: _, ...chosen } = kernelChoice({ kernel });
    const settings = { ...chosen, ...guestSettings(guests), seed: DEFAULT_SEED, suites: suite ?? SUITE_NAMES, cases };
    await bench(settings, {
      note: (text) => void process.stderr.write(`${text}\n`),
      step: printer(STEPS),
      suite: printer(SUITES),
    });
    return EXIT.ok;
  },
});
