/** io_uring_setup(2): which parameters make a ring. */
import type { AbiProfile } from '../uapi/abi.ts';
import { E, IORING_SETUP } from '../uapi/constants.ts';

/** Most entries of a submission queue. */
export const MAX_ENTRIES = 32768;

const S = IORING_SETUP;

/** Flags that do not go together: the first with any of the second, or without one of the third. */
const EXCLUDED: readonly { readonly having: number; readonly any?: number; readonly without?: number }[] = [
  { having: S.SQPOLL, any: S.COOP_TASKRUN | S.TASKRUN_FLAG | S.DEFER_TASKRUN },
  { having: S.TASKRUN_FLAG, without: S.COOP_TASKRUN | S.DEFER_TASKRUN },
  { having: S.DEFER_TASKRUN, without: S.SINGLE_ISSUER },
  { having: S.SQ_REWIND, any: S.SQPOLL, without: S.NO_SQARRAY },
  { having: S.HYBRID_IOPOLL, without: S.IOPOLL },
  { having: S.CQE32, any: S.CQE_MIXED },
  { having: S.SQE128, any: S.SQE_MIXED },
  { having: S.SQ_AFF, without: S.SQPOLL },
  { having: S.REGISTERED_FD_ONLY, without: S.NO_MMAP },
];

/**
 * 0, -EINVAL, -EFAULT or (observed on 7.0.13, a mixed queue of one entry) -EOVERFLOW. Source: io_uring_setup(2), the
 * flags and ERRORS.
 */
export function setupOutcome(abi: AbiProfile, entries: number, flags: number): number {
  const has = (mask: number): boolean => (flags & mask) !== 0;
  if (has(~(abi.setup_flags | S.NO_MMAP | S.REGISTERED_FD_ONLY))) return -E.INVAL;
  for (const { having, any = 0, without } of EXCLUDED)
    if (has(having) && (has(any) || (without !== undefined && !has(without)))) return -E.INVAL;
  // What scenarios have beside the flags is zero: no size of the completion queue, and /dev/null to share workers with.
  if (has(S.CQSIZE | S.ATTACH_WQ)) return -E.INVAL;
  if (entries === 0 || (entries > MAX_ENTRIES && !has(S.CLAMP))) return -E.INVAL;
  // A queue of mixed sizes must have room for one entry of two slots; the completion queue always has two.
  if (has(S.SQE_MIXED) && entries < 2) return -E.OVERFLOW;
  // Memory of the caller is asked for, and none is given.
  if (has(S.NO_MMAP)) return -E.FAULT;
  return 0;
}
