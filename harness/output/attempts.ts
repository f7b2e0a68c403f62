/** Writes that may fail without ending what goes on. */
import { OutputError } from './write.ts';

/** The work goes on when its output cannot be written; the failure is told, and decides the exit code at the end. */
export class Attempts {
  /** The failure to tell at the end. */
  failed: OutputError | undefined;
  readonly #tell: (text: string) => void;

  constructor(tell: (text: string) => void) {
    this.#tell = tell;
  }

  /** Writes; the first failure is told at once. True when it was written. @throws whatever is no OutputError */
  write(act: () => void): boolean {
    const before = this.failed;
    const written = this.quietly(act);
    if (!written && before === undefined) this.#tell(`ringfence: ${this.failed?.message}`);
    return written;
  }

  /** Writes; a failure is told at the end only. True when it was written. @throws whatever is no OutputError */
  quietly(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      this.failed = error;
      return false;
    }
  }
}
