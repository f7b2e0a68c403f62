/**
 * A campaign: cases are drawn, predicted and sent while the guests execute earlier ones;
 * answers are judged as they come. A guest that dies or falls silent costs the case it was in,
 * nothing else: the rest of its window goes to its successor.
 */
import type { AbiProfile } from '../../oracle/uapi/abi.ts';
import { predict } from '../../oracle/predict.ts';
import type { Prediction } from '../../oracle/scenario/prediction.ts';
import { encodeScenario } from '../../oracle/case/frame.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import type { Progress } from '../../reports/data/progress.ts';
import type { KnownCount, ScenarioVerdict, SuiteCount } from '../../reports/data/result.ts';
import { compare } from '../../oracle/judge/compare.ts';
import type { Difference } from '../../oracle/judge/compare.ts';
import type { KnownFindings } from '../known/findings.ts';
import type { Guests } from '../guests/guests.ts';
import { consoleTail, KernelError } from '../../vm/host/errors.ts';
import type { PlannedCase } from './plan.ts';
import { SessionEnded } from '../guests/session.ts';
import { differenceDigest, Ledger, predictedDigest, scenarioDigest } from './ledger.ts';
import type { LedgerLine } from './ledger.ts';
import type { Session, SessionEnd } from '../guests/session.ts';
import { waitsOf } from '../../oracle/judge/waits.ts';

/** Cases in flight per guest: enough that the guest never waits for the host. */
const WINDOW = 96;
/** Bytes in flight per guest. */
const WINDOW_BYTES = 2 << 20;
/** Cases kept per signature; the rest is only counted. */
export const KEEP = 3;
/** Answered cases that are remembered: a crash may come after its culprit's answer. */
const RECENT = 1024;
/** Guests lost to crashes and hangs after which the rest is not worth the time. */
const MAX_REBOOTS = 60;
/** Guests in a row that end without finishing one case. */
const MAX_BARREN = 5;

/** A case that did not pass, to be looked into. */
export interface Suspect {
  readonly planned: PlannedCase;
  /** Other cases that may have set it off, likeliest first: the crash came between two cases. */
  readonly others?: readonly PlannedCase[];
  readonly verdict: Exclude<ScenarioVerdict, 'pass' | 'known'>;
  readonly difference?: Difference;
  readonly end?: SessionEnd;
  readonly detail?: string;
}

/** Cases that failed in the same way. */
export interface SuspectGroup {
  /** The first of them by index: KEEP, or as many as the options say. */
  readonly cases: Suspect[];
  count: number;
}

export interface Tally {
  scenarios: number;
  outcomes: number;
  readonly suites: Map<string, { -readonly [K in keyof SuiteCount]: SuiteCount[K] }>;
  readonly rules: Map<string, number>;
  readonly known: Map<string, { -readonly [K in keyof KnownCount]: KnownCount[K] }>;
  /** One line per case. */
  readonly ledger: Ledger;
  /** Signature -> first cases and how many there were. */
  readonly suspects: Map<string, SuspectGroup>;
  /** Why the campaign ended before its last case, if it did. */
  gave_up: string | undefined;
  oracle_ms: number;
  exec_ns: number;
  reboots: number;
  first_result_ms: number | undefined;
  /** Wall time from the first case sent to the last one answered. */
  campaign_ms: number;
}

export interface CampaignOptions {
  readonly guests: Guests;
  readonly abi: AbiProfile;
  readonly cases: Iterator<PlannedCase>;
  readonly total: number;
  readonly jobs: number;
  readonly known: KnownFindings;
  /** Sessions already open (probing used one); the campaign takes them over. */
  readonly sessions: Session[];
  readonly started: number;
  /** Cases kept per signature. Default KEEP. */
  readonly keep?: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly onAnswer?: (planned: PlannedCase, answer: RunnerResult) => void;
  readonly signal: AbortSignal;
}

interface Flight {
  readonly planned: PlannedCase;
  readonly prediction: Prediction;
  readonly bytes: number;
}

export class Campaign {
  readonly tally: Tally = {
    scenarios: 0,
    outcomes: 0,
    suites: new Map(),
    rules: new Map(),
    known: new Map(),
    suspects: new Map(),
    oracle_ms: 0,
    exec_ns: 0,
    reboots: 0,
    first_result_ms: undefined,
    campaign_ms: 0,
    gave_up: undefined,
    ledger: new Ledger(),
  };
  readonly #options: CampaignOptions;
  readonly #again: PlannedCase[] = [];
  #exhausted = false;
  /** Cases whose guest was lost through no fault that the kernel named; a second time it counts. */
  readonly #lost = new Set<number>();
  #barren = 0;
  #answered = 0;
  #progressAt = 0;
  #fatal: unknown;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  /** Runs to the end of the cases, or until the signal aborts. @throws what a boot throws, when no guest could be had */
  async run(): Promise<Tally> {
    const { jobs } = this.#options;
    const before = performance.now();
    await Promise.all(Array.from({ length: jobs }, (_, job) => this.#work(this.#options.sessions[job])));
    this.tally.campaign_ms = performance.now() - before;
    if (this.#fatal !== undefined) throw this.#fatal;
    return this.tally;
  }

  #stopped(): boolean {
    return this.#options.signal.aborted || this.#fatal !== undefined;
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
        const before = { ended: this.tally.scenarios, answered: this.#answered };
        let end = await this.#drive(session);
        // The kernel may complain about the last case a moment after its answer.
        if (end === undefined && !this.#stopped()) {
          end = await session.settle();
          if (end !== undefined && end.reason !== 'killed') this.#late(end);
        }
        this.tally.exec_ns += session.exec_ns;
        if (end === undefined) {
          await session.close();
          return;
        }
        await session.guest.kill();
        session = undefined;
        if (end.reason === 'killed' || this.#stopped()) return;
        this.tally.reboots++;
        const progress = end.reason === 'lost' ? this.#answered > before.answered : this.tally.scenarios > before.ended;
        this.#barren = progress ? 0 : this.#barren + 1;
        if (this.#barren >= MAX_BARREN)
          throw new KernelError(
            `${MAX_BARREN} guests in a row ended without finishing a scenario; the last: ${end.detail}.\nEnd of its console:\n${consoleTail(end.console)}`,
            end.reason === 'lost'
              ? 'Something ends QEMU: is the machine short of memory? Try --jobs 1.'
              : 'This kernel cannot be tested as it is. If the machine is busy, allow more time with --timeout.',
            end.reason === 'lost' ? 2 : 125,
          );
        if (this.tally.reboots >= MAX_REBOOTS && !this.#exhausted) {
          this.tally.gave_up = `gave up after ${this.tally.reboots} guests had to be booted again`;
          this.#exhausted = true;
          this.#again.length = 0;
        }
      }
    } catch (error) {
      if (!this.#options.signal.aborted) this.#fatal ??= error;
    }
    await session?.close();
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
    const flights = new Map<number, Flight>();
    let bytes = 0;
    let wake: (() => void) | undefined;
    const changed = (): void => {
      wake?.();
      wake = undefined;
    };
    session.onEnd(changed);
    this.#options.signal.addEventListener('abort', changed, { once: true });
    while (!this.#stopped() && session.ended === undefined) {
      if (flights.size < (session.hello.line ? 1 : WINDOW) && bytes < WINDOW_BYTES) {
        const planned = this.#next();
        if (planned !== undefined) {
          const flight = this.#launch(session, planned, flights, (size) => {
            bytes -= size;
            changed();
          });
          bytes += flight.bytes;
          await flight.sent;
          continue;
        }
        if (flights.size === 0) return undefined;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (session.ended !== undefined || this.#stopped()) resolve();
      });
    }
    // What was under way when the guest went: the culprit is looked into, the rest goes to the next guest.
    const { ended } = session;
    // What ended because we stop blames nobody.
    const culprit = ended === undefined || ended.reason === 'killed' || this.#stopped() ? undefined : ended.running;
    // The next guest takes them in their order.
    for (const [id, { planned }] of [...flights].reverse()) {
      if (id === culprit && !this.#forgiven(ended!, planned)) this.#died(ended!, planned);
      else this.#again.push(planned);
    }
    if (
      ended !== undefined &&
      ended.reason !== 'killed' &&
      !this.#stopped() &&
      (culprit === undefined || !flights.has(culprit))
    )
      this.#late(ended);
    return ended;
  }

  /** QEMU killed from outside is nobody's fault, once. */
  #forgiven(end: SessionEnd, planned: PlannedCase): boolean {
    if (end.reason !== 'lost' || this.#lost.has(planned.index)) return false;
    this.#lost.add(planned.index);
    return true;
  }

  #died(end: SessionEnd, planned: PlannedCase): void {
    this.tally.scenarios++;
    const suite = this.#suite(planned.suite);
    suite.scenarios++;
    suite.other++;
    this.#enter(planned, verdictOf(end), '-');
    this.#suspect({ planned, verdict: verdictOf(end), end }, `${end.reason}:${end.reports[0]?.title ?? end.detail}`);
  }

  /** A crash between two cases: one of the last may have set it off. Only the kernel's own words count here. */
  #late(end: SessionEnd): void {
    if (end.reason !== 'crash') return;
    const ids = end.running === undefined ? end.recent : [end.running, ...end.recent];
    const [planned, ...others] = ids.flatMap((id) => this.#recent.get(id) ?? []);
    if (planned !== undefined)
      this.#suspect({ planned, others, verdict: 'kernel-crash', end }, `late:${end.reports[0]?.title ?? end.detail}`);
    else
      this.#fatal ??= new KernelError(
        `The kernel failed before it ran a scenario: ${end.detail}.\nEnd of its console:\n${consoleTail(end.console)}`,
        'This kernel cannot be tested as it is.',
        125,
      );
  }

  /** The last cases answered, by id; enough for every guest. */
  readonly #recent = new Map<number, PlannedCase>();

  #launch(
    session: Session,
    planned: PlannedCase,
    flights: Map<number, Flight>,
    landed: (bytes: number) => void,
  ): { readonly sent: Promise<void>; readonly bytes: number } {
    const before = performance.now();
    const prediction = predict(planned.scenario, this.#options.abi);
    const expected = this.#options.known.predict(planned.scenario, prediction);
    this.tally.oracle_ms += performance.now() - before;
    const encoded = encodeScenario(planned.scenario, {
      id: planned.index,
      deadline_ms: this.#options.guests.plan.deadline,
      ...waitsOf(expected),
    });
    const size = encoded.length;
    flights.set(planned.index, { planned, prediction, bytes: size });
    const { sent, result } = session.submit(planned.index, encoded);
    result.then(
      (answer) => {
        flights.delete(planned.index);
        this.#judge(planned, prediction, answer);
        landed(size);
      },
      (error: unknown) => {
        if (!(error instanceof SessionEnded)) this.#fatal ??= error;
        landed(size);
      },
    );
    return { sent, bytes: size };
  }

  #judge(planned: PlannedCase, prediction: Prediction, answer: RunnerResult): void {
    const { tally } = this;
    tally.first_result_ms ??= performance.now() - this.#options.started;
    this.#options.onAnswer?.(planned, answer);
    tally.scenarios++;
    this.#answered++;
    this.#recent.set(planned.index, planned);
    if (this.#recent.size > RECENT)
      for (const id of this.#recent.keys()) {
        this.#recent.delete(id);
        break;
      }
    const suite = this.#suite(planned.suite);
    suite.scenarios++;
    for (const [rule, hits] of prediction.hits) tally.rules.set(rule, (tally.rules.get(rule) ?? 0) + hits);
    if (answer.status !== STATUS.done) {
      suite.other++;
      const verdict = answer.status === STATUS.deadline ? 'hang' : 'runner-error';
      this.#enter(planned, verdict, '-');
      this.#suspect(
        { planned, verdict, detail: `runner status ${answer.status}, detail ${answer.detail}` },
        `status:${answer.status}:${answer.detail}`,
      );
      return;
    }
    const { difference, outcomes } = compare(prediction, answer.observation);
    tally.outcomes += outcomes;
    suite.outcomes += outcomes;
    if (difference === undefined) {
      suite.pass++;
      this.#enter(planned, 'pass', predictedDigest(prediction));
    } else {
      const findings = this.#options.known.explain(planned.scenario, answer.observation, prediction);
      if (findings !== undefined) {
        suite.known++;
        this.#enter(planned, 'difference', predictedDigest(this.#options.known.predict(planned.scenario, prediction)));
        for (const { id, rule, title } of findings) {
          const count = tally.known.get(id) ?? { id, rule, title, scenarios: 0 };
          count.scenarios++;
          tally.known.set(id, count);
        }
      } else {
        // What known findings explain is not the point of it.
        const unexplained =
          compare(this.#options.known.predict(planned.scenario, prediction), answer.observation).difference ??
          difference;
        suite.divergence++;
        this.#enter(planned, 'difference', differenceDigest(unexplained));
        this.#suspect(
          { planned, verdict: 'divergence', difference: unexplained },
          `divergence:${unexplained.rule}:${unexplained.what}:${shape(unexplained)}`,
        );
      }
    }
    this.#progress(planned.suite);
  }

  #enter({ index, suite, scenario }: PlannedCase, verdict: LedgerLine['verdict'], answers: string): void {
    this.tally.ledger.add({ index, suite, scenario: scenarioDigest(scenario), verdict, answers });
  }

  #suite(name: string): { -readonly [K in keyof SuiteCount]: SuiteCount[K] } {
    let suite = this.tally.suites.get(name);
    if (suite === undefined) {
      suite = { scenarios: 0, outcomes: 0, pass: 0, known: 0, divergence: 0, other: 0 };
      this.tally.suites.set(name, suite);
    }
    return suite;
  }

  #suspect(suspect: Suspect, signature: string): void {
    let group = this.tally.suspects.get(signature);
    if (group === undefined) {
      group = { cases: [], count: 0 };
      this.tally.suspects.set(signature, group);
    }
    group.count++;
    // Lowest indexes first, so that the report does not depend on which guest was faster.
    group.cases.push(suspect);
    group.cases.sort((a, b) => a.planned.index - b.planned.index);
    group.cases.length = Math.min(group.cases.length, this.#options.keep ?? KEEP);
  }

  #progress(suite: string): void {
    const { onProgress, started, total } = this.#options;
    const now = performance.now();
    if (onProgress === undefined || now - this.#progressAt < 200) return;
    this.#progressAt = now;
    const { tally } = this;
    const seconds = (now - started) / 1000;
    const count = (verdict: Suspect['verdict']): number =>
      [...tally.suspects.values()].reduce(
        (sum, { cases, count }) => sum + (cases[0]?.verdict === verdict ? count : 0),
        0,
      );
    onProgress({
      elapsed_s: seconds,
      scenarios: tally.scenarios,
      total,
      outcomes: tally.outcomes,
      outcomes_per_s: tally.outcomes / seconds,
      suite,
      known: [...tally.suites.values()].reduce((sum, { known }) => sum + known, 0),
      divergences: count('divergence'),
      crashes: count('kernel-crash'),
      hangs: count('hang'),
    });
  }
}

function verdictOf({ reason }: SessionEnd): 'hang' | 'kernel-crash' | 'runner-error' {
  return reason === 'silent' ? 'hang' : reason === 'crash' ? 'kernel-crash' : 'runner-error';
}

/** What two differences of one kind have in common: the values without user data. */
function shape({ predicted, observed }: Difference): string {
  const plain = (text: string): string => text.replace(/user_data=0x[0-9a-f]+/g, '').replace(/\b[0-9a-f]{16,}\b/g, '');
  return `${plain(predicted)}>${plain(observed)}`;
}
