/** Link chains: their requests run one after the other, and a failure cancels those behind it. */
import { E, IOSQE } from '../uapi/constants.ts';
import { opSpec } from '../opcodes/index.ts';
import type { IssueOutcome } from '../opcodes/types.ts';
import type { Allowed } from '../scenario/prediction.ts';
import { complete, postFailure, postNotifications } from './completion.ts';
import type { Races } from './races.ts';
import { vagueCqe } from './submission.ts';
import type { Chain, Request, Submission } from './submission.ts';
import type { Tri } from './world.ts';

/** Runs or cancels a complete chain (also of length one). */
export function finish(submission: Submission, races: Races, chain: Chain): void {
  if (submission.imprecise) {
    for (const request of chain) leaveOpen(submission, request);
    return;
  }
  if (chain.some(({ admission }) => admission.verdict === 'failed')) {
    cancel(submission, chain);
    return;
  }
  let broken: Tri = false;
  let omit: Tri = false;
  for (const request of chain) {
    if (broken === true) {
      submission.world.hit('link.broken');
      cancelBehind(submission, request, omit);
      continue;
    }
    const severs = run(submission, races, chain, request, broken === 'unknown');
    if (severs === false) continue;
    broken = severs;
    omit = skipsSuccess(request) ? severs : false;
  }
}

/**
 * Runs one request.
 * @param uncertain whether it runs at all is open
 * @returns whether it severs the chain behind it
 */
function run(submission: Submission, races: Races, chain: Chain, request: Request, uncertain: boolean): Tri {
  const outcome = issue(submission, request);
  const racy = races.meet(request, outcome, chain);
  takeEffect(submission, request, outcome, racy, uncertain);
  const waits = outcome.may_wait === true;
  const res: Allowed = racy ? 'any' : uncertain ? withCancelled(outcome.res) : outcome.res;
  const fails = racy || uncertain || waits ? 'unknown' : outcome.fails;
  complete(submission, request, outcome, res, fails, uncertain || waits);
  if (uncertain || waits) submission.stray(request);
  if (fails === false) return false;
  if ((request.sqe.flags & IOSQE.IO_HARDLINK) !== 0 && !waits && !uncertain) {
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
  if (spec.cancelsOthers && issued.res === 'any') {
    // It may have cancelled anything in this step that a worker has not finished yet.
    submission.imprecise = true;
    submission.files.sandbox.blur(submission.ring.slot);
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
  uncertain: boolean,
): void {
  if (!racy && !uncertain) outcome.effect?.();
  // Without a CQE nobody waits for a worker, and nearly everything may go to one: the next step may come before it.
  const late = !racy && skipsSuccess(request) && outcome.fails === false;
  if (uncertain || late) for (const name of changesOf(outcome)) files.sandbox.taint(name);
}

/** A chain of which a request failed while being submitted. */
function cancel(submission: Submission, chain: Chain): void {
  const headSkips = skipsSuccess(chain[0]!);
  const hard = chain.some(({ sqe }) => (sqe.flags & IOSQE.IO_HARDLINK) !== 0);
  chain.forEach((request, position) => {
    const { admission } = request;
    const timeout = limitsPrevious(request);
    const failed = admission.verdict === 'failed' ? -admission.errno : -E.CANCELED;
    // A link timeout is cancelled by the request before it, also where it failed itself.
    const own: Allowed = position > 0 && timeout && failed !== -E.CANCELED ? [failed, -E.CANCELED] : failed;
    const rule = admission.verdict === 'failed' ? admission.rule : submission.world.hit('link.cancelled-by-submission');
    if (admission.verdict !== 'failed') submission.trace(request.sqe, request.index, 'link', own, rule, []);
    if (position > 0 && headSkips) {
      submission.world.hit('skip.failure');
      // With a hard link the manual page leaves open whether the others are omitted.
      if (hard || timeout) postFailure(submission, request, own, rule, true);
      else postNotifications(submission, request);
      return;
    }
    // The manual page: a link timeout's CQE depends on its own flag alone.
    postFailure(submission, request, own, rule, position > 0 && timeout && skipsSuccess(request));
  });
}

/** Cancels a request behind one that severed the chain; `omit`: that one had IOSQE_CQE_SKIP_SUCCESS. */
function cancelBehind(submission: Submission, request: Request, omit: Tri): void {
  submission.trace(request.sqe, request.index, 'link', -E.CANCELED, 'link.broken', []);
  const timeout = limitsPrevious(request);
  if (omit === true && !timeout) postNotifications(submission, request);
  else {
    const optional = omit !== false || (timeout && skipsSuccess(request));
    postFailure(submission, request, -E.CANCELED, 'link.broken', optional);
  }
}

/** A request of which nothing is known but that it was submitted. */
function leaveOpen(submission: Submission, request: Request): void {
  submission.post(request, 'any', 'any', 'enter.count', true);
  submission.stray(request);
  const outcome = opSpec(request.sqe.opcode)?.issue(request.context);
  if (outcome === undefined) return;
  for (const name of changesOf(outcome)) submission.files.sandbox.taint(name);
  const { posts } = outcome;
  if (posts !== undefined) submission.world.rings.get(posts.ring)?.pending.push(vagueCqe(posts.user_data, -1, true));
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
function withCancelled(res: Allowed): Allowed {
  if (typeof res === 'number') return [res, -E.CANCELED];
  if (res === 'any' || 'at_least' in res) return 'any';
  return [...res, -E.CANCELED];
}
