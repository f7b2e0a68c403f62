/** Turns tallies and investigations into the result that reports are made from. */
import { unreachableRules } from '../../oracle/registry.ts';
import type { CaseTally } from './tally.ts';
import { RESULT_VERSION } from '../../reports/data/result.ts';
import type { JitResult, RunResult, Times } from '../../reports/data/result.ts';
import type { AccelChoice } from '../../vm/guest/accel.ts';
import type { Kernel } from '../../vm/index.ts';
import type { Finding } from '../known/findings.ts';
import type { Guests } from '../guests/guests.ts';
import { settledLine } from './ledger.ts';
import type { LedgerLine } from './ledger.ts';
import type { RunOptions } from './options.ts';
import { allFine, troublesOf } from './troubles.ts';
import type { TroubleParts } from './troubles.ts';
import { outdatedCount, untestableReason, verdictOfRun } from './verdict.ts';

/** Everything that a result is made of. */
export interface ResultParts extends TroubleParts {
  readonly options: RunOptions;
  readonly missing: readonly Finding[];
  readonly kernel: Kernel;
  readonly accel: AccelChoice;
  readonly guests: Pick<Guests, 'bootMs'>;
  /** How the kernel can be told to run programs; absent where it could not be asked. */
  readonly bpf?: Omit<JitResult, 'watched' | 'compiled'> | undefined;
  readonly startedAt: Date;
  /** The same moment, as performance.now() says. */
  readonly started: number;
  /** Stopped before its last case, or not at its end yet. */
  readonly interrupted: boolean;
  readonly versions: Readonly<Record<string, string>>;
}

/** Pure but for the clock. */
export function buildResult(parts: ResultParts): RunResult {
  const { tally, options, abi, policy } = parts;
  const { expected, suites, ...troubles } = troublesOf(parts);
  const complete = !parts.interrupted && tally.gaveUp === undefined;
  const expectations =
    policy?.results(
      tally.known,
      new Map([...expected].map(([id, { scenarios }]) => [id, scenarios])),
      complete && options.shard === undefined,
    ) ?? [];
  const missing = parts.missing.map(({ id }) => ({
    id,
    reason: `listed for ${abi.release}, but its smallest scenario answers as the rules say`,
  }));
  const data = policy?.data === undefined ? {} : { policy: policy.data };
  const { divergences, crashes, hangs, runner_errors } = troubles;
  return {
    version: RESULT_VERSION,
    ...verdictOfRun({
      counts: {
        divergences: divergences.length,
        crashes: crashes.length,
        hangs: hangs.length,
        runner_errors: runner_errors.length,
        outdated: outdatedCount({ ...data, expectations, missing_findings: missing }),
      },
      more: tally.gaveUp,
      interrupted: parts.interrupted ? 'interrupted: this is what was found so far' : undefined,
      untestable: untestableReason(tally.scenarios, runner_errors.length, tally.gaveUp),
    }),
    ...asked(parts),
    ...data,
    digest: tally.ledger.digest(corrections(parts)),
    scenarios: tally.scenarios,
    outcomes: tally.outcomes,
    ...(parts.bpf === undefined ? {} : { jit: { ...parts.bpf, watched: tally.watched, compiled: tally.compiled } }),
    suites,
    rules: hitsOf(parts),
    unreachable: unreachableRules(abi),
    ...(tally.open.size === 0 ? {} : { open: openOf(tally.open) }),
    ...troubles,
    known: [...tally.known.values(), ...expected.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
    missing_findings: missing,
    expectations,
    times: timesOf(parts),
  };
}

type Asked = 'seed' | 'command' | 'kernel' | 'abi' | 'accel' | 'jobs' | 'versions' | 'plan' | 'shard';

/** What was asked for, and of which kernel. */
function asked({ options, abi, kernel, accel, versions }: ResultParts): Pick<RunResult, Asked> {
  const { release, machine } = abi;
  const { source, sha256, note, origin } = kernel;
  return {
    seed: options.seed,
    command: options.command,
    kernel: {
      release,
      machine,
      source,
      sha256,
      append: options.append,
      ...(note === undefined ? {} : { note }),
      ...(origin === undefined ? {} : { origin }),
    },
    abi: { ...abi },
    accel: { name: accel.accel, reason: accel.reason },
    jobs: options.jobs,
    versions,
    plan: {
      source: options.scenarios === undefined ? 'drawn' : 'files',
      suites: options.suites,
      cases: options.scenarios?.length ?? (options.cases === Infinity ? 0 : options.cases),
    },
    ...(options.shard === undefined ? {} : { shard: options.shard }),
  };
}

function hitsOf({ rules, tally }: ResultParts): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.keys(rules)
      .sort()
      .map((id) => [id, tally.rules.get(id) ?? 0]),
  );
}

function openOf(open: CaseTally['open']): NonNullable<RunResult['open']> {
  const places: Record<string, number> = {};
  for (const { uses } of open.values()) for (const [id, times] of uses) places[id] = (places[id] ?? 0) + times;
  const suites = Object.fromEntries(
    [...open].map(([name, { requests, open: left, numbers }]) => [name, { requests, open: left, numbers }]),
  );
  return { suites: sorted(suites), places: sorted(places) };
}

function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function timesOf({ tally, options, guests, started, startedAt }: ResultParts): Times {
  const campaign = Math.max(1, tally.campaignMs);
  return {
    started: startedAt.toISOString(),
    wall_s: round((performance.now() - started) / 1000),
    boot_s: round(guests.bootMs / 1000),
    first_result_s: round((tally.firstResultMs ?? 0) / 1000),
    outcomes_per_s: Math.round(tally.outcomes / (campaign / 1000)),
    guest_busy: round(tally.execNs / 1e6 / (campaign * options.jobs)),
    oracle_s: round(tally.oracleMs / 1000),
    reboots: tally.reboots,
  };
}

/**
 * Cases that failed in a batch and passed each time alone, or showed known findings alone, stand in the ledger as
 * what they are alone.
 */
export function corrections({
  tally,
  investigated,
}: Pick<ResultParts, 'tally' | 'investigated'>): readonly LedgerLine[] {
  const alone = new Map(investigated.map((one) => [one.suspect, one]));
  return [...tally.suspects.values()]
    .filter((group) => allFine(group, alone))
    .flatMap(({ cases }) => cases)
    .filter(({ planned }) => tally.ledger.line(planned.index) !== undefined)
    .map((suspect) => {
      const verdict = alone.get(suspect)?.outcome.verdict === 'known' ? 'known' : 'pass';
      return settledLine(suspect.planned, suspect.predictions, verdict);
    });
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
