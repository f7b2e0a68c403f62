/** Cases that many kernels get: drawn once, when the first of them comes to it. */
import { encodeScenario } from '../../oracle/case/frame.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { KnownFindings } from '../known/predictions.ts';
import type { Predictions } from '../known/predictions.ts';
import type { PlannedCase } from '../run/plan.ts';

/** The cases of one plan. */
export class SharedCases {
  readonly #draw: Iterator<PlannedCase>;
  readonly #drawn: PlannedCase[] = [];
  #over = false;

  constructor(draw: Iterator<PlannedCase>) {
    this.#draw = draw;
  }

  /** The case at a place, from 0; undefined behind the last. */
  at(place: number): PlannedCase | undefined {
    while (place >= this.#drawn.length && !this.#over) {
      const next = this.#draw.next();
      if (next.done === true) this.#over = true;
      else this.#drawn.push(next.value);
    }
    return this.#drawn[place];
  }

  /** All from a place on. */
  *from(place: number): Generator<PlannedCase> {
    for (let at = place; ; at++) {
      const one = this.at(at);
      if (one === undefined) return;
      yield one;
    }
  }

  /** Those at some places, in ascending order, from one of them on. */
  *among(places: readonly number[], from: number): Generator<PlannedCase> {
    for (const place of places) {
      const one = place < from ? undefined : this.at(place);
      if (one !== undefined) yield one;
    }
  }
}

/** Whether two cases are the same to a kernel. */
export function sameCase(a: Scenario, b: Scenario): boolean {
  const [x, y] = [a, b].map((scenario) => encodeScenario(scenario, { id: 0, deadline_ms: 0, waits: [] }));
  return x!.length === y!.length && Buffer.compare(x!, y!) === 0;
}

/** Predictions that are made once for all kernels with this ABI and these findings. */
export class SharedPredictions extends KnownFindings {
  readonly #made = new WeakMap<Scenario, Predictions>();

  override predictions(scenario: Scenario): Predictions {
    let made = this.#made.get(scenario);
    if (made === undefined) {
      made = super.predictions(scenario);
      this.#made.set(scenario, made);
    }
    return made;
  }
}
