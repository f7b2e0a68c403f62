/**
 * Proves on a real kernel that every way to fail is a verdict: builds one kernel with all faults of faults.json, runs
 * `ringfence run --quick` with each of them, and looks for exit code 1, the right verdict, and the kernel's own words.
 * Not part of `npm test`: it builds a kernel. With --record it keeps what the guests said in recorded.json.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { RunResult } from '../../reports/data/result.ts';
import { run } from '../../vm/host/processes.ts';
import { chooseMutant } from '../../vm/build/mutant-kernel.ts';
import { numbered } from '../../vm/build/mutants.ts';
import { FAULTS, faultyKernel } from './kernel.ts';
import { judge, readRecorded, toldOf, TOLD } from './told.ts';
import type { Recorded } from './told.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));

interface Options {
  readonly kernel: string;
  readonly out: string;
}

/** Runs the kernel with one fault. */
async function runWith(id: string, number: number, { kernel, out }: Options): Promise<Recorded> {
  const dir = join(out, id);
  const append = [chooseMutant(number), TOLD[id]!.append ?? ''].join(' ').trim();
  const started = performance.now();
  const main = join(HERE, '../../harness/cli/main.ts');
  const args = ['run', '--quick', '--jobs', '1', '--kernel', kernel, '--append', append, '--out', dir];
  const { code } = await run([process.execPath, main, ...args], { show: true, timeoutMs: 0 });
  const seconds = Math.round((performance.now() - started) / 1000);
  try {
    const result = JSON.parse(readFileSync(join(dir, 'result.json'), 'utf8')) as RunResult;
    return { code, seconds, ...toldOf(result) };
  } catch {
    // It ended before there was one; the exit code tells.
    return { code, seconds, reason: '', told: [] };
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      linux: { type: 'string' },
      kernel: { type: 'string' },
      only: { type: 'string', multiple: true },
      out: { type: 'string' },
      record: { type: 'boolean' },
    },
  });
  const out = resolve(values.out ?? 'out/failures');
  const ids = values.only?.flatMap((one) => one.split(',')) ?? FAULTS.map(({ id }) => id);
  const unknown = ids.find((id) => !FAULTS.some((fault) => fault.id === id));
  if ((values.linux === undefined) === (values.kernel === undefined) || unknown !== undefined) {
    if (unknown !== undefined) console.error(`there is no fault "${unknown}"; suites/failures/faults.json has them\n`);
    console.error(
      'usage: node_modules/.bin/node suites/failures/failures.ts --linux DIR | --kernel FILE [--only ID]... ' +
        '[--record] [--out DIR]\n\nDIR is a source tree of Linux 7.3.4, FILE a kernel that was built by --linux.',
    );
    return 2;
  }
  mkdirSync(out, { recursive: true });
  const kernel = values.kernel ?? (await faultyKernel(values.linux!, join(out, 'build.log'))).kernel.path;
  const recorded = new Map(Object.entries(readRecorded()));
  let fine = true;
  for (const { mutant, number } of numbered(FAULTS).filter((one) => ids.includes(one.mutant.id))) {
    const one = await runWith(mutant.id, number, { kernel, out });
    const fault = judge(mutant.id, one);
    fine &&= fault === undefined;
    console.log(`${mutant.id.padEnd(44)} ${fault ?? one.told[0]!.title}; ${one.seconds} s`);
    if (values.record !== true) continue;
    recorded.set(mutant.id, one);
    const all = Object.fromEntries([...recorded].sort(([a], [b]) => (a < b ? -1 : 1)));
    writeFileSync(join(HERE, 'recorded.json'), `${JSON.stringify(all, null, 2)}\n`);
  }
  return fine ? 0 : 1;
}

process.exitCode = await main();
