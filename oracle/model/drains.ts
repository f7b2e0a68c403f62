/** The order that drains give to the requests of a step, and so to their CQEs. */
import { IOSQE } from '../uapi/constants.ts';
import type { CqeOrder } from '../scenario/prediction.ts';
import type { Chain } from './submission.ts';

/** Who has to end before whom. What is refused or cancelled while it is submitted waits for nobody. */
export class Drains {
  readonly #order: CqeOrder[] = [];
  /** Requests since the last drain, that drain first. */
  #since: number[] = [];
  /** The last drain. */
  #last: number | undefined;

  /** Notes a chain that runs, in the order of submission. */
  note(chain: Chain): void {
    if (chain.some(({ admission }) => admission.verdict !== 'admitted')) return;
    const barrier = this.#last;
    if (barrier !== undefined) for (const { index } of chain) this.#order.push({ first: barrier, second: index });
    for (const { sqe, index } of chain) {
      if ((sqe.flags & IOSQE.IO_DRAIN) === 0) continue;
      for (const first of this.#since) this.#order.push({ first, second: index });
      this.#since = [];
      this.#last = index;
    }
    for (const { index } of chain) if (index !== this.#last) this.#since.push(index);
  }

  /** Pairs of requests, by their index in the step: the CQE of the first comes before the other's. */
  get order(): readonly CqeOrder[] | undefined {
    return this.#order.length === 0 ? undefined : this.#order;
  }
}
