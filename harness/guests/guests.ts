/** Boots guests on demand with one set of options, counts boots, and lets go of all of them at the end. */
import { bootGuest } from '../../vm/index.ts';
import type { BootOptions, Guest } from '../../vm/index.ts';
import { encodeScenario, MAX_DEADLINE_MS } from '../../oracle/case/frame.ts';
import { filterOf } from '../../oracle/steps/index.ts';
import type { Observation } from '../../oracle/scenario/observation.ts';
import type { Scenario } from '../../oracle/steps/index.ts';
import { STATUS } from '../../vm/protocol/frames.ts';
import type { RunnerResult } from '../../vm/protocol/frames.ts';
import { Session } from './session.ts';
import type { SessionEnd } from './session.ts';
import type { Waits } from '../../oracle/judge/waits.ts';

/** How guests are booted and dealt with. */
export interface GuestPlan {
  /** How to boot one; `consoleFile` is added per guest. */
  readonly boot: Omit<BootOptions, 'consoleFile'>;
  /** Boots one; tests put a guest of their own here. Default bootGuest. */
  readonly start?: (options: BootOptions) => Promise<Guest>;
  /** Called with each guest before it gets work. */
  readonly opened?: (session: Session) => Promise<void>;
  /** Path prefix for console files, or undefined. */
  readonly consoleFile?: (boot: number) => string | undefined;
  /** Milliseconds a guest may take to say hello. */
  readonly patience: number;
  /** Milliseconds a guest with work may be silent. Default `patience`. */
  readonly silence?: number;
  /** Milliseconds a guest may take to power off. Default POWER_OFF_MS. */
  readonly powerOff?: number;
  /** Milliseconds one scenario may take inside the guest. */
  readonly deadline: number;
}

/** Milliseconds that powering off may take: a hundred times what it does take. */
const POWER_OFF_MS = 20_000;

/** All guests of a run. */
export class Guests {
  readonly plan: GuestPlan;
  boots = 0;
  bootMs = 0;
  readonly #open = new Set<Session>();
  #closed = false;

  constructor(plan: GuestPlan) {
    this.plan = plan;
  }

  /** Boots a guest and greets its runner. */
  async open(): Promise<Session> {
    const number = this.boots++;
    const file = this.plan.consoleFile?.(number);
    const guest = await (this.plan.start ?? bootGuest)({
      ...this.plan.boot,
      ...(file === undefined ? {} : { consoleFile: file }),
    });
    this.bootMs = Math.max(this.bootMs, guest.bootMs);
    if (this.#closed) {
      await guest.kill();
      throw new Error('the run has ended');
    }
    let session: Session;
    try {
      session = await Session.open(guest, this.plan.patience, this.plan.silence);
      await this.plan.opened?.(session);
    } catch (error) {
      await guest.kill();
      throw error;
    }
    this.#open.add(session);
    session.onEnd(() => this.#open.delete(session));
    return session;
  }

  /** Switches a guest off, and sees that it goes. How it failed at that, if it did. */
  async powerOff(session: Session): Promise<SessionEnd | undefined> {
    return await session.powerOff(this.plan.powerOff ?? POWER_OFF_MS);
  }

  /** Ends every guest. */
  async closeAll(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open].map((session) => session.close()));
  }
}

/** Milliseconds that a filter may take to be registered, and every twenty of its instructions. */
const PER_FILTER_MS = 10;
const INSTRUCTIONS_PER_MS = 20;
/** Hiding constants goes over the whole program again for each of them. */
const HARDEN_FACTOR = 4;

/** Milliseconds that a scenario may take: more where it registers thousands of filters, or long ones. */
export function deadlineFor(scenario: Scenario, deadline: number): number {
  let more = 0;
  for (const step of scenario.steps) {
    const filter = filterOf(step);
    if (filter === undefined) continue;
    const each = PER_FILTER_MS + filter.program.length / INSTRUCTIONS_PER_MS;
    more += ('times' in step ? (step.times ?? 1) : 1) * each;
  }
  return Math.round(Math.min(MAX_DEADLINE_MS, deadline + more * (scenario.harden === undefined ? 1 : HARDEN_FACTOR)));
}

let next = 0x4000_0000;

/** Runs one scenario on a session and waits for its answer. Ids above the campaign's own are used. */
export async function runAlone(
  session: Session,
  scenario: Scenario,
  waits: readonly number[] | Waits,
  deadline: number,
): Promise<RunnerResult> {
  const id = next++;
  const { result } = session.submit(
    id,
    encodeScenario(scenario, {
      id,
      deadline_ms: deadlineFor(scenario, deadline),
      ...('waits' in waits ? waits : { waits }),
    }),
  );
  return await result;
}

/** As runAlone, for callers that only want a complete observation. @throws Error when the runner could not finish it */
export async function observe(
  session: Session,
  scenario: Scenario,
  waits: readonly number[] | Waits,
  deadline: number,
): Promise<Observation> {
  return observationOf(await runAlone(session, scenario, waits, deadline));
}

/** What the guest saw. @throws Error when the runner could not finish it */
function observationOf(result: RunnerResult): Observation {
  if (result.status !== STATUS.done)
    throw new Error(`the runner answers status ${result.status}, detail ${result.detail}`);
  return result.observation;
}
