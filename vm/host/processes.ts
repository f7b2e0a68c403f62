/**
 * Other programs, all started here, through zx: in English, with a limit of time, and so that none outlives us that
 * should not. A program that cannot be started is one that failed: nothing here throws.
 */
import { spawnSync } from 'node:child_process';
import type { SpawnSyncReturns, StdioOptions } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { ProcessOutput } from 'zx';
import { $ } from 'zx';

/** What became of a program. */
export interface ToolResult {
  readonly ok: boolean;
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run a program to its end. */
export interface ProgramOptions {
  /** Working directory. Default `/`. */
  readonly cwd?: string;
  /** Milliseconds after which it is killed; 0: never. Default 10 minutes. */
  readonly timeoutMs?: number;
  /** Environment variables beside the inherited ones. */
  readonly env?: Readonly<Record<string, string>>;
  /** Its output goes where ours goes, and the result has none. */
  readonly show?: boolean;
}

/** How to start a program that is talked to, or watched, while it runs. */
export interface StartOptions {
  /** The whole environment. */
  readonly env: NodeJS.ProcessEnv;
  /** What stands at its descriptors. */
  readonly stdio: StdioOptions;
}

/** How a program ended. */
export interface Ended {
  /** Exit code; null when a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when it could not be started. */
  readonly error?: Error;
}

/** A program that runs. It leads a process group of its own, which dies with us. */
export interface Started {
  /** Undefined when it could not be started. */
  readonly pid: number | undefined;
  /** Our ends of its descriptors; null where there is none. */
  readonly stdio: readonly (Readable | Writable | null | undefined)[];
  /** Resolves after the last byte of all its descriptors. Never rejects. */
  readonly ended: Promise<Ended>;
  /** Kills the whole group at once. May be called again. */
  kill(): void;
}

const DEFAULT_TIMEOUT_MS = 600_000;
const MAX_OUTPUT = 1 << 28;
const ENGLISH = { LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };

/** zx starts a shell; the program takes its place, so that its number and its signals are the program's. */
const PLAIN = { quiet: true, nothrow: true, prefix: 'exec ' } as const;

function resultOf({ exitCode, signal, stdout, stderr }: ProcessOutput): ToolResult {
  return { ok: exitCode === 0, code: signal === null ? exitCode : null, stdout, stderr };
}

/** Runs a program to its end, with messages in English. */
export async function run(argv: readonly string[], options: ProgramOptions = {}): Promise<ToolResult> {
  const result = await $({
    ...PLAIN,
    stdio: options.show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd ?? '/',
    env: { ...process.env, ...ENGLISH, ...options.env },
  })`${argv}`.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 'SIGKILL');
  return resultOf(result);
}

/** As `run`, while everything waits. For quick programs only. */
export function runSync(argv: readonly string[], options: ProgramOptions = {}): ToolResult {
  const limits = { timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT };
  const result = $({
    ...PLAIN,
    sync: true,
    stdio: options.show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    cwd: options.cwd ?? '/',
    env: { ...process.env, ...ENGLISH, ...options.env },
    // zx's own limit is a timer, which cannot fire meanwhile.
    spawnSync: ((program: string, args: readonly string[], given: object): SpawnSyncReturns<Buffer> =>
      spawnSync(program, args, { ...given, ...limits } as object) as SpawnSyncReturns<Buffer>) as typeof spawnSync,
  })`${argv}`;
  return resultOf(result);
}

/** zx would keep all output, and a guest talks for hours. */
function forget(): never[] {
  const nothing: never[] = [];
  nothing.push = () => 0;
  return nothing;
}

/**
 * Starts a program in a process group of its own, in the directory `/`: Ctrl-C in the terminal reaches us, and we
 * decide what becomes of it.
 */
export function start(argv: readonly string[], options: StartOptions): Started {
  const running = $({
    ...PLAIN,
    detached: true,
    cwd: '/',
    env: options.env,
    stdio: options.stdio,
    store: { stdout: forget(), stderr: forget(), stdall: forget() },
  })`${argv}`;
  const { pid } = running;
  if (pid !== undefined) registerGroup(pid);
  let over = false;
  const end = async (): Promise<Ended> => {
    const { exitCode, signal, cause } = await running;
    over = true;
    if (pid !== undefined) {
      groups.delete(pid);
      return { code: signal === null ? exitCode : null, signal };
    }
    return { code: null, signal: null, error: cause instanceof Error ? cause : new Error('no process was made') };
  };
  return {
    pid,
    stdio: running.child?.stdio ?? [],
    ended: end(),
    kill: () => {
      // Once it has ended its number may be someone else's.
      if (pid !== undefined && !over) killGroup(pid);
    },
  };
}

const groups = new Set<number>();
let hooked = false;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** A group that is gone is no error. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // already gone
  }
}

/** Kills every program that `start` started, and all that it started in turn. */
export function killAll(): void {
  for (const pid of groups) killGroup(pid);
  groups.clear();
}

function registerGroup(pid: number): void {
  hook();
  groups.add(pid);
}

function hook(): void {
  if (hooked) return;
  hooked = true;
  process.on('exit', killAll);
  for (const signal of SIGNALS) {
    const handler = (): void => {
      // Whoever else listens is in charge of ending the process; the exit hook then does the rest.
      if (process.listenerCount(signal) > 1) return;
      killAll();
      process.off(signal, handler);
      process.kill(process.pid, signal);
    };
    process.on(signal, handler);
  }
}
