/** Joins the results of shards into that of the whole run. Pure: plain data in, plain data out. */
import type {
  Crash,
  Divergence,
  ExpectationResult,
  ExpectationState,
  KnownCount,
  RunResult,
  SuiteCount,
  Times,
  Verdict,
} from '../../reports/data/result.ts';
import { problemOf } from '../known/problem.ts';
import { reasonOf } from './result.ts';
import { addDigests } from './ledger.ts';

/** A result and where it came from. */
export interface Part {
  readonly from: string;
  readonly result: RunResult;
}

export interface Merged {
  /** Of the parts that belong together; undefined when there are none. */
  readonly result: RunResult | undefined;
  /** The parts that it is made of, by shard. */
  readonly used: readonly Part[];
  /** What is wrong with the others, one sentence each; empty: the whole run is there. */
  readonly faults: readonly string[];
}

/** What must be the same in all shards, in words and as data. The first that differs is told. */
const SAME: readonly (readonly [what: string, of: (result: RunResult) => unknown])[] = [
  ['version of ringfence', ({ versions }) => versions['ringfence']],
  ['set of rules', ({ rules }) => Object.keys(rules)],
  ['seed', ({ seed }) => seed],
  ['suites', ({ plan }) => plan.suites.join(', ')],
  ['number of cases', ({ plan }) => plan.cases],
  ['number of shards', ({ shard }) => shard?.count],
  ['kernel', ({ kernel }) => `${kernel.release}, SHA-256 ${kernel.sha256}`],
  ['kernel command line', ({ kernel }) => kernel.append],
  ['ABI', ({ abi }) => abi],
  [
    'policy (--expect, --strict)',
    ({ policy }) => [policy?.strict ?? false, ...(policy?.files ?? []).map(({ sha256 }) => sha256)],
  ],
];

const text = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none'));
const short = (value: unknown): string => (text(value).length > 120 ? 'another one' : text(value));

/** Sorts out what belongs together: with shards of two runs, the larger group is the one that was meant. */
export function mergeShards(parts: readonly Part[]): Merged {
  const faults: string[] = [];
  /** What keeps the joined result from being the whole run's. */
  const gaps: string[] = [];
  const shards = parts.filter(({ from, result }) => {
    if (result.shard !== undefined && result.plan.source === 'drawn') return true;
    faults.push(`${from} is no shard: it was run without --shard`);
    return false;
  });
  const alike = new Map<string, Part[]>();
  for (const part of shards) {
    const key = JSON.stringify(SAME.map(([, of]) => of(part.result) ?? null));
    alike.set(key, [...(alike.get(key) ?? []), part]);
  }
  const [family = []] = [...alike.values()].sort((a, b) => b.length - a.length);
  const [reference] = family;
  if (reference === undefined) return { result: undefined, used: [], faults };
  for (const part of shards) {
    if (family.includes(part)) continue;
    const [what, of] = SAME.find(([, get]) => text(get(part.result)) !== text(get(reference.result)))!;
    faults.push(
      `${part.from} has another ${what}: ${short(of(part.result))}; ${reference.from} has ${short(of(reference.result))}`,
    );
  }
  const by = new Map<number, Part>();
  for (const part of family) {
    const { index, count } = part.result.shard!;
    const other = by.get(index);
    if (other !== undefined)
      faults.push(`${part.from} is shard ${index}/${count} once more: ${other.from} is that shard already`);
    else by.set(index, part);
  }
  const { count } = reference.result.shard!;
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter(
    (index) => !by.has(index) && index <= reference.result.plan.cases,
  );
  if (missing.length > 0)
    gaps.push(
      `shard${missing.length === 1 ? '' : 's'} ${missing.map((index) => `${index}/${count}`).join(', ')} ${missing.length === 1 ? 'is' : 'are'} missing`,
    );
  const used = [...by.entries()].sort(([a], [b]) => a - b).map(([, part]) => part);
  for (const {
    from,
    result: { shard, scenarios, plan, verdict, reason },
  } of used) {
    const size = Math.ceil((plan.cases - shard!.index + 1) / shard!.count);
    if (scenarios !== size)
      gaps.push(
        `${from} is not whole: shard ${shard!.index}/${shard!.count} has ${size} cases, and ${scenarios} were run (${reason ?? verdict})`,
      );
  }
  return {
    result: join(
      used.map(({ result }) => result),
      gaps[0],
    ),
    used,
    faults: [...faults, ...gaps],
  };
}

function join(results: readonly RunResult[], incomplete: string | undefined): RunResult {
  const [first] = results as [RunResult, ...RunResult[]];
  const sum = (of: (result: RunResult) => number): number => results.reduce((total, result) => total + of(result), 0);
  const divergences = joinDivergences(results);
  const crashes = joinCrashes(results);
  const hangs = firstOf(
    results.flatMap((result) => result.hangs),
    ({ detail }) => detail,
  );
  const runner_errors = results.flatMap((result) => result.runner_errors).sort((a, b) => a.index - b.index);
  const suites: Record<string, SuiteCount> = {};
  for (const name of [...new Set(results.flatMap((result) => Object.keys(result.suites)))].sort()) {
    const of = (count: keyof SuiteCount): number => sum((result) => result.suites[name]?.[count] ?? 0);
    suites[name] = {
      scenarios: of('scenarios'),
      outcomes: of('outcomes'),
      pass: of('pass'),
      known: of('known'),
      divergence: of('divergence'),
      other: of('other'),
    };
  }
  const expectations = joinExpectations(results, incomplete === undefined);
  const missing_findings = [
    ...new Map(results.flatMap((result) => result.missing_findings).map((one) => [one.id, one])).values(),
  ].sort((a, b) => (a.id < b.id ? -1 : 1));
  const outdated =
    first.policy?.strict === true
      ? expectations.filter(({ problem }) => problem !== '').length + missing_findings.length
      : 0;
  const bad = divergences.length + crashes.length + hangs.length + outdated;
  const untestable = results.find(({ verdict }) => verdict === 'untestable');
  const verdict: Verdict =
    bad > 0
      ? 'divergent'
      : incomplete !== undefined
        ? 'interrupted'
        : untestable !== undefined
          ? 'untestable'
          : 'conformant';
  const counts = {
    divergences: divergences.length,
    crashes: crashes.length,
    hangs: hangs.length,
    runner_errors: runner_errors.length,
    outdated,
  };
  const reason =
    verdict === 'conformant'
      ? undefined
      : verdict === 'divergent'
        ? `${reasonOf('divergent', counts, undefined)}${incomplete === undefined ? '' : `; incomplete: ${incomplete}`}`
        : verdict === 'interrupted'
          ? `incomplete: ${incomplete}`
          : untestable!.reason;
  const { shard: _shard, reason: _reason, ...whole } = first;
  return {
    ...whole,
    verdict,
    ...(reason === undefined ? {} : { reason }),
    command: first.command.replace(/ --shard[= ]\S+/, ''),
    accel:
      new Set(results.map(({ accel }) => accel.name)).size === 1
        ? first.accel
        : { name: 'tcg', reason: results.map(({ shard, accel }) => `shard ${shard!.index}: ${accel.name}`).join(', ') },
    jobs: sum(({ jobs }) => jobs),
    versions: joinVersions(results),
    digest: addDigests(results.map(({ digest }) => digest)),
    scenarios: sum(({ scenarios }) => scenarios),
    outcomes: sum(({ outcomes }) => outcomes),
    suites,
    rules: Object.fromEntries(Object.keys(first.rules).map((id) => [id, sum(({ rules }) => rules[id] ?? 0)])),
    divergences,
    crashes,
    hangs,
    runner_errors,
    unconfirmed: results.flatMap((result) => result.unconfirmed).sort((a, b) => a.index - b.index),
    known: joinKnown(results),
    missing_findings,
    expectations,
    times: joinTimes(results),
  };
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
