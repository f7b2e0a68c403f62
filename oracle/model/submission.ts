/** One submit step on one ring: what its parts share, and its CQEs. */
import type { Open } from '../open-answer.ts';
import { IORING_SETUP } from '../uapi/constants.ts';
import type { FullSqe, OpContext, Refusal } from '../opcodes/types.ts';
import type { Allowed, PredictedCqe } from '../scenario/prediction.ts';
import type { FilterVerdict, Stage } from './trace.ts';
import type { FdTable, Ring, Task, World } from './world.ts';

/** How the submission of one request ended. */
export type Admission =
  | { readonly verdict: 'admitted' }
  | {
      readonly verdict: 'failed';
      readonly errno: number;
      readonly rule: string;
      readonly refused?: Refusal;
      /** A filter denied it: prep had passed. */
      readonly byFilter?: true;
    }
  /** The specification does not decide between running and failing. */
  | { readonly verdict: 'unknown'; readonly place: Open };

/** A submitted SQE. */
export interface Request {
  readonly sqe: FullSqe;
  /** Index in the step, from 0. */
  readonly index: number;
  readonly admission: Admission;
  readonly context: OpContext;
}

/** Requests that run one after the other; also a single one. */
export type Chain = readonly Request[];

/** What the parts of one submit step share. */
export class Submission {
  readonly world: World;
  readonly ring: Ring;
  /** Descriptors and memory that the requests work with. */
  readonly files: FdTable;
  readonly cqes: PredictedCqe[] = [];
  readonly #task: Task;
  /** Why nothing exact can be said of the step any more. */
  imprecise: Open | undefined;

  /** Only CAP_SYS_ADMIN is ever dropped; a user namespace of one's own has no say in the network. */
  readonly #netRaw: boolean | undefined;

  constructor(world: World, ring: Ring, task: Task) {
    this.world = world;
    this.ring = ring;
    this.#task = task;
    this.#netRaw = (ring.flags & IORING_SETUP.SQPOLL) !== 0 ? undefined : !task.in_user_ns;
    // The polling thread of a SQPOLL ring works with the creator's descriptors and memory.
    this.files = (ring.flags & IORING_SETUP.SQPOLL) !== 0 ? ring.creator_files : task.files;
  }

  /** What a descriptor number is to requests of this step, where it is a ring. */
  readonly #ringAt: OpContext['ringAt'] = (fd) => this.files.ringSeenAt(fd);

  /** What prep and issue of a request see; `previous` is the opcode of the request before it in its chain. */
  context(sqe: FullSqe, previous: number | undefined): OpContext {
    const { world, ring, files } = this;
    return {
      abi: world.abi,
      decisions: world.decisions,
      sqe,
      setup_flags: ring.flags,
      ring: ring.slot,
      // io_uring_register(2), IORING_REGISTER_PERSONALITY: done with the credentials that were registered.
      netRaw:
        sqe.personality === 0 ? this.#netRaw : files.sandbox.common.ring(ring.slot).personalities.get(sqe.personality),
      linked: previous !== undefined,
      previous,
      sandbox: files.sandbox,
      ringAt: this.#ringAt,
    };
  }

  /** Posts a CQE of a request. */
  post({ sqe, index }: Request, res: Allowed, flags: Allowed, rule: string, optional: Open | undefined): void {
    const cqe: PredictedCqe = { user_data: sqe.user_data, res, flags, sqe: index, rule };
    this.cqes.push(optional === undefined ? cqe : { ...cqe, optional });
  }

  /** Expects a CQE of a request with any later step of the ring, or none. */
  stray({ sqe }: Request, place: Open): void {
    this.ring.strays.push(vagueCqe(sqe.user_data, -1, place, true));
    this.files.sandbox.common.unfinished = true;
  }

  /** A request ends without a CQE, now or later. */
  unwatched({ sqe: { user_data } }: Request, rule: string): void {
    const by = (this.ring.flags & IORING_SETUP.SQPOLL) !== 0 ? undefined : this.#task;
    this.ring.unwatched.push({ user_data, rule, by });
  }

  /** Tells `explain` what decided about a request. */
  trace(
    { opcode }: FullSqe,
    index: number,
    stage: Stage,
    res: Allowed | undefined,
    rule: string,
    filters: readonly FilterVerdict[],
  ): void {
    this.world.trace?.({ kind: 'request', step: this.world.step, sqe: index, opcode, stage, res, rule, filters });
  }
}

/** A CQE of which only user_data is known; `sqe` is -1 where no request of the step made it. */
export function vagueCqe(userData: bigint, sqe: number, place: Open, optional: boolean): PredictedCqe {
  const cqe: PredictedCqe = { user_data: userData, res: place.any, flags: place.any, sqe, rule: 'enter.count' };
  return optional ? { ...cqe, optional: place } : cqe;
}
