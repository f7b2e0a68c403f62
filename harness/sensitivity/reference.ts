/** The kernel without a fault: every mutant is measured against it, and it must be conformant itself. */
import { differenceText } from '../../oracle/judge/difference.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { bootGuest, EXIT, RingfenceError } from '../../vm/index.ts';
import { REACH } from '../../vm/build/mutant-kernel.ts';
import { Asker } from '../guests/asker.ts';
import type { KnownFindings } from '../known/predictions.ts';
import { Campaign } from '../run/campaign.ts';
import { investigate, isFine } from '../run/investigate.ts';
import { Laboratory } from '../run/laboratory.ts';
import { planCases } from '../run/plan.ts';
import { bringUp } from '../run/prepare.ts';
import type { Prepared, Ready } from '../run/prepare.ts';
import { askPolicy } from '../run/run.ts';
import type { Progress } from '../../reports/data/progress.ts';
import type { StageName } from './journal.ts';
import { Reach, watched } from './reach.ts';
import type { WatchedGuest } from './reach.ts';
import { sameCase, SharedCases, SharedPredictions } from './shared-cases.ts';
import type { GuestSettings, Stage } from './trial.ts';

/** What one stage draws. */
export interface StagePlan {
  readonly name: StageName;
  readonly total: number;
  readonly seed: number;
  /** The stage before: what it had already does not come again. */
  readonly before?: Stage;
}

/** What is needed for it. */
export interface ReferenceSetup {
  readonly ready: Ready;
  readonly settings: GuestSettings;
  readonly jobs: number;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
  readonly progress: (progress: Progress) => void;
}

/** The kernel without a fault does not pass. */
class NotConformant extends RingfenceError {
  constructor(what: string) {
    super(
      `This kernel does not pass without a mutant: ${what}.`,
      'Nothing can be said of faults in it before that is mended or known: look into it with ' +
        '`npx ringfence run --linux DIR --build`.',
      EXIT.divergent,
    );
  }
}

/** Boots the kernel without a fault; it tells which places it comes to. */
export async function bringReference({ ready, settings, signal, note }: ReferenceSetup): Promise<Reference> {
  const guests: WatchedGuest[] = [];
  const start: Ready['start'] = async (options) => {
    const one = watched(await (ready.start ?? bootGuest)(options));
    guests.push(one);
    return one.guest;
  };
  const append = `${settings.append} ${REACH}`.trim();
  const events = { note, consoleFile: () => undefined };
  const prepared = await bringUp({ ...ready, start }, { append, timeout: settings.timeout }, events, signal);
  const asker = new Asker(prepared.guests, prepared.first);
  const policy = await askPolicy({}, prepared, asker, new Date(), signal);
  if (prepared.urgent.length + prepared.stops.length + asker.stops.length > 0)
    throw new NotConformant('its ABI is not the documented one, or it stopped while it was asked about it');
  return new Reference(prepared, asker, new SharedPredictions(policy.active, prepared.abi), guests);
}

/** The kernel without a fault. */
export class Reference {
  readonly known: KnownFindings;
  readonly #prepared: Prepared;
  readonly #asker: Asker;
  readonly #guests: readonly WatchedGuest[];
  #fresh = true;

  constructor(prepared: Prepared, asker: Asker, known: KnownFindings, guests: readonly WatchedGuest[]) {
    this.known = known;
    this.#prepared = prepared;
    this.#asker = asker;
    this.#guests = guests;
  }

  get release(): string {
    return this.#prepared.abi.release;
  }

  /** What the stage draws for this kernel. */
  stage({ name, total, seed, before }: StagePlan): Stage {
    const cases = new SharedCases(planCases(SUITE_NAMES, this.known.abi, seed, total));
    return { name, total, seed, known: this.known, cases, first: before === undefined ? 0 : repeated(cases, before) };
  }

  /**
   * Runs the cases of a stage, and says which of them come where. @throws RingfenceError (1) when the kernel does not
   * pass them
   */
  async run(stage: Stage, { jobs, signal, note, progress }: ReferenceSetup): Promise<Reach> {
    const { guests } = this.#prepared;
    const before = this.#fresh ? 0 : this.#guests.length;
    const took = new Map<number, number>();
    const campaign = new Campaign({
      guests,
      cases: stage.cases.from(stage.first),
      total: stage.total - stage.first,
      jobs,
      known: this.known,
      sessions: this.#fresh ? [this.#asker.session] : [],
      started: performance.now(),
      signal,
      onProgress: progress,
      onAnswer: ({ index }, { exec_ns }) => void took.set(index, exec_ns),
    });
    this.#fresh = false;
    const { suspects } = await campaign.run();
    signal.throwIfAborted();
    const reach = new Reach(this.#guests.slice(before), (id) => id < stage.total, took);
    for (const suspect of [...suspects.values()].flatMap((group) => group.cases)) {
      const laboratory = new Laboratory(guests, { settle: suspect.verdict === 'kernel-crash' });
      const { outcome } = await investigate(suspect, laboratory, { guests, known: this.known, signal, shrinkMs: 0 });
      await laboratory.fresh();
      const name = `case ${suspect.planned.index} of ${suspect.planned.suite}`;
      if (isFine(outcome)) {
        note(`${name} differed once without a mutant (${suspect.verdict}), and not again alone`);
        continue;
      }
      const rule = outcome.verdict === 'divergence' ? `, ${differenceText(outcome.difference).rule}` : '';
      throw new NotConformant(`${name} is a ${outcome.verdict}${rule}`);
    }
    return reach;
  }

  async close(): Promise<void> {
    await this.#prepared.guests.closeAll();
  }
}

/** How many cases of a stage come first that the stage before had as well; either all of those or none. */
function repeated(cases: SharedCases, before: Stage): number {
  for (let at = 0; at < before.total; at++) {
    const [one, other] = [cases.at(at), before.cases.at(at)];
    if (one === undefined || other === undefined || !sameCase(one.scenario, other.scenario)) return 0;
  }
  return before.total;
}
