/** Running other programs. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { $ } from 'zx';

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

/** What became of a program. */
export interface ToolResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program. */
export interface RunOptions {
  readonly cwd?: string;
  /** Milliseconds after which it is killed. Default 10 minutes. */
  readonly timeoutMs?: number;
  /** Called with each line of its output as it appears. */
  readonly onLine?: (line: string) => void;
}

/** Runs a program to its end with messages in English. Never throws: a program that cannot be started is a failed one. */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<ToolResult> {
  const child = $({
    quiet: true,
    nothrow: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd ?? '/',
    env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
  })`${argv}`.timeout(options.timeoutMs ?? 600_000, 'SIGKILL');
  if (options.onLine) {
    let rest = '';
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = (rest + chunk.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) options.onLine?.(line);
    });
  }
  const result = await child;
  return { ok: result.exitCode === 0, stdout: result.stdout, stderr: result.stderr };
}

/** First line of a program's `--version`; `missing` when it cannot be run. */
export function toolVersion(name: string): string {
  const path = which(name);
  if (path === undefined) return 'missing';
  try {
    const text = execFileSync(path, ['--version'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: 20_000,
      env: { ...process.env, LC_ALL: 'C' },
    });
    return text.split('\n')[0]?.trim() || 'unknown';
  } catch {
    return 'missing';
  }
}
