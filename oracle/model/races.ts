/** Chains of one step that race: requests that no link orders may run in any order, at the same time. */
import { IOSQE } from '../uapi/constants.ts';
import { opSpec } from '../opcodes/index.ts';
import type { FullSqe, IssueOutcome } from '../opcodes/types.ts';
import type { PredictedCqe } from '../scenario/prediction.ts';
import { MODEL } from './open.ts';
import { vagueCqe } from './submission.ts';
import type { Chain, Request, Submission } from './submission.ts';

const RACE = MODEL['race.requests'];
const AFTER = MODEL['race.aftermath'];

/** A resource touched in the step: the chains whose answers depend on it, and those that changed it. */
interface Touched {
  readonly chains: Set<Chain>;
  readonly changers: Set<Chain>;
}

/** Who met whom over what, and what becomes vague thereby. */
export class Races {
  readonly #submission: Submission;
  readonly #touched = new Map<string, Touched>();
  /** What the requests of a chain have changed so far. */
  readonly #changes = new Map<Chain, Set<string>>();
  /** Chains whose outcome depends on who comes first. */
  readonly #racing = new Set<Chain>();
  /** What two chains or more change. */
  readonly #contested = new Set<string>();

  constructor(submission: Submission) {
    this.#submission = submission;
  }

  /**
   * Notes what a request touches, and tells whether its answer depends on another chain of the step, because that
   * changed something which this request touches. That others depend on it leaves its own answer as it is.
   */
  meet(request: Request, outcome: IssueOutcome, chain: Chain): boolean {
    if ((outcome.touches === undefined || outcome.touches.length === 0) && !usesDirect(request.sqe)) return false;
    const { sandbox } = this.#submission.files;
    const blind = new Set(outcome.blind);
    const names = this.#resources(request, outcome);
    const racy = this.#meets(names, blind, chain);
    // What failed in this order, or is open, may have succeeded in another, and changed what the others meet.
    const succeeds = typeof outcome.res === 'number' && outcome.res >= 0;
    const changed = racy && !succeeds ? new Set(names) : new Set(outcome.changes ?? outcome.touches);
    let met = false;
    for (const name of changed) {
      if (!names.has(name)) continue;
      const touched = this.#touchedAt(name);
      if (this.#overtake(touched, name, chain)) met = true;
      touched.changers.add(chain);
    }
    if (racy) this.#racing.add(chain);
    this.#changed(chain, changed);
    // A chain that depends on another one stays uncertain to its end.
    if (this.#racing.has(chain)) for (const name of changed) sandbox.taint(name, AFTER);
    if (racy || met) sandbox.blur(this.#submission.ring.slot, AFTER);
    return racy;
  }

  /** Notes what a request depends on; whether another chain changed any of it. */
  #meets(names: ReadonlySet<string>, blind: ReadonlySet<string>, chain: Chain): boolean {
    let racy = false;
    for (const name of names) {
      if (blind.has(name)) continue;
      const { changers, chains } = this.#touchedAt(name);
      racy ||= someOther(changers, chain);
      chains.add(chain);
    }
    return racy;
  }

  /** To be called when the outcome has taken effect: who comes last nobody knows, so that it may be gone again. */
  settleOn({ changes, touches = [] }: IssueOutcome): void {
    if (this.#contested.size === 0) return;
    for (const name of changes ?? touches)
      if (this.#contested.has(name)) this.#submission.files.sandbox.taint(name, AFTER);
  }

  #touchedAt(name: string): Touched {
    let touched = this.#touched.get(name);
    if (touched === undefined) {
      touched = { chains: new Set(), changers: new Set() };
      this.#touched.set(name, touched);
    }
    return touched;
  }

  #changed(chain: Chain, changed: Set<string>): void {
    const sofar = this.#changes.get(chain);
    if (sofar === undefined) this.#changes.set(chain, changed);
    else for (const name of changed) sofar.add(name);
  }

  /**
   * A request of `chain` changes a resource: what other chains made of it, they may have made of it afterwards.
   * @returns whether there are others
   */
  #overtake({ chains, changers }: Touched, name: string, chain: Chain): boolean {
    let met = false;
    for (const other of chains) {
      // Members of one chain run one after the other.
      if (other === chain) continue;
      met = true;
      this.#racing.add(other);
      // What the other chain did, it may have done otherwise, or not at all.
      for (const done of this.#changes.get(other)!) this.#submission.files.sandbox.taint(done, AFTER);
    }
    // Who comes last leaves it as it is then.
    if (someOther(changers, chain)) {
      this.#submission.files.sandbox.taint(name, AFTER);
      this.#contested.add(name);
    }
    return met;
  }

  /** What an outcome depends on: what the opcode names, directories on the way, the table of direct descriptors. */
  #resources(request: Request, outcome: IssueOutcome): ReadonlySet<string> {
    const names = new Set(outcome.touches);
    for (const name of outcome.touches ?? []) {
      for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1))
        names.add(name.slice(0, end));
    }
    if (usesDirect(request.sqe)) names.add(`files:${this.#submission.ring.slot}`);
    return names;
  }

  /** The CQEs of the step, with those of racing chains made vague. */
  settle(exact: readonly PredictedCqe[]): readonly PredictedCqe[] {
    if (this.#racing.size === 0) return exact;
    const racing = new Map(
      [...this.#racing].flatMap((chain) => chain.map((request) => [request.index, { request, chain }] as const)),
    );
    const cqes = exact.filter(({ sqe }) => !racing.has(sqe));
    for (const [index, { request, chain }] of racing) {
      const { sqe, context } = request;
      const spec = opSpec(sqe.opcode);
      const skips = chain.some((other) => (other.sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0);
      cqes.push(vagueCqe(sqe.user_data, index, RACE, skips || spec?.issue(context).may_wait !== undefined));
      const more = Math.max(spec?.refused?.(context).extra.length ?? 0, spec?.issue(context).extra?.length ?? 0);
      for (let i = 0; i < more; i++) cqes.push(vagueCqe(sqe.user_data, index, RACE, true));
    }
    return cqes;
  }
}

function someOther(chains: ReadonlySet<Chain>, chain: Chain): boolean {
  for (const other of chains) if (other !== chain) return true;
  return false;
}

/** Whether the request looks into the ring's table of direct descriptors. */
function usesDirect(sqe: FullSqe): boolean {
  return (sqe.flags & IOSQE.FIXED_FILE) !== 0 || opSpec(sqe.opcode)?.looksUpDirect?.(sqe) === true;
}
