/** Versions of everything that had a part in a run. */
import { readFileSync } from 'node:fs';
import { toolVersion } from '../../vm/host/tools.ts';

/** Name -> version. */
export function toolVersions(): Record<string, string> {
  const own = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  return {
    ringfence: own.version,
    node: process.version,
    qemu: toolVersion('qemu-system-x86_64'),
    gcc: toolVersion('gcc'),
  };
}
