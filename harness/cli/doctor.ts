/** ringfence doctor. */
import { formatDoctor } from '../../reports/text/doctor.ts';
import { doctor } from '../../vm/doctor.ts';
import { EXIT } from '../../vm/index.ts';
import { parse } from './options.ts';

export const HELP = `ringfence doctor: what is installed, which accelerator works, what to do

Exit code 0 when a run can start, 2 when something is missing.
`;

export async function command(argv: readonly string[]): Promise<number> {
  parse(argv, {}, 0);
  const report = await doctor();
  process.stdout.write(formatDoctor(report));
  return report.ok ? EXIT.ok : EXIT.usage;
}
