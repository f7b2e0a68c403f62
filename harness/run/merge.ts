/** Joins the results of shards into that of the whole run. Pure: plain data in, plain data out. */
import type { RunResult } from '../../reports/data/result.ts';
import { join } from './join.ts';
import { shardSize } from './plan.ts';

/** A result and where it came from. */
export interface ShardResult {
  readonly from: string;
  readonly result: RunResult;
}

/** What merging gave. */
export interface Merged {
  /** Of the parts that belong together; undefined when there are none. */
  readonly result: RunResult | undefined;
  /** The parts that it is made of, by shard. */
  readonly used: readonly ShardResult[];
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
export function mergeShards(parts: readonly ShardResult[]): Merged {
  const faults: string[] = [];
  const shards = parts.filter(({ from, result }) => {
    if (result.shard !== undefined && result.plan.source === 'drawn') return true;
    faults.push(`${from} is no shard: it was run without --shard`);
    return false;
  });
  const family = familyOf(shards);
  const [reference] = family;
  if (reference === undefined) return { result: undefined, used: [], faults };
  for (const part of shards) if (!family.includes(part)) faults.push(otherRun(part, reference));
  const by = new Map<number, ShardResult>();
  for (const part of family) {
    const { index, count } = part.result.shard!;
    const other = by.get(index);
    if (other === undefined) by.set(index, part);
    else faults.push(`${part.from} is shard ${index}/${count} once more: ${other.from} is that shard already`);
  }
  const used = [...by.entries()].sort(([a], [b]) => a - b).map(([, part]) => part);
  // What keeps the joined result from being the whole run's.
  const gaps = [...missingShards(reference, by), ...used.flatMap(partialShard)];
  const results = used.map(({ result }) => result);
  return { result: join(results, gaps[0]), used, faults: [...faults, ...gaps] };
}

/** The largest group of shards of one run. */
function familyOf(shards: readonly ShardResult[]): readonly ShardResult[] {
  const alike = Map.groupBy(shards, ({ result }) => JSON.stringify(SAME.map(([, of]) => of(result) ?? null)));
  const [family = []] = [...alike.values()].sort((a, b) => b.length - a.length);
  return family;
}

/** What shows that a shard is of another run than the reference. */
function otherRun(part: ShardResult, reference: ShardResult): string {
  const [what, of] = SAME.find(([, get]) => text(get(part.result)) !== text(get(reference.result)))!;
  const [mine, others] = [short(of(part.result)), short(of(reference.result))];
  return `${part.from} has another ${what}: ${mine}; ${reference.from} has ${others}`;
}

function missingShards({ result }: ShardResult, by: ReadonlyMap<number, ShardResult>): readonly string[] {
  const { count } = result.shard!;
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter(
    (index) => !by.has(index) && index <= result.plan.cases,
  );
  if (missing.length === 0) return [];
  const names = missing.map((index) => `${index}/${count}`).join(', ');
  return [missing.length === 1 ? `shard ${names} is missing` : `shards ${names} are missing`];
}

function partialShard({ from, result }: ShardResult): readonly string[] {
  const { shard, scenarios, plan, verdict, reason } = result;
  const size = shardSize(plan.cases, shard);
  if (scenarios === size) return [];
  const { index, count } = shard!;
  return [
    `${from} is not whole: shard ${index}/${count} has ${size} cases, and ${scenarios} were run (${reason ?? verdict})`,
  ];
}
