/** Predicted against observed: the first difference, and how many kernel answers were compared. */
import { Open } from '../open-answer.ts';
import { allows } from '../scenario/prediction.ts';
import type { Allowed, CqeOrder, PredictedCqe, PredictedStep, Prediction } from '../scenario/prediction.ts';
import type { Cqe, Observation, StepObservation } from '../scenario/observation.ts';
import { cqeDifference } from './difference.ts';
import type { Difference } from './difference.ts';

/** What comparing a scenario gave. */
export interface CompareResult {
  readonly difference: Difference | undefined;
  /** Return values, CQEs and write-backs that were compared. */
  readonly outcomes: number;
}

/** Compares a whole scenario; stops at the first difference but counts all outcomes. */
export function compare(prediction: Prediction, observation: Observation): CompareResult {
  let outcomes = 0;
  let difference: Difference | undefined;
  const steps = prediction.steps;
  if (observation.steps.length !== steps.length) {
    return {
      outcomes: 0,
      difference: {
        kind: 'steps',
        step: 0,
        rule: 'task.gone',
        predicted: steps.length,
        observed: observation.steps.length,
      },
    };
  }
  for (let i = 0; i < steps.length; i++) {
    const predicted = steps[i]!;
    const observed = observation.steps[i]!;
    outcomes += judged(predicted, observed);
    difference ??= compareStep(i, predicted, observed);
  }
  return { difference, outcomes };
}

/**
 * Answers of a step that are compared: none where the rules leave everything open, and no CQE that may be absent, so
 * that the number is the same each time.
 */
function judged({ returns, cqes, memory }: PredictedStep, observed: StepObservation): number {
  const required = Open.is(cqes) ? 0 : cqes.reduce((sum, { optional }) => sum + (optional === undefined ? 1 : 0), 0);
  return (
    (Open.is(returns) ? 0 : returns.length) + required + (Open.is(memory) || observed.memory === undefined ? 0 : 1)
  );
}

function compareStep(step: number, predicted: PredictedStep, observed: StepObservation): Difference | undefined {
  if (predicted.reached !== observed.reached) {
    const { rule, reached } = predicted;
    return { kind: 'reached', step, rule, predicted: reached, observed: observed.reached };
  }
  const { returns } = predicted;
  if (!Open.is(returns) && !sameReturns(returns, observed.returns)) {
    return { kind: 'return', step, rule: predicted.rule, predicted: returns, observed: observed.returns };
  }
  return compareCqes(step, predicted, observed.cqes) ?? compareMemory(step, predicted, observed);
}

function sameReturns(predicted: readonly Allowed[], observed: readonly number[]): boolean {
  if (predicted.length !== observed.length) return false;
  for (let i = 0; i < predicted.length; i++) if (!allows(predicted[i]!, observed[i]!)) return false;
  return true;
}

function fits(predicted: PredictedCqe, cqe: Cqe): boolean {
  return predicted.user_data === cqe.user_data && allows(predicted.res, cqe.res) && allows(predicted.flags, cqe.flags);
}

/** CQEs are a multiset: the order in which they are posted is promised by drains alone. */
function compareCqes(step: number, predicted: PredictedStep, observed: readonly Cqe[]): Difference | undefined {
  const want = predicted.cqes;
  if (Open.is(want)) return undefined;
  const differs = compareSets(step, predicted, want, observed);
  if (differs !== undefined || predicted.order === undefined) return differs;
  return compareOrder(step, predicted.order, want, observed);
}

function compareSets(
  step: number,
  predicted: PredictedStep,
  want: readonly PredictedCqe[],
  observed: readonly Cqe[],
): Difference | undefined {
  if (want.length === observed.length) {
    let i = 0;
    while (i < want.length && fits(want[i]!, observed[i]!)) i++;
    if (i === want.length) return undefined;
  }
  const matched = match(want, observed);
  const missing = want.findIndex((cqe, i) => !matched.predicted[i] && cqe.optional === undefined);
  const extra = observed.findIndex((_, i) => !matched.observed[i]);
  if (missing < 0 && extra < 0) return undefined;
  const wanted = want[missing];
  if (wanted === undefined) {
    const stray = observed[extra]!;
    const blamed = want.find(({ user_data }) => user_data === stray.user_data);
    return { kind: 'cqe-unexpected', step, rule: blamed?.rule ?? predicted.rule, predicted: blamed, observed: stray };
  }
  // The answer that stands where the missing one should: the same user_data, if there is one.
  const instead = observed.find((cqe, i) => !matched.observed[i] && cqe.user_data === wanted.user_data);
  return instead === undefined
    ? { kind: 'cqe-missing', step, rule: wanted.rule, predicted: wanted }
    : cqeDifference(step, wanted, instead);
}

const SHARED = -1;

/** Whether CQEs that have a user_data of their own came in the order that drains ask for. */
function compareOrder(
  step: number,
  order: readonly CqeOrder[],
  want: readonly PredictedCqe[],
  observed: readonly Cqe[],
): Difference | undefined {
  const at = new Map<bigint, number>();
  observed.forEach(({ user_data: data }, i) => {
    at.set(data, at.has(data) ? SHARED : i);
  });
  const must = want.filter(({ optional }) => optional === undefined);
  const bySqe = new Map(must.map((cqe) => [cqe.sqe, cqe] as const));
  for (const { first, second } of order) {
    const [one, other] = [bySqe.get(first), bySqe.get(second)];
    if (one === undefined || other === undefined) continue;
    const [place, later] = [at.get(one.user_data) ?? SHARED, at.get(other.user_data) ?? SHARED];
    if (place !== SHARED && later !== SHARED && place > later)
      return { kind: 'cqe-order', step, rule: 'drain.order', predicted: one, second: other };
  }
  return undefined;
}

/** Maximum matching between predicted and observed CQEs (augmenting paths; groups are tiny). */
function match(want: readonly PredictedCqe[], observed: readonly Cqe[]): { predicted: boolean[]; observed: boolean[] } {
  const owner = new Array<number>(observed.length).fill(-1);
  const taken = new Array<number>(want.length).fill(-1);
  const candidates = new Map<bigint, number[]>();
  observed.forEach((cqe, i) => {
    const list = candidates.get(cqe.user_data);
    if (list === undefined) candidates.set(cqe.user_data, [i]);
    else list.push(i);
  });
  const assign = (p: number, visited: Set<number>): boolean => {
    for (const o of candidates.get(want[p]!.user_data) ?? []) {
      if (visited.has(o) || !fits(want[p]!, observed[o]!)) continue;
      visited.add(o);
      if (owner[o]! < 0 || assign(owner[o]!, visited)) {
        owner[o] = p;
        taken[p] = o;
        return true;
      }
    }
    return false;
  };
  // Required CQEs first, so that an optional one never takes their place.
  for (const optional of [false, true]) {
    want.forEach((cqe, p) => {
      if ((cqe.optional !== undefined) === optional) assign(p, new Set());
    });
  }
  return { predicted: taken.map((o) => o >= 0), observed: owner.map((p) => p >= 0) };
}

function compareMemory(step: number, predicted: PredictedStep, observed: StepObservation): Difference | undefined {
  if (Open.is(predicted.memory)) return undefined;
  const a = predicted.memory;
  const b = observed.memory;
  if (b === undefined && (a === undefined || predicted.memory_may_lack === true)) return undefined;
  const open = predicted.memory_open;
  const same = (byte: number, i: number): boolean => byte === b![i] || open?.includes(i) === true;
  if (a !== undefined && b !== undefined && a.length === b.length && a.every(same)) return undefined;
  return { kind: 'memory', step, rule: predicted.rule, predicted: a, observed: b };
}
