/** Turns tallies and investigations into the result that reports are made from. */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import type { Rule } from '../../oracle/rule.ts';
import { createHash } from 'node:crypto';
import { explain, formatExplanation } from '../../oracle/explain/index.ts';
import { predict } from '../../oracle/predict.ts';
import { toJson } from '../../oracle/case/json.ts';
import { printScenario } from '../../oracle/case/text.ts';
import { RESULT_VERSION } from '../../reports/data/result.ts';
import type {
  Crash,
  Divergence,
  Hang,
  KnownCount,
  RunnerError,
  RunResult,
  Unconfirmed,
  Verdict,
} from '../../reports/data/result.ts';
import type { AccelChoice } from '../../vm/guest/accel.ts';
import type { Kernel } from '../../vm/index.ts';
import type { Suspect, Tally } from './campaign.ts';
import type { Policy } from '../known/policy.ts';
import { quirksOf } from '../known/findings.ts';
import type { Finding } from '../known/findings.ts';
import type { Guests } from '../guests/guests.ts';
import type { Investigated } from './investigate.ts';
import type { RunOptions } from './run.ts';
import { predictedDigest } from './ledger.ts';
import type { LedgerLine } from './ledger.ts';
import { storyOf } from '../../oracle/explain/story.ts';

export interface ResultParts {
  readonly options: RunOptions;
  readonly tally: Tally;
  readonly investigated: readonly Investigated[];
  readonly missing: readonly Finding[];
  /** What is known on this kernel; absent: nothing is said of expectations. */
  readonly policy?: Policy;
  readonly abi: AbiProfile;
  readonly kernel: Kernel;
  readonly accel: AccelChoice;
  readonly guests: Guests;
  readonly rules: Readonly<Record<string, Rule>>;
  readonly startedAt: Date;
  readonly started: number;
  readonly interrupted: boolean;
  readonly versions: Readonly<Record<string, string>>;
}

/** Pure but for the clock. */
export function buildResult(parts: ResultParts): RunResult {
  const { tally, options, abi } = parts;
  const looked = new Map(parts.investigated.map((one) => [one.suspect, one]));
  const divergences: Divergence[] = [];
  const crashes: Crash[] = [];
  const hangs: Hang[] = [];
  const runner_errors: RunnerError[] = [];
  const groups = [...tally.suspects]
    .map(([signature, group]) => ({ signature, ...group }))
    .sort((a, b) => a.cases[0]!.planned.index - b.cases[0]!.planned.index);
  const unconfirmed: Unconfirmed[] = [];
  const suites = new Map([...tally.suites].map(([name, counts]) => [name, { ...counts }]));
  const expected = new Map<string, KnownCount>();
  for (const { signature, cases: kept, count: all } of groups) {
    const cases = kept.filter((suspect) => !asExpected(suspect, looked.get(suspect), parts.policy, suites, expected));
    const count = all - (kept.length - cases.length);
    if (count === 0) continue;
    if (count === cases.length && cases.every((suspect) => passed(looked.get(suspect)))) {
      // Each of them passed when it was run alone, again and again.
      for (const suspect of cases) {
        unconfirmed.push(unconfirmedOf(suspect, looked.get(suspect)!));
        const suite = suites.get(suspect.planned.suite);
        if (suite === undefined) continue;
        suite[suspect.verdict === 'divergence' ? 'divergence' : 'other']--;
        suite.pass++;
      }
      continue;
    }
    // The one that shows again speaks for all.
    const suspect = cases.find((one) => looked.has(one) && !passed(looked.get(one))) ?? cases[0] ?? kept[0]!;
    const one = looked.get(suspect);
    const scenario = one?.scenario ?? suspect.planned.scenario;
    const reproduced = one === undefined ? 'not repeated' : `${one.reproduced}/${one.tries}`;
    const base = { suite: suspect.planned.suite, index: suspect.planned.index, scenario: toJson(scenario), reproduced };
    const story = storyOf(
      scenario,
      abi,
      one?.outcome.kind === 'divergence' ? one.outcome.result.observation : undefined,
    );
    const kind =
      (passed(one) ? undefined : one?.outcome.kind) ?? (suspect.verdict === 'kernel-crash' ? 'crash' : suspect.verdict);
    if (kind === 'crash') {
      const end = one?.outcome.kind === 'crash' ? one.outcome.end : suspect.end;
      const report = end?.reports[0];
      crashes.push({
        ...base,
        story,
        kind: report?.kind ?? 'gone',
        title: report?.title ?? end?.detail ?? 'the guest ended',
        console: report?.text ?? end?.console.slice(-4000) ?? '',
      });
    } else if (kind === 'hang') {
      hangs.push({
        ...base,
        story,
        detail:
          one?.outcome.kind === 'hang'
            ? one.outcome.detail
            : (suspect.detail ?? suspect.end?.detail ?? 'no answer in time'),
      });
    } else if (kind === 'divergence' || suspect.difference !== undefined) {
      const difference = one?.outcome.kind === 'divergence' ? one.outcome.difference : suspect.difference!;
      const rule = parts.rules[difference.rule];
      divergences.push({
        ...base,
        story,
        rule: difference.rule,
        step: difference.step,
        what: difference.what,
        predicted: difference.predicted,
        observed: difference.observed,
        statement: rule?.statement ?? '',
        source: rule?.source ?? '',
        count,
        group: createHash('sha256').update(signature).digest('hex').slice(0, 16),
        text: `${cases.length > 0 ? '' : UNEXAMINED}${printScenario(scenario, abi)}\n\n${formatExplanation(explain(scenario, abi))}`,
      });
    } else
      runner_errors.push({ index: suspect.planned.index, detail: suspect.detail ?? suspect.end?.detail ?? 'unknown' });
  }
  const known = [...tally.known.values(), ...expected.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  const complete = !parts.interrupted && tally.gave_up === undefined;
  const expectations =
    parts.policy?.results(
      tally.known,
      new Map([...expected].map(([id, { scenarios }]) => [id, scenarios])),
      complete && options.shard === undefined,
    ) ?? [];
  const outdated =
    parts.policy?.data?.strict === true
      ? expectations.filter(({ problem }) => problem !== '').length + parts.missing.length
      : 0;
  const bad = divergences.length + crashes.length + hangs.length + outdated;
  const verdict: Verdict =
    bad > 0
      ? 'divergent'
      : parts.interrupted
        ? 'interrupted'
        : tally.scenarios === 0 || runner_errors.length > 0 || tally.gave_up !== undefined
          ? 'untestable'
          : 'conformant';
  const wall = (performance.now() - parts.started) / 1000;
  const rules: Record<string, number> = {};
  for (const id of Object.keys(parts.rules).sort()) rules[id] = tally.rules.get(id) ?? 0;
  return {
    version: RESULT_VERSION,
    verdict,
    ...(verdict === 'conformant'
      ? {}
      : {
          reason: reasonOf(
            verdict,
            {
              divergences: divergences.length,
              crashes: crashes.length,
              hangs: hangs.length,
              runner_errors: runner_errors.length,
              outdated,
            },
            tally.gave_up,
          ),
        }),
    seed: options.seed,
    command: options.command,
    kernel: {
      release: abi.release,
      machine: abi.machine,
      source: parts.kernel.source,
      sha256: parts.kernel.sha256,
      append: options.append,
      ...(parts.kernel.note === undefined ? {} : { note: parts.kernel.note }),
      ...(parts.kernel.origin === undefined ? {} : { origin: parts.kernel.origin }),
    },
    abi: { ...abi },
    accel: { name: parts.accel.accel, reason: parts.accel.reason },
    jobs: options.jobs,
    versions: parts.versions,
    plan: {
      source: options.scenarios === undefined ? 'drawn' : 'files',
      suites: options.suites,
      cases: options.scenarios?.length ?? (options.cases === Infinity ? 0 : options.cases),
    },
    ...(options.shard === undefined ? {} : { shard: options.shard }),
    ...(parts.policy?.data === undefined ? {} : { policy: parts.policy.data }),
    digest: tally.ledger.digest(corrections(parts)),
    scenarios: tally.scenarios,
    outcomes: tally.outcomes,
    suites: Object.fromEntries([...suites].sort(([a], [b]) => (a < b ? -1 : 1))),
    rules,
    divergences,
    crashes,
    hangs,
    runner_errors,
    unconfirmed,
    known,
    missing_findings: parts.missing.map(({ id }) => ({
      id,
      reason: `listed for ${abi.release}, but its smallest scenario answers as the rules say`,
    })),
    expectations,
    times: {
      started: parts.startedAt.toISOString(),
      wall_s: round(wall),
      boot_s: round(parts.guests.bootMs / 1000),
      first_result_s: round((tally.first_result_ms ?? 0) / 1000),
      outcomes_per_s: Math.round(tally.outcomes / (Math.max(1, tally.campaign_ms) / 1000)),
      guest_busy: round(tally.exec_ns / 1e6 / (Math.max(1, tally.campaign_ms) * options.jobs)),
      oracle_s: round(tally.oracle_ms / 1000),
      reboots: tally.reboots,
    },
  };
}

/** Before a case that stands for more than were examined. */
const UNEXAMINED =
  'The cases of this kind that were examined end at the own case of an expectation; there are more of them than are examined, and these count as divergences.\n\n';

/** Counts a case that ends at an expectation's own case as known. */
function asExpected(
  { planned, verdict }: Suspect,
  one: Investigated | undefined,
  policy: Policy | undefined,
  suites: ReadonlyMap<string, { divergence: number; other: number; known: number }>,
  expected: Map<string, KnownCount>,
): boolean {
  const entry = one === undefined || verdict !== 'divergence' ? undefined : policy?.match(one);
  if (entry === undefined) return false;
  const { id, rule, reason } = entry;
  expected.set(id, { id, rule, title: reason, scenarios: (expected.get(id)?.scenarios ?? 0) + 1 });
  const suite = suites.get(planned.suite);
  if (suite !== undefined) {
    suite.divergence--;
    suite.known++;
  }
  return true;
}

/** Cases that failed in a batch and passed each time alone, or showed known findings alone, stand in the ledger as what they are alone. */
export function corrections({
  tally,
  investigated,
  abi,
  policy,
}: Pick<ResultParts, 'tally' | 'investigated' | 'abi' | 'policy'>): readonly LedgerLine[] {
  const alone = new Map(investigated.map((one) => [one.suspect, one]));
  return [...tally.suspects.values()]
    .filter(({ cases, count }) => count === cases.length && cases.every((suspect) => passed(alone.get(suspect))))
    .flatMap(({ cases }) =>
      cases.flatMap((suspect): LedgerLine[] => {
        const { index, scenario } = suspect.planned;
        const line = tally.ledger.line(index);
        const known = alone.get(suspect)?.outcome.kind === 'known';
        const quirks = quirksOf(known ? (policy?.active ?? []) : []);
        return line === undefined
          ? []
          : [
              {
                ...line,
                verdict: known ? 'difference' : 'pass',
                answers: predictedDigest(predict(scenario, abi, { quirks })),
              },
            ];
      }),
    );
}

function passed(one: Investigated | undefined): boolean {
  return one !== undefined && (one.outcome.kind === 'pass' || one.outcome.kind === 'known');
}

function unconfirmedOf(suspect: Suspect, one: Investigated): Unconfirmed {
  const { planned, difference, verdict } = suspect;
  const detail =
    difference === undefined
      ? (suspect.detail ?? suspect.end?.detail ?? 'no answer')
      : `step ${difference.step}: predicted ${difference.predicted}, observed ${difference.observed}`;
  return {
    suite: planned.suite,
    index: planned.index,
    verdict,
    ...(difference === undefined ? {} : { rule: difference.rule }),
    detail,
    scenario: toJson(one.scenario),
    reproduced: `${one.reproduced}/${one.tries}`,
  };
}

/** English plurals that are not just an s. */
const ONE: Readonly<Record<string, string>> = {
  outdated: 'outdated expectation',
  divergences: 'divergence',
  crashes: 'crash',
  hangs: 'hang',
  runner_errors: 'runner error',
};

export function reasonOf(
  verdict: Verdict,
  counts: Readonly<Record<string, number>>,
  gaveUp: string | undefined,
): string {
  if (verdict === 'interrupted') return 'interrupted: this is what was found so far';
  const more = gaveUp === undefined ? '' : `; ${gaveUp}`;
  if (verdict === 'untestable') {
    const errors = counts['runner_errors'] ?? 0;
    return `${errors === 0 ? (gaveUp === undefined ? 'no scenario was executed' : 'the guests do not hold out') : `${errors === 1 ? '1 scenario' : `${errors} scenarios`} could not be executed`}${more}`;
  }
  return (
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(
        ([name, count]) =>
          `${count} ${count === 1 ? ONE[name] : name === 'outdated' ? 'outdated expectations' : name.replace('_', ' ')}`,
      )
      .join(', ') + more
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
