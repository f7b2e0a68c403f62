/** io_uring_setup(2): which parameters make a ring. */
import type { AbiProfile } from '../uapi/abi.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';

/** Most entries of a submission queue. */
export const MAX_ENTRIES = 32768;

/**
 * 0, -EINVAL or (observed on 7.0.13, a mixed queue of one entry) -EOVERFLOW. Source: io_uring_setup(2), the flags and
 * ERRORS EINVAL.
 */
export function setupOutcome(abi: AbiProfile, entries: number, flags: number): number {
  const has = (mask: number): boolean => (flags & mask) !== 0;
  const S = IORING_SETUP;
  if ((flags & ~abi.setup_flags) !== 0) return -E.INVAL;
  if (has(S.SQPOLL) && has(S.COOP_TASKRUN | S.TASKRUN_FLAG | S.DEFER_TASKRUN)) return -E.INVAL;
  if (has(S.TASKRUN_FLAG) && !has(S.COOP_TASKRUN | S.DEFER_TASKRUN)) return -E.INVAL;
  if (has(S.DEFER_TASKRUN) && !has(S.SINGLE_ISSUER)) return -E.INVAL;
  if (has(S.SQ_REWIND) && (has(S.SQPOLL) || !has(S.NO_SQARRAY))) return -E.INVAL;
  if (has(S.HYBRID_IOPOLL) && !has(S.IOPOLL)) return -E.INVAL;
  if (has(S.CQE32) && has(S.CQE_MIXED)) return -E.INVAL;
  if (has(S.SQE128) && has(S.SQE_MIXED)) return -E.INVAL;
  // What scenarios have beside the flags is zero: no size of the completion queue, and /dev/null to share workers with.
  if (has(S.CQSIZE | S.ATTACH_WQ) || (has(S.SQ_AFF) && !has(S.SQPOLL))) return -E.INVAL;
  if (has(S.REGISTERED_FD_ONLY) && !has(S.NO_MMAP)) return -E.INVAL;
  if (entries === 0 || (entries > MAX_ENTRIES && !has(S.CLAMP))) return -E.INVAL;
  // A queue of mixed sizes must have room for one entry of two slots; the completion queue always has two.
  if (has(S.SQE_MIXED) && entries < 2) return -E.OVERFLOW;
  return 0;
}
