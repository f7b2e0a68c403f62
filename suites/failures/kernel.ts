/** The kernel with all faults of `faults.json` in it, and with all that a kernel can say of itself switched on. */
import { fileURLToPath } from 'node:url';
import { readMutants } from '../../vm/build/mutant-file.ts';
import { buildMutants } from '../../vm/build/mutant-kernel.ts';
import type { MutantKernel } from '../../vm/build/mutant-kernel.ts';

/** Options that make a kernel tell of its faults: what distributions have on, and what checks locks and slabs. */
const OPTIONS: readonly string[] = [
  'DEBUG_KERNEL',
  'MAGIC_SYSRQ',
  'STACKTRACE',
  'SOFTLOCKUP_DETECTOR',
  'DETECT_HUNG_TASK',
  'SLUB_DEBUG',
  'DEBUG_LIST',
  'PROVE_LOCKING',
  'DEBUG_ATOMIC_SLEEP',
  'FRAME_WARN=4096',
];

/** All faults, in the form of suites/mutants. */
export const FAULTS = readMutants([fileURLToPath(new URL('faults.json', import.meta.url))]);

/** Builds it. @throws SetupError, KernelError as buildMutants does */
export async function faultyKernel(
  dir: string,
  logFile: string,
  log: (line: string) => void = (line) => console.error(line),
): Promise<MutantKernel> {
  return await buildMutants(
    { tree: { dir }, mutants: FAULTS, keepGoing: false, name: 'failures', options: OPTIONS },
    { log, logFile },
  );
}
