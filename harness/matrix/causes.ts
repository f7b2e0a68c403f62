/**
 * Why two kernels answer one scenario differently. Each kernel has a model: its probed ABI and the findings that it
 * shows. The cause is the smallest set of things in which the two models differ that is enough to turn one answer into
 * the other.
 */
import { Open } from '../../oracle/open-answer.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { predict } from '../../oracle/predict.ts';
import { allows } from '../../oracle/scenario/prediction.ts';
import type { Prediction } from '../../oracle/scenario/prediction.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { Cause } from '../../reports/data/matrix.ts';
import { compare } from '../../oracle/judge/compare.ts';
import { differenceText } from '../../oracle/judge/difference.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import { quirksOf } from '../known/findings.ts';
import type { Finding } from '../known/findings.ts';
import { abiDifferences, withMembers } from './abi.ts';
import { parting, withoutOthers } from './answers.ts';

/** What a kernel is expected to do. */
export interface Model {
  readonly name: string;
  readonly abi: AbiProfile;
  /** Findings that it shows. */
  readonly findings: readonly Finding[];
  /** Entries of --expect with a case of their own that showed. */
  readonly expected: readonly { readonly id: string; readonly rule: string }[];
}

function predictedBy(scenario: Scenario, { abi, findings }: Pick<Model, 'abi' | 'findings'>): Prediction {
  return predict(scenario, abi, { quirks: quirksOf(findings) });
}

/** A member in which two models differ: a finding that one of them has, or a member of the ABI profile. */
interface Part {
  readonly cause: Cause;
  readonly finding?: Finding;
  readonly field?: string;
}

/** Why, and the step from which on it shows. */
export interface Reasons {
  /** Never empty. */
  readonly causes: readonly Cause[];
  readonly step: number;
  /** The rule that one of them breaks, where that is the reason. */
  readonly broken?: string;
}

/** Each kernel's answers: there is one of either at least, and they differ. */
export interface Answers {
  readonly from: readonly Observation[];
  readonly to: readonly Observation[];
}

/** The causes. Answers that neither model allows are unexplained. */
export function causesOf(scenario: Scenario, from: Model, to: Model, answers: Answers): Reasons {
  const byTo = predictedBy(scenario, to);
  const broken =
    faultOf(from, 'from', predictedBy(scenario, from), answers.from) ?? faultOf(to, 'to', byTo, answers.to);
  if (broken !== undefined) return broken;
  const a = answers.from[0]!;
  const b = answers.to[0]!;
  const odd = compare(byTo, a).difference;
  if (odd === undefined)
    return { step: parting(a, b)?.step ?? 0, causes: [{ kind: 'open', rule: openRule(byTo, a, b) }] };

  // The whole of `from`'s model allows its answer; what can be taken away without losing that is no cause.
  let needed = partsOf(from, to);
  for (const part of needed) {
    const fewer = needed.filter((other) => other !== part);
    if (allowed(scenario, from, to, fewer, a)) needed = fewer;
  }
  return {
    step: odd.step,
    causes:
      needed.length > 0
        ? needed.map(({ cause }) => cause)
        : [{ kind: 'unexplained', detail: 'the two models are the same, and still predict different answers' }],
  };
}

/** The first answer of a kernel that its own model does not allow. */
function faultOf(
  model: Model,
  shownOn: 'from' | 'to',
  predicted: Prediction,
  observations: readonly Observation[],
): Reasons | undefined {
  for (const observation of observations) {
    const { difference } = compare(predicted, observation);
    if (difference === undefined) continue;
    const entry = model.expected.find(({ rule }) => rule === difference.rule);
    return entry === undefined
      ? unexplained(model, difference)
      : { step: difference.step, causes: [{ kind: 'expected', ...entry, shown_on: shownOn }] };
  }
  return undefined;
}

function unexplained({ name }: Model, difference: Difference): Reasons {
  const { rule, step, predicted, observed } = differenceText(difference);
  const detail = `${name} breaks ${rule}: step ${step}, predicted ${predicted}, observed ${observed}`;
  return { step, broken: rule, causes: [{ kind: 'unexplained', detail }] };
}

function partsOf(from: Model, to: Model): readonly Part[] {
  const finding = (one: Finding, shownOn: 'from' | 'to'): Part => ({
    finding: one,
    cause: { kind: 'finding', id: one.id, rule: one.rule, shown_on: shownOn },
  });
  return [
    ...abiDifferences(from.abi, to.abi).map(
      ({ field, a, b }): Part => ({ field, cause: { kind: 'abi', field, from: a, to: b } }),
    ),
    ...from.findings
      .filter(({ id }) => to.findings.every((other) => other.id !== id))
      .map((one) => finding(one, 'from')),
    ...to.findings.filter(({ id }) => from.findings.every((other) => other.id !== id)).map((one) => finding(one, 'to')),
  ];
}

/** Whether `to`'s model with these parts of `from`'s allows the answer. */
function allowed(scenario: Scenario, from: Model, to: Model, parts: readonly Part[], answer: Observation): boolean {
  const fields = new Set(parts.flatMap(({ field }) => field ?? []));
  const changed = new Set(parts.flatMap(({ finding }) => finding?.id ?? []));
  const findings = [
    ...to.findings.filter(({ id }) => !changed.has(id)),
    ...from.findings.filter(({ id }) => changed.has(id)),
  ];
  const mixed = { abi: withMembers(to.abi, from.abi, fields), findings };
  return compare(predictedBy(scenario, mixed), answer).difference === undefined;
}

/** The rule that leaves open what stands at the first place where the two answers part. */
function openRule({ steps }: Prediction, a: Observation, b: Observation): string {
  const place = parting(a, b);
  const step = place === undefined ? undefined : steps[place.step];
  if (place === undefined || step === undefined) return 'unknown';
  if (Open.is(step.cqes)) return step.rule;
  const [mine, theirs] = [a.steps[place.step]!.cqes, b.steps[place.step]!.cqes];
  for (const odd of [...withoutOthers(mine, theirs), ...withoutOthers(theirs, mine)]) {
    const same = step.cqes.filter(({ user_data, res }) => user_data === odd.user_data && allows(res, odd.res));
    // Several requests may have the same user_data; the one in question has more than one answer.
    const open =
      same.find(({ res, optional }) => typeof res !== 'number' || optional !== undefined) ??
      same.find(({ flags }) => typeof flags !== 'number');
    if (open !== undefined) return open.rule;
  }
  return step.rule;
}
