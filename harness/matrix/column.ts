/** One kernel of a matrix while the matrix is made. */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import type { FindingState, KernelState } from '../../reports/data/matrix.ts';
import type { RunResult } from '../../reports/data/result.ts';
import type { Kernel, RingfenceError } from '../../vm/index.ts';
import type { Finding } from '../known/findings.ts';
import type { Model } from './causes.ts';
import type { KernelSpec } from './spec.ts';

/** What is known of it so far. */
export interface Column {
  readonly spec: KernelSpec;
  /** Heading and directory. */
  readonly name: string;
  /** As far as is known: what the guest says, else what its file says, else what was asked for. */
  release: string;
  kernel?: Kernel;
  /** It checks itself, and gets more time. */
  slow?: boolean;
  /** `not-run` until something is known. */
  state: KernelState;
  reason?: string;
  /** More than one line of it, such as the end of the console. */
  detail?: string;
  /** Set when it failed for what may be the machine's fault. */
  setup?: RingfenceError;
  abi?: AbiProfile;
  /** What each finding's smallest scenario answered, by id. */
  readonly findings: Map<string, FindingState>;
  /** Findings of the kernel's model. */
  active: readonly Finding[];
  result?: RunResult;
  /** Digest of the answers by number of the scenario. */
  readonly answers: Map<number, string>;
  /** Seconds. */
  wall_s: number;
}

/** A column of which nothing is known yet. */
export function emptyColumn(spec: KernelSpec, name: string, release: string): Column {
  return { spec, name, release, state: 'not-run', findings: new Map(), active: [], answers: new Map(), wall_s: 0 };
}

/** The model of a kernel that was surveyed. */
export function modelOf({ name, abi, active, result }: Column): Model | undefined {
  if (abi === undefined) return undefined;
  // Those that stand for a built-in finding are in its model.
  const expected = (result?.expectations ?? [])
    .filter(({ finding, state }) => finding === undefined && state === 'met')
    .map(({ id, rule }) => ({ id, rule }));
  return { name, abi, findings: active, expected };
}
