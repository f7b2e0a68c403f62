/**
 * Records what a real kernel answers to a fixed set of scenarios, under suites/recorded.
 *
 *   npm run record -- [release]              the default kernel, or another that can be fetched
 *   npm run record -- --missing [release]    only suites of which nothing is recorded; the rest stays as it is
 *
 * The set: every hand-written example, the smallest scenario of every finding, and per suite PER_SUITE generated
 * scenarios (fixed seed), chosen so that every rule that any of DRAWN candidates reaches is reached, small and exactly
 * predicted ones first. A case whose answer the oracle does not predict is recorded all the same and named, one that
 * does not end is left out and named; both make the exit code 1. Each of them is asked again alone on a fresh guest
 * first.
 */
import { Open } from '../../oracle/open-answer.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { predict } from '../../oracle/predict.ts';
import type { Prediction } from '../../oracle/scenario/prediction.ts';
import { QUIRK_IDS } from '../../oracle/quirks/index.ts';
import type { QuirkId, Quirks } from '../../oracle/quirks/index.ts';
import { toJson } from '../../oracle/case/json.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { scenarioAt, SUITE_NAMES } from '../../generators/scenarios.ts';
import { EXAMPLES } from '../examples/index.ts';
import { readRecording, writeRecording } from './recordings.ts';
import type { RecordedCase } from './recordings.ts';
import { compare } from '../../oracle/judge/compare.ts';
import { differenceText } from '../../oracle/judge/difference.ts';
import { upstreamName } from '../../oracle/uapi/release.ts';
import { affects, loadFindings, quirksOf } from '../../harness/known/findings.ts';
import { runAlone } from '../../harness/guests/guests.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import { prepare } from '../../harness/run/prepare.ts';
import { waitsOf } from '../../oracle/judge/waits.ts';

const SEED = 7013;
/** Candidates drawn per suite, and how many of them are kept. */
const DRAWN = 600;
const PER_SUITE = 60;
/** Bytes of JSON above which a scenario is taken only for a rule that no other reaches. */
const LARGE = 12_000;

type Chosen = Omit<RecordedCase, 'observation'>;

/** Answers that the oracle states exactly, minus those it leaves open. */
function exactness({ steps }: Prediction): number {
  let sum = 0;
  for (const { returns, cqes } of steps) {
    if (Open.is(returns) || Open.is(cqes)) sum -= 4;
    else sum += cqes.filter(({ res }) => typeof res === 'number').length;
  }
  return sum;
}

/** The generated scenarios of one suite; `reached` are the rules that others reach already. */
function choose(suite: (typeof SUITE_NAMES)[number], abi: AbiProfile, reached: Set<string>): Chosen[] {
  const candidates = Array.from({ length: DRAWN }, (_, n) => {
    const scenario = scenarioAt(suite, abi, SEED, n);
    const prediction = predict(scenario, abi);
    return {
      n,
      scenario,
      rules: [...prediction.hits.keys()],
      size: JSON.stringify(toJson(scenario)).length,
      exact: exactness(prediction),
    };
  });
  const kept = new Set<(typeof candidates)[number]>();
  const keep = (candidate: (typeof candidates)[number]): void => {
    kept.add(candidate);
    for (const rule of candidate.rules) reached.add(rule);
  };
  for (const candidate of [...candidates].sort((a, b) => a.size - b.size))
    if (candidate.rules.some((rule) => !reached.has(rule))) keep(candidate);
  // The rest: what is exactly predicted and not large, in the order drawn.
  for (const candidate of candidates) {
    if (kept.size >= PER_SUITE) break;
    if (candidate.size <= LARGE && candidate.exact >= 2) keep(candidate);
  }
  return [...kept].sort((a, b) => a.n - b.n).map(({ n, scenario }) => ({ suite, title: `generated ${n}`, scenario }));
}

function findingScenarios(): Chosen[] {
  try {
    return loadFindings().map(({ id, scenario }) => ({
      suite: scenario.suite ?? 'escape',
      title: `finding ${id}`,
      scenario,
    }));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** The models without which fewer cases are predicted. */
function quirksShown(abi: AbiProfile, cases: readonly RecordedCase[]): Quirks {
  const agreeing = (quirks: readonly QuirkId[]): number =>
    cases.filter(
      ({ scenario, observation }) =>
        compare(predict(scenario, abi, { quirks: new Set(quirks) }), observation).difference === undefined,
    ).length;
  let shown = QUIRK_IDS;
  for (const quirk of QUIRK_IDS) {
    const fewer = shown.filter((other) => other !== quirk);
    if (agreeing(fewer) >= agreeing(shown)) shown = fewer;
  }
  return new Set(shown);
}

const typed = process.argv.slice(2);
const onlyMissing = typed.includes('--missing');
const release = typed.find((word) => !word.startsWith('--'));
const say = (text: string): void => void process.stderr.write(`${text}\n`);
const prepared = await prepare(
  { append: '', accel: 'auto', timeout: 60, ...(release === undefined ? {} : { release }) },
  { note: say, consoleFile: () => undefined },
  new AbortController().signal,
);
try {
  const { abi, first, guests } = prepared;
  const name = upstreamName(abi.release) ?? abi.release;
  const kept = onlyMissing ? readRecording(name).cases : [];
  const wanted = SUITE_NAMES.filter((suite) => kept.every((recorded) => recorded.suite !== suite));
  const chosen: Chosen[] = [
    ...EXAMPLES.map(({ suite, title, scenario }) => ({ suite, title, scenario })),
    ...(onlyMissing ? [] : findingScenarios()),
  ].filter(({ suite }) => (wanted as readonly string[]).includes(suite));
  const reached = new Set(
    chosen.flatMap(({ scenario }: { scenario: Scenario }) => [...predict(scenario, abi).hits.keys()]),
  );
  for (const suite of wanted) chosen.push(...choose(suite, abi, reached));
  // What this kernel is known to do otherwise: nothing waits for a CQE that only the rules leave out.
  const known = quirksOf(loadFindings().filter((finding) => affects(finding, abi.release)));
  const cases: RecordedCase[] = [...kept];
  let session = first;
  for (const { suite, title, scenario } of chosen) {
    const waits = waitsOf(predict(scenario, abi, { quirks: known }));
    const odd = ({ status, observation }: RunnerResult): boolean =>
      status !== STATUS.done ||
      [predict(scenario, abi), predict(scenario, abi, { quirks: known })].every(
        (prediction) => compare(prediction, observation).difference !== undefined,
      );
    let result = await runAlone(session, scenario, waits, guests.plan.deadline);
    if (odd(result)) {
      // What it leaves behind, or what another left behind, must not be recorded as an answer.
      await session.close();
      session = await guests.open();
      result = await runAlone(session, scenario, waits, guests.plan.deadline * 2);
      if (odd(result)) {
        await session.close();
        session = await guests.open();
      }
    }
    const { status, detail, observation } = result;
    if (status === STATUS.done) cases.push({ suite, title, scenario, observation });
    else {
      say(`not recorded: ${suite}, ${title}: the runner answers status ${status}, detail ${detail}`);
      process.exitCode = 1;
    }
  }
  const quirks = quirksShown(abi, cases);
  const bytes = writeRecording(name, { abi, quirks, seed: SEED, cases });
  say(
    `suites/recorded/${name}.json.gz: ${cases.length} scenarios, ${reached.size} rules, ` +
      `${bytes} bytes; models: ${[...quirks].join(', ') || 'none'}`,
  );
  for (const { suite, title, scenario, observation } of cases) {
    const { difference } = compare(predict(scenario, abi, { quirks }), observation);
    if (difference === undefined) continue;
    const { step, rule, predicted, observed } = differenceText(difference);
    say(
      `differs: ${suite}, ${title}: step ${step} (${scenario.steps[step]?.do}), ` +
        `${rule}: predicted ${predicted}; observed ${observed}`,
    );
    process.exitCode = 1;
  }
} finally {
  await prepared.guests.closeAll();
}
