/**
 * What the oracle knows of one opcode: which SQEs pass its prep step, what a filter
 * sees of them, and what an allowed request answers. The rules of the feature itself
 * (filters, restrictions, links) are elsewhere and call in here.
 */
import type { PayloadLayout } from '../bpf/context.ts';
import type { Open } from '../open-answer.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import type { DecisionPoint, Decisions } from '../quirks/index.ts';
import type { Fixture } from '../scenario/layout.ts';
import type { Allowed } from '../scenario/prediction.ts';
import type { Sqe } from '../scenario/types.ts';
import type { Sandbox } from '../world/sandbox.ts';

/** What can be asked of what a request made (see `made.ts`). */
export type Aspect = 'socket' | 'file' | 'peer';

/** An SQE with every field present. */
export type FullSqe = Required<Sqe>;

/** What prep and issue of a request depend on. */
export interface OpContext {
  readonly abi: AbiProfile;
  /** What the kernel decides where released kernels differ. */
  readonly decisions: Decisions;
  readonly sqe: FullSqe;
  /** IORING_SETUP_* flags of the ring. */
  readonly setup_flags: number;
  /** Slot of the ring the request is submitted on. */
  readonly ring: number;
  /** Whether who submits has CAP_NET_RAW over the network; undefined: nobody knows whose credentials count. */
  readonly netRaw?: boolean | undefined;
  /** True when the request follows another one in its link chain. */
  readonly linked: boolean;
  /** Opcode of the request it follows in its chain. */
  readonly previous?: number | undefined;
  /** Files, descriptors and other state the scenario's requests act on, as the submitting task sees them. */
  readonly sandbox: Sandbox;
  /** What prep has copied from memory: the request runs with that, whatever is written there meanwhile. */
  held?: Uint8Array;
  /** Paths and names that prep has copied, by their address. */
  heldTexts?: Map<bigint, string>;
  /** Does the submitting task's descriptor table hold ring `slot`? Its setup flags, or undefined. */
  ringAt(fd: number): { readonly slot: number; readonly setup_flags: number; readonly disabled: boolean } | undefined;
}

/** What an opcode's prep step makes of an SQE. */
export type PrepOutcome =
  | {
      readonly ok: true;
      /**
       * IOSQE bits that prep sets on the request and the filter therefore sees (IOSQE_ASYNC for operations that always
       * go to a worker).
       */
      readonly adds_flags: number;
      /** Bits that prep may or may not add, and why it is open. */
      readonly may_add?: { readonly flags: number; readonly place: Open };
      /** Words 4..9 of struct io_uring_bpf_ctx (the 24-byte union) as the filter sees them; undefined: all zero. */
      readonly payload?: Uint32Array;
      /** The decision with another answer to which the payload would be another; absent: none. */
      readonly hinges_on?: DecisionPoint;
    }
  | {
      readonly ok: false;
      readonly errno: number;
      /** What comes with the refusal (see OpSpec.refused); absent: CQE flags 0 and no further CQE. */
      readonly refused?: Refusal;
    }
  /** The specification does not say (an SQE of a shape we do not model). */
  | { readonly ok: 'unknown'; readonly place: Open };

/** CQE flags and further CQEs of a request that is refused or cancelled. */
export interface Refusal {
  readonly cflags: Allowed;
  readonly extra: readonly { readonly res: Allowed; readonly cflags: Allowed }[];
}

/** What a request answers that passed prep and filters, and what it does. */
export interface IssueOutcome {
  readonly res: Allowed;
  /** IORING_CQE_F_*; default 0. */
  readonly cflags?: Allowed;
  /** Whether the answer breaks a link chain; a place where res does not tell. */
  readonly fails: boolean | Open;
  /** The decision with another answer to which `res` would be another; absent: none. */
  readonly hinges_on?: DecisionPoint;
  /**
   * True for an error that released kernels (7.0.4 to 7.3.4) report in the CQE without treating the request as
   * failed: a link chain goes on, and IOSQE_CQE_SKIP_SUCCESS hides the CQE. `fails` says what is documented.
   */
  readonly quiet?: true;
  /** Why the request may have to wait, perhaps for ever: its CQE may come late or not at all. */
  readonly may_wait?: Open;
  /** Further CQEs of the same user_data (zero-copy notifications). */
  readonly extra?: Refusal['extra'];
  /** CQE posted on another ring. */
  readonly posts?: {
    readonly ring: number;
    readonly user_data: bigint;
    readonly res: Allowed;
    readonly cflags: Allowed;
  };
  /**
   * Named resources ("path:n0", "pipe:1") the request reads or changes: two requests of one batch that share one and
   * are not ordered by a link race.
   */
  readonly touches?: readonly string[];
  /**
   * Those of `touches` that the request changes (absent: all of them). Requests that only read a resource do not race
   * over it.
   */
  readonly changes?: readonly string[];
  /**
   * Those of `touches` whose state does not matter to the answer: what is written over, a file of which only the kind
   * counts. Absent: none.
   */
  readonly blind?: readonly string[];
  /** The answer depends on what the file holds, or where it is read. */
  readonly looksInside?: true;
  /** Applies the side effects to the sandbox; not called for requests that do not run. */
  readonly effect?: () => void;
}

/** Some fields of an SQE of a known opcode. */
export type SqeFields = Partial<Omit<Sqe, 'opcode'>>;

/** A ready-made request with a known outcome, as the specification of its opcode states it. */
export interface FormSpec {
  /** Unique inside the opcode, for example "create-new". */
  readonly name: string;
  /** Fixed fields; flags and user_data are the generator's. */
  readonly sqe: SqeFields;
  readonly fixtures: readonly Fixture[];
  /** Setup flags the ring must have (all of `need`, none of `avoid`). */
  readonly need_setup?: number;
  readonly avoid_setup?: number;
  /** True: must follow another request in a link chain (LINK_TIMEOUT). */
  readonly linked?: boolean;
  /** True: prep refuses it (exact errno from `prep`). */
  readonly prep_error?: boolean;
  /** A step kind the scenario can use afterwards to see the side effect. */
  readonly probe?:
    | { readonly path: string }
    | { readonly fd: number }
    | { readonly memory: { readonly at: number; readonly length: number } };
}

/** A ready-made SQE; generators draw from these. */
export interface OpForm extends FormSpec {
  readonly sqe: Sqe;
}

/** What a filter sees of a request beside the members that all have. */
export interface Payload extends PayloadLayout {
  /** First kernel that shows it; the filters themselves are of 7.0. */
  readonly since: string;
  /** Bytes, as the kernel writes them back (`pdu_size`). */
  readonly size: number;
  /** Name and value of each member as people read them; `view` is of the payload, in the guest's byte order. */
  fields(view: DataView, abi: AbiProfile): [name: string, value: string][];
}

/** What holds of an opcode's requests whatever their fields say. */
export interface OpTraits {
  /** Its SQE has 128 bytes: it needs IORING_SETUP_SQE128, or two adjacent entries of a mixed ring. */
  readonly takesTwoSlots: boolean;
  /** It may select a provided buffer (IOSQE_BUFFER_SELECT). */
  readonly selectsBuffer: boolean;
  /** It has a use for sqe.ioprio. */
  readonly takesIoprio: boolean;
  /** An IORING_SETUP_IOPOLL ring takes it. */
  readonly takesIopoll: boolean;
  /**
   * It limits the time of the request before it in its chain, which cancels it when it fails, also where it failed
   * itself. Its CQE depends on its own IOSQE_CQE_SKIP_SUCCESS alone.
   */
  readonly limitsPrevious: boolean;
  /** It may cancel any request that has not ended. */
  readonly cancelsOthers: boolean;
}

/** All that is known of one opcode. Its name is that under which the table has it. */
export interface OpSpec extends Partial<OpTraits> {
  /** IORING_OP_*. */
  readonly opcode: number;
  /** First kernel whose header has it (`linux/io_uring.h`). */
  readonly since: string;
  /**
   * Manual page of the call that it stands for, which describes its result; opcodes without one are described in
   * io_uring_enter(2) alone.
   */
  readonly manual?: string;
  /** Why no case has an allowed request of it. Absent: cases have. */
  readonly neverRuns?: string;
  /** Absent: it has none. */
  readonly payload?: Payload;
  /** What an allowed request leaves behind that can be looked at by other calls; absent: nothing. */
  readonly leaves?: Aspect;
  prep(c: OpContext): PrepOutcome;
  issue(c: OpContext): IssueOutcome;
  /**
   * What a request adds to its -EACCES or -ECANCELED CQE when it passed prep but does not run (a zero-copy
   * send still announces the end of its notification). Absent: nothing, CQE flags 0.
   */
  refused?(c: OpContext): Refusal;
  /**
   * Whether the error `outcome.res` is one that the handler reports without failing the request
   * (see IssueOutcome.quiet). Absent: none is.
   */
  quiet?(c: OpContext, outcome: IssueOutcome): boolean;
  /** Descriptors of the directories its paths start at. Absent: it takes none. */
  directories?(sqe: FullSqe): readonly number[];
  /**
   * Whether it looks into the ring's table of direct descriptors without carrying IOSQE_FIXED_FILE.
   * Absent: it does not.
   */
  looksUpDirect?(sqe: FullSqe): boolean;
  readonly forms: readonly FormSpec[];
  /** More of them, which differ in every byte of what a filter sees: of these a few are drawn at a time. */
  readonly wide?: readonly FormSpec[];
  /** Requests that people who try a filter might ask of it; all pass prep. Absent: the first of `forms`. */
  samples?(abi: AbiProfile): readonly SqeFields[];
  /** What an SQE asks for, as text: `socket(AF_UNIX, SOCK_STREAM, 0)`. Undefined where its fields say it all. */
  meaning?(sqe: Sqe, abi: AbiProfile): string | undefined;
}

/** A row of the table of opcodes: the specification and what follows from it. */
export interface OpRow extends Omit<OpSpec, keyof OpTraits | 'forms' | 'wide'>, OpTraits {
  /** Without the IORING_OP_ prefix. */
  readonly name: string;
  readonly forms: readonly OpForm[];
  readonly wide: readonly OpForm[];
  /** Id of the rule that says what an allowed request answers: `op.<name>`. */
  readonly rule: string;
  /** Id of the rule that says what prep refuses: `op.<name>.prep`. */
  readonly prepRule: string;
}
