/**
 * An expectation's own case: the smallest scenario that shows a bug for which there is no model, and what differs there.
 *
 * A difference in a random scenario counts as this bug only when, repeated alone and shrunk, it ends at this very case: the same
 * steps up to the numbers of tasks and rings and the values of user_data, the same rule broken at the same step, and the same predicted and observed answer.
 */
import { RING_FD, RING_SLOTS } from '../../oracle/scenario/layout.ts';
import { toJson } from '../../oracle/case/json.ts';
import type { Sqe } from '../../oracle/scenario/types.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import type { Difference } from '../../oracle/judge/compare.ts';

/** BPF_LD | BPF_W | BPF_ABS; user_data are the first 8 bytes of the context. */
const LD_W_ABS = 0x20;

export interface ExpectedCase {
  readonly scenario: Scenario;
  /** Step at which it differs, from 0. */
  readonly step: number;
  readonly what: Difference['what'];
  readonly predicted: string;
  readonly observed: string;
}

/** The case as text: two cases are the same exactly when their texts are. */
export function canonicalCase({ scenario, step, what, predicted, observed }: ExpectedCase, rule: string): string {
  const names = new Names(scenario);
  const renamed = names.scenario();
  return JSON.stringify([rule, step, what, names.text(predicted), names.text(observed), renamed]);
}

/** Numbers without a meaning of their own, in the order in which they appear. Where something else in the scenario may refer to one, all stay. */
class Names {
  readonly #source: Scenario;
  readonly #rings: ReadonlyMap<number, number>;
  readonly #tasks: ReadonlyMap<number, number>;
  readonly #data: ReadonlyMap<bigint, bigint>;

  constructor(source: Scenario) {
    this.#source = source;
    const { steps } = source;
    const sqes = steps.flatMap((step) => (step.do === 'submit' ? step.sqes : []));
    const order = <T>(values: readonly T[]): Map<T, number> =>
      new Map([...new Set(values)].map((value, i) => [value, i]));
    this.#tasks = order([
      0,
      ...steps.flatMap((step) => [
        ...(step.do === 'take_ring' ? [step.from] : []),
        ...(step.do === 'spawn' ? [step.task, step.child] : [step.task]),
      ]),
    ]);
    // A descriptor number names a ring from outside.
    const named =
      sqes.some((sqe) => ringNumber(sqe.fd)) ||
      steps.some(
        (step) =>
          (step.do === 'probe_fd' && ringNumber(step.fd)) ||
          ('on' in step && step.on.kind === 'fd' && ringNumber(step.on.fd)) ||
          (step.do === 'register' && step.bytes !== undefined),
      );
    this.#rings = named ? new Map() : order(steps.flatMap(ringsOf));
    // A filter that looks at user_data, and requests that name others by it.
    const looked = steps.some(
      (step) => step.do === 'register_bpf_filter' && step.arg.program.some(({ code, k }) => code === LD_W_ABS && k < 8),
    );
    const referred =
      looked ||
      sqes.some(
        (sqe) => (sqe.addr ?? 0n) !== 0n || (sqe.off ?? 0n) !== 0n || (sqe.addr3 ?? 0n) !== 0n || (sqe.len ?? 0) !== 0,
      ) ||
      steps.some((step) => step.do === 'register');
    this.#data = referred
      ? new Map()
      : new Map([...order(sqes.map((sqe) => sqe.user_data ?? 0n))].map(([value, i]) => [value, BigInt(i + 1)]));
  }

  scenario(): unknown {
    const { suite: _suite, ...rest } = this.#source;
    return toJson({ ...rest, steps: rest.steps.map((step) => this.#step(step)) });
  }

  /** user_data as it is printed in a difference. */
  text(text: string): string {
    return text.replace(/user_data=0x([0-9a-f]+)/g, (whole, digits: string) => {
      const value = this.#data.get(BigInt(`0x${digits}`));
      return value === undefined ? whole : `user_data=0x${value.toString(16)}`;
    });
  }

  #step(step: Step): Step {
    const task = (number: number): number => this.#tasks.get(number) ?? number;
    const ring = (slot: number): number => this.#rings.get(slot) ?? slot;
    const renamed = {
      ...step,
      task: task(step.task),
      ...('ring' in step ? { ring: ring(step.ring) } : {}),
      ...('child' in step ? { child: task(step.child) } : {}),
      ...('from' in step ? { from: task(step.from) } : {}),
      ...('on' in step && step.on.kind === 'ring' ? { on: { ...step.on, ring: ring(step.on.ring) } } : {}),
    } as Step;
    return renamed.do === 'submit'
      ? {
          ...renamed,
          sqes: renamed.sqes.map(
            (sqe): Sqe => ({ ...sqe, user_data: this.#data.get(sqe.user_data ?? 0n) ?? sqe.user_data ?? 0n }),
          ),
        }
      : renamed;
  }
}

function ringNumber(fd: number | undefined): boolean {
  return fd !== undefined && fd >= RING_FD && fd < RING_FD + RING_SLOTS;
}

function ringsOf(step: Step): number[] {
  return [...('ring' in step ? [step.ring] : []), ...('on' in step && step.on.kind === 'ring' ? [step.on.ring] : [])];
}
