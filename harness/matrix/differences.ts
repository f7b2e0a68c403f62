/** Neighbouring kernels against each other: which scenarios they answer differently, and why. Plain data in and out. */
import type { Cause, Change, Comparison, Pair } from '../../reports/data/matrix.ts';
import { toJson } from '../../oracle/case/json.ts';
import type { PlannedCase } from '../run/plan.ts';
import { parting } from './answers.ts';
import { causesOf } from './causes.ts';
import type { Model } from './causes.ts';
import type { Examined } from './examine.ts';

/** What the comparison needs of a kernel. */
export interface Compared {
  readonly name: string;
  readonly model: Model;
  /** Digest by number of the scenario. */
  readonly answers: ReadonlyMap<number, string>;
  readonly examined: ReadonlyMap<number, Examined>;
}

/** Numbers of the scenarios that two kernels both answered, and of those that they answered differently, ascending. */
export function differing(
  a: Pick<Compared, 'answers'>,
  b: Pick<Compared, 'answers'>,
): { readonly shared: number; readonly different: readonly number[] } {
  let shared = 0;
  const different: number[] = [];
  for (const [index, digest] of a.answers) {
    const other = b.answers.get(index);
    if (other === undefined) continue;
    shared++;
    if (other !== digest) different.push(index);
  }
  return { shared, different: different.sort((x, y) => x - y) };
}

/** Numbers of the scenarios that each kernel has to be asked again, by position. */
export function questions(kernels: readonly Pick<Compared, 'answers'>[]): readonly (readonly number[])[] {
  const sets = kernels.map(() => new Set<number>());
  for (let i = 0; i + 1 < kernels.length; i++) {
    for (const index of differing(kernels[i]!, kernels[i + 1]!).different) {
      sets[i]!.add(index);
      sets[i + 1]!.add(index);
    }
  }
  return sets.map((set) => [...set].sort((a, b) => a - b));
}

/** Groups the differences of neighbours by their causes. `cases` holds every scenario that was asked again. */
export function compareKernels(kernels: readonly Compared[], cases: ReadonlyMap<number, PlannedCase>): Comparison {
  const pairs: Pair[] = [];
  const changes: Change[] = [];
  for (let i = 0; i + 1 < kernels.length; i++) {
    const { pair, groups } = comparePair(kernels[i]!, kernels[i + 1]!, cases);
    pairs.push(pair);
    changes.push(...groups);
  }
  // What nobody can explain first; then as the releases go, the most frequent first.
  const odd = ({ causes }: Change): number => Number(!causes.some(({ kind }) => kind === 'unexplained'));
  changes.sort((a, b) => odd(a) - odd(b));
  return {
    pairs,
    changes: changes.map((change, n) => ({
      ...change,
      example: { ...change.example, file: `changes/${String(n + 1).padStart(3, '0')}.json` },
    })),
  };
}

interface Member {
  readonly index: number;
  /** Where it shows. */
  readonly step: number;
}

interface Group {
  readonly causes: readonly Cause[];
  readonly members: readonly Member[];
}

function comparePair(
  a: Compared,
  b: Compared,
  cases: ReadonlyMap<number, PlannedCase>,
): { readonly pair: Pair; readonly groups: readonly Change[] } {
  const { shared, different } = differing(a, b);
  const count = { varying: 0, explained: 0, unexplained: 0, unexamined: 0 };
  const groups = new Map<string, Group & { members: Member[] }>();
  for (const index of different) {
    const x = a.examined.get(index);
    const y = b.examined.get(index);
    const planned = cases.get(index);
    if (x === undefined || y === undefined || planned === undefined) {
      count.unexamined++;
      continue;
    }
    if ([...x.digests].some((digest) => y.digests.has(digest))) {
      count.varying++;
      continue;
    }
    const answers = { from: x.observations, to: y.observations };
    const { causes, step, broken } = causesOf(planned.scenario, a.model, b.model, answers);
    // What is open, and differs from one time to the next on one kernel too, says nothing of the two.
    if (causes.every(({ kind }) => kind === 'open') && (x.digests.size > 1 || y.digests.size > 1)) {
      count.varying++;
      continue;
    }
    const key = causes
      .map((cause) => keyOf(cause, broken))
      .sort()
      .join(' ');
    count[causes.some(({ kind }) => kind === 'unexplained') ? 'unexplained' : 'explained']++;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { causes, members: [{ index, step }] });
    else group.members.push({ index, step });
  }
  const pair: Pair = { from: a.name, to: b.name, shared, same: shared - different.length, ...count };
  return {
    pair,
    groups: [...groups.values()]
      .sort((p, q) => q.members.length - p.members.length)
      .map((group) => changeOf(a, b, group, cases)),
  };
}

/**
 * Scenarios with one key change for one reason; what exactly an unexplained one answers is not part of it.
 * @param broken the rule that one of the kernels breaks
 */
function keyOf(cause: Cause, broken = ''): string {
  switch (cause.kind) {
    case 'finding':
      return `finding:${cause.id}:${cause.shown_on}`;
    case 'expected':
      return `expected:${cause.id}:${cause.shown_on}`;
    case 'abi':
      return `abi:${cause.field}`;
    case 'open':
      return `open:${cause.rule}`;
    case 'unexplained':
      return `unexplained:${broken}`;
  }
}

function changeOf(
  a: Compared,
  b: Compared,
  { causes, members }: Group,
  cases: ReadonlyMap<number, PlannedCase>,
): Change {
  const suites: Record<string, number> = {};
  let smallest: { planned: PlannedCase; scenario: unknown; size: number; step: number } | undefined;
  for (const { index, step } of members) {
    const planned = cases.get(index)!;
    suites[planned.suite] = (suites[planned.suite] ?? 0) + 1;
    const scenario = toJson(planned.scenario);
    const size = JSON.stringify(scenario).length;
    if (smallest === undefined || size < smallest.size) smallest = { planned, scenario, size, step };
  }
  const { planned, scenario, step } = smallest!;
  const place = parting(
    a.examined.get(planned.index)!.observations[0]!,
    b.examined.get(planned.index)!.observations[0]!,
    step,
  );
  return {
    from: a.name,
    to: b.name,
    causes,
    scenarios: members.length,
    suites: Object.fromEntries(Object.entries(suites).sort(([x], [y]) => (x < y ? -1 : 1))),
    example: {
      index: planned.index,
      suite: planned.suite,
      scenario,
      step: place?.step ?? step,
      answer_from: place?.a ?? '',
      answer_to: place?.b ?? '',
      file: '',
    },
  };
}
