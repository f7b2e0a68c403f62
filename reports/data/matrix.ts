/**
 * A matrix of kernels as plain data: what `matrix.json` holds, and what its table and page are made from.
 * Wherever a row has `cells` or `values`, they stand in the order of `kernels`: oldest release first.
 */
import type { Verdict } from './result.ts';

export const MATRIX_VERSION = 1;

/**
 * What became of one kernel. The first four as in a run's verdict; `unsupported`: it lacks the feature, which is no failure;
 * `unavailable`: it could not be had (not at the mirror, no network); `not-run`: the matrix ended before its turn.
 */
export type KernelState = Verdict | 'unsupported' | 'unavailable' | 'not-run';

/** One column. */
export interface MatrixKernel {
  /** Heading of the column, unique; also its directory below the output directory. */
  readonly name: string;
  /** What the user typed: a release or a path. */
  readonly requested: string;
  /** uname -r of the guest; what the file says where it did not boot; empty where nothing is known. */
  readonly release: string;
  /** "pinned", "file" or "tree". */
  readonly source: string;
  /** SHA-256 of the image that was booted, hex; empty where there was none. */
  readonly sha256: string;
  readonly state: KernelState;
  /** Why, in one sentence; absent when conformant. */
  readonly reason?: string;
  /** Something worth telling of the kernel itself. */
  readonly note?: string;
  readonly scenarios: number;
  readonly outcomes: number;
  /** Scenarios that answered exactly as known findings predict. */
  readonly known: number;
  /** Distinct divergences, crashes and hangs (entries of its result.json). */
  readonly divergences: number;
  readonly crashes: number;
  readonly hangs: number;
  readonly unconfirmed: number;
  /** Path of its result.json below the output directory; absent where it has none. */
  readonly result?: string;
  /** Seconds its scenarios took, boot included. */
  readonly wall_s: number;
}

/** One member of the ABI profile, as probed. */
export interface AbiRow {
  /** Member of AbiProfile, such as `op_last`; `pdu_size.CONNECT` for one opcode. */
  readonly field: string;
  /** As people read it; null where the kernel was not probed. */
  readonly values: readonly (string | null)[];
  /** Whether two probed kernels differ. */
  readonly differs: boolean;
  /** Where it changes: "40 on 7.0.4..7.1.13, 56 from 7.2.6"; empty when it does not. */
  readonly story: string;
}

export interface SuiteCell {
  readonly scenarios: number;
  readonly outcomes: number;
  readonly known: number;
  readonly divergence: number;
  readonly other: number;
}

export interface SuiteRow {
  readonly suite: string;
  readonly cells: readonly (SuiteCell | null)[];
}

/** `kept`: reached and kept; `known`: broken in the way of a known finding; `broken`: a divergence; `unreached`: no scenario came to it. */
export type RuleState = 'kept' | 'known' | 'broken' | 'unreached';

export interface RuleCell {
  readonly state: RuleState;
  readonly hits: number;
}

export interface RuleRow {
  readonly rule: string;
  readonly statement: string;
  readonly source: string;
  readonly cells: readonly (RuleCell | null)[];
  /** Where it begins, ends or changes: "known finding on 7.0.4..7.1.7, gone from 7.1.8"; empty for a rule that is kept wherever it was reached. */
  readonly story: string;
}

/**
 * What the smallest scenario of a finding answered: `shown`: exactly as the finding's model says; `absent`: as the rules say;
 * `other`: neither.
 */
export type FindingState = 'shown' | 'absent' | 'other';

export interface FindingCell {
  readonly state: FindingState;
  /** Whether the finding's own list of kernels says the same. */
  readonly expected: boolean;
  /** Scenarios of the run that showed it. */
  readonly scenarios: number;
}

export interface FindingRow {
  readonly id: string;
  readonly rule: string;
  readonly title: string;
  readonly cells: readonly (FindingCell | null)[];
  /** "on 7.0.4..7.1.7, gone from 7.1.8". */
  readonly story: string;
}

/** Why two kernels answer one scenario differently. */
export type Cause =
  /** A known finding that only one of them has. */
  | { readonly kind: 'finding'; readonly id: string; readonly rule: string; readonly shown_on: 'from' | 'to' }
  /** An entry of --expect that is no built-in finding: one of them breaks its rule, as expected. */
  | { readonly kind: 'expected'; readonly id: string; readonly rule: string; readonly shown_on: 'from' | 'to' }
  /** A member of the ABI profile that differs. */
  | { readonly kind: 'abi'; readonly field: string; readonly from: string; readonly to: string }
  /** The rules leave the answer open, and allow both. */
  | { readonly kind: 'open'; readonly rule: string }
  /** One of them, or both, answers as no model predicts. */
  | { readonly kind: 'unexplained'; readonly detail: string };

/** Scenarios that two neighbouring kernels answer differently, for the same causes. */
export interface Change {
  /** Names of the two kernels, the older one first. */
  readonly from: string;
  readonly to: string;
  /** All causes that are needed; never empty. */
  readonly causes: readonly Cause[];
  readonly scenarios: number;
  /** Scenarios by suite. */
  readonly suites: Readonly<Record<string, number>>;
  /** The smallest of these scenarios. */
  readonly example: {
    readonly index: number;
    readonly suite: string;
    /** JSON form (oracle/scenario/json.ts). */
    readonly scenario: unknown;
    /** Step at which the cause shows, from 0, and what the two kernels answered there. */
    readonly step: number;
    readonly answer_from: string;
    readonly answer_to: string;
    /** Case file below the output directory. */
    readonly file: string;
  };
}

/** Two neighbouring kernels against each other, without the oracle; unit: scenarios. */
export interface Pair {
  readonly from: string;
  readonly to: string;
  /** Answered to the end by both. */
  readonly shared: number;
  /** Of these: the same answers. */
  readonly same: number;
  /** Different at first, and not apart when both were asked again, or left open by the rules and different from one time to the next on one kernel. */
  readonly varying: number;
  /** Different each time, every cause known. */
  readonly explained: number;
  /** Different each time, for no known cause. */
  readonly unexplained: number;
  /** Different at first, and not asked again to the end: interrupted, or the kernel could not be booted again. */
  readonly unexamined: number;
}

export interface Comparison {
  readonly pairs: readonly Pair[];
  /** By pair, the most frequent first; unexplained ones first of all. */
  readonly changes: readonly Change[];
}

export interface MatrixResult {
  readonly version: typeof MATRIX_VERSION;
  /**
   * divergent: a kernel diverges, crashes or hangs, or two differ for no known cause; untestable: a kernel could not be had or
   * tested, or none has the feature; interrupted: stopped early, nothing bad so far.
   */
  readonly verdict: Verdict;
  /** Why, in one sentence; absent when conformant. */
  readonly reason?: string;
  readonly seed: number;
  /** Scenarios given to each kernel. */
  readonly cases: number;
  readonly suite_names: readonly string[];
  /** Extra kernel command line; empty for none. */
  readonly append: string;
  /** Command line that repeats it. */
  readonly command: string;
  readonly kernels: readonly MatrixKernel[];
  readonly abi: readonly AbiRow[];
  readonly suites: readonly SuiteRow[];
  readonly rules: readonly RuleRow[];
  readonly findings: readonly FindingRow[];
  readonly comparison: Comparison;
  readonly versions: Readonly<Record<string, string>>;
  readonly times: { readonly started: string; readonly wall_s: number };
}
