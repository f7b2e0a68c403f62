/** ringfence bench. */
import { bench } from '../tools/bench.ts';
import { EXIT } from '../../vm/index.ts';
import { accel, DEFAULT_SEED, jobs, kernel, number, parse, RUN_OPTIONS, suites } from './options.ts';

export const HELP = `ringfence bench [options]: outcomes per second, guest busy share and the oracle's rate, per suite; the cost of each step
against a bare C loop in the same guest

  -s, --suite NAME     only this suite
  -n, --cases N        scenarios per suite (default 1500)
  -k, --kernel, --accel, --jobs, --append, --timeout as for run
`;

export async function command(argv: readonly string[]): Promise<number> {
  const { values } = parse(argv, RUN_OPTIONS, 0);
  const write = (text: string): void => void process.stdout.write(`${text}\n`);
  let header = '';
  const head = (text: string): void => {
    if (header !== text) write(`\n${text}`);
    header = text;
  };
  await bench(
    {
      ...kernel(values.kernel),
      append: values.append ?? '',
      accel: accel(values.accel),
      timeout: number('timeout', values.timeout, 90, 1, 86_400),
      jobs: jobs(values.jobs),
      seed: DEFAULT_SEED,
      suites: suites(values.suite),
    },
    number('cases', values.cases, 1500, 1, 1_000_000),
    {
      note: (text) => process.stderr.write(`${text}\n`),
      step: (row) => {
        head('step        bare C loop   in a scenario   ratio');
        write(
          `${row.step.padEnd(10)} ${row.bare_us.toFixed(1).padStart(9)} us ${row.scenario_us.toFixed(1).padStart(12)} us ${(row.scenario_us / row.bare_us).toFixed(2).padStart(7)}`,
        );
      },
      suite: (row) => {
        head(
          'suite                  outcomes/s   guests busy   oracle : guest   draw  predict  encode (ms a scenario)',
        );
        write(
          `${row.suite.padEnd(22)} ${String(row.outcomes_per_s).padStart(10)} ${`${(row.guest_busy * 100).toFixed(0)} %`.padStart(13)} ${`${row.oracle_ratio.toFixed(0)} : 1`.padStart(16)} ${row.draw_ms.toFixed(2).padStart(6)} ${row.predict_ms.toFixed(2).padStart(8)} ${row.encode_ms.toFixed(2).padStart(7)}`,
        );
      },
    },
  );
  return EXIT.ok;
}
