/** Submission: init checks, restrictions, prep, filters, link chains, and what is posted. */
import { E, IORING_SETUP, IOSQE } from '../uapi/constants.ts';
import { opSpec } from '../opcodes/index.ts';
import { initCheckFlags, initCheckRest } from '../opcodes/init.ts';
import { fullSqe } from '../opcodes/support.ts';
import type { FullSqe, IssueOutcome, OpContext, Refusal } from '../opcodes/types.ts';
import { RING_FD, RING_SLOTS } from '../scenario/layout.ts';
import type { Allowed, PredictedCqe, PredictedStep } from '../scenario/prediction.ts';
import type { Sqe } from '../scenario/types.ts';
import type { FilterVerdict, TraceEvent } from './trace.ts';
import { classicRefusal, contextWords, runFilters } from './evaluate.ts';
import type { FdTable, Ring, Task, World } from './world.ts';

const LINKS = IOSQE.IO_LINK | IOSQE.IO_HARDLINK;

/** How the submission of one request ended. */
type Admission =
  | { readonly verdict: 'admitted' }
  | { readonly verdict: 'failed'; readonly errno: number; readonly rule: string; readonly refused?: Refusal }
  /** The specification does not decide between running and failing. */
  | { readonly verdict: 'unknown' };

interface Request {
  readonly sqe: FullSqe;
  readonly index: number;
  readonly admission: Admission;
  readonly context: OpContext;
}

type Stage = Extract<TraceEvent, { kind: 'request' }>['stage'];

/** One submit step on one ring. */
export class Submission {
  readonly #world: World;
  readonly #ring: Ring;
  readonly #files: FdTable;
  readonly #cqes: PredictedCqe[] = [];
  /** Resources touched in this step: whether one of its requests changes it, and their chains. */
  readonly #touched = new Map<string, { changed: boolean; readonly chains: Request[][] }>();
  /** What the requests of a chain have changed so far. */
  readonly #changes = new Map<readonly Request[], Set<string>>();
  /** Chains whose outcome depends on who comes first. */
  readonly #racing = new Set<readonly Request[]>();
  /** Set when nothing exact can be said of the step any more. */
  #imprecise = false;

  constructor(world: World, ring: Ring, task: Task) {
    this.#world = world;
    this.#ring = ring;
    // The polling thread of a SQPOLL ring works with the creator's descriptors and memory.
    this.#files = (ring.flags & IORING_SETUP.SQPOLL) !== 0 ? ring.creator_files : task.files;
  }

  /** Predicts the step that submits `sqes`. */
  run(sqes: readonly Sqe[]): PredictedStep {
    const hit = this.#world.hit.bind(this.#world);
    const ring = this.#ring;
    const submit_all = (ring.flags & IORING_SETUP.SUBMIT_ALL) !== 0;
    const polled = (ring.flags & IORING_SETUP.SQPOLL) !== 0;
    const mixed = (ring.flags & IORING_SETUP.SQE_MIXED) !== 0;
    const returns: number[] = [];
    // The notification of a zero-copy send counts as a request before a drain that waits for it, possibly for ever.
    let drains = ring.drain_seen;
    let notifications = 0;
    for (const { opcode, flags = 0 } of sqes) {
      if ((flags & IOSQE.IO_DRAIN) !== 0) drains = true;
      if (opSpec(opcode)?.refused !== undefined) notifications++;
    }
    if (notifications > 0) ring.zero_copy_seen = true;
    if (drains && ring.zero_copy_seen) this.#imprecise = true;
    let consumed = 0;
    let total = 0;
    let chain: Request[] = [];
    const flush = (): void => {
      this.#finish(chain);
      chain = [];
    };
    for (let i = 0; i < sqes.length; i++) {
      const sqe = fullSqe(sqes[i]!);
      const slots = mixed && opSpec(sqe.opcode)?.takesTwoSlots === true && sqe.opcode < this.#world.abi.op_last ? 2 : 1;
      if (slots === 2 && ((ring.consumed + total) & (ring.entries - 1)) === ring.entries - 1) this.#imprecise = true;
      const request = this.#admit(sqe, i, chain.at(-1)?.sqe.opcode, slots === 2 ? 2 : sqes.length - i);
      consumed += slots;
      total += slots;
      const { admission } = request;
      if (admission.verdict === 'unknown') this.#imprecise = true;
      chain.push(request);
      const linked = (sqe.flags & LINKS) !== 0;
      if (!linked) {
        flush();
        if (admission.verdict === 'failed') {
          if (submit_all) hit('enter.submit-all');
          else if (i + 1 < sqes.length) {
            hit('enter.stops-at-error');
            returns.push(consumed);
            consumed = 0;
          }
        }
      }
    }
    if (chain.length > 0) {
      hit('link.ends-with-batch');
      flush();
    }
    if (consumed > 0) returns.push(consumed);
    ring.consumed += total;
    const rule = hit('enter.count');
    // Nobody knows which of them run, nor how many CQEs come: at most one each and the notifications.
    if (this.#imprecise) return { reached: true, returns: 'any', cqes: 'any', most: sqes.length + notifications, rule };
    return { reached: true, returns: polled ? [total] : returns, cqes: this.#withRaces(), rule };
  }

  /** The CQEs, with those of racing chains made vague. */
  #withRaces(): readonly PredictedCqe[] {
    if (this.#racing.size === 0) return this.#cqes;
    const racing = new Map(
      [...this.#racing].flatMap((chain) => chain.map((request) => [request.index, request] as const)),
    );
    const cqes = this.#cqes.filter(({ sqe }) => !racing.has(sqe));
    for (const [sqe, request] of racing) {
      const skip =
        (request.sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0 ||
        [...this.#racing].some(
          (chain) => chain.includes(request) && chain.some((other) => (other.sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0),
        );
      cqes.push({
        user_data: request.sqe.user_data,
        res: 'any',
        flags: 'any',
        sqe,
        rule: 'enter.count',
        ...(skip || opSpec(request.sqe.opcode)?.issue(request.context).may_wait === true ? { optional: true } : {}),
      });
      const spec = opSpec(request.sqe.opcode);
      const more = Math.max(
        spec?.refused?.(request.context).extra.length ?? 0,
        spec?.issue(request.context).extra?.length ?? 0,
      );
      for (let i = 0; i < more; i++)
        cqes.push({
          user_data: request.sqe.user_data,
          res: 'any',
          flags: 'any',
          sqe,
          rule: 'enter.count',
          optional: true,
        });
    }
    return cqes;
  }

  /** What a descriptor number is to requests of this step, where it is a ring. */
  readonly #ringAt: OpContext['ringAt'] = (fd) => {
    const ring = fd >= RING_FD && fd < RING_FD + RING_SLOTS ? this.#files.rings.get(fd - RING_FD) : undefined;
    return ring === undefined ? undefined : { slot: ring.slot, setup_flags: ring.flags, disabled: ring.disabled };
  };

  #context(sqe: FullSqe, previous: number | undefined): OpContext {
    return {
      abi: this.#world.abi,
      decisions: this.#world.decisions,
      sqe,
      setup_flags: this.#ring.flags,
      ring: this.#ring.slot,
      linked: previous !== undefined,
      previous,
      sandbox: this.#files.sandbox,
      ringAt: this.#ringAt,
    };
  }

  /** Everything that happens to a request before it may run. */
  #admit(sqe: FullSqe, index: number, previous: number | undefined, left: number): Request {
    const world = this.#world;
    const ring = this.#ring;
    const context = this.#context(sqe, previous);
    const done = (admission: Admission): Request => ({ sqe, index, admission, context });
    const fail = (
      errno: number,
      rule: string,
      stage: Stage,
      filters: readonly FilterVerdict[] = [],
      refused?: Refusal,
    ): Request => {
      world.hit(rule);
      this.#trace(sqe, index, stage, -errno, rule, filters);
      return done({ verdict: 'failed', errno, rule, ...(refused === undefined ? {} : { refused }) });
    };

    const init = initCheckFlags(context, { drain_disabled: ring.skip_seen, left });
    if (!init.ok) {
      // The flag is remembered as soon as it is seen, also on a request that fails later.
      if (init.rule === 'init.drain-skip') ring.skip_seen = true;
      return fail(init.errno, init.rule, 'init');
    }
    if ((sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0) ring.skip_seen = true;
    if ((sqe.flags & IOSQE.IO_DRAIN) !== 0) ring.drain_seen = true;

    const { classic } = ring.rules;
    if (classic !== undefined) {
      const refusal = classicRefusal(world, classic, sqe.opcode, sqe.flags);
      if (refusal !== undefined) {
        world.hit('classic.before-filters');
        return fail(E.ACCES, refusal, 'classic');
      }
      world.hit('classic.allow');
    }
    const rest = initCheckRest(context);
    if (!rest.ok) return fail(rest.errno, rest.rule, 'init');

    const spec = opSpec(sqe.opcode);
    const prep = spec?.prep(context) ?? { ok: 'unknown' as const };
    const head = ring.rules.table?.heads[sqe.opcode];
    if (prep.ok === 'unknown') {
      // Whatever prep says, a request that every filter denies does not run; but its error is open.
      return done({ verdict: 'unknown' });
    }
    if (!prep.ok) {
      if (head !== undefined) world.hit('filter.after-prep');
      return fail(prep.errno, spec!.prepRule, 'prep', [], prep.refused);
    }
    const adds = prep.adds_flags | ((sqe.flags & IOSQE.IO_DRAIN) !== 0 ? IOSQE.ASYNC : 0);
    if (head === undefined) {
      world.hit('filter.none');
      return done({ verdict: 'admitted' });
    }
    if (adds !== 0) world.hit('filter.ctx.flags');
    if (prep.payload !== undefined) {
      if (prep.hinges_on !== undefined) world.decide(prep.hinges_on);
      world.hit(prep.hinges_on === 'socketTypeMask' ? 'filter.ctx.socket-type' : 'filter.ctx.payload');
    }
    const verdicts: FilterVerdict[] | undefined = world.trace === undefined ? undefined : [];
    const evaluate = (flags: number) =>
      runFilters(
        world,
        ring.rules,
        sqe.opcode,
        contextWords(world.abi, sqe.opcode, flags & world.abi.sqe_flags, sqe.user_data, prep.payload),
        verdicts,
      );
    const answer = evaluate(sqe.flags | adds);
    // Behind a drain the request may or may not have been sent to a worker when the filter looks.
    const open = (prep.may_add ?? 0) | (ring.drain_seen ? IOSQE.ASYNC | IOSQE.IO_DRAIN : 0);
    if (open !== 0) {
      const base = sqe.flags | prep.adds_flags;
      for (let bits = open; ; bits = (bits - 1) & open) {
        if (evaluate(base | bits).allowed !== answer.allowed) return done({ verdict: 'unknown' });
        if (bits === 0) break;
      }
    }
    if (!answer.allowed) {
      world.hit('filter.no-effect');
      return fail(E.ACCES, answer.rule, 'filter', verdicts, spec!.refused?.(context));
    }
    if (verdicts !== undefined) this.#trace(sqe, index, 'filter', 'any', answer.rule, verdicts);
    return done({ verdict: 'admitted' });
  }

  /** Runs or cancels a complete chain (also of length one). */
  #finish(chain: readonly Request[]): void {
    if (this.#imprecise) {
      for (const request of chain) {
        this.#post(request, 'any', 'any', 'enter.count', true);
        this.#stray(request);
        this.#touchUnknown(request);
      }
      return;
    }
    if (chain.some(({ admission }) => admission.verdict === 'failed')) {
      this.#cancel(chain);
      return;
    }
    let broken: boolean | 'unknown' = false;
    let omit: boolean | 'unknown' = false;
    chain.forEach((request, position) => {
      const { sqe, admission } = request;
      if (broken === true) {
        this.#world.hit('link.broken');
        this.#cancelled(request, omit);
        return;
      }
      const spec = opSpec(sqe.opcode)!;
      const issued = spec.issue(request.context);
      // "The notion of failure/success is opcode specific": some handlers answer an error without failing the request.
      const outcome: IssueOutcome = issued.quiet === true ? { ...issued, fails: false } : issued;
      if (issued.quiet === true) this.#world.hit('link.opcode-notion');
      if (spec.cancelsOthers && issued.res === 'any') {
        // It may have cancelled anything in this step that a worker has not finished yet.
        this.#imprecise = true;
        this.#files.sandbox.blur(this.#ring.slot);
      }
      const racy = this.#race(request, outcome, chain);
      const uncertain = broken === 'unknown';
      if (uncertain) for (const name of outcome.changes ?? outcome.touches ?? []) this.#files.sandbox.taint(name);
      if (!racy && !uncertain) {
        outcome.effect?.();
        // Without a CQE nobody waits for a worker, and nearly everything may go to one: the effect may come later than the next step.
        if ((sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0 && outcome.fails === false)
          for (const name of outcome.changes ?? outcome.touches ?? []) this.#files.sandbox.taint(name);
      }
      const waits = outcome.may_wait === true;
      const res: Allowed = racy ? 'any' : uncertain ? withCancelled(outcome.res) : outcome.res;
      const fails = racy || uncertain || waits ? 'unknown' : outcome.fails;
      this.#complete(request, outcome, res, fails, uncertain || waits);
      if (uncertain || waits) this.#stray(request);
      if (fails !== false) {
        if ((sqe.flags & IOSQE.IO_HARDLINK) !== 0 && !waits && !uncertain) this.#world.hit('link.hard');
        else if (position + 1 < chain.length) {
          broken = fails;
          omit = (sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0 ? fails : false;
        }
      }
    });
  }

  /** Posts what a request that ran answers. */
  #complete(
    request: Request,
    outcome: IssueOutcome,
    res: Allowed,
    fails: boolean | 'unknown',
    uncertain: boolean,
  ): void {
    const { sqe, index } = request;
    const rule = this.#world.hit(opSpec(sqe.opcode)!.rule);
    const skip = (sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0;
    this.#trace(sqe, index, 'issue', res, rule, []);
    const link_timeout_skip = skip && limitsPrevious(request);
    if (skip && fails === false && !link_timeout_skip) this.#world.hit('skip.success');
    else {
      if (skip && fails === true) this.#world.hit('skip.failure');
      this.#post(
        request,
        res,
        uncertain ? 'any' : (outcome.cflags ?? 0),
        rule,
        (skip && fails !== true) || uncertain || link_timeout_skip,
      );
      for (const more of outcome.extra ?? [])
        this.#post(request, uncertain ? 'any' : more.res, uncertain ? 'any' : more.cflags, rule, uncertain);
    }
    const { posts } = outcome;
    if (posts === undefined) return;
    const target = this.#world.rings.get(posts.ring);
    const cqe: PredictedCqe = {
      user_data: posts.user_data,
      res: posts.res,
      flags: posts.cflags,
      sqe: -1,
      rule,
      ...(uncertain || res === 'any' ? { optional: true } : {}),
    };
    if (posts.ring === this.#ring.slot) this.#cqes.push(cqe);
    else target?.pending.push(cqe);
  }

  /** A chain of which a request failed while being submitted. */
  #cancel(chain: readonly Request[]): void {
    const head = chain[0]!;
    const head_skips = (head.sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0;
    const hard = chain.some(({ sqe }) => (sqe.flags & IOSQE.IO_HARDLINK) !== 0);
    chain.forEach((request, position) => {
      const { admission } = request;
      const failed = admission.verdict === 'failed' ? -admission.errno : -E.CANCELED;
      // A link timeout is cancelled by the request before it, also where it failed itself.
      const own: Allowed =
        position > 0 && limitsPrevious(request) && failed !== -E.CANCELED ? [failed, -E.CANCELED] : failed;
      const rule = admission.verdict === 'failed' ? admission.rule : this.#world.hit('link.cancelled-by-submission');
      if (admission.verdict !== 'failed') this.#trace(request.sqe, request.index, 'link', own, rule, []);
      if (position > 0 && head_skips) {
        this.#world.hit('skip.failure');
        // With a hard link the manual page leaves open whether the others are omitted.
        if (hard || limitsPrevious(request)) this.#postFailure(request, own, rule, true);
        else this.#postNotifications(request);
        return;
      }
      // The manual page: a link timeout's CQE depends on its own flag alone.
      const silent = limitsPrevious(request) && (request.sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0;
      this.#postFailure(request, own, rule, position > 0 && silent);
    });
  }

  #cancelled(request: Request, omit: boolean | 'unknown'): void {
    this.#trace(request.sqe, request.index, 'link', -E.CANCELED, 'link.broken', []);
    const timeout = limitsPrevious(request) && (request.sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0;
    if (omit === true) {
      if (timeout || limitsPrevious(request)) this.#postFailure(request, -E.CANCELED, 'link.broken', true);
      else this.#postNotifications(request);
      return;
    }
    this.#postFailure(request, -E.CANCELED, 'link.broken', omit === 'unknown' || timeout);
  }

  /** A CQE that may come with any later step of the ring. */
  #stray(request: Request): void {
    this.#ring.strays.push({
      user_data: request.sqe.user_data,
      res: 'any',
      flags: 'any',
      sqe: -1,
      rule: 'enter.count',
      optional: true,
    });
  }

  /** What still comes of a request whose own CQE is omitted. */
  #postNotifications(request: Request): void {
    const { admission, context, sqe } = request;
    const refused = admission.verdict === 'failed' ? admission.refused : opSpec(sqe.opcode)?.refused?.(context);
    for (const more of refused?.extra ?? [])
      this.#post(request, more.res, more.cflags, 'link.cancelled-by-submission', false);
  }

  /** Posts a failure that has nothing to do with what the opcode does. */
  #postFailure(request: Request, res: Allowed, rule: string, optional: boolean): void {
    const { admission, context, sqe } = request;
    const refused = admission.verdict === 'failed' ? admission.refused : opSpec(sqe.opcode)?.refused?.(context);
    // Behind the head of a chain a request is dropped without a word about the notification that still comes.
    this.#post(request, res, context.linked ? 0 : (refused?.cflags ?? 0), rule, optional);
    if (refused === undefined) return;
    for (const more of refused.extra) this.#post(request, more.res, more.cflags, rule, optional);
  }

  #post(request: Request, res: Allowed, flags: Allowed, rule: string, optional: boolean): void {
    const cqe: PredictedCqe = { user_data: request.sqe.user_data, res, flags, sqe: request.index, rule };
    this.#cqes.push(optional ? { ...cqe, optional: true } : cqe);
  }

  /** Everything the outcome depends on: what the opcode names, the directories on the way, the table of direct descriptors. */
  #resources(request: Request, outcome: IssueOutcome): ReadonlySet<string> {
    const names = new Set(outcome.touches);
    for (const name of outcome.touches ?? []) {
      for (let end = name.lastIndexOf('/'); end > 0; end = name.lastIndexOf('/', end - 1))
        names.add(name.slice(0, end));
    }
    if (usesDirect(request.sqe)) names.add(`files:${this.#ring.slot}`);
    return names;
  }

  /** Whether the request races with another one of this step over a resource. */
  #race(request: Request, outcome: IssueOutcome, chain: readonly Request[]): boolean {
    if ((outcome.touches === undefined || outcome.touches.length === 0) && !usesDirect(request.sqe)) return false;
    let racy = false;
    const changed = new Set(outcome.changes ?? outcome.touches);
    for (const name of this.#resources(request, outcome)) {
      const before = this.#touched.get(name);
      if (before === undefined) {
        this.#touched.set(name, { changed: changed.has(name), chains: [chain as Request[]] });
        continue;
      }
      // Members of one chain run one after the other.
      const others = before.chains.filter((other) => other !== chain);
      // Even a request that need not go to a worker may: whether a file can be read without waiting is the file's affair.
      if (others.length > 0 && (changed.has(name) || before.changed)) {
        racy = true;
        this.#racing.add(chain);
        for (const other of others) {
          this.#racing.add(other);
          // What the other chain did, it may have done otherwise, or not at all.
          for (const done of this.#changes.get(other)!) this.#files.sandbox.taint(done);
        }
      }
      before.changed ||= changed.has(name);
      before.chains.push(chain as Request[]);
    }
    const sofar = this.#changes.get(chain);
    if (sofar === undefined) this.#changes.set(chain, changed);
    else for (const name of changed) sofar.add(name);
    // A chain that has met another one stays uncertain to its end.
    if (this.#racing.has(chain)) for (const name of changed) this.#files.sandbox.taint(name);
    if (racy) this.#files.sandbox.blur(this.#ring.slot);
    return racy;
  }

  #touchUnknown(request: Request): void {
    const outcome = opSpec(request.sqe.opcode)?.issue(request.context);
    for (const name of outcome?.changes ?? outcome?.touches ?? []) this.#files.sandbox.taint(name);
    if (outcome?.posts !== undefined)
      this.#world.rings.get(outcome.posts.ring)?.pending.push({
        user_data: outcome.posts.user_data,
        res: 'any',
        flags: 'any',
        sqe: -1,
        rule: 'enter.count',
        optional: true,
      });
  }

  #trace(
    sqe: FullSqe,
    index: number,
    stage: Stage,
    res: Allowed,
    rule: string,
    filters: readonly FilterVerdict[],
  ): void {
    this.#world.trace?.({
      kind: 'request',
      step: this.#world.step,
      sqe: index,
      opcode: sqe.opcode,
      stage,
      res,
      rule,
      filters,
    });
  }
}

/** Whether it is an IORING_OP_LINK_TIMEOUT. */
function limitsPrevious({ sqe }: Request): boolean {
  return opSpec(sqe.opcode)?.limitsPrevious === true;
}

/** Whether the request looks into the ring's table of direct descriptors. */
function usesDirect(sqe: FullSqe): boolean {
  return (sqe.flags & IOSQE.FIXED_FILE) !== 0 || opSpec(sqe.opcode)?.looksUpDirect?.(sqe) === true;
}

function withCancelled(res: Allowed): Allowed {
  if (typeof res === 'number') return [res, -E.CANCELED];
  if (res === 'any' || 'at_least' in (res as object)) return 'any';
  return [...(res as readonly number[]), -E.CANCELED];
}
