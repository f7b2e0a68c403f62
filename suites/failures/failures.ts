/**
 * Proves on a real kernel that every way to fail is a verdict: builds one kernel with all faults of faults.json, runs
 * some cases with each of them, and looks for exit code 1, the right verdict, and the kernel's own words. Not part of
 * `npm test`: it builds a kernel. With --record it keeps what the guests said in recorded.json.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { runExit } from '../../harness/output/exit.ts';
import { run } from '../../harness/run/run.ts';
import { chooseMutant } from '../../vm/build/mutant-kernel.ts';
import { numbered } from '../../vm/build/mutants.ts';
import { RingfenceError } from '../../vm/index.ts';
import { FAULTS, faultyKernel } from './kernel.ts';
import { judge, readRecorded, toldOf, TOLD } from './told.ts';
import type { Recorded } from './told.ts';

const RECORDED = fileURLToPath(new URL('recorded.json', import.meta.url));
/** Cases that each fault gets: it shows in the first ones, or when the guest is switched off. */
const CASES = 200;
/** Seconds that one may be shrunk: here the smallest case matters less than the words. */
const SHRINK_SECONDS = 5;
/** Seconds that a guest may take to boot. */
const TIMEOUT = 60;

/** Runs the kernel with one fault. */
async function runWith(id: string, number: number, kernel: string, out: string): Promise<Recorded> {
  const append = [chooseMutant(number), TOLD[id]!.append ?? ''].join(' ').trim();
  const started = performance.now();
  const since = (): number => Math.round((performance.now() - started) / 1000);
  let firstTold: number | undefined;
  const events = {
    note: (text: string) => {
      if (/kernel-crash|hang/.test(text)) firstTold ??= since();
    },
    progress: () => {},
    checkpoint: () => {},
    consoleFile: (n: number) => join(out, `${id}-${n}.txt`),
  };
  const options = {
    ...{ suites: SUITE_NAMES, cases: CASES, seed: 1, jobs: 1, command: '', append, kernel },
    ...{ investigate: 1, shrinkSeconds: SHRINK_SECONDS, timeout: TIMEOUT, accel: 'auto' as const },
  };
  try {
    const result = await run(options, events, new AbortController().signal);
    return { code: runExit(result, false), firstTold: firstTold ?? null, seconds: since(), ...toldOf(result) };
  } catch (error) {
    if (!(error instanceof RingfenceError)) throw error;
    const [reason = ''] = error.message.split('\n');
    return { code: error.exitCode, firstTold: null, seconds: since(), reason, told: [] };
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
  let fine = true;
  for (const { mutant, number } of numbered(FAULTS).filter((one) => ids.includes(one.mutant.id))) {
    const one = await runWith(mutant.id, number, kernel, out);
    const fault = judge(mutant.id, one);
    fine &&= fault === undefined;
    const told = fault ?? `${one.told[0]!.title} (${one.told[0]!.reproduced}), told after ${one.firstTold} s`;
    console.log(`${mutant.id.padEnd(44)} ${told}; ${one.seconds} s`);
    if (values.record !== true) continue;
    const all = Object.entries({ ...readRecorded(), [mutant.id]: one }).sort(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(RECORDED, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
  }
  return fine ? 0 : 1;
}

process.exitCode = await main();
