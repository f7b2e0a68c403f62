/** What is posted for a request: its CQE, notifications, messages to other rings. */
import { Open, OpenSet } from '../open-answer.ts';
import { IOSQE } from '../uapi/constants.ts';
import { opSpec } from '../opcodes/index.ts';
import type { IssueOutcome, Refusal } from '../opcodes/types.ts';
import type { Allowed, PredictedCqe } from '../scenario/prediction.ts';
import type { Request, Submission } from './submission.ts';

/**
 * Posts what a request that ran answers.
 * @param fails whether it breaks its chain, and with IOSQE_CQE_SKIP_SUCCESS posts a CQE all the same
 * @param uncertain why it is open whether it ran, or ends with this step
 */
export function complete(
  submission: Submission,
  request: Request,
  outcome: IssueOutcome,
  res: Allowed,
  fails: boolean | Open,
  uncertain: Open | undefined,
): void {
  const { world } = submission;
  const { sqe, index } = request;
  const spec = opSpec(sqe.opcode)!;
  const rule = world.hit(spec.rule);
  const skip = (sqe.flags & IOSQE.CQE_SKIP_SUCCESS) !== 0;
  submission.trace(sqe, index, 'issue', res, rule, []);
  if (spec.limitsPrevious) world.hit('skip.link-timeout');
  if (skip && (fails === false || spec.limitsPrevious)) {
    world.hit('skip.success');
    submission.unwatched(request, rule);
  } else {
    if (skip && fails === true) world.hit('skip.failure');
    const optional = uncertain ?? (skip && Open.is(fails) ? fails : undefined);
    submission.post(request, res, uncertain?.any ?? outcome.cflags ?? 0, rule, optional);
    postExtra(submission, request, outcome, rule, uncertain);
  }
  if (outcome.posts !== undefined)
    deliver(
      submission,
      outcome.posts,
      rule,
      uncertain ?? (OpenSet.is(res) && res.values === 'any' ? res.place : undefined),
    );
}

/** Posts the further CQEs of a request that ran; with `uncertain` each may have any content, or be missing. */
function postExtra(
  submission: Submission,
  request: Request,
  { extra }: IssueOutcome,
  rule: string,
  uncertain: Open | undefined,
): void {
  if (extra === undefined) return;
  for (const { res, cflags } of extra)
    submission.post(request, uncertain?.any ?? res, uncertain?.any ?? cflags, rule, uncertain);
}

/** Posts a message: with this step on its own ring, with a later one on another. */
function deliver(
  submission: Submission,
  { ring, user_data, res, cflags }: NonNullable<IssueOutcome['posts']>,
  rule: string,
  optional: Open | undefined,
): void {
  const cqe: PredictedCqe = {
    user_data,
    res,
    flags: cflags,
    sqe: -1,
    rule,
    ...(optional === undefined ? {} : { optional }),
  };
  submission.world.looks?.forget(user_data);
  if (ring === submission.ring.slot) submission.cqes.push(cqe);
  else submission.world.rings.get(ring)?.pending.push(cqe);
}

/** Posts a failure that has nothing to do with what the opcode does. */
export function postFailure(
  submission: Submission,
  request: Request,
  res: Allowed,
  rule: string,
  optional: Open | undefined,
): void {
  const refused = refusalOf(request);
  if (refused === undefined) {
    submission.post(request, res, 0, rule, optional);
    return;
  }
  // "The user must check for IORING_CQE_F_MORE": a notification that comes is announced.
  submission.world.hit('link.notification-announced');
  const announced = !request.context.linked || submission.world.decide('linkedNotificationAnnounced');
  submission.post(request, res, announced ? refused.cflags : 0, rule, optional);
  for (const more of refused.extra) submission.post(request, more.res, more.cflags, rule, optional);
}

/** Posts what still comes of a request whose own CQE is omitted. */
export function postNotifications(submission: Submission, request: Request): void {
  for (const more of refusalOf(request)?.extra ?? [])
    submission.post(request, more.res, more.cflags, 'link.cancelled-by-submission', undefined);
}

function refusalOf({ admission, context, sqe }: Request): Refusal | undefined {
  return admission.verdict === 'failed' ? admission.refused : opSpec(sqe.opcode)?.refused?.(context);
}
