/** Link chains: their requests run one after the other, and a failure cancels those behind it. */
import { Open, OpenSet } from '../open-answer.ts';
import { E, IOSQE } from '../uapi/constants.ts';
import { opSpec } from '../opcodes/index.ts';
import type { IssueOutcome } from '../opcodes/types.ts';
import type { Allowed } from '../scenario/prediction.ts';
import { complete, postFailure, postNotifications } from './completion.ts';
import { MODEL } from './open.ts';
import type { Races } from './races.ts';
import { vagueCqe } from './submission.ts';
import type { Chain, Request, Submission } from './submission.ts';
import type { Tri } from './world.ts';

/** Runs or cancels a complete chain (also of length one). */
export function finish(submission: Submission, races: Races, chain: Chain): void {
  const place = submission.imprecise ?? openAdmission(chain);
  if (place !== undefined) {
    for (const request of chain) leaveOpen(submission, races, chain, request, place);
    return;
  }
  if (chain.some(({ admission }) => admission.verdict === 'failed')) {
    cancel(submission, chain);
    return;
  }
  let broken: Tri = false;
  let omit: Tri = false;
  let next = 0;
  for (; next < chain.length && broken !== true; next++) {
    const request = chain[next]!;
    const severs = run(submission, races, chain, request, Open.is(broken) ? broken : undefined);
    if (severs === false) continue;
    broken = severs;
    omit = skipsSuccess(request) ? severs : false;
  }
  chain.slice(next).forEach((request, behind) => {
    submission.world.hit('link.broken');
    cancelBehind(submission, request, omit, behind === 0);
  });
}

/**
 * Runs one request.
 * @param uncertain why it is open whether it runs at all
 * @returns whether it severs the chain behind it
 */
function run(submission: Submission, races: Races, chain: Chain, request: Request, uncertain: Open | undefined): Tri {
  const outcome = issue(submission, request);
  const racy = races.meet(request, outcome, chain);
  const noted = submission.world.looks?.begin(request, submission.files);
  takeEffect(submission, request, outcome, racy, uncertain);
  noted?.(outcome, !racy && uncertain === undefined);
  const waits = outcome.may_wait;
  const race = racy ? MODEL['race.requests'] : undefined;
  const res: Allowed = race?.any ?? (uncertain === undefined ? outcome.res : withCancelled(outcome.res, uncertain));
  const late = uncertain ?? waits;
  const fails = race ?? late ?? outcome.fails;
  complete(submission, request, outcome, res, fails, late);
  if (late !== undefined) submission.stray(request, late);
  if (fails === false) return false;
  if ((request.sqe.flags & IOSQE.IO_HARDLINK) !== 0 && late === undefined) {
    submission.world.hit('link.hard');
    return false;
  }
  return fails;
}

/** What the opcode makes of the request. */
function issue(submission: Submission, { sqe, context }: Request): IssueOutcome {
  const spec = opSpec(sqe.opcode)!;
  const issued = spec.issue(context);
  if (issued.hinges_on !== undefined) submission.world.decide(issued.hinges_on);
  if (spec.cancelsOthers && OpenSet.is(issued.res) && issued.res.values === 'any') {
    // It may have cancelled anything in this step that a worker has not finished yet.
    submission.imprecise = issued.res.place;
    submission.files.sandbox.blur(submission.ring.slot, issued.res.place);
  }
  if (issued.quiet !== true) return issued;
  // "The notion of failure/success is opcode specific": some handlers answer an error without failing the request.
  submission.world.hit('link.opcode-notion');
  return { ...issued, fails: false };
}

/** Applies what a request does, as far as that is known. */
function takeEffect(
  { files }: Submission,
  request: Request,
  outcome: IssueOutcome,
  racy: boolean,
  uncertain: Open | undefined,
): void {
  if (!racy && uncertain === undefined) outcome.effect?.();
  // Without a CQE nobody waits for a worker, and nearly everything may go to one: the next step may come before it.
  const late = !racy && skipsSuccess(request) && outcome.fails === false;
  const place = uncertain ?? (late ? MODEL['skip.late'] : undefined);
  if (place !== undefined) for (const name of changesOf(outcome)) files.sandbox.taint(name, place);
}

/** A chain of which a request failed while being submitted. */
function cancel(submission: Submission, chain: Chain): void {
  const headSkips = skipsSuccess(chain[0]!);
  const hard = (chain[0]!.sqe.flags & IOSQE.IO_HARDLINK) !== 0;
  chain.forEach((request, position) => {
    const [failed, rule] = failureOf(submission, request);
    if (position > 0 && limitsPrevious(request))
      cancelTimeout(submission, request, failed, rule, headSkips, position === 1 && isPrepared(request));
    else if (position > 0 && headSkips && omits(submission, hard)) postNotifications(submission, request);
    else postFailure(submission, request, failed, rule, undefined);
  });
}

/** What a request of a chain that failed while being submitted answers, and by which rule. */
function failureOf(submission: Submission, { admission, sqe, index }: Request): readonly [res: number, rule: string] {
  if (admission.verdict === 'failed') return [-admission.errno, admission.rule];
  const rule = submission.world.hit('link.cancelled-by-submission');
  submission.trace(sqe, index, 'link', -E.CANCELED, rule, []);
  return [-E.CANCELED, rule];
}

/** Whether the CQEs behind a head that skips its own are omitted; `hard`: the head is hard-linked. */
function omits({ world }: Submission, hard: boolean): boolean {
  world.hit(hard ? 'skip.hard-link' : 'skip.failure');
  return !hard || !world.decide('hardLinkKeepsCqes');
}

/** Cancels a request behind one that severed the chain; `omit`: that one had IOSQE_CQE_SKIP_SUCCESS. */
function cancelBehind(submission: Submission, request: Request, omit: Tri, first: boolean): void {
  submission.trace(request.sqe, request.index, 'link', -E.CANCELED, 'link.broken', []);
  if (limitsPrevious(request)) cancelTimeout(submission, request, -E.CANCELED, 'link.broken', omit, first);
  else if (omit === true) postNotifications(submission, request);
  else postFailure(submission, request, -E.CANCELED, 'link.broken', Open.is(omit) ? omit : undefined);
}

/**
 * A link timeout whose chain failed. "The CQE generation for the linked timeout is decided solely by whether it has
 * IOSQE_CQE_SKIP_SUCCESS set", and a filter that denies it shows -EACCES.
 * @param omit whether the request that failed the chain has IOSQE_CQE_SKIP_SUCCESS
 * @param armed it passed prep, and the request that it limits is the one that failed the chain
 */
function cancelTimeout(
  submission: Submission,
  request: Request,
  failed: number,
  rule: string,
  omit: Tri,
  armed: boolean,
): void {
  const { world } = submission;
  const denied = request.admission.verdict === 'failed';
  const hidden = armed && denied && !world.decide('linkTimeoutShowsDenial');
  world.hit('skip.link-timeout');
  const posts = !skipsSuccess(request);
  // Faulty kernels treat it like any other request of the chain, unless the request before it takes it along.
  const faulty: Tri = armed ? posts || denied : omit === false ? true : omit === true ? false : omit;
  const shown = faulty === posts || world.decide('linkTimeoutSkipsAlone') ? posts : faulty;
  if (shown !== false)
    postFailure(submission, request, hidden ? -E.CANCELED : failed, rule, Open.is(shown) ? shown : undefined);
}

/** Whether prep took it: it was admitted, or denied by a filter. */
function isPrepared({ admission }: Request): boolean {
  return admission.verdict !== 'failed' || admission.byFilter === true;
}

/** A request of which nothing is known but that it was submitted. */
function leaveOpen(submission: Submission, races: Races, chain: Chain, request: Request, place: Open): void {
  submission.post(request, place.any, place.any, 'enter.count', place);
  submission.stray(request, place);
  submission.world.looks?.forget(request.sqe.user_data);
  const outcome = opSpec(request.sqe.opcode)?.issue(request.context);
  if (outcome === undefined) return;
  races.meet(request, outcome, chain);
  for (const name of changesOf(outcome)) submission.files.sandbox.taint(name, place);
  const { posts } = outcome;
  if (posts !== undefined)
    submission.world.rings.get(posts.ring)?.pending.push(vagueCqe(posts.user_data, -1, place, true));
}

/** Why it is open whether a request of the chain is admitted, or undefined. */
function openAdmission(chain: Chain): Open | undefined {
  for (const { admission } of chain) if (admission.verdict === 'unknown') return admission.place;
  return undefined;
}

const NOTHING: readonly string[] = [];

function changesOf({ changes, touches }: IssueOutcome): readonly string[] {
  return changes ?? touches ?? NOTHING;
}

function skipsSuccess({ sqe }: Request): boolean {
  return (sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0;
}

/** Whether it is an IORING_OP_LINK_TIMEOUT. */
function limitsPrevious({ sqe }: Request): boolean {
  return opSpec(sqe.opcode)?.limitsPrevious === true;
}

/** The answers of a request that may have been cancelled instead. */
function withCancelled(res: Allowed, place: Open): Allowed {
  if (typeof res === 'number') return place.among(res, -E.CANCELED);
  const { values } = res;
  return values === 'any' || 'at_least' in values ? place.any : place.among(...values, -E.CANCELED);
}
