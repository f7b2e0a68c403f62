/** One mutant on the cases of one stage: until the first difference that shows again alone, a crash or a hang. */
import { toJson } from '../../oracle/case/json.ts';
import type { Json } from '../../oracle/case/json.ts';
import { differenceText } from '../../oracle/judge/difference.ts';
import { packStep } from '../../oracle/scenario/packed.ts';
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import type { Kill } from '../../reports/data/sensitivity.ts';
import { SUITE_NAMES } from '../../generators/suites.ts';
import { bootGuest, EXIT, RingfenceError } from '../../vm/index.ts';
import type { Guest } from '../../vm/index.ts';
import { chooseMutant, reachedIn } from '../../vm/build/mutant-kernel.ts';
import type { Mutant } from '../../vm/build/mutant-file.ts';
import type { Numbered } from '../../vm/build/mutants.ts';
import { Asker, FIRST_QUESTION } from '../guests/asker.ts';
import type { Stop } from '../guests/asker.ts';
import { KnownFindings } from '../known/predictions.ts';
import type { Policy } from '../known/policy.ts';
import { isKernelsFault } from '../guests/session.ts';
import { Campaign, NO_CASE } from '../run/campaign.ts';
import { CONFIRM_TRIES, isFine } from '../run/investigate.ts';
import { Laboratory } from '../run/laboratory.ts';
import type { Outcome } from '../run/laboratory.ts';
import { planCases } from '../run/plan.ts';
import type { PlannedCase } from '../run/plan.ts';
import { bringUp, KernelStopped, Unsupported, Untestable } from '../run/prepare.ts';
import type { Prepared, Ready } from '../run/prepare.ts';
import { askPolicy, URGENT, urgentFirst } from '../run/run.ts';
import type { Suspect } from '../run/tally.ts';
import { digestOf } from './journal.ts';
import type { StageName, Trial } from './journal.ts';
import type { Reach } from './reach.ts';
import type { SharedCases } from './shared-cases.ts';

/** Differences that do not show again, after which a mutant is given up in a stage. */
const MAX_UNCONFIRMED = 10;

/** So many times as long as without a fault a mutant may take for its cases. */
const SLOWER = 4;

/** How the guests of all mutants are booted. */
export interface GuestSettings {
  readonly append: string;
  /** Seconds that a guest may take to boot, or be silent. */
  readonly timeout: number;
  /** Seconds that a mutant may take for its cases, beside several times what they take without a fault. */
  readonly grace: number;
}

/** The cases of a stage, and what is predicted of them on the kernel without a fault. */
export interface Stage {
  readonly name: StageName;
  readonly cases: SharedCases;
  /** Place of the first case that counts; those before it were in the stage before. */
  readonly first: number;
  readonly total: number;
  readonly seed: number;
  readonly known: KnownFindings;
}

/** What a trial needs. */
export interface TrialSetup {
  readonly ready: Ready;
  readonly settings: GuestSettings;
  readonly stage: Stage;
  readonly reach: Reach;
  readonly signal: AbortSignal;
}

/** Tries one mutant. @throws what is no fault of its kernel; and what the signal aborts with */
export async function tryMutant(one: Numbered, setup: TrialSetup): Promise<Trial> {
  const attempt = new Attempt(one, setup);
  try {
    const kill = await attempt.run();
    setup.signal.throwIfAborted();
    return {
      id: one.mutant.id,
      digest: digestOf(one.mutant),
      stage: setup.stage.name,
      // What dies while it boots has no console left that tells.
      reached: kill !== null || attempt.reached,
      kill,
      ...reachingOf(one, setup.reach),
      unconfirmed: attempt.unconfirmed,
      ...(attempt.evidence === undefined ? {} : { evidence: attempt.evidence }),
    };
  } finally {
    await attempt.close();
  }
}

/** How many cases come to a mutant's place, where that is told. */
function reachingOf({ number }: Numbered, reach: Reach): Pick<Trial, 'reaching'> {
  const cases = reach.of(number);
  return cases === 'all' ? {} : { reaching: cases.length };
}

/** Classes whose faults may show in a later case than the one that came to their place. */
const LINGERING: readonly string[] = ['lifetime', 'race', 'allocation', 'crash'];

/** Numbers of the cases that can show a mutant, in their order; undefined: any of them. */
export function placesOf(mutant: Mutant, number: number, reach: Reach): readonly number[] | undefined {
  const places = reach.of(number);
  return places === 'all' || LINGERING.includes(mutant.class) ? undefined : places;
}

/** A guest that is up, or why there is none. */
type Arrived =
  | { readonly prepared: Prepared; readonly policy: Policy; readonly asker: Asker }
  | { readonly kill: Kill };

class Attempt {
  unconfirmed = 0;
  evidence: Trial['evidence'];
  readonly #one: Numbered;
  readonly #setup: TrialSetup;
  readonly #booted: Guest[] = [];
  /** The cases that can show it; undefined: all. */
  readonly #places: readonly number[] | undefined;
  #prepared: Prepared | undefined;

  constructor(one: Numbered, setup: TrialSetup) {
    this.#one = one;
    this.#setup = setup;
    this.#places = placesOf(one.mutant, one.number, setup.reach);
  }

  get reached(): boolean {
    return this.#booted.some(({ console }) => reachedIn(console).includes(this.#one.number));
  }

  async close(): Promise<void> {
    await this.#prepared?.guests.closeAll();
  }

  /** How the mutant was seen; null when it was not. */
  async run(): Promise<Kill | null> {
    let arrived = await this.#arrive();
    // A busy machine may be too slow once.
    if ('kill' in arrived) arrived = await this.#arrive();
    return 'kill' in arrived ? arrived.kill : await this.#cases(arrived);
  }

  /** Boots, probes and asks about findings, as a run does. */
  async #arrive(): Promise<Arrived> {
    const { ready, settings, signal } = this.#setup;
    const append = `${settings.append} ${chooseMutant(this.#one.number)}`.trim();
    const start: Ready['start'] = async (options) => {
      const guest = await (ready.start ?? bootGuest)(options);
      this.#booted.push(guest);
      return guest;
    };
    let where: Kill['where'] = 'booting';
    let asker: Asker | undefined;
    try {
      await this.close();
      const quiet = { note: () => {}, consoleFile: () => undefined };
      const prepared = await bringUp({ ...ready, start }, { append, timeout: settings.timeout }, quiet, signal);
      this.#prepared = prepared;
      if (prepared.stops.length > 0) return this.#stopped(prepared.stops[0]!, 'probing');
      asker = new Asker(prepared.guests, prepared.first);
      where = 'findings';
      const policy = await askPolicy({}, prepared, asker, new Date(), signal);
      return asker.stops.length > 0 ? this.#stopped(asker.stops[0]!, where) : { prepared, asker, policy };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof KernelStopped) {
        await error.halted.guests.closeAll();
        return this.#stopped(error.halted.stops[0]!, 'probing');
      }
      const [stop] = asker?.stops ?? [];
      if (stop !== undefined) return this.#stopped(stop, where);
      if (!isUntestable(error)) throw error;
      if (where === 'booting' && error instanceof Untestable) where = 'probing';
      const verdict = error instanceof Unsupported ? 'untestable' : 'kernel-crash';
      return { kill: { stage: this.#setup.stage.name, verdict, where, cases: 0, seconds: 0, detail: brief(error) } };
    }
  }

  /** A question that the kernel did not survive. */
  #stopped({ scenario, verdict, end, detail }: Stop, where: Kill['where']): Arrived {
    this.evidence = { scenario: jsonOf(scenario), answers: [] };
    const { name: stage } = this.#setup.stage;
    return { kill: { stage, verdict, where, cases: 0, seconds: 0, detail: end?.reports[0]?.title ?? detail } };
  }

  async #cases({ prepared, policy, asker }: Exclude<Arrived, { kill: Kill }>): Promise<Kill | null> {
    const { stage, settings, reach, signal } = this.#setup;
    const { abi } = prepared;
    const same = serves(stage.known, prepared, policy);
    const known = same ? stage.known : new KnownFindings(policy.active, abi);
    const { urgent } = prepared;
    const from = (place: number): Iterator<PlannedCase> => {
      if (!sameAbi(abi, stage.known.abi)) return skip(planCases(SUITE_NAMES, abi, stage.seed, stage.total), place);
      return this.#places === undefined ? stage.cases.from(place) : stage.cases.among(this.#places, place);
    };
    const started = performance.now();
    const all = reach.seconds(stage.total - 1, stage.first);
    const until = started + 1000 * (SLOWER * all + settings.grace);
    let session: typeof asker.session | undefined = asker.session;
    let cases: Iterator<PlannedCase> = urgentFirst(urgent, toGenerator(from(stage.first)));
    for (;;) {
      const found = await this.#search(cases, known, session, until);
      signal.throwIfAborted();
      if (found === undefined) return null;
      if ('kill' in found) return found.kill;
      const { suspect, seconds } = found;
      const kill = await this.#confirm(suspect, (seconds - started) / 1000);
      signal.throwIfAborted();
      if (kill !== undefined) return kill;
      if (++this.unconfirmed >= MAX_UNCONFIRMED) return null;
      const { index } = suspect.planned;
      const rest = index >= URGENT ? urgent.slice(index - URGENT + 1) : [];
      cases = urgentFirst(rest, toGenerator(from(index >= URGENT ? stage.first : index + 1)));
      session = undefined;
    }
  }

  /** Runs cases until one does not pass. `seconds`: when that was, as performance.now() says. */
  async #search(
    cases: Iterator<PlannedCase>,
    known: KnownFindings,
    session: Asker['session'] | undefined,
    until: number,
  ): Promise<{ readonly suspect: Suspect; readonly seconds: number } | { readonly kill: Kill } | undefined> {
    const { stage, signal } = this.#setup;
    const inner = new AbortController();
    const abort = (): void => inner.abort();
    signal.addEventListener('abort', abort, { once: true });
    const before = performance.now();
    let late = false;
    const timer = setTimeout(
      () => {
        late = true;
        abort();
      },
      Math.max(0, until - before),
    );
    let found: { readonly suspect: Suspect; readonly seconds: number } | undefined;
    const campaign = new Campaign({
      guests: this.#prepared!.guests,
      cases,
      total: stage.total,
      jobs: 1,
      known,
      sessions: session === undefined ? [] : [session],
      started: performance.now(),
      signal: inner.signal,
      onSuspect: (suspect) => {
        found ??= { suspect, seconds: performance.now() };
        inner.abort();
      },
    });
    const broken = (verdict: Kill['verdict'], detail: string): { readonly kill: Kill } => {
      const seconds = round((performance.now() - before) / 1000);
      return {
        kill: { stage: stage.name, verdict, where: 'cases', cases: campaign.tally.scenarios, seconds, detail },
      };
    };
    try {
      await campaign.run();
    } catch (error) {
      signal.throwIfAborted();
      if (!isUntestable(error)) throw error;
      return found ?? broken('kernel-crash', brief(error));
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
    }
    if (found !== undefined || !late) return found;
    return broken('hang', `it takes more than ${SLOWER} times as long for its cases as without a fault`);
  }

  /** Repeats a case alone on a fresh guest, as a run does. A kernel that crashed or fell silent needs no repetition. */
  async #confirm(suspect: Suspect, seconds: number): Promise<Kill | undefined> {
    const { planned, end } = suspect;
    const told = (more: Pick<Kill, 'verdict' | 'detail'> & Partial<Kill>): Kill => ({
      stage: this.#setup.stage.name,
      where: 'cases',
      suite: planned.suite,
      cases: this.#casesTo(planned.index),
      seconds: round(this.#secondsOf(planned.index, seconds)),
      ...more,
    });
    if (end !== undefined && isKernelsFault(end)) {
      this.evidence = { scenario: jsonOf(planned.scenario), answers: [] };
      return told({ verdict: suspect.verdict, detail: end.reports[0]?.title ?? end.detail });
    }
    const outcome = await this.#alone(suspect);
    if (outcome === undefined) return undefined;
    this.evidence = { scenario: jsonOf(planned.scenario), answers: [] };
    switch (outcome.verdict) {
      case 'divergence': {
        const { rule, step, what, predicted, observed } = differenceText(outcome.difference);
        this.evidence = { ...this.evidence, answers: outcome.observation.steps.map(packStep) };
        const detail = `step ${step}, ${what}: predicted ${predicted}, observed ${observed}`;
        return told({ verdict: 'divergence', rule, detail });
      }
      case 'kernel-crash':
        return told({ verdict: 'kernel-crash', detail: outcome.end.reports[0]?.title ?? outcome.end.detail });
      default:
        return told({ verdict: outcome.verdict, detail: outcome.detail });
    }
  }

  /** Cases that were run up to one, itself included. What shows when the guest is switched off comes after all. */
  #casesTo(index: number): number {
    if (index === NO_CASE) return this.#setup.stage.total;
    if (index >= FIRST_QUESTION) return 0;
    return index >= URGENT ? index - URGENT + 1 : index + 1;
  }

  /** Where cases were left out that cannot show it: what the kernel without a fault takes for all up to this one. */
  #secondsOf(index: number, measured: number): number {
    const { stage, reach } = this.#setup;
    return this.#places === undefined || index >= URGENT ? measured : reach.seconds(index, stage.first);
  }

  /** What the case does alone, where that is no pass. */
  async #alone(suspect: Suspect): Promise<Exclude<Outcome, { verdict: 'pass' | 'known' }> | undefined> {
    const laboratory = new Laboratory(this.#prepared!.guests, {
      settle: true,
      ending: suspect.ending === true,
    });
    try {
      // A hang takes its whole time, each time.
      const tries = suspect.verdict === 'hang' ? 1 : CONFIRM_TRIES;
      for (let i = 0; i < tries && !this.#setup.signal.aborted; i++) {
        const outcome = await laboratory.try(suspect.predictions);
        if (!isFine(outcome)) return outcome as Exclude<Outcome, { verdict: 'pass' | 'known' }>;
      }
      return undefined;
    } catch (error) {
      if (!isUntestable(error)) throw error;
      // It did not even boot again.
      return { verdict: 'runner-error', detail: brief(error) };
    } finally {
      await laboratory.fresh();
    }
  }
}

const isUntestable = (error: unknown): error is RingfenceError =>
  error instanceof RingfenceError && error.exitCode === EXIT.untestable;

/** Whether what was predicted for the kernel without a fault holds for this one. */
function serves(known: KnownFindings, { abi }: Prepared, { active }: Policy): boolean {
  const ids = (findings: KnownFindings['active']): string => findings.map(({ id }) => id).join(' ');
  return sameAbi(abi, known.abi) && ids(active) === ids(known.active);
}

const sameAbi = (a: AbiProfile, b: AbiProfile): boolean => JSON.stringify(a) === JSON.stringify(b);

function* skip(cases: Iterator<PlannedCase>, count: number): Generator<PlannedCase> {
  for (let at = 0; ; at++) {
    const next = cases.next();
    if (next.done === true) return;
    if (at >= count) yield next.value;
  }
}

function* toGenerator(cases: Iterator<PlannedCase>): Generator<PlannedCase> {
  yield* skip(cases, 0);
}

const jsonOf = (scenario: Scenario): Json => toJson(scenario);

const round = (seconds: number): number => Math.round(seconds * 100) / 100;

/** The first line of what an error says, and of the console the line that tells most. */
function brief({ message }: RingfenceError): string {
  const lines = message.split('\n');
  const telling = lines.find((line) => /BUG|Oops|panic|WARNING|fault/.test(line) && line !== lines[0]);
  return [lines[0], telling?.replace(/^\[ *[\d.]+\](?:\[[^\]]*\])? */, '').trim()].filter(Boolean).join(' ');
}
