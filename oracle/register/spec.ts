/** What is known of one io_uring_register opcode, and how its handlers answer. */
import type { Open } from '../open-answer.ts';
import type { IssueOutcome } from '../opcodes/types.ts';
import type { Rule } from '../rule.ts';
import type { Fixture } from '../scenario/layout.ts';
import type { Allowed } from '../scenario/prediction.ts';
import type { RingResources } from '../world/ring-resources.ts';
import type { Argument, RegisterView } from './argument.ts';

/** A call without a ring. */
export interface BlindCall {
  readonly arg: Argument;
  readonly nr_args: number;
  readonly view: RegisterView;
}

/** A call on ring `on`, which keeps `ring`. */
export interface RingCall extends BlindCall {
  readonly on: NonNullable<RegisterView['ring']>;
  readonly ring: RingResources;
}

/** What a call answers. */
export interface Answer {
  readonly ret: Allowed;
  /** Rule that decided, where it is not the opcode's own. */
  readonly rule?: string;
  /** Applies what the call changes. */
  readonly effect?: () => void;
  /** What stands in the caller's bytes after the call; absent: nobody knows. */
  readonly memory?: Uint8Array;
  /** Offsets in `memory` of bytes that are not judged; absent: none. */
  readonly memory_open?: readonly number[];
  /** Entries of the ring's submission queue from then on (IORING_REGISTER_RESIZE_RINGS). */
  readonly entries?: number;
  /** CQE posted on a ring (IORING_REGISTER_SEND_MSG_RING). */
  readonly posts?: NonNullable<IssueOutcome['posts']>;
}

/** What a call answers, and the rule that decided. */
export interface RegisterOutcome extends Answer {
  readonly rule: string;
}

/** A ready-made call with a known answer, as the specification of its opcode states it. */
export interface CallForm {
  /** Unique inside the opcode. */
  readonly name: string;
  /** Aimed at a ring's descriptor, or at the task (fd = -1). */
  readonly on: 'ring' | 'task';
  readonly nr_args: number;
  /** Written to ARENA.args before the call; the argument points there unless raw_arg is given. */
  readonly bytes?: Uint8Array;
  readonly raw_arg?: bigint;
  readonly fixtures: readonly Fixture[];
  /** Setup flags the ring must not have. */
  readonly avoid_setup?: number;
  /** Ring slots that should exist for the interesting answer (the call works without them too). */
  readonly rings?: readonly number[];
}

/** A ready-made call; generators draw from these. */
export interface RegisterForm extends CallForm {
  readonly opcode: number;
}

/** All that is known of one register opcode. Its name is that under which the table has it. */
export interface RegisterSpec {
  /** IORING_REGISTER_* or IORING_UNREGISTER_*. */
  readonly opcode: number;
  /** First kernel that has it. */
  readonly since: string;
  /** What it promises; opcodes of a family share one. Absent: the rules of the feature itself say it. */
  readonly rule?: Rule;
  /** Its argument, where that is a structure with a text of its own; absent: bytes. */
  readonly argument?: 'sqe';
  /** Answers a call on a ring. Absent: no ring takes it, or the model of the feature answers. */
  onRing?(call: RingCall): Answer;
  /** Answers a call without a ring (fd = -1). Absent: none takes it, or the model of the feature answers. */
  blind?(call: BlindCall): Answer;
  /** The model of the feature answers calls without a ring. */
  readonly modelAnswersBlind?: true;
  /**
   * It sets up rules: steps of their own describe its arguments. A call with bytes of the caller's own may do
   * anything; this is the id of the rule that says so.
   */
  readonly setsRules?: string;
  /** It starts a disabled ring. */
  readonly enablesRing?: true;
  /** What it answers is also known where its argument can be read but not written. */
  readonly takesReadOnly?: true;
  /** The calling task counts as one that uses io_uring from then on. */
  readonly usesIoUring?: true;
  /** Without a ring it does what this opcode of an SQE does, and is held to the task's rules on that. */
  readonly actsAs?: number;
  /** It gives a ring what requests name by number: buffers, files, credentials. */
  readonly suppliesRequests?: true;
  readonly forms: readonly CallForm[];
}

/** Specifications that stand in one file, by name: REGISTER_* and UNREGISTER_*. */
export type RegisterFamily = Readonly<Record<string, RegisterSpec>>;

/** An answer of the opcode's own; the effect is dropped when the call fails. */
export function reply(ret: number, effect?: () => void): Answer {
  return effect === undefined || ret < 0 ? { ret } : { ret, effect };
}

/** An answer that nobody knows. */
export function anyAnswer(place: Open): Answer {
  return { ret: place.any };
}

/** Nothing is known any more of what the call may have changed. */
export function unknown(ring: RingResources, place: Open): Answer {
  return {
    ret: place.any,
    effect: () => {
      ring.unknown = place;
    },
  };
}

/** Rule of calls that are refused for their arguments, whatever the opcode. */
const ARGUMENTS = 'register.arguments';

/** As `unknown`, where it is not even known whether the arguments are well-formed. */
export function unknownArguments(ring: RingResources, place: Open): Answer {
  return { ...unknown(ring, place), rule: ARGUMENTS };
}

/** Refuses the call for its arguments with this errno (positive). */
export function bad(errno: number): Answer {
  return { ret: -errno, rule: ARGUMENTS };
}

/** Whether a call has neither a pointer nor a count, as some must. */
export function takesNothing({ arg, nr_args }: BlindCall): boolean {
  return arg.isNull && nr_args === 0;
}
