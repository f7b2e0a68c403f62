/** ringfence verify. */
import { createProgress } from '../../reports/text/progress.ts';
import { counted } from '../../reports/text/style.ts';
import { readBundle, repeatBundle } from '../bundle/verify.ts';
import type { Checked } from '../bundle/verify.ts';
import { EXIT, UsageError } from '../../vm/index.ts';
import { accel, jobs, number, parse } from './options.ts';

export const HELP = `ringfence verify FILE.tar.zst [options]: checks an evidence bundle and repeats the run that made it

      --no-run         check the digests only
      --accel NAME     auto, kvm or tcg
  -j, --jobs N         guests side by side (default: one per processor)
      --timeout SEC    how long a guest may take to boot, or be silent (default: as recorded)

\`ringfence run --bundle FILE.tar.zst\` (fuzz and replay as well) makes one: result.json, the summary, cases.txt (one line per case: what
was run, how it came out, digests of scenario and answers), divergences, the guests' consoles, versions of the tools, seed and command,
expectation files, the kernel's configuration, and the kernel itself unless it is one that can be fetched by its release; manifest.json
names every file with its SHA-256. \`tar --zstd -xf\` unpacks it.

Verifying compares each file with the manifest, gets the same kernel (from the bundle, or by release; its SHA-256 must be the recorded one),
runs the same cases, and compares them outcome for outcome. A whole, unchanged bundle is no proof of who made it: compare its own SHA-256,
which --bundle printed, with the one you were given.

Exit code: 0 whole, and repeated with the same outcomes; 1 repeated with other outcomes; 2 damaged, truncated or no bundle.
`;

export async function command(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(
    argv,
    {
      'no-run': { type: 'boolean' },
      accel: { type: 'string' },
      jobs: { type: 'string', short: 'j' },
      timeout: { type: 'string' },
    },
    1,
  );
  const [file] = positionals;
  if (file === undefined) throw new UsageError('verify needs a bundle');
  const options = {
    jobs: jobs(values.jobs),
    accel: accel(values.accel),
    ...(values.timeout === undefined ? {} : { timeout: number('timeout', values.timeout, 90, 1, 86_400) }),
  };
  const checked = readBundle(file);
  process.stdout.write(describe(checked));
  if (values['no-run'] === true) return EXIT.ok;
  const controller = new AbortController();
  const progress = createProgress(process.stderr);
  const interrupt = (): void => {
    if (!controller.signal.aborted) progress.note('interrupted: stopping the guests');
    controller.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupt);
  try {
    const { differences, result, compared } = await repeatBundle(
      checked,
      options,
      { note: (text) => progress.note(text), progress: (state) => progress.update(state) },
      controller.signal,
    );
    progress.end();
    if (controller.signal.aborted) return stopped();
    if (differences.length === 0) {
      process.stdout.write(
        `repeated: ${counted(compared, 'case')}, ${counted(result.outcomes, 'kernel answer')}: the same, outcome for outcome\n`,
      );
      return EXIT.ok;
    }
    process.stdout.write(
      `REPEATED WITH OTHER OUTCOMES\n${differences.map((line) => `  ${line}\n`).join('')}${checked.same_ringfence ? '' : 'The ringfence at hand is not the one that made the bundle; that may be why.\n'}`,
    );
    return EXIT.divergent;
  } catch (error) {
    progress.end();
    if (controller.signal.aborted) return stopped();
    throw error;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(signal, interrupt);
  }
}

function stopped(): number {
  process.stderr.write('ringfence: interrupted; the bundle is whole, the run was not repeated to its end.\n');
  return EXIT.interrupted;
}

function describe({
  file,
  manifest: { ringfence, kernel, files, command: repeat },
  result,
  same_ringfence,
}: Checked): string {
  const lines: [string, string][] = [
    ['whole', `${counted(files.length, 'file')} with the digests that the manifest says`],
    [
      'recorded',
      `${result.verdict}${result.reason === undefined ? '' : ` (${result.reason})`}; ${counted(result.scenarios, 'scenario')}, ${counted(result.outcomes, 'kernel answer')}, ${result.times.started}`,
    ],
    [
      'kernel',
      `${kernel.release}, ${kernel.pinned === undefined ? `in the bundle as ${kernel.file}` : `fetched as ${kernel.pinned}`}, SHA-256 ${kernel.sha256}`,
    ],
    ['config', kernel.config],
    [
      'ringfence',
      `${ringfence.version}${ringfence.commit === undefined ? '' : `, commit ${ringfence.commit}`}${same_ringfence ? ', as here' : '; NOT the one at hand'}`,
    ],
    ['command', repeat],
  ];
  return `${file}\n${lines.map(([name, text]) => `  ${name.padEnd(10)}${text}\n`).join('')}`;
}
