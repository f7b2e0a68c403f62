/** What the suspects of a campaign turned out to be, as a result tells it. */
import { createHash } from 'node:crypto';
import { explain, formatExplanation } from '../../oracle/explain/index.ts';
import { storyOf } from '../../oracle/explain/story.ts';
import type { Story } from '../../oracle/explain/story-data.ts';
import { differenceText } from '../../oracle/judge/difference.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import type { Rule } from '../../oracle/rule.ts';
import { toJson } from '../../oracle/case/json.ts';
import { printScenario } from '../../oracle/case/text.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import type {
  Crash,
  Divergence,
  Hang,
  KnownCount,
  RunnerError,
  SuiteCount,
  Unconfirmed,
} from '../../reports/data/result.ts';
import type { Policy } from '../known/policy.ts';
import { isFine } from './investigate.ts';
import type { Investigated } from './investigate.ts';
import { hangOf } from './laboratory.ts';
import type { Outcome } from './laboratory.ts';
import { suiteKey } from './tally.ts';
import type { Suspect, SuspectGroup, CaseTally } from './tally.ts';

/** Suspects, sorted out. */
export interface Troubles {
  readonly divergences: readonly Divergence[];
  readonly crashes: readonly Crash[];
  readonly hangs: readonly Hang[];
  readonly runner_errors: readonly RunnerError[];
  readonly unconfirmed: readonly Unconfirmed[];
  /** The counts of the tally, corrected by what was found out since. */
  readonly suites: Readonly<Record<string, SuiteCount>>;
  /** Cases that ended at an expectation's own case, by its id. */
  readonly expected: ReadonlyMap<string, KnownCount>;
}

/** What is needed to sort them out. */
export interface TroubleParts {
  readonly tally: CaseTally;
  readonly investigated: readonly Investigated[];
  /** What is known on this kernel; absent: nothing is said of expectations. */
  readonly policy?: Policy;
  readonly abi: AbiProfile;
  readonly rules: Readonly<Record<string, Rule>>;
}

/** Whether every case of a group was looked into, and each of them was fine when it ran alone. */
export function allFine(
  { cases, count }: Pick<SuspectGroup, 'cases' | 'count'>,
  looked: ReadonlyMap<Suspect, Investigated>,
): boolean {
  return count === cases.length && cases.every((suspect) => fine(looked.get(suspect)));
}

function fine(one: Investigated | undefined): boolean {
  return one !== undefined && isFine(one.outcome);
}

/** Sorts out the suspects of a tally. */
export function troublesOf(parts: TroubleParts): Troubles {
  const sorted = new Sorted(parts);
  for (const group of parts.tally.groups()) sorted.add(group);
  return sorted;
}

class Sorted implements Troubles {
  readonly divergences: Divergence[] = [];
  readonly crashes: Crash[] = [];
  readonly hangs: Hang[] = [];
  readonly runner_errors: RunnerError[] = [];
  readonly unconfirmed: Unconfirmed[] = [];
  readonly expected = new Map<string, KnownCount>();
  readonly #parts: TroubleParts;
  readonly #looked: ReadonlyMap<Suspect, Investigated>;
  readonly #suites: Map<string, { -readonly [K in keyof SuiteCount]: SuiteCount[K] }>;

  constructor(parts: TroubleParts) {
    this.#parts = parts;
    this.#looked = new Map(parts.investigated.map((one) => [one.suspect, one]));
    this.#suites = new Map([...parts.tally.suites].map(([name, counts]) => [name, { ...counts }]));
  }

  get suites(): Readonly<Record<string, SuiteCount>> {
    return Object.fromEntries([...this.#suites].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  add(group: SuspectGroup): void {
    const cases = group.cases.filter((suspect) => !this.#asExpected(suspect));
    const count = group.count - (group.cases.length - cases.length);
    if (count === 0) return;
    if (allFine({ cases, count }, this.#looked)) {
      for (const suspect of cases) this.#unconfirmed(suspect, this.#looked.get(suspect)!);
      return;
    }
    // The one that shows again speaks for all.
    const speaks = (suspect: Suspect): boolean => this.#looked.has(suspect) && !fine(this.#looked.get(suspect));
    const suspect = cases.find(speaks) ?? cases[0] ?? group.cases[0]!;
    this.#tell(suspect, { count, signature: group.signature, examined: cases.length > 0 });
  }

  /** A case that ends at an expectation's own case counts as known. */
  #asExpected(suspect: Suspect): boolean {
    const one = this.#looked.get(suspect);
    if (one?.outcome.verdict !== 'divergence' || suspect.verdict !== 'divergence') return false;
    const entry = this.#parts.policy?.match(one.predictions.scenario, one.outcome.difference);
    if (entry === undefined) return false;
    const { id, rule, reason } = entry;
    this.expected.set(id, { id, rule, title: reason, scenarios: (this.expected.get(id)?.scenarios ?? 0) + 1 });
    this.#recount(suspect, 'known');
    return true;
  }

  #recount({ planned, verdict, uncounted }: Suspect, as: 'known' | 'pass'): void {
    if (uncounted === true) return;
    const suite = this.#suites.get(planned.suite);
    if (suite === undefined) return;
    suite[suiteKey(verdict)]--;
    suite[as]++;
  }

  #unconfirmed(suspect: Suspect, one: Investigated): void {
    this.unconfirmed.push(unconfirmedOf(suspect, one));
    this.#recount(suspect, 'pass');
  }

  #tell(suspect: Suspect, group: Told): void {
    const one = this.#looked.get(suspect);
    const outcome = one === undefined || isFine(one.outcome) ? undefined : one.outcome;
    const verdict = outcome?.verdict ?? suspect.verdict;
    const index = suspect.planned.index;
    if (verdict === 'kernel-crash') {
      this.crashes.push({ ...this.#base(suspect, one), ...crashData(suspect, outcome) });
    } else if (verdict === 'hang') {
      this.hangs.push({ ...this.#base(suspect, one), ...hangData(suspect, outcome) });
    } else if (outcome?.verdict === 'divergence' || suspect.difference !== undefined) {
      const difference = outcome?.verdict === 'divergence' ? outcome.difference : suspect.difference!;
      this.divergences.push(this.#divergence(suspect, one, difference, group));
    } else this.runner_errors.push({ index, detail: suspect.detail ?? suspect.end?.detail ?? 'unknown' });
  }

  #base(suspect: Suspect, one: Investigated | undefined): Base {
    const { scenario, traced } = (one ?? suspect).predictions;
    const observation = one?.outcome.verdict === 'divergence' ? one.outcome.observation : undefined;
    return {
      suite: suspect.planned.suite,
      index: suspect.planned.index,
      scenario: toJson(scenario),
      reproduced: one === undefined ? 'not repeated' : `${one.reproduced}/${one.tries}`,
      story: storyOf(scenario, this.#parts.abi, observation, traced),
    };
  }

  #divergence(suspect: Suspect, one: Investigated | undefined, difference: Difference, group: Told): Divergence {
    const { abi, rules } = this.#parts;
    const { scenario, traced } = (one ?? suspect).predictions;
    const { rule, step, what, predicted, observed } = differenceText(difference);
    return {
      ...this.#base(suspect, one),
      rule,
      step,
      what,
      predicted,
      observed,
      statement: rules[rule]?.statement ?? '',
      source: rules[rule]?.source ?? '',
      count: group.count,
      group: createHash('sha256').update(group.signature).digest('hex').slice(0, 16),
      text:
        `${group.examined ? '' : UNEXAMINED}${printScenario(scenario, abi)}\n\n` +
        formatExplanation(explain(scenario, abi, traced)),
    };
  }
}

/** What is told of a crash: what it said when it was looked into, or in the batch. */
function crashData(suspect: Suspect, outcome: Outcome | undefined): Pick<Crash, 'kind' | 'title' | 'console'> {
  const end = outcome?.verdict === 'kernel-crash' ? outcome.end : suspect.end;
  const report = end?.reports[0];
  return {
    kind: report?.kind ?? (suspect.end === undefined ? 'signal' : 'gone'),
    title: report?.title ?? end?.detail ?? suspect.detail ?? 'the guest ended',
    console: report?.text ?? end?.console.slice(-4000) ?? '',
  };
}

/** The same of a hang. */
function hangData(suspect: Suspect, outcome: Outcome | undefined): Pick<Hang, 'detail' | 'console'> {
  const told = outcome?.verdict === 'hang' ? outcome : undefined;
  const seen = suspect.end === undefined ? undefined : hangOf(suspect.end);
  const words = told?.words ?? seen?.words;
  const detail = told?.detail ?? suspect.detail ?? seen?.detail ?? 'no answer in time';
  return { detail, ...(words === undefined ? {} : { console: words }) };
}

interface Base {
  readonly suite: string;
  readonly index: number;
  readonly scenario: unknown;
  readonly reproduced: string;
  readonly story: Story;
}

/** The group that a case stands for. */
interface Told {
  readonly signature: string;
  readonly count: number;
  /** False: it has more cases than were looked into. */
  readonly examined: boolean;
}

/** Before a case that stands for more than were examined. */
const UNEXAMINED =
  'The cases of this kind that were examined end at the own case of an expectation; there are more of them than are ' +
  'examined, and these count as divergences.\n\n';

function unconfirmedOf(suspect: Suspect, one: Investigated): Unconfirmed {
  const { planned, difference, verdict } = suspect;
  const { suite, index } = planned;
  const rest = { scenario: toJson(one.predictions.scenario), reproduced: `${one.reproduced}/${one.tries}` };
  if (difference === undefined)
    return { suite, index, verdict, detail: suspect.detail ?? suspect.end?.detail ?? 'no answer', ...rest };
  const { rule, step, predicted, observed } = differenceText(difference);
  const detail = `step ${step}: predicted ${predicted}, observed ${observed}`;
  return { suite, index, verdict, rule, detail, ...rest };
}
