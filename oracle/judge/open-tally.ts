/** How much of what was predicted is open, and by which places: what `rules --open`, results and tests count. */
import { Open, OpenSet } from '../open-answer.ts';
import type { OpenKind } from '../open-answer.ts';
import type { Allowed, PredictedCqe, Prediction } from '../scenario/prediction.ts';
import { requestsOf } from '../steps/index.ts';
import type { Scenario } from '../steps/index.ts';

/** Uses of places, over any number of cases. */
export class OpenTally {
  /** Requests of steps that run. */
  requests = 0;
  /** Those of which more than one answer is right. */
  open = 0;
  /** Those of which one answer is right, but for a number that the kernel picks. */
  numbers = 0;
  /** Requests that are left open, by the kind of the place. */
  readonly kinds: Record<OpenKind, number> = { timing: 0, 'not-modelled': 0, silent: 0 };
  /** Place -> how often it left an answer open: of a request, of a call, of bytes that were read. */
  readonly uses = new Map<string, number>();

  /** Counts one case. */
  add({ steps }: Scenario, prediction: Prediction): void {
    for (let i = 0; i < steps.length; i++) {
      const { reached, returns, cqes, memory } = prediction.steps[i]!;
      if (!reached) continue;
      if (Open.is(returns)) this.#use(returns);
      else for (const value of returns) if (typeof value !== 'number') this.#use(value.place);
      if (Open.is(memory)) this.#use(memory);
      const requests = requestsOf(steps[i]!).length;
      if (requests > 0) this.#requests(requests, cqes);
    }
  }

  #requests(requests: number, cqes: readonly PredictedCqe[] | Open): void {
    this.requests += requests;
    if (Open.is(cqes)) {
      this.open += requests;
      this.kinds[cqes.kind] += requests;
      this.#use(cqes, requests);
      return;
    }
    let seen: Set<number> | undefined;
    for (const cqe of cqes) {
      const place = placeOf(cqe);
      // Of no request of this step: counted where it was left open.
      if (place === undefined || cqe.sqe < 0) continue;
      seen ??= new Set();
      // A zero-copy send has two CQEs.
      if (seen.has(cqe.sqe)) continue;
      seen.add(cqe.sqe);
      if (place.number) this.numbers++;
      else {
        this.open++;
        this.kinds[place.kind]++;
      }
      this.#use(place);
    }
  }

  #use({ id }: Open, times = 1): void {
    this.uses.set(id, (this.uses.get(id) ?? 0) + times);
  }
}

/** The place that leaves a CQE open, or undefined. */
function placeOf({ res, flags, optional }: PredictedCqe): Open | undefined {
  return placeOfSet(res) ?? optional ?? placeOfSet(flags);
}

function placeOfSet(allowed: Allowed): Open | undefined {
  return OpenSet.is(allowed) ? allowed.place : undefined;
}
