/** ringfence doctor. */
import { formatDoctor } from '../../reports/text/doctor.ts';
import { doctor } from '../../vm/doctor.ts';
import { EXIT } from '../../vm/index.ts';
import { command } from './command.ts';

/** ringfence doctor. */
export const DOCTOR = command({
  name: 'doctor',
  summary: 'what is installed, which accelerator works, what to do',
  options: {},
  notes: 'Exit code 0 when a run can start, 2 when something is missing.',
  run: async () => {
    const report = await doctor();
    process.stdout.write(formatDoctor(report));
    return report.ok ? EXIT.ok : EXIT.usage;
  },
});
