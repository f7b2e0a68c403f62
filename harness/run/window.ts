/** The cases under way on one guest: as many as keep it busy, and no more. */
import type { Predictions } from '../known/predictions.ts';
import type { PlannedCase } from './plan.ts';

/** Cases in flight per guest: enough that the guest never waits for the host. */
const CASES = 96;
/** Bytes in flight per guest. */
const BYTES = 2 << 20;

/** A case that was sent and is not answered. */
export interface Flight {
  readonly planned: PlannedCase;
  readonly predictions: Predictions;
  /** Size of the encoded case. */
  readonly bytes: number;
}

/** What is under way, by the number of the case. */
export class Window {
  readonly #flights = new Map<number, Flight>();
  readonly #most: number;
  #bytes = 0;
  #wake: (() => void) | undefined;

  /** @param line the guest is reached over a serial line, which takes one case after the other */
  constructor(line: boolean) {
    this.#most = line ? 1 : CASES;
  }

  get full(): boolean {
    return this.#flights.size >= this.#most || this.#bytes >= BYTES;
  }

  get empty(): boolean {
    return this.#flights.size === 0;
  }

  /** A case that has been sent. */
  launch(flight: Flight): void {
    this.#flights.set(flight.planned.index, flight);
    this.#bytes += flight.bytes;
  }

  /** A case that has been answered. */
  land({ planned, bytes }: Flight): void {
    this.#flights.delete(planned.index);
    this.#bytes -= bytes;
  }

  has(index: number | undefined): boolean {
    return index !== undefined && this.#flights.has(index);
  }

  /** What was under way when the guest went, the last one sent first. */
  left(): readonly Flight[] {
    return [...this.#flights.values()].reverse();
  }

  /** Something has changed that `change` waits for. */
  readonly changed = (): void => {
    this.#wake?.();
    this.#wake = undefined;
  };

  /** Until the next call of `changed`; at once when `over` holds. */
  change(over: () => boolean): Promise<void> {
    return new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (over()) resolve();
    });
  }
}
