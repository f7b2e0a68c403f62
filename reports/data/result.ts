/**
 * The result of a run as plain data: what `result.json` holds and every report is made from.
 * 64-bit numbers are decimal or 0x strings; times are the only fields that differ between two runs with one seed.
 */

import type { Story } from '../../oracle/explain/story-data.ts';

export const RESULT_VERSION = 1;

/** Worst first. */
export type Verdict = 'divergent' | 'untestable' | 'interrupted' | 'conformant';

/** Scenario verdicts. */
export type ScenarioVerdict =
  | 'pass'
  | 'known'
  | 'divergence'
  | 'kernel-crash'
  | 'hang'
  | 'runner-error'
  | 'unsupported';

export interface RunResult {
  readonly version: typeof RESULT_VERSION;
  readonly verdict: Verdict;
  /** Why, in one sentence, when the verdict is not 'conformant'. */
  readonly reason?: string;
  readonly seed: number;
  /** Command line that repeats the run. */
  readonly command: string;
  readonly kernel: {
    readonly release: string;
    readonly machine: string;
    /** 'pinned', 'file' or 'tree'. */
    readonly source: string;
    readonly sha256: string;
    readonly append: string;
    /** Set when another kernel than the one asked for was used, or something of it should be told. */
    readonly note?: string;
    /** Where a kernel out of a source tree came from. */
    readonly origin?: Origin;
  };
  /** The probed ABI profile (oracle/uapi/abi.ts), as data. */
  readonly abi: Readonly<Record<string, unknown>>;
  readonly accel: { readonly name: 'kvm' | 'tcg'; readonly reason: string };
  readonly jobs: number;
  readonly versions: Readonly<Record<string, string>>;
  /** What was asked for, in all shards together. */
  readonly plan: Plan;
  /** The part that this is; absent for a whole run and for merged results. */
  readonly shard?: Shard;
  /** Where known differences come from; absent when neither --expect nor --strict was given. */
  readonly policy?: Policy;
  /**
   * Over every case: its number, suite, bytes, and what it answered, up to what the rules leave open. Does not depend on
   * the order of the cases; the digests of shards add up (modulo 2^256) to that of the whole run.
   */
  readonly digest: string;
  /** Scenarios executed and judged. */
  readonly scenarios: number;
  /** Kernel answers compared: return values, CQEs, write-backs. */
  readonly outcomes: number;
  readonly suites: Readonly<Record<string, SuiteCount>>;
  /** Rule id -> hits. Rules with 0 hits are listed too. */
  readonly rules: Readonly<Record<string, number>>;
  readonly divergences: readonly Divergence[];
  readonly crashes: readonly Crash[];
  readonly hangs: readonly Hang[];
  readonly runner_errors: readonly RunnerError[];
  /** Cases that failed in a batch and passed each time they were run alone. They do not fail the verdict. */
  readonly unconfirmed: readonly Unconfirmed[];
  readonly known: readonly KnownCount[];
  /** Findings that the data says should show on this release, and did not. */
  readonly missing_findings: readonly { readonly id: string; readonly reason: string }[];
  /** What became of each expectation of --expect. */
  readonly expectations: readonly ExpectationResult[];
  readonly times: Times;
}

/** The source tree of a kernel, and what was done to it. */
export interface Origin {
  /** Directory that --linux named. */
  readonly tree: string;
  /** True when ringfence built it; false when it was built there. */
  readonly built: boolean;
  /** What the tree's Makefile calls itself. */
  readonly version?: string;
  readonly commit?: string;
  /** `git describe` of the tree. */
  readonly describe?: string;
  readonly patches: readonly { readonly name: string; readonly sha256: string }[];
  readonly config_sha256?: string;
  /** True for a kernel with KASAN, lockdep or the like. */
  readonly debug: boolean;
}

/** One of `count` equal parts of a run; 1 is the first. */
export interface Shard {
  readonly index: number;
  readonly count: number;
}

export interface Plan {
  /** drawn: from the seed; files: cases that were given. */
  readonly source: 'drawn' | 'files';
  /** Suites in the order in which they are drawn. */
  readonly suites: readonly string[];
  /** Scenarios in all; 0: without end. */
  readonly cases: number;
}

export interface Policy {
  /** An expectation that is expired, gone or unreached fails the run. */
  readonly strict: boolean;
  /** Expectation files; empty: the built-in findings. */
  readonly files: readonly { readonly file: string; readonly sha256: string }[];
}

/**
 * met: it showed, in its own smallest case and in cases of the run; unreached: in its own case only; gone: its own case answers as the
 * rules say; changed: its own case answers in a third way; out of range: not for this kernel.
 */
export type ExpectationState = 'met' | 'unreached' | 'gone' | 'changed' | 'out of range';

export interface ExpectationResult {
  readonly id: string;
  readonly rule: string;
  /** Built-in finding that says what is expected; absent: the entry's own case does. */
  readonly finding?: string;
  readonly kernels: string;
  readonly reason: string;
  readonly link: string;
  /** Last day on which it is valid, UTC. */
  readonly expires: string;
  readonly expired: boolean;
  readonly file: string;
  readonly state: ExpectationState;
  /** Scenarios of the run that it explains. */
  readonly scenarios: number;
  /** For people: what is wrong with it, and what to do; empty when nothing is. */
  readonly problem: string;
}

export interface SuiteCount {
  readonly scenarios: number;
  readonly outcomes: number;
  readonly pass: number;
  readonly known: number;
  readonly divergence: number;
  readonly other: number;
}

export interface Divergence {
  readonly rule: string;
  readonly suite: string;
  /** Index of the scenario in the run. */
  readonly index: number;
  /** Smallest scenario, JSON form (oracle/scenario/json.ts). */
  readonly scenario: unknown;
  /** Step of the smallest scenario at which it differs. */
  readonly step: number;
  readonly what: string;
  readonly predicted: string;
  readonly observed: string;
  /** Statement and citation of the rule. */
  readonly statement: string;
  readonly source: string;
  /** "3/3": how often it showed when repeated alone on a fresh guest. */
  readonly reproduced: string;
  /** Scenarios of this run that differ in the same way (same rule and shape). */
  readonly count: number;
  /** What these scenarios have in common, as drawn: the same in all shards of a run. 16 hex digits. */
  readonly group: string;
  /** Full text for people: task tree, programs, predicted against observed. */
  readonly text: string;
  /** The same as data, for pictures. */
  readonly story?: Story;
}

export interface Crash {
  readonly suite: string;
  readonly index: number;
  readonly kind: string;
  readonly title: string;
  readonly console: string;
  readonly scenario: unknown;
  readonly reproduced: string;
  readonly story?: Story;
}

export interface Hang {
  readonly suite: string;
  readonly index: number;
  readonly scenario: unknown;
  readonly reproduced: string;
  readonly detail: string;
  readonly story?: Story;
}

export interface RunnerError {
  readonly index: number;
  readonly detail: string;
}

export interface Unconfirmed {
  readonly suite: string;
  readonly index: number;
  /** What it looked like in the batch. */
  readonly verdict: ScenarioVerdict;
  /** The rule that seemed broken, for a divergence. */
  readonly rule?: string;
  readonly detail: string;
  readonly scenario: unknown;
  /** "0/10". */
  readonly reproduced: string;
}

export interface KnownCount {
  readonly id: string;
  readonly rule: string;
  readonly title: string;
  /** Scenarios whose answers are exactly those of the finding's model. */
  readonly scenarios: number;
}

export interface Times {
  readonly started: string;
  readonly wall_s: number;
  readonly boot_s: number;
  readonly first_result_s: number;
  readonly outcomes_per_s: number;
  /** Share of wall time in which the guests executed scenarios, 0..1. */
  readonly guest_busy: number;
  /** Seconds the oracle took in all. */
  readonly oracle_s: number;
  readonly reboots: number;
}

/** One line of live progress. */
export interface Progress {
  readonly elapsed_s: number;
  readonly scenarios: number;
  readonly total: number;
  readonly outcomes: number;
  readonly outcomes_per_s: number;
  readonly known: number;
  readonly divergences: number;
  readonly crashes: number;
  readonly hangs: number;
  readonly suite: string;
}
