/** What is predicted of one scenario, and how a kernel's answers are judged by it. */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { compare } from '../../oracle/judge/compare.ts';
import type { Difference } from '../../oracle/judge/difference.ts';
import { pointsOf } from '../../oracle/quirks/index.ts';
import { predict, predictTraced } from '../../oracle/predict.ts';
import type { TracedPrediction } from '../../oracle/predict.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Prediction } from '../../oracle/scenario/prediction.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { quirksOf } from './findings.ts';
import type { Finding } from './findings.ts';

/** What became of a scenario that came to its end; `outcomes` is how many answers were compared. */
export type Judged =
  | { readonly verdict: 'pass'; readonly outcomes: number }
  /** The findings that explain it to the last answer, as few as possible. */
  | { readonly verdict: 'known'; readonly outcomes: number; readonly findings: readonly Finding[] }
  /** The first difference that known findings do not explain. */
  | { readonly verdict: 'divergence'; readonly outcomes: number; readonly difference: Difference };

/**
 * Everything that is predicted of one scenario, on its way with the case: each prediction is made when it is first
 * asked for, and once. Only the trace for a report is made apart, for the few cases that come into one.
 */
export class Predictions {
  readonly scenario: Scenario;
  readonly #abi: AbiProfile;
  readonly #active: readonly Finding[];
  #pure: Prediction | undefined;
  #known: Prediction | undefined;
  #traced: TracedPrediction | undefined;
  /** By the models, sorted and joined. */
  #others: Map<string, Prediction> | undefined;

  constructor(scenario: Scenario, abi: AbiProfile, active: readonly Finding[]) {
    this.scenario = scenario;
    this.#abi = abi;
    this.#active = active;
  }

  /** By the rules alone. */
  get pure(): Prediction {
    this.#pure ??= predict(this.scenario, this.#abi);
    return this.#pure;
  }

  /** With the models of all known findings. The same object as `pure` where none of them has a say. */
  get known(): Prediction {
    this.#known ??= this.#make(this.#active);
    return this.#known;
  }

  /** By the rules alone, with what decided. */
  get traced(): TracedPrediction {
    this.#traced ??= predictTraced(this.scenario, this.#abi);
    this.#pure ??= this.#traced.prediction;
    return this.#traced;
  }

  /** With the models of some findings. */
  under(findings: readonly Finding[]): Prediction {
    if (findings === this.#active) return this.known;
    const key = findings
      .map(({ id }) => id)
      .sort()
      .join(' ');
    this.#others ??= new Map();
    let prediction = this.#others.get(key);
    if (prediction === undefined) {
      prediction = this.#make(findings);
      this.#others.set(key, prediction);
    }
    return prediction;
  }

  #make(findings: readonly Finding[]): Prediction {
    // Without a model that has a say in it the prediction is the pure one.
    if (!concerns(findings, this.pure)) return this.pure;
    return predict(this.scenario, this.#abi, { quirks: quirksOf(findings) });
  }

  /** The verdict on a kernel's answers. */
  judge(observation: Observation): Judged {
    const { difference, outcomes } = compare(this.pure, observation);
    if (difference === undefined) return { verdict: 'pass', outcomes };
    if (this.known === this.pure) return { verdict: 'divergence', outcomes, difference };
    // What known findings explain is not the point of it.
    const left = compare(this.known, observation).difference;
    if (left !== undefined) return { verdict: 'divergence', outcomes, difference: left };
    return { verdict: 'known', outcomes, findings: this.#needed(observation) };
  }

  /** The findings without which the answers are not predicted, when those of all together are. */
  #needed(observation: Observation): readonly Finding[] {
    let needed = this.#active;
    let prediction = this.known;
    for (const finding of this.#active) {
      const fewer = needed.filter((other) => other !== finding);
      // A model that was not asked makes no difference.
      const other = concerns([finding], prediction) ? this.under(fewer) : prediction;
      if (other !== prediction && compare(other, observation).difference !== undefined) continue;
      needed = fewer;
      prediction = other;
    }
    return needed;
  }
}

/** Whether one of the models has a say in what was predicted. */
function concerns(findings: readonly Finding[], { asked }: Prediction): boolean {
  return findings.some(({ id }) => pointsOf(id).some((point) => asked.has(point)));
}

/** The findings that a kernel shows, and its ABI profile: what scenarios are predicted with. */
export class KnownFindings {
  readonly active: readonly Finding[];
  readonly abi: AbiProfile;
  constructor(active: readonly Finding[], abi: AbiProfile) {
    this.active = active;
    this.abi = abi;
  }

  /** The predictions of a scenario; none is made yet. */
  predictions(scenario: Scenario): Predictions {
    return new Predictions(scenario, this.abi, this.active);
  }
}
