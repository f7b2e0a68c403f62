/** Scenarios in numbered chunks, for runs that are repeated by seed. */
import type { AbiProfile } from '../oracle/uapi/abi.ts';
import type { Scenario } from '../oracle/steps/index.ts';
import { Draw, mix32 } from './draw.ts';
import { drawScenario, SUITE_NAMES } from './suites.ts';
import type { SuiteName } from './suites.ts';

export { SUITE_NAMES };
export type { SuiteName };

/** Scenarios per chunk. */
export const CHUNK = 64;

function hash(text: string): number {
  return mix32(...Array.from(text, (c) => c.charCodeAt(0)));
}

/** The n-th scenario of a suite under a seed (any integer); depends on nothing else but the ABI. */
export function scenarioAt(suite: SuiteName, abi: AbiProfile, seed: number, n: number): Scenario {
  const low = seed >>> 0;
  const high = Math.floor(seed / 0x1_0000_0000) >>> 0;
  return drawScenario(suite, abi, new Draw(mix32(low, high), hash(suite), n, mix32(n, low)), {
    n,
    seed: low,
  });
}

/** Chunk `chunk` (0, 1, ...): 64 scenarios that depend on suite, ABI, seed and chunk alone. */
export function drawScenarios(suite: SuiteName, abi: AbiProfile, seed: number, chunk: number): Scenario[] {
  if (!SUITE_NAMES.includes(suite)) throw new RangeError(`no such suite: ${suite}`);
  return Array.from({ length: CHUNK }, (_, i) => scenarioAt(suite, abi, seed, chunk * CHUNK + i));
}
