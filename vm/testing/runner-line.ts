/** A runner on a real kernel, talked to frame by frame. */
import { encodeScenario } from '../../oracle/case/frame.ts';
import type { Scenario, Step } from '../../oracle/steps/index.ts';
import type { Guest } from '../guest/guest.ts';
import { bootGuest } from '../guest/guest.ts';
import { buildImage } from '../guest/image.ts';
import { fetchKernel } from '../kernels/fetch.ts';
import { ANNOUNCED } from '../protocol/table.ts';
import { FrameParser } from '../protocol/frames.ts';
import type { GuestFrame, RunnerResult } from '../protocol/frames.ts';

/** Whether something else than a scenario is announced. */
const isOther = (frame: GuestFrame): boolean =>
  frame.type === 'begin' && (Object.values(ANNOUNCED) as number[]).includes(frame.id);

/** A guest with a runner in it, and what it said. */
export class Line {
  readonly guest: Guest;
  readonly frames: GuestFrame[] = [];
  /** What it announced beside scenarios. */
  readonly announced: GuestFrame[] = [];
  readonly #parser = new FrameParser();
  #wake: () => void = () => {};
  #id = 0;

  constructor(guest: Guest) {
    this.guest = guest;
    guest.onData((chunk) => {
      const all = this.#parser.push(chunk);
      this.frames.push(...all.filter((frame) => !isOther(frame)));
      this.announced.push(...all.filter(isOther));
      this.#wake();
    });
  }

  /** Waits for a frame. @throws Error when the guest ends first */
  async until<T>(find: (frame: GuestFrame) => T | undefined): Promise<T> {
    for (;;) {
      for (const frame of this.frames) {
        const found = find(frame);
        if (found !== undefined) return found;
      }
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
        this.guest.exited.then(() => {
          throw new Error(
            `the guest ended; it said ${JSON.stringify(this.frames.at(-1))}\n${this.guest.console.slice(-2000)}`,
          );
        }),
      ]);
    }
  }

  /** Runs a scenario of these steps; waits for the CQEs of each batch. */
  async run(steps: readonly Step[], more: Partial<Scenario> & { deadline?: number } = {}): Promise<RunnerResult> {
    const { deadline = 5000, ...rest } = more;
    const id = ++this.#id;
    const waits = steps.map((step) => (step.do === 'submit' ? step.sqes.length : 0));
    await this.guest.send(
      encodeScenario({ version: 1, fixtures: [], jit: true, steps, ...rest }, { id, deadline_ms: deadline, waits }),
    );
    return await this.until((frame) => (frame.type === 'result' && frame.result.id === id ? frame.result : undefined));
  }

  /** Sends a SCENARIO frame as it is. */
  async raw(bytes: Uint8Array): Promise<RunnerResult> {
    await this.guest.send(bytes);
    const id = new DataView(bytes.buffer, bytes.byteOffset).getUint32(8, true);
    return await this.until((frame) => (frame.type === 'result' && frame.result.id === id ? frame.result : undefined));
  }
}

/** Boots the default kernel, and a runner in it. */
export async function bootLine(append = ''): Promise<Line> {
  return new Line(await bootGuest({ kernel: await fetchKernel(), image: await buildImage(), accel: 'tcg', append }));
}
