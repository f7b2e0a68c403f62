/** A campaign on mutants: one kernel that holds them all, the same cases for each, a guest for each. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { encodeScenario } from '../../oracle/case/frame.ts';
import type { SensitivityResult } from '../../reports/data/sensitivity.ts';
import { duration } from '../../reports/text/style.ts';
import { buildMutants } from '../../vm/build/mutant-kernel.ts';
import type { MutantKernel } from '../../vm/build/mutant-kernel.ts';
import type { Mutant } from '../../vm/build/mutant-file.ts';
import { writeFileWhole } from '../../vm/host/files.ts';
import { OWN_MACHINE } from '../../vm/machine/index.ts';
import { makeReady } from '../run/prepare.ts';
import type { Ready } from '../run/prepare.ts';
import { toolVersions } from '../run/versions.ts';
import { digest, digestOf, Journal, unwritten } from './journal.ts';
import type { StageName, Trial } from './journal.ts';
import type { SensitivityEvents, SensitivityOptions } from './options.ts';
import { bringReference } from './reference.ts';
import type { Reach } from './reach.ts';
import type { Reference, ReferenceSetup } from './reference.ts';
import { buildSensitivity } from './result.ts';
import { placesOf, tryMutant } from './trial.ts';
import type { Stage } from './trial.ts';
import type { Numbered } from '../../vm/build/mutants.ts';

/** Name of the journal below the output directory. */
const JOURNAL = 'sensitivity.jsonl';
/** Name of the kernel's copy there. */
const KERNEL = 'vmlinux-mutants';

/** The kernel with all mutants in it. @throws SetupError, KernelError as buildMutants does */
export async function buildKernel(
  { linux, patches, debug, mutants, keepGoing, out }: SensitivityOptions,
  { note }: Pick<SensitivityEvents, 'note'>,
  signal: AbortSignal,
): Promise<MutantKernel> {
  return await buildMutants(
    { tree: { dir: linux, patches, debug }, mutants, keepGoing },
    { log: note, logFile: join(out, 'build.log'), signal },
  );
}

/** The whole campaign. @throws RingfenceError set-up problems, and a kernel that does not pass without a fault */
export async function sensitivity(
  options: SensitivityOptions,
  events: SensitivityEvents,
  signal: AbortSignal,
): Promise<SensitivityResult> {
  const kernel = await ownKernel(options, await buildKernel(options, events, signal));
  const { append, accel, timeout } = options;
  const source = { kernel: kernel.kernel.path, slow: kernel.slow, append, accel, timeout };
  const ready = await makeReady(source, (text) => events.note(text), signal);
  return await onMutants({ options, events, signal, kernel, ready });
}

/** A copy of the kernel: other builds of the tree must not take it away before the last mutant, or after. */
async function ownKernel({ out }: SensitivityOptions, built: MutantKernel): Promise<MutantKernel> {
  const path = resolve(out, KERNEL);
  const bytes = await readFile(built.kernel.path);
  await writeFileWhole(path, (file) => file.writeFile(bytes)).catch((error: unknown) => {
    throw unwritten(path, error);
  });
  return { ...built, kernel: { ...built.kernel, path } };
}

/** What the stages share. */
export interface Works {
  readonly options: SensitivityOptions;
  readonly events: SensitivityEvents;
  readonly signal: AbortSignal;
  readonly kernel: Pick<MutantKernel, 'mutants' | 'misfits' | 'kernel'>;
  readonly ready: Ready;
}

/** All stages on a kernel that is there. */
export async function onMutants(works: Works): Promise<SensitivityResult> {
  const { options, events, signal, ready } = works;
  const { jobs, seed } = options;
  const setup: ReferenceSetup = {
    ready,
    settings: options,
    jobs,
    signal,
    note: (text) => events.note(text),
    progress: (progress) => events.progress(progress),
  };
  const reference = await bringReference(setup);
  try {
    const quick = reference.stage({ name: 'quick', total: options.quick, seed });
    const campaign = new Mutants(works, reference, journalOf(options, quick));
    await campaign.stage(quick, setup);
    if (options.cases > 0 && campaign.survivors().length > 0) {
      const whole = { name: 'default', total: options.cases, seed, before: quick } as const;
      await campaign.stage(reference.stage(whole), setup);
    }
    return campaign.result();
  } finally {
    await reference.close();
  }
}

function journalOf({ out, linux, seed, cases, fresh }: SensitivityOptions, quick: Stage): Journal {
  const drawn: Uint8Array[] = [];
  for (const { scenario } of quick.cases.from(0)) drawn.push(encodeScenario(scenario, { id: 0, deadline_ms: 0 }));
  const head = { version: 1, linux, seed, cases: digest(Buffer.concat(drawn)), default_cases: cases } as const;
  return new Journal(join(out, JOURNAL), head, fresh);
}

/** The mutants, and what is known of them so far. */
class Mutants {
  readonly #works: Works;
  readonly #reference: Reference;
  readonly #journal: Journal;
  readonly #started = new Date();
  readonly #versions = toolVersions(OWN_MACHINE);

  constructor(works: Works, reference: Reference, journal: Journal) {
    this.#works = works;
    this.#reference = reference;
    this.#journal = journal;
  }

  #wanted(): readonly Numbered[] {
    const { kernel, options } = this.#works;
    return kernel.mutants.filter(({ mutant }) => options.wanted(mutant));
  }

  /** Those that a scenario can show, and none has so far. */
  survivors(): readonly Numbered[] {
    return this.#wanted().filter(
      ({ mutant }) => mutant.needs === undefined && this.#journal.trial(mutant, 'quick')?.kill === null,
    );
  }

  /** Runs a stage: the kernel without a fault, then each mutant that is left. */
  async stage(stage: Stage, setup: ReferenceSetup): Promise<void> {
    const { events, options, signal } = this.#works;
    const left = (): readonly Numbered[] =>
      (stage.name === 'quick' ? this.#wanted() : this.survivors()).filter(
        ({ mutant }) => this.#journal.trial(mutant, stage.name) === undefined,
      );
    if (left().length === 0) return;
    events.note(`${stage.total} cases of the ${stage.name} run without a mutant`);
    const reach = await this.#reference.run(stage, setup);
    events.finished();
    const todo = this.#strike(left(), stage.name, reach);
    const shown = { done: 0, all: todo.length, started: performance.now() };
    events.note(`${todo.length} mutants, ${options.jobs} at a time`);
    // What cannot be kept is not worth trying; the other guests end what they are at.
    let failed = false;
    const work = async (): Promise<void> => {
      while (!signal.aborted && !failed) {
        const one = todo.shift();
        if (one === undefined) return;
        const trial = await this.#try(one, stage, reach);
        if (trial === undefined) continue;
        this.#journal.add(trial);
        shown.done++;
        events.note(trialLine(trial, one.mutant, shown));
        events.checkpoint(this.result(), this.#trials());
      }
    };
    const workers = Array.from({ length: options.jobs }, async () => {
      try {
        await work();
      } catch (error) {
        failed = true;
        throw error;
      }
    });
    await Promise.allSettled(workers);
    await Promise.all(workers);
    signal.throwIfAborted();
    events.checkpoint(this.result(), this.#trials());
  }

  /** What no case comes to needs no guest. The rest: those that a scenario can show come first, the cheapest first. */
  #strike(left: readonly Numbered[], stage: StageName, reach: Reach): Numbered[] {
    const todo: Numbered[] = [];
    for (const one of left) {
      if (reach.of(one.number).length > 0) todo.push(one);
      else this.#journal.add(unreached(one, stage));
    }
    const cost = ({ mutant, number }: Numbered): number =>
      (mutant.needs === undefined ? 0 : UNLIKELY) + (placesOf(mutant, number, reach)?.length ?? MANY);
    return todo.sort((a, b) => cost(a) - cost(b));
  }

  /** Undefined when the guests failed, which is told; it is tried again by the next call. */
  async #try(one: Numbered, stage: Stage, reach: Reach): Promise<Trial | undefined> {
    const { ready, signal, events, options } = this.#works;
    try {
      return await tryMutant(one, { ready, settings: options, stage, reach, signal });
    } catch (error) {
      if (signal.aborted) return undefined;
      const why = error instanceof Error ? error.message : String(error);
      events.note(`${one.mutant.id} could not be tried: ${why.split('\n')[0]}`);
      return undefined;
    }
  }

  #trials(): readonly Trial[] {
    return this.#wanted().flatMap(
      ({ mutant }) => this.#journal.trial(mutant, 'default') ?? this.#journal.trial(mutant, 'quick') ?? [],
    );
  }

  result(): SensitivityResult {
    const { options, kernel } = this.#works;
    return buildSensitivity({
      options,
      kernel,
      release: this.#reference.release,
      trial: (mutant, stage) => this.#journal.trial(mutant, stage),
      versions: this.#versions,
      started: this.#started,
    });
  }
}

/** Cases, more than any stage has. */
const MANY = 1e9;
/** What makes a mutant come after all others. */
const UNLIKELY = 1e10;

function unreached({ mutant }: Numbered, stage: StageName): Trial {
  return { id: mutant.id, digest: digestOf(mutant), stage, reached: false, reaching: 0, kill: null, unconfirmed: 0 };
}

/** One line of progress. */
function trialLine(
  { kill, reached }: Trial,
  { id }: Mutant,
  { done, all, started }: { readonly done: number; readonly all: number; readonly started: number },
): string {
  const left = ((performance.now() - started) / 1000 / done) * (all - done);
  const how =
    kill === null
      ? `ALIVE${reached ? '' : ', not reached'}`
      : `${kill.rule ?? kill.verdict}${kill.where === 'cases' ? '' : ` while ${kill.where}`}, ` +
        `${kill.cases === 1 ? '1 case' : `${kill.cases} cases`}, ${kill.seconds.toFixed(1)} s`;
  const rest = done < all ? `   (${duration(left)} left)` : '';
  return `${String(done).padStart(String(all).length)}/${all}  ${id}: ${how}${rest}`;
}
