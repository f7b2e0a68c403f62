/** Everything that happens to a request before it may run: init checks, classic restrictions, prep, filters. */
import { E, IOSQE } from '../uapi/constants.ts';
import { initCheckFlags, initCheckRest } from '../opcodes/init.ts';
import type { InitState } from '../opcodes/init.ts';
import { opSpec } from '../opcodes/index.ts';
import type { FullSqe, OpContext, OpRow, PrepOutcome, Refusal } from '../opcodes/types.ts';
import { classicRefusal, contextWords, runFilters } from './evaluate.ts';
import { gotRoundBy } from './routes.ts';
import { filtersAny } from './ruleset.ts';
import type { FilterAnswer } from './evaluate.ts';
import { MODEL } from './open.ts';
import type { Admission, Request, Submission } from './submission.ts';
import type { FilterVerdict, Stage } from './trace.ts';

type Room = Pick<InitState, 'left' | 'last_slot'>;

const ADMITTED: Admission = { verdict: 'admitted' };
const NO_FILTERS: readonly FilterVerdict[] = [];

/**
 * Submits one request.
 * @param previous opcode of the request before it in its chain
 * @param room queue entries from this one on, of those that are submitted, and whether it is in the last of all
 */
export function admit(
  submission: Submission,
  sqe: FullSqe,
  index: number,
  previous: number | undefined,
  room: Room,
): Request {
  const context = submission.context(sqe, previous);
  const admission = refusedEarly(submission, context, index, room) ?? judged(submission, context, index);
  return { sqe, index, admission, context };
}

function fail(
  submission: Submission,
  sqe: FullSqe,
  index: number,
  errno: number,
  rule: string,
  stage: Stage,
  filters: readonly FilterVerdict[] = NO_FILTERS,
  refused?: Refusal,
): Admission {
  submission.world.hit(rule);
  submission.trace(sqe, index, stage, -errno, rule, filters);
  return {
    verdict: 'failed',
    errno,
    rule,
    ...(refused === undefined ? {} : { refused }),
    ...(stage === 'filter' ? { byFilter: true } : {}),
  };
}

/** What is refused before prep: by the checks of flags and setup, and by classic restrictions between them. */
function refusedEarly(submission: Submission, context: OpContext, index: number, room: Room): Admission | undefined {
  const { world, ring } = submission;
  const { sqe } = context;
  const init = initCheckFlags(context, { drain_disabled: ring.skip_seen, ...room });
  if (!init.ok) {
    // The flag is remembered as soon as it is seen, also on a request that fails later.
    if (init.rule === 'init.drain-skip') ring.skip_seen = true;
    return fail(submission, sqe, index, init.errno, init.rule, 'init');
  }
  if ((sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0) ring.skip_seen = true;
  if ((sqe.flags & IOSQE.IO_DRAIN) !== 0) ring.drain_seen = true;

  const { classic } = ring.rules;
  if (classic !== undefined) {
    const refusal = classicRefusal(world, classic, sqe.opcode, sqe.flags);
    if (refusal !== undefined) {
      world.hit('classic.before-filters');
      return fail(submission, sqe, index, E.ACCES, refusal, 'classic');
    }
    world.hit('classic.allow');
  }
  const rest = initCheckRest(context);
  return rest.ok ? undefined : fail(submission, sqe, index, rest.errno, rest.rule, 'init');
}

/** Prep, then the filters. */
function judged(submission: Submission, context: OpContext, index: number): Admission {
  const { world, ring } = submission;
  const { sqe } = context;
  const spec = opSpec(sqe.opcode);
  const prep = spec?.prep(context);
  // Whatever prep says, a request that every filter denies does not run; but its error is open.
  if (spec === undefined || prep === undefined) return { verdict: 'unknown', place: MODEL['opcode.unknown'] };
  if (prep.ok === 'unknown') return { verdict: 'unknown', place: prep.place };
  const head = ring.rules.table?.heads[sqe.opcode];
  if (!prep.ok) {
    if (head !== undefined) world.hit('filter.after-prep');
    return fail(submission, sqe, index, prep.errno, spec.prepRule, 'prep', NO_FILTERS, prep.refused);
  }
  if (head === undefined) {
    world.hit('filter.none');
    if (filtersAny(ring.rules, gotRoundBy(sqe.opcode))) world.hit('route.other-opcode');
    return ADMITTED;
  }
  return filtered(submission, context, index, spec, prep);
}

type Prepared = Extract<PrepOutcome, { ok: true }>;

/** Shows a prepared request to the filters of its opcode. */
function filtered(submission: Submission, context: OpContext, index: number, spec: OpRow, prep: Prepared): Admission {
  const { world, ring } = submission;
  const { sqe } = context;
  const adds = prep.adds_flags | ((sqe.flags & IOSQE.IO_DRAIN) !== 0 ? IOSQE.ASYNC : 0);
  if (adds !== 0) world.hit('filter.ctx.flags');
  if (prep.payload !== undefined) {
    if (prep.hinges_on !== undefined) world.decide(prep.hinges_on);
    world.hit(prep.hinges_on === 'socketTypeMask' ? 'filter.ctx.socket-type' : 'filter.ctx.payload');
  }
  const verdicts: FilterVerdict[] | undefined = world.trace === undefined ? undefined : [];
  const ask = (flags: number): FilterAnswer => {
    const words = contextWords(world.abi, sqe.opcode, flags & world.abi.sqe_flags, sqe.user_data, prep.payload);
    return runFilters(world, ring.rules, sqe.opcode, words, verdicts);
  };
  const answer = ask(sqe.flags | adds);
  const base = sqe.flags | prep.adds_flags;
  const { may_add } = prep;
  if (may_add !== undefined && !unanimous(ask, base, may_add.flags, answer.allowed))
    return { verdict: 'unknown', place: may_add.place };
  // Faulty kernels may have sent it to a worker, or drain it too, when the filter looks.
  if (
    ring.drain_seen &&
    !unanimous(ask, base, IOSQE.ASYNC | IOSQE.IO_DRAIN, answer.allowed) &&
    !world.decide('drainShowsOnItselfAlone')
  )
    return { verdict: 'unknown', place: MODEL['drain.context'] };
  if (ring.drain_seen) world.hit('filter.ctx.drain');
  if (!answer.allowed) {
    world.hit('filter.no-effect');
    return fail(submission, sqe, index, E.ACCES, answer.rule, 'filter', verdicts, spec.refused?.(context));
  }
  if (verdicts !== undefined) submission.trace(sqe, index, 'filter', undefined, answer.rule, verdicts);
  return ADMITTED;
}

/** Whether the filters answer alike whichever of the open IOSQE bits are set. */
function unanimous(ask: (flags: number) => FilterAnswer, base: number, open: number, allowed: boolean): boolean {
  for (let bits = open; ; bits = (bits - 1) & open) {
    if (ask(base | bits).allowed !== allowed) return false;
    if (bits === 0) return true;
  }
}
