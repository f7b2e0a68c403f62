/** The results of a run's shards as the result of the run. Pure: plain data in, plain data out. */
import type {
  Crash,
  Divergence,
  ExpectationResult,
  ExpectationState,
  KnownCount,
  RunResult,
  SuiteCount,
  Times,
} from '../../reports/data/result.ts';
import { problemOf } from '../known/problem.ts';
import { addDigests } from './ledger.ts';
import { outdatedCount, verdictOfRun } from './verdict.ts';

/** @param results one at least, by shard; @param incomplete what keeps them from being the whole run */
export function join(results: readonly RunResult[], incomplete: string | undefined): RunResult {
  const [first] = results as [RunResult, ...RunResult[]];
  const sum = (of: (result: RunResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const { shard: _shard, reason: _reason, open: _open, ...whole } = first;
  const troubles = joinTroubles(results);
  const expectations = joinExpectations(results, incomplete === undefined);
  const missing = joinMissing(results);
  return {
    ...whole,
    ...verdictOfJoined(
      results,
      troubles,
      outdatedCount({ ...first, expectations, missing_findings: missing }),
      incomplete,
    ),
    command: first.command.replace(/ --shard[= ]\S+/, ''),
    accel: joinAccel(results),
    jobs: sum(({ jobs }) => jobs),
    versions: joinVersions(results),
    digest: addDigests(results.map(({ digest }) => digest)),
    scenarios: sum(({ scenarios }) => scenarios),
    outcomes: sum(({ outcomes }) => outcomes),
    ...joinJit(results),
    suites: joinSuites(results),
    rules: Object.fromEntries(Object.keys(first.rules).map((id) => [id, sum(({ rules }) => rules[id] ?? 0)])),
    ...joinOpen(results),
    ...troubles,
    known: joinKnown(results),
    missing_findings: missing,
    expectations,
    times: joinTimes(results),
  };
}

type Troubles = Pick<RunResult, 'divergences' | 'crashes' | 'hangs' | 'runner_errors' | 'unconfirmed'>;

function joinTroubles(results: readonly RunResult[]): Troubles {
  return {
    divergences: joinDivergences(results),
    crashes: joinCrashes(results),
    hangs: firstOf(
      results.flatMap((result) => result.hangs),
      ({ detail }) => detail,
    ),
    runner_errors: results.flatMap((result) => result.runner_errors).sort((a, b) => a.index - b.index),
    unconfirmed: results.flatMap((result) => result.unconfirmed).sort((a, b) => a.index - b.index),
  };
}

function verdictOfJoined(
  results: readonly RunResult[],
  { divergences, crashes, hangs, runner_errors }: Troubles,
  outdated: number,
  incomplete: string | undefined,
): Pick<RunResult, 'verdict' | 'reason'> {
  const gap = incomplete === undefined ? undefined : `incomplete: ${incomplete}`;
  return verdictOfRun({
    counts: {
      divergences: divergences.length,
      crashes: crashes.length,
      hangs: hangs.length,
      runner_errors: runner_errors.length,
      outdated,
    },
    more: gap,
    interrupted: gap,
    untestable: results.find(({ verdict }) => verdict === 'untestable')?.reason,
  });
}

function joinSuites(results: readonly RunResult[]): Readonly<Record<string, SuiteCount>> {
  const names = [...new Set(results.flatMap((result) => Object.keys(result.suites)))].sort();
  return Object.fromEntries(
    names.map((name): [string, SuiteCount] => {
      const of = (count: keyof SuiteCount): number =>
        results.reduce((total, result) => total + (result.suites[name]?.[count] ?? 0), 0);
      return [
        name,
        {
          scenarios: of('scenarios'),
          outcomes: of('outcomes'),
          pass: of('pass'),
          known: of('known'),
          divergence: of('divergence'),
          other: of('other'),
        },
      ];
    }),
  );
}

/** What one guest can, all can; of the counts the sum. Absent where a shard does not say. */
function joinJit(results: readonly RunResult[]): Pick<RunResult, 'jit'> {
  const all = results.map(({ jit }) => jit).filter((jit) => jit !== undefined);
  if (all.length < results.length) return {};
  const watched = all.reduce((sum, jit) => sum + jit.watched, 0);
  const compiled = all.reduce((sum, jit) => sum + jit.compiled, 0);
  return { jit: { ...all[0]!, watched, compiled } };
}

/** Absent where a shard is of a version that did not count them. */
function joinOpen(results: readonly RunResult[]): Pick<RunResult, 'open'> {
  const all = results.flatMap(({ open }) => (open === undefined ? [] : [open]));
  if (all.length < results.length) return {};
  const suites: Record<string, { requests: number; open: number; numbers: number }> = {};
  const places: Record<string, number> = {};
  for (const one of all) {
    for (const [name, { requests, open, numbers }] of Object.entries(one.suites)) {
      const sofar = suites[name] ?? { requests: 0, open: 0, numbers: 0 };
      suites[name] = { requests: sofar.requests + requests, open: sofar.open + open, numbers: sofar.numbers + numbers };
    }
    for (const [id, times] of Object.entries(one.places)) places[id] = (places[id] ?? 0) + times;
  }
  return { open: { suites: sorted(suites), places: sorted(places) } };
}

function sorted<T>(map: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function joinMissing(results: readonly RunResult[]): RunResult['missing_findings'] {
  const by = new Map(results.flatMap((result) => result.missing_findings).map((one) => [one.id, one]));
  return [...by.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function joinAccel(results: readonly RunResult[]): RunResult['accel'] {
  if (new Set(results.map(({ accel }) => accel.name)).size === 1) return results[0]!.accel;
  const names = results.map(({ shard, accel }) => `shard ${shard!.index}: ${accel.name}`);
  return { name: 'tcg', reason: names.join(', ') };
}

/** The first of each kind speaks for all; kinds in the order of their first case. */
function firstOf<T extends { readonly index: number }>(items: readonly T[], kind: (item: T) => string): T[] {
  const by = new Map<string, T>();
  for (const item of items) {
    const other = by.get(kind(item));
    if (other === undefined || item.index < other.index) by.set(kind(item), item);
  }
  return [...by.values()].sort((a, b) => a.index - b.index);
}

function joinDivergences(results: readonly RunResult[]): readonly Divergence[] {
  const all = results.flatMap((result) => result.divergences);
  const counts = new Map<string, number>();
  for (const { group, count } of all) counts.set(group, (counts.get(group) ?? 0) + count);
  return firstOf(all, ({ group }) => group).map((one) => ({ ...one, count: counts.get(one.group)! }));
}

function joinCrashes(results: readonly RunResult[]): readonly Crash[] {
  return firstOf(
    results.flatMap((result) => result.crashes),
    ({ kind, title }) => `${kind}: ${title}`,
  );
}

function joinKnown(results: readonly RunResult[]): readonly KnownCount[] {
  const by = new Map<string, KnownCount>();
  for (const one of results.flatMap((result) => result.known))
    by.set(one.id, { ...one, scenarios: one.scenarios + (by.get(one.id)?.scenarios ?? 0) });
  return [...by.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Worst first: what one shard saw, the run saw. */
const STATES: readonly ExpectationState[] = ['changed', 'gone', 'met', 'unreached', 'out of range'];

function joinExpectations(results: readonly RunResult[], whole: boolean): readonly ExpectationResult[] {
  const [first] = results as [RunResult, ...RunResult[]];
  return first.expectations.map((one) => {
    const all = results.flatMap((result) => result.expectations.filter(({ id }) => id === one.id));
    const joined = {
      ...one,
      expired: all.some(({ expired }) => expired),
      scenarios: all.reduce((total, { scenarios }) => total + scenarios, 0),
      state: STATES.find((state) => all.some((other) => other.state === state))!,
    };
    return { ...joined, problem: problemOf(joined, first.kernel.release, whole) };
  });
}

function joinVersions(results: readonly RunResult[]): Readonly<Record<string, string>> {
  const names = [...new Set(results.flatMap(({ versions }) => Object.keys(versions)))];
  return Object.fromEntries(
    names.map((name) => [name, [...new Set(results.flatMap(({ versions }) => versions[name] ?? []))].join(', ')]),
  );
}

/** The shards run side by side: the slowest says how long it took. */
function joinTimes(results: readonly RunResult[]): Times {
  const times = results.map((result) => result.times);
  const most = (of: (time: Times) => number): number => Math.max(...times.map(of));
  const total = (of: (time: Times) => number): number =>
    Math.round(times.reduce((sum, time) => sum + of(time), 0) * 100) / 100;
  return {
    started: times.map(({ started }) => started).sort()[0]!,
    wall_s: most(({ wall_s }) => wall_s),
    boot_s: most(({ boot_s }) => boot_s),
    first_result_s: Math.min(...times.map(({ first_result_s }) => first_result_s)),
    outcomes_per_s: Math.round(total(({ outcomes_per_s }) => outcomes_per_s)),
    guest_busy: Math.round((total(({ guest_busy }) => guest_busy) / times.length) * 100) / 100,
    oracle_s: total(({ oracle_s }) => oracle_s),
    reboots: total(({ reboots }) => reboots),
  };
}
