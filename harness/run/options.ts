/** What a run is told, and whom it tells. */
import { cpus } from 'node:os';
import type { SuiteName } from '../../generators/suites.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { Progress } from '../../reports/data/progress.ts';
import type { RunResult, Shard } from '../../reports/data/result.ts';
import type { TreeOptions } from '../../vm/build/index.ts';
import type { Kernel } from '../../vm/index.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import type { Machine } from '../../vm/machine/index.ts';
import type { Session } from '../guests/session.ts';
import type { PolicyOptions } from '../known/policy.ts';
import type { PlannedCase } from './plan.ts';

/** The kernel and the machine. */
export interface KernelOptions {
  /** What the guests are; undefined: this host's own machine. */
  readonly machine?: Machine;
  /** Path of a bzImage or vmlinux; undefined: the pinned kernel. */
  readonly kernel?: string;
  /** Release of a fetchable kernel; undefined: the default. */
  readonly release?: string;
  /** A source tree that the kernel is taken from, or built from, instead; `logFile` gets the output of make. */
  readonly tree?: TreeOptions & { readonly logFile: string };
  /** The kernel checks itself: it gets more time and memory. A tree says so itself. */
  readonly slow?: boolean;
  /** Extra kernel command line; empty for none. */
  readonly append: string;
  readonly accel: 'auto' | 'kvm' | 'tcg';
  /** Seconds a guest may take to boot, or be silent while it has work. */
  readonly timeout: number;
}

/** All of a run. */
export interface RunOptions extends KernelOptions, PolicyOptions {
  readonly suites: readonly SuiteName[];
  /** Scenarios in all; Infinity: until interrupted. */
  readonly cases: number;
  readonly seed: number;
  /** Guests side by side. */
  readonly jobs: number;
  /** Command line that repeats the run. */
  readonly command: string;
  /** Scenarios to run instead of generated ones (replay). */
  readonly scenarios?: readonly Scenario[];
  /** Draws the cases instead of planCases (a matrix gives all kernels the same). */
  readonly draw?: () => Iterator<PlannedCase>;
  /** Runs one of several equal parts; not with `scenarios`. */
  readonly shard?: Shard;
  /** At most so many distinct differences are shrunk. */
  readonly investigate: number;
  /** Seconds that shrinking one case may take. */
  readonly shrinkSeconds: number;
}

/** What happens on the way. */
export interface RunEvents {
  /** What the run is about to do; shown before the first progress line. */
  note(text: string): void;
  progress(progress: Progress): void;
  /** Called whenever there is something worth keeping on disk. */
  checkpoint(result: RunResult): void;
  /** File for the console of the n-th guest, or undefined. */
  consoleFile(boot: number): string | undefined;
  /** Called at the end with the text of cases.txt (ledger.ts); not called for more cases than fit in memory. */
  cases?(text: string): void;
  /** Called when the first guest is up. */
  up?(what: { readonly kernel: Kernel; readonly slow: boolean }): void;
  /** Called with each guest before it gets work. */
  opened?(session: Session): Promise<void>;
  /** Called when all that is asked before the cases has been answered, with the guest that answered. */
  asked?(session: Session): Promise<void>;
  /** Called once there is a state that can be kept: gives it as it is at that moment. */
  ready?(snapshot: () => RunResult): void;
  /** Called with every answer, before it is judged. */
  answered?(planned: PlannedCase, answer: RunnerResult): void;
}

/** Guests side by side when nothing is said: one per processor. */
export function defaultJobs(): number {
  return Math.max(1, cpus().length);
}
