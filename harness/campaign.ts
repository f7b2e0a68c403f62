/**
 * A campaign: cases are drawn, predicted and sent while the guests execute earlier ones;
 * answers are judged as they come. A guest that dies or falls silent costs the case it was in,
 * nothing else: the rest of its window goes to its successor.
 */
import type { AbiProfile } from '../oracle/abi.ts';
import { predict } from '../oracle/predict.ts';
import type { Prediction } from '../oracle/prediction.ts';
import { encodeScenario } from '../oracle/scenario/binary.ts';
import { STATUS } from '../vm/protocol.ts';
import type { RunnerResult } from '../vm/protocol.ts';
import type { KnownCount, Progress, ScenarioVerdict, SuiteCount } from '../reports/result.ts';
import { compare } from './compare.ts';
import type { Difference } from './compare.ts';
import type { KnownFindings } from './findings.ts';
import type { Guests } from './guests.ts';
import type { PlannedCase } from './plan.ts';
import { SessionEnded } from './session.ts';
import type { Session, SessionEnd } from './session.ts';
import { waitsOf } from './waits.ts';

/** Cases in flight per guest: enough that the guest never waits for the host. */
const WINDOW = 96;
/** Bytes in flight per guest. */
const WINDOW_BYTES = 2 << 20;
/** Cases kept per signature; the rest is only counted. */
const KEEP = 3;

/** A case that did not pass, to be looked into. */
export interface Suspect {
  readonly planned: PlannedCase;
  readonly verdict: Exclude<ScenarioVerdict, 'pass' | 'known'>;
  readonly difference?: Difference;
  readonly end?: SessionEnd;
  readonly detail?: string;
}

export interface Tally {
  scenarios: number;
  outcomes: number;
  readonly suites: Map<string, { -readonly [K in keyof SuiteCount]: SuiteCount[K] }>;
  readonly rules: Map<string, number>;
  readonly known: Map<string, { -readonly [K in keyof KnownCount]: KnownCount[K] }>;
  /** Signature -> first cases and how many there were. */
  readonly suspects: Map<string, { readonly cases: Suspect[]; count: number }>;
  oracle_ms: number;
  exec_ns: number;
  reboots: number;
  first_result_ms: number | undefined;
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
  readonly onProgress?: (progress: Progress) => void;
  readonly signal: AbortSignal;
}

interface Flight {
  readonly planned: PlannedCase;
  readonly prediction: Prediction;
  readonly bytes: number;
}

export class Campaign {
  readonly tally: Tally = {
    scenarios: 0, outcomes: 0, suites: new Map(), rules: new Map(), known: new Map(), suspects: new Map(), oracle_ms: 0, exec_ns: 0, reboots: 0, first_result_ms: undefined,
  };
  readonly #options: CampaignOptions;
  readonly #again: PlannedCase[] = [];
  #exhausted = false;
  #progressAt = 0;
  #fatal: unknown;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  /** Runs to the end of the cases, or until the signal aborts. @throws what a boot throws, when no guest could be had */
  async run(): Promise<Tally> {
    const { jobs } = this.#options;
    await Promise.all(Array.from({ length: jobs }, (_, job) => this.#work(this.#options.sessions[job])));
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
        session ??= await this.#options.guests.open();
        const end = await this.#drive(session);
        this.tally.exec_ns += session.exec_ns;
        if (end === undefined) {
          await session.close();
          return;
        }
        await session.guest.kill();
        session = undefined;
        if (end.reason === 'killed') return;
        this.tally.reboots++;
      }
    } catch (error) {
      if (!this.#options.signal.aborted) this.#fatal ??= error;
    }
    await session?.close();
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
      if (flights.size < WINDOW && bytes < WINDOW_BYTES) {
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
    for (const [id, { planned }] of flights) {
      if (ended !== undefined && ended.reason !== 'killed' && id === ended.running) this.#suspect({ planned, verdict: ended.reason === 'silent' ? 'hang' : ended.reason === 'crash' ? 'kernel-crash' : 'runner-error', end: ended }, `${ended.reason}:${ended.reports[0]?.title ?? ended.detail}`);
      else this.#again.push(planned);
    }
    if (ended !== undefined && ended.reason !== 'killed' && ended.running === undefined) this.#late(ended);
    return ended;
  }

  /** A crash between two cases: nobody was running, so one of the last may have set it off. */
  #late(end: SessionEnd): void {
    const planned = this.#recent.find((planned) => end.recent.includes(planned.index));
    if (planned !== undefined) this.#suspect({ planned, verdict: 'kernel-crash', end }, `late:${end.reports[0]?.title ?? end.detail}`);
  }

  /** The last cases answered, newest first. */
  readonly #recent: PlannedCase[] = [];

  #launch(session: Session, planned: PlannedCase, flights: Map<number, Flight>, landed: (bytes: number) => void): { readonly sent: Promise<void>; readonly bytes: number } {
    const before = performance.now();
    const prediction = predict(planned.scenario, this.#options.abi);
    this.tally.oracle_ms += performance.now() - before;
    const encoded = encodeScenario(planned.scenario, { id: planned.index, deadline_ms: this.#options.guests.plan.deadline, ...waitsOf(prediction) });
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
    tally.scenarios++;
    this.#recent.unshift(planned);
    if (this.#recent.length > 8) this.#recent.pop();
    const suite = this.#suite(planned.suite);
    suite.scenarios++;
    for (const [rule, hits] of prediction.hits) tally.rules.set(rule, (tally.rules.get(rule) ?? 0) + hits);
    if (answer.status !== STATUS.done) {
      suite.other++;
      const verdict = answer.status === STATUS.deadline ? 'hang' : 'runner-error';
      this.#suspect({ planned, verdict, detail: `runner status ${answer.status}, detail ${answer.detail}` }, `status:${answer.status}:${answer.detail}`);
      return;
    }
    const { difference, outcomes } = compare(prediction, answer.observation);
    tally.outcomes += outcomes;
    suite.outcomes += outcomes;
    if (difference === undefined) suite.pass++;
    else {
      const findings = this.#options.known.explain(planned.scenario, answer.observation);
      if (findings !== undefined) {
        suite.known++;
        for (const { id, rule, title } of findings) {
          const count = tally.known.get(id) ?? { id, rule, title, scenarios: 0 };
          count.scenarios++;
          tally.known.set(id, count);
        }
      } else {
        // What known findings explain is not the point of it.
        const unexplained = compare(this.#options.known.predict(planned.scenario), answer.observation).difference ?? difference;
        suite.divergence++;
        this.#suspect({ planned, verdict: 'divergence', difference: unexplained }, `divergence:${unexplained.rule}:${unexplained.what}:${shape(unexplained)}`);
      }
    }
    this.#progress(planned.suite);
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
    group.cases.length = Math.min(group.cases.length, KEEP);
  }

  #progress(suite: string): void {
    const { onProgress, started, total } = this.#options;
    const now = performance.now();
    if (onProgress === undefined || now - this.#progressAt < 200) return;
    this.#progressAt = now;
    const { tally } = this;
    const seconds = (now - started) / 1000;
    const count = (verdict: Suspect['verdict']): number => [...tally.suspects.values()].reduce((sum, { cases, count }) => sum + (cases[0]?.verdict === verdict ? count : 0), 0);
    onProgress({
      elapsed_s: seconds, scenarios: tally.scenarios, total, outcomes: tally.outcomes, outcomes_per_s: tally.outcomes / seconds, suite,
      known: [...tally.suites.values()].reduce((sum, { known }) => sum + known, 0),
      divergences: count('divergence'), crashes: count('kernel-crash'), hangs: count('hang'),
    });
  }
}

/** What two differences of one kind have in common: the values without user data. */
function shape({ predicted, observed }: Difference): string {
  const plain = (text: string): string => text.replace(/user_data=0x[0-9a-f]+/g, '').replace(/\b[0-9a-f]{16,}\b/g, '');
  return `${plain(predicted)}>${plain(observed)}`;
}
