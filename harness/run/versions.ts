/** Versions of everything that had a part in a run. */
import { readFileSync } from 'node:fs';
import { toolVersion } from '../../vm/host/tools.ts';
import type { Machine } from '../../vm/machine/index.ts';
import { compilerOf } from '../../vm/machine/index.ts';

/** Name -> version; QEMU and compiler are those of the guests' machine. */
export function toolVersions(machine: Machine): Record<string, string> {
  const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return {
    ringfence: own.version,
    node: process.version,
    qemu: toolVersion(machine.qemu),
    gcc: toolVersion(compilerOf(machine).cc),
  };
}
