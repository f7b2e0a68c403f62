/**
 * A campaign: cases are drawn, predicted and sent while the guests execute earlier ones; answers are judged as they
 * come. A guest that dies or falls silent costs the case it was in, nothing else: the rest of its window goes to its
 * successor.
 */
import { encodeScenario } from '../../oracle/case/frame.ts';
import { waitsOf } from '../../oracle/judge/waits.ts';
import type { Progress } from '../../reports/data/progress.ts';
import { EXIT, RingfenceError } from '../../vm/index.ts';
import { consoleTail, KernelError } from '../../vm/host/errors.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import { NOTHING, warmUpStop } from '../guests/asker.ts';
import type { Question } from '../guests/asker.ts';
import { deadlineFor } from '../guests/guests.ts';
import type { Guests } from '../guests/guests.ts';
import { inPowerOff, isKernelsFault, SessionEnded } from '../guests/session.ts';
import type { Session, SessionEnd } from '../guests/session.ts';
import { detailOfStatus, verdictOfEnd, verdictOfStatus } from '../guests/verdicts.ts';
import type { KnownFindings, Predictions } from '../known/predictions.ts';
import type { PlannedCase } from './plan.ts';
import { CaseTally, endSignature } from './tally.ts';
import type { Suspect } from './tally.ts';
import { Window } from './window.ts';
import type { Flight } from './window.ts';

/** Answered cases that are remembered: a crash may come after its culprit's answer. */
const RECENT = 1024;
/** Losses (see Campaign.#lose) after which the rest is not worth the time. */
const MAX_LOSSES = 60;
/** The same for a kernel that does little else: it gets through fewer than FEW_CASES for each. */
const MAX_LOSSES_OF_FEW = 8;
const FEW_CASES = 50;
/** Losses that a guest counts for, by how long it was waited for. */
const LOSS = { crash: 1, stuck: 2, deadline: 2, silent: 4 } as const;
/** Guests in a row that end without finishing one case. */
const MAX_BARREN = 5;
/** Number of the case that does nothing. */
export const NO_CASE = 0x5fff_ffff;

/** A question that was asked before all cases, as a case. */
export function asCase({ index, scenario }: Question): PlannedCase {
  return { index, suite: 'arguments', scenario };
}

/** Milliseconds between two progress lines. */
const PROGRESS_MS = 200;

/** What a campaign is made of. */
export interface CampaignOptions {
  readonly guests: Guests;
  readonly cases: Iterator<PlannedCase>;
  readonly total: number;
  readonly jobs: number;
  readonly known: KnownFindings;
  /** Sessions already open (probing used one); the campaign takes them over. */
  readonly sessions: readonly Session[];
  /** Start of the run, as performance.now() says. */
  readonly started: number;
  /** Cases kept per signature. Default KEEP. */
  readonly keep?: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly onAnswer?: (planned: PlannedCase, answer: RunnerResult) => void;
  /** What a first guest was asked before: a crash may come after its culprit's answer. */
  readonly asked?: Iterable<PlannedCase>;
  /** Called with each case that did not pass, as soon as it is known. */
  readonly onSuspect?: (suspect: Suspect) => void;
  readonly signal: AbortSignal;
}

/** One campaign on one kernel; it runs once. */
export class Campaign {
  readonly tally: CaseTally;
  readonly #options: CampaignOptions;
  /** Cases that a lost guest did not answer, the next one last. */
  readonly #again: PlannedCase[] = [];
  #exhausted = false;
  /** Cases whose guest was lost through no fault that the kernel named; a second time it counts. */
  readonly #lost = new Set<number>();
  /** The last cases answered, by id; enough for every guest. */
  readonly #recent = new Map<number, PlannedCase>();
  #barren = 0;
  #progressAt = 0;
  /** What ends it for all guests. */
  #fatal: Error | undefined;

  constructor(options: CampaignOptions) {
    this.#options = options;
    this.tally = new CaseTally(options.keep, options.onSuspect);
    for (const planned of options.asked ?? []) this.#remember(planned);
  }

  /**
   * Runs to the end of the cases, or until the signal aborts.
   * @throws what a boot throws, when no guest could be had
   */
  async run(): Promise<CaseTally> {
    const { jobs } = this.#options;
    const before = performance.now();
    await Promise.all(Array.from({ length: jobs }, (_, job) => this.#work(this.#options.sessions[job])));
    this.tally.campaignMs = performance.now() - before;
    if (this.#fatal !== undefined) throw this.#fatal;
    return this.tally;
  }

  #stopped(): boolean {
    return this.#options.signal.aborted || this.#fatal !== undefined;
  }

  /** The rest is not worth the time. */
  #hopeless(): boolean {
    return this.tally.gaveUp !== undefined;
  }

  #fail(error: unknown): void {
    this.#fatal ??= error instanceof Error ? error : new Error(String(error));
  }

  #next(): PlannedCase | undefined {
    const again = this.#again.pop();
    if (again !== undefined) return again;
    if (this.#exhausted) return undefined;
    const drawn = this.#options.cases.next();
    if (drawn.done === true) {
      this.#exhausted = true;
      return undefined;
    }
    return drawn.value;
  }

  /** One guest after the other, until there is nothing left to do. */
  async #work(first: Session | undefined): Promise<void> {
    let session = first;
    try {
      while (!this.#stopped()) {
        session ??= await this.#open();
        const before = { ended: this.tally.scenarios, answered: this.tally.answered };
        const end = await this.#serve(session);
        this.tally.execNs += session.exec_ns;
        if (end === undefined) break;
        await session.guest.kill();
        session = undefined;
        if (end.reason === 'killed' || this.#stopped()) return;
        this.#rebooted(end, before);
      }
      if (session !== undefined && !this.#stopped() && !this.#hopeless()) await this.#powerOff(session);
    } catch (error) {
      if (!this.#options.signal.aborted) this.#unbootable(error);
    }
    await session?.close();
  }

  /** Switching a guest off is the last thing that a kernel can fail at. */
  async #powerOff(session: Session): Promise<void> {
    const end = await this.#options.guests.powerOff(session);
    if (end !== undefined && !this.#stopped()) this.#late(end);
  }

  /** A kernel that fails on the way to its first case has failed; one that cannot be had any more keeps what it did. */
  #unbootable(error: unknown): void {
    const stop = warmUpStop(error);
    if (stop !== undefined) {
      const planned = asCase(stop);
      const { end, verdict } = stop;
      const predictions = this.#options.known.predictions(planned.scenario);
      this.tally.suspect(
        { planned, predictions, verdict, ...(end === undefined ? {} : { end }), uncounted: true },
        `warm-up:${stop.detail}`,
      );
    }
    const kernels = stop !== undefined || (error instanceof RingfenceError && error.exitCode === EXIT.untestable);
    const [why] = (stop?.detail ?? (error instanceof Error ? error.message : String(error))).split('\n');
    if (!kernels || this.tally.suspects.size === 0) this.#fail(error);
    else this.#giveUp(`no other guest came up: ${why}`);
  }

  #giveUp(why: string): void {
    this.tally.gaveUp ??= why;
    this.#exhausted = true;
    this.#again.length = 0;
  }

  /** Feeds a guest until it ends, or there is nothing left: then undefined. */
  async #serve(session: Session): Promise<SessionEnd | undefined> {
    const end = await this.#drive(session);
    if (end !== undefined || this.#stopped() || this.#hopeless()) return end;
    // The kernel may complain about the last case a moment after its answer.
    const late = await session.settle();
    if (late !== undefined && late.reason !== 'killed') this.#late(late);
    return late;
  }

  /** @throws KernelError when guest after guest is lost through no fault of the kernel */
  #rebooted(end: SessionEnd, before: { readonly ended: number; readonly answered: number }): void {
    this.tally.reboots++;
    const progress =
      end.reason === 'lost' ? this.tally.answered > before.answered : this.tally.scenarios > before.ended;
    this.#barren = progress ? 0 : this.#barren + 1;
    if (this.#barren >= MAX_BARREN) {
      if (this.tally.suspects.size > 0 && end.reason !== 'lost') {
        this.#giveUp(`gave up after ${MAX_BARREN} guests in a row that did not finish a scenario`);
        return;
      }
      throw new KernelError(
        `${MAX_BARREN} guests in a row ended without finishing a scenario; the last: ${end.detail}.\n` +
          `End of its console:\n${consoleTail(end.console)}`,
        end.reason === 'lost'
          ? 'Something ends QEMU: is the machine short of memory? Try --jobs 1.'
          : 'This kernel cannot be tested as it is. If the machine is busy, allow more time with --timeout.',
        end.reason === 'lost' ? EXIT.usage : EXIT.untestable,
      );
    }
    this.#lose(end.reason === 'silent' || end.reason === 'stuck' ? LOSS[end.reason] : LOSS.crash);
  }

  /** Gives up where guests that are lost and cases that do not end take more time than all others. */
  #lose(count: number): void {
    const { tally } = this;
    tally.losses += count;
    const few = tally.losses >= MAX_LOSSES_OF_FEW && tally.scenarios < tally.losses * FEW_CASES;
    if (this.#exhausted || (tally.losses < MAX_LOSSES && !few)) return;
    const { total } = this.#options;
    const limit = few ? `${MAX_LOSSES_OF_FEW} losses in fewer than ${FEW_CASES} cases each` : `${MAX_LOSSES} losses`;
    this.#giveUp(
      `gave up after ${tally.scenarios}${total === Infinity ? '' : ` of ${total}`} cases, ` +
        `${tally.reboots} guests booted again (the limit is ${limit}; one that is waited for counts more)`,
    );
  }

  /** A boot that fails once on a busy machine is no reason to lose a run. */
  async #open(): Promise<Session> {
    try {
      return await this.#options.guests.open();
    } catch (error) {
      if (this.#stopped()) throw error;
      return await this.#options.guests.open();
    }
  }

  /** Feeds one session; resolves with its end, or undefined when all cases are done. */
  async #drive(session: Session): Promise<SessionEnd | undefined> {
    const window = new Window(session.hello.line);
    const over = (): boolean => session.ended !== undefined || this.#stopped() || this.#hopeless();
    session.onEnd(window.changed);
    this.#options.signal.addEventListener('abort', window.changed, { once: true });
    while (!over()) {
      if (!window.full) {
        const planned = this.#next();
        if (planned !== undefined) {
          await this.#launch(session, planned, window);
          continue;
        }
        if (window.empty) return undefined;
      }
      await window.change(over);
    }
    this.#blame(session.ended, window);
    return session.ended;
  }

  /** What was under way when the guest went: the culprit is looked into, the rest goes to the next guest. */
  #blame(ended: SessionEnd | undefined, window: Window): void {
    // What ended because we stop blames nobody.
    const blaming = ended !== undefined && ended.reason !== 'killed' && !this.#stopped() ? ended : undefined;
    const culprit = blaming?.running;
    // The next guest takes them in their order.
    for (const flight of window.left()) {
      if (blaming !== undefined && flight.planned.index === culprit && !this.#forgiven(blaming, flight.planned))
        this.#died(blaming, flight);
      else this.#again.push(flight.planned);
    }
    if (blaming !== undefined && !window.has(culprit)) this.#late(blaming);
  }

  /** QEMU killed from outside is nobody's fault, once. */
  #forgiven(end: SessionEnd, planned: PlannedCase): boolean {
    if (end.reason !== 'lost' || this.#lost.has(planned.index)) return false;
    this.#lost.add(planned.index);
    return true;
  }

  #died(end: SessionEnd, { planned, predictions }: Flight): void {
    this.tally.broken({ planned, predictions, verdict: verdictOfEnd(end), end }, endSignature(end.reason, end));
  }

  /** A crash or hang between two cases, or when the guest is switched off: one of the last may have set it off. */
  #late(end: SessionEnd): void {
    if (!isKernelsFault(end)) return;
    const ending = inPowerOff(end);
    const ids = end.running === undefined || ending ? end.recent : [end.running, ...end.recent];
    const recent = ids.flatMap((id) => this.#recent.get(id) ?? []);
    // What shows without any case is no case's doing.
    const nothing: PlannedCase = { index: NO_CASE, suite: 'arguments', scenario: NOTHING };
    const [planned = nothing, ...others] = ending ? [nothing, ...recent] : recent;
    const predictions = this.#options.known.predictions(planned.scenario);
    const verdict = verdictOfEnd(end);
    this.tally.suspect(
      { planned, predictions, others, verdict, end, ending, before: [...this.#recent.values()], uncounted: true },
      endSignature(ending ? 'power-off' : end.reason, end),
    );
  }

  /** Predicts and sends a case. Resolves when more may be sent. */
  #launch(session: Session, planned: PlannedCase, window: Window): Promise<void> {
    const before = performance.now();
    const predictions = this.#options.known.predictions(planned.scenario);
    const expected = predictions.known;
    this.tally.oracleMs += performance.now() - before;
    const encoded = encodeScenario(planned.scenario, {
      id: planned.index,
      deadline_ms: deadlineFor(planned.scenario, this.#options.guests.plan.deadline),
      ...waitsOf(expected),
    });
    const flight: Flight = { planned, predictions, bytes: encoded.length };
    window.launch(flight);
    const { sent, result } = session.submit(planned.index, encoded);
    result.then(
      (answer) => {
        window.land(flight);
        if (!this.#hopeless()) this.#judge(planned, predictions, answer);
        window.changed();
      },
      (error: unknown) => {
        if (!(error instanceof SessionEnded)) this.#fail(error);
        window.changed();
      },
    );
    return sent;
  }

  #judge(planned: PlannedCase, predictions: Predictions, answer: RunnerResult): void {
    const { tally } = this;
    tally.firstResultMs ??= performance.now() - this.#options.started;
    if (planned.scenario.jit) {
      tally.watched += answer.traced;
      tally.compiled += answer.compiled;
    }
    this.#options.onAnswer?.(planned, answer);
    this.#remember(planned);
    const verdict = verdictOfStatus(answer);
    if (verdict === undefined) {
      tally.judged(planned, predictions, predictions.judge(answer.observation));
      this.#progress(planned.suite);
      return;
    }
    const detail = detailOfStatus(answer);
    tally.stopped({ planned, predictions, verdict, detail }, `status:${answer.status}:${answer.detail}`);
    if (verdict === 'hang') this.#lose(LOSS.deadline);
  }

  #remember(planned: PlannedCase): void {
    this.#recent.set(planned.index, planned);
    if (this.#recent.size <= RECENT) return;
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest);
      break;
    }
  }

  #progress(suite: string): void {
    const { onProgress, started, total } = this.#options;
    const now = performance.now();
    if (onProgress === undefined || now - this.#progressAt < PROGRESS_MS) return;
    this.#progressAt = now;
    onProgress(this.tally.progress((now - started) / 1000, total, suite));
  }
}
