/** ringfence verify. */
import type { RunResult } from '../../reports/data/result.ts';
import { createProgress } from '../../reports/text/progress.ts';
import { counted } from '../../reports/text/style.ts';
import { EXIT } from '../../vm/index.ts';
import { readBundle, repeatBundle } from '../bundle/verify.ts';
import type { Checked, Verification, VerifyOptions } from '../bundle/verify.ts';
import { defaultJobs } from '../run/options.ts';
import { command } from './command.ts';
import { interruptible } from './interrupt.ts';
import { flag } from './option.ts';
import { ACCEL, jobsOption, timeoutOption } from './options.ts';

/** ringfence verify. */
export const VERIFY = command({
  name: 'verify',
  summary: 'check an evidence bundle and repeat its run',
  about: 'checks an evidence bundle and repeats the run that made it',
  operands: { usage: 'FILE.tar.zst', least: 1, most: 1, missing: 'verify needs a bundle' },
  options: {
    'no-run': flag('check the digests only'),
    accel: ACCEL,
    jobs: jobsOption('one per processor'),
    timeout: timeoutOption('as recorded'),
  },
  notes: `
\`ringfence run --bundle FILE.tar.zst\` (fuzz and replay as well) makes one: result.json, the summary, cases.txt
(one line per case: what was run, how it came out, digests of scenario and answers), divergences, the guests'
consoles, versions of the tools, seed and command, expectation files, the kernel's configuration, and the kernel
itself unless it is one that can be fetched by its release; manifest.json names every file with its SHA-256. \`tar
--zstd -xf\` unpacks it.

Verifying compares each file with the manifest, gets the same kernel (from the bundle, or by release; its SHA-256
must be the recorded one), runs the same cases, and compares them outcome for outcome. A whole, unchanged bundle is
no proof of who made it: compare its own SHA-256, which --bundle printed, with the one you were given.

Exit code: 0 whole, and repeated with the same outcomes; 1 repeated with other outcomes; 2 damaged, truncated or no
bundle.`,
  run: async ({ 'no-run': only, accel, jobs = defaultJobs(), timeout }, [file = '']) => {
    const checked = await readBundle(file);
    process.stdout.write(describe(checked));
    return only ? EXIT.ok : await repeat(checked, { accel, jobs, ...(timeout === undefined ? {} : { timeout }) });
  },
});

/** Runs it again, tells how that came out, and answers with the exit code. */
async function repeat(checked: Checked, options: VerifyOptions): Promise<number> {
  const progress = createProgress(process.stderr);
  const note = (text: string): void => progress.note(text);
  const events = { note, progress: progress.update.bind(progress) };
  return await interruptible({ note }, async (signal) => {
    let verification: Verification | undefined;
    try {
      verification = await repeatBundle(checked, options, events, signal);
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      progress.end();
    }
    if (verification === undefined || signal.aborted) {
      process.stderr.write('ringfence: interrupted; the bundle is whole, the run was not repeated to its end.\n');
      return EXIT.interrupted;
    }
    process.stdout.write(outcome(checked, verification));
    return verification.differences.length === 0 ? EXIT.ok : EXIT.divergent;
  });
}

function outcome({ same_ringfence }: Checked, { differences, result, compared }: Verification): string {
  if (differences.length === 0)
    return `repeated: ${counted(compared, 'case')}, ${answers(result)}: the same, outcome for outcome\n`;
  const told = differences.map((line) => `  ${line}\n`).join('');
  const other = 'The ringfence at hand is not the one that made the bundle; that may be why.\n';
  return `REPEATED WITH OTHER OUTCOMES\n${told}${same_ringfence ? '' : other}`;
}

const answers = ({ outcomes }: RunResult): string => counted(outcomes, 'kernel answer');

function describe({ file, manifest, result, same_ringfence }: Checked): string {
  const { ringfence, kernel, files, command: repeat } = manifest;
  const { verdict, reason, scenarios, times } = result;
  const why = reason === undefined ? '' : ` (${reason})`;
  const from = kernel.pinned === undefined ? `in the bundle as ${kernel.file}` : `fetched as ${kernel.pinned}`;
  const commit = ringfence.commit === undefined ? '' : `, commit ${ringfence.commit}`;
  const here = same_ringfence ? ', as here' : '; NOT the one at hand';
  const lines: readonly (readonly [name: string, text: string])[] = [
    ['whole', `${counted(files.length, 'file')} with the digests that the manifest says`],
    ['recorded', `${verdict}${why}; ${counted(scenarios, 'scenario')}, ${answers(result)}, ${times.started}`],
    ['kernel', `${kernel.release}, ${from}, SHA-256 ${kernel.sha256}`],
    ['config', kernel.config],
    ['ringfence', `${ringfence.version}${commit}${here}`],
    ['command', repeat],
  ];
  return `${file}\n${lines.map(([name, text]) => `  ${name.padEnd(10)}${text}\n`).join('')}`;
}
