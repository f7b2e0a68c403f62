/** Before a run each finding, and each expectation, proves itself on the kernel with its own smallest case. */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { compare } from '../../oracle/judge/compare.ts';
import { differenceText } from '../../oracle/judge/difference.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import { waitsOf } from '../../oracle/judge/waits.ts';
import type { Waits } from '../../oracle/judge/waits.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { ExpectedCase } from './expectation-case.ts';
import { affects } from './findings.ts';
import type { Finding } from './findings.ts';
import { Predictions } from './predictions.ts';
import type { KnownFindings } from './predictions.ts';

/** Runs one scenario on the kernel that is asked. */
export type Ask = (scenario: Scenario, waits: Waits) => Promise<Observation>;

/** What running every finding's smallest scenario on the kernel told. */
export interface Sentinels {
  /** Findings that this kernel shows and is expected to show. */
  readonly active: readonly Finding[];
  /** Expected, and not shown. */
  readonly missing: readonly Finding[];
}

/** Runs each finding's scenario once and sorts the findings: whether it breaks the rules, in whatever way. */
export async function runSentinels(findings: readonly Finding[], abi: AbiProfile, ask: Ask): Promise<Sentinels> {
  const expected = findings.filter((finding) => affects(finding, abi.release));
  const shown = new Set<Finding>();
  for (const finding of expected) {
    const { pure } = new Predictions(finding.scenario, abi, []);
    const observation = await ask(finding.scenario, waitsOf(pure));
    if (compare(pure, observation).difference !== undefined) shown.add(finding);
  }
  return {
    active: expected.filter((finding) => shown.has(finding)),
    missing: expected.filter((finding) => !shown.has(finding)),
  };
}

/** A bug that shows only now and then gets so many chances. */
const TRIES = 3;

/** `shown`: as expected; `gone`: the answers are right; `changed`: neither. */
export type Shown = 'shown' | 'gone' | 'changed';

/** Asks for a finding up to TRIES times. @param models findings whose models may have a say in it too */
export async function askFinding(
  finding: Finding,
  models: readonly Finding[],
  abi: AbiProfile,
  ask: Ask,
): Promise<Shown> {
  const predictions = new Predictions(finding.scenario, abi, models);
  const waits = waitsOf(predictions.pure);
  let state: Shown = 'gone';
  for (let i = 0; i < TRIES && state !== 'shown'; i++) {
    const observation = await ask(finding.scenario, waits);
    if (compare(predictions.pure, observation).difference === undefined) continue;
    const exact = [predictions.under([finding]), predictions.known].some(
      (prediction) => compare(prediction, observation).difference === undefined,
    );
    state = exact ? 'shown' : 'changed';
  }
  return state;
}

/** Asks for an expectation's own case up to TRIES times. `difference` is the one that it expects, when it is shown. */
export async function askCase(
  own: ExpectedCase,
  rule: string,
  known: KnownFindings,
  ask: Ask,
): Promise<{ readonly state: Shown; readonly difference?: Difference }> {
  const predictions = known.predictions(own.scenario);
  const waits = waitsOf(predictions.pure);
  let state: Shown = 'gone';
  for (let i = 0; i < TRIES; i++) {
    const { difference } = compare(predictions.known, await ask(own.scenario, waits));
    if (difference === undefined) continue;
    if (saysTheSame(own, rule, difference)) return { state: 'shown', difference };
    state = 'changed';
  }
  return { state };
}

/** Whether an expectation's words are those of a difference. */
function saysTheSame(own: ExpectedCase, rule: string, difference: Difference): boolean {
  const text = differenceText(difference);
  return (
    text.rule === rule &&
    text.step === own.step &&
    text.what === own.what &&
    text.predicted === own.predicted &&
    text.observed === own.observed
  );
}
