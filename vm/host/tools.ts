/** Which programs this machine has. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runSync } from './processes.ts';

/** Full path of a program on `PATH`; undefined when it is not there. */
export function which(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  for (const dir of (env['PATH'] ?? '').split(delimiter)) {
    if (dir === '') continue;
    const path = join(dir, name);
    try {
      accessSync(path, constants.X_OK);
      if (statSync(path).isFile()) return path;
    } catch {
      // not in this directory
    }
  }
  return undefined;
}

/** First line of a program's `--version`; `missing` when it cannot be run. */
export function toolVersion(name: string): string {
  const path = which(name);
  if (path === undefined) return 'missing';
  const { ok, stdout } = runSync([path, '--version'], { timeoutMs: 20_000 });
  return ok ? stdout.split('\n')[0]?.trim() || 'unknown' : 'missing';
}
