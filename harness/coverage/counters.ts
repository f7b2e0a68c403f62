/** The counters of all guests of a run: set to zero before the cases, kept while they run, read before a guest ends. */
import { COUNTERS } from '../../vm/build/coverage.ts';
import { SetupError } from '../../vm/index.ts';
import { GuestFileError } from '../guests/session.ts';
import type { Session } from '../guests/session.ts';

/** Milliseconds between two looks at a guest that works: what a crash or Ctrl-C costs at most. */
const KEEP_MS = 3000;

/** What the guests counted. */
export class Counters {
  readonly #paths: ReadonlyMap<string, string>;
  readonly #kept = new Map<Session, ReadonlyMap<string, Buffer>>();
  readonly #every: number;
  /** Guests that ended before they were read to the end; what they did in their last seconds is missing. */
  lost = 0;

  /**
   * @param output directory that the kernel was built in
   * @param sources files whose objects count, such as `io_uring/net.c`
   */
  constructor(output: string, sources: readonly string[], every = KEEP_MS) {
    this.#paths = new Map(sources.map((source) => [source, `${COUNTERS}${output}/${source.replace(/\.c$/, '.gcda')}`]));
    this.#every = every;
  }

  /** What each guest counted, by source file. */
  get guests(): readonly ReadonlyMap<string, Buffer>[] {
    return [...this.#kept.values()];
  }

  /** A guest is there: from now on it counts. @throws SetupError its kernel does not count */
  async open(session: Session): Promise<void> {
    await this.reset(session);
    await this.#look(session);
    // A guest that is busy answers late: the next look waits for the one before.
    let timer: NodeJS.Timeout | undefined;
    const next = (): void => {
      if (session.ended === undefined) timer = setTimeout(() => void this.#keep(session).then(next), this.#every);
    };
    next();
    session.onEnd(({ reason }) => {
      clearTimeout(timer);
      if (reason !== 'killed') this.lost++;
    });
    session.farewell = async () => await this.#keep(session);
  }

  /** Begins anew: what was asked before the cases is none of their doing. */
  async reset(session: Session): Promise<void> {
    try {
      await session.write(`${COUNTERS}/reset`, '1');
    } catch (error) {
      throw error instanceof GuestFileError ? await whyNot(session) : error;
    }
  }

  /** What was kept before is what there is when the guest is gone. */
  async #keep(session: Session): Promise<void> {
    await this.#look(session).catch(() => {});
  }

  /** @throws SetupError the counters of a file are not there */
  async #look(session: Session): Promise<void> {
    const read = new Map<string, Buffer>();
    for (const [source, path] of this.#paths) read.set(source, await counted(session, source, path));
    this.#kept.set(session, read);
  }
}

async function counted(session: Session, source: string, path: string): Promise<Buffer> {
  try {
    return await session.read(path);
  } catch (error) {
    if (!(error instanceof GuestFileError)) throw error;
    throw new SetupError(
      `Linux ${session.hello.release} counts nothing in ${source}: ${error.message}.`,
      'Its configuration leaves that file out, or it was built in another directory than the one that is read.',
    );
  }
}

/** Why a guest has no counters. */
async function whyNot(session: Session): Promise<SetupError> {
  const mounted = await session.read('/sys/kernel/debug').then(
    (names) => names.length > 0,
    () => false,
  );
  return mounted
    ? new SetupError(
        `Linux ${session.hello.release} counts nothing: it was built without CONFIG_GCOV_KERNEL.`,
        'Let ringfence coverage build the kernel (--linux DIR), without --kernel.',
      )
    : new SetupError(
        `Linux ${session.hello.release} has no debugfs, through which it would show its counters.`,
        'It was built without CONFIG_DEBUG_FS, or switched off with debugfs=off on its command line.',
      );
}
