/**
 * An expectation's own case: the smallest scenario that shows a bug for which there is no model, and what differs
 * there.
 *
 * A difference in a random scenario counts as this bug only when, repeated alone and shrunk, it ends at this very
 * case: the same steps up to the numbers of tasks and rings and the values of user_data, the same rule broken at the
 * same step, and the same predicted and observed answer.
 */
import { RING_FD, RING_SLOTS } from '../../oracle/scenario/layout.ts';
import { toJson } from '../../oracle/case/json.ts';
import { renumbered, requestsOf, specOf, tasksOf, withRequests } from '../../oracle/steps/index.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import { differenceText, withUserData } from '../../oracle/judge/difference.ts';
import type { Difference, DifferenceText } from '../../oracle/judge/difference.ts';

/** As it stands in an expectation file; the rule is the entry's. */
export interface ExpectedCase extends Omit<DifferenceText, 'rule'> {
  readonly scenario: Scenario;
}

/** A smallest case and what differs there as text: two are the same exactly when their texts are. */
export function canonicalCase(scenario: Scenario, difference: Difference): string {
  const names = new Names(scenario);
  const text = differenceText(withUserData(difference, (userData) => names.userData(userData)));
  return JSON.stringify([text.rule, text.step, text.what, text.predicted, text.observed, names.scenario()]);
}

/**
 * Numbers without a meaning of their own, in the order in which they appear. Where something else in the scenario may
 * refer to one, all stay.
 */
class Names {
  readonly #source: Scenario;
  readonly #rings: ReadonlyMap<number, number>;
  readonly #tasks: ReadonlyMap<number, number>;
  readonly #data: ReadonlyMap<bigint, bigint>;

  constructor(source: Scenario) {
    this.#source = source;
    const { steps } = source;
    const order = <T>(values: readonly T[]): Map<T, number> =>
      new Map([...new Set(values)].map((value, i) => [value, i]));
    this.#tasks = order([0, ...steps.flatMap(tasksOf)]);
    // A descriptor number may name a ring from outside.
    const refers = steps.map((step) => specOf(step).refersTo?.(step) ?? {});
    const ringsNamed = refers.some(({ rings }) => rings === true) || steps.some(onDescriptorOfRing);
    this.#rings = ringsNamed ? new Map() : order(steps.flatMap(ringsOf));
    // A filter may look at user_data, and requests name others by it.
    const dataNamed = refers.some(({ data }) => data === true);
    const data = steps.flatMap(requestsOf).map((sqe) => sqe.user_data ?? 0n);
    this.#data = dataNamed ? new Map() : new Map([...order(data)].map(([value, i]) => [value, BigInt(i + 1)]));
  }

  scenario(): unknown {
    const { suite: _suite, ...rest } = this.#source;
    return toJson({ ...rest, steps: rest.steps.map((step) => this.#step(step)) });
  }

  userData(value: bigint): bigint {
    return this.#data.get(value) ?? value;
  }

  #step(step: Step): Step {
    const renamed = renumbered(
      step,
      (task) => this.#tasks.get(task) ?? task,
      (ring) => this.#rings.get(ring) ?? ring,
    );
    return withRequests(renamed, (sqe) => ({ ...sqe, user_data: this.userData(sqe.user_data ?? 0n) }));
  }
}

function onDescriptorOfRing(step: Step): boolean {
  return 'on' in step && step.on.kind === 'fd' && step.on.fd >= RING_FD && step.on.fd < RING_FD + RING_SLOTS;
}

function ringsOf(step: Step): number[] {
  return [...('ring' in step ? [step.ring] : []), ...('on' in step && step.on.kind === 'ring' ? [step.on.ring] : [])];
}
