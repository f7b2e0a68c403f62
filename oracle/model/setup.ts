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

/** What the call may have to do without: parameters, or that they can be written to, a descriptor, a file. */
export type Missing = 'params' | 'writable_params' | 'descriptor' | 'file';

/** Parameters of io_uring_setup(2). */
export interface SetupParams {
  readonly entries: number;
  readonly flags: number;
  readonly cq_entries?: number;
  readonly resv?: readonly number[];
  /** Memory of the caller's own is given. */
  readonly memory?: true;
}

/**
 * 0, -EINVAL, -EFAULT or (observed on 7.0.13, a mixed queue of one entry) -EOVERFLOW. Source: io_uring_setup(2), the
 * flags and ERRORS.
 */
export function setupOutcome(abi: AbiProfile, params: SetupParams): number {
  const { flags, resv = [] } = params;
  if (resv.some((word) => word !== 0)) return -E.INVAL;
  const has = (mask: number): boolean => (flags & mask) !== 0;
  if (has(~(abi.setup_flags | S.NO_MMAP | S.REGISTERED_FD_ONLY))) return -E.INVAL;
  for (const { having, any = 0, without } of EXCLUDED)
    if (has(having) && (has(any) || (without !== undefined && !has(without)))) return -E.INVAL;
  const queues = queueOutcome(params);
  // Memory of the caller is asked for.
  return queues === 0 && has(S.NO_MMAP) && params.memory === undefined ? -E.FAULT : queues;
}

/** The sizes of the queues. */
function queueOutcome({ entries: asked, flags, cq_entries: wanted = 0 }: SetupParams): number {
  const has = (mask: number): boolean => (flags & mask) !== 0;
  const clamped = (value: number, most: number): number => (has(IORING_SETUP.CLAMP) ? Math.min(value, most) : value);
  const entries = clamped(asked, MAX_ENTRIES);
  if (entries === 0 || entries > MAX_ENTRIES) return -E.INVAL;
  const completions = has(IORING_SETUP.CQSIZE) ? clamped(wanted, 2 * MAX_ENTRIES) : 2 * entries;
  if (completions === 0 || completions > 2 * MAX_ENTRIES) return -E.INVAL;
  if (roundedUp(completions) < roundedUp(entries)) return -E.INVAL;
  // A queue of mixed sizes must have room for one entry of two slots.
  const small = (has(IORING_SETUP.SQE_MIXED) && entries < 2) || (has(IORING_SETUP.CQE_MIXED) && completions < 2);
  return small ? -E.OVERFLOW : 0;
}

/** Entries of a queue that so many are asked for. */
export const roundedUp = (entries: number): number => 2 ** Math.ceil(Math.log2(entries));
