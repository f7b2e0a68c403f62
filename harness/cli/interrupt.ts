/** Ctrl-C, once for every long command: the first stops the work and keeps what was found, a second ends at once. */
import { killAll } from '../../vm/host/processes.ts';
import { EXIT } from '../../vm/index.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Two interrupts within so many milliseconds are one: each process on the way passes it on. */
const ONE_INTERRUPT_MS = 300;

/** What else happens when work is interrupted. */
export interface Interruption {
  /** Told at the first: says what happens now. */
  readonly note: (text: string) => void;
  /** Keeps on disk what there is at this moment, before a second ends the process. Must not throw. */
  readonly keep?: () => void;
}

/**
 * Does the work with a signal that the first SIGINT, SIGTERM or SIGHUP aborts. A second one kills the guests, keeps
 * what there is and ends the process with 130; so does one that comes later, while reports of interrupted work are
 * written.
 */
export async function interruptible<T>(
  { note, keep }: Interruption,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  let firstAt = -Infinity;
  const interrupt = (): void => {
    const now = performance.now();
    if (!controller.signal.aborted) {
      firstAt = now;
      const kept = keep === undefined ? '' : ' and writing what was found';
      note(`interrupted: stopping the guests${kept} (once more: at once)`);
      controller.abort();
      return;
    }
    // npm and the launcher pass on what the terminal sent already: that is one Ctrl-C, not two.
    if (now - firstAt < ONE_INTERRUPT_MS) return;
    killAll();
    keep?.();
    process.exit(EXIT.interrupted);
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    if (!controller.signal.aborted) for (const signal of SIGNALS) process.off(signal, interrupt);
  }
}
