/** What requests made, as far as the scenario looks at it later (probe_made). */
import { opSpec } from '../opcodes/index.ts';
import { pathText, requestFile } from '../opcodes/support.ts';
import { FILE_INDEX_ALLOC, IOSQE } from '../uapi/constants.ts';
import { NOTHING_SHOWN } from '../opcodes/made.ts';
import type { Shown } from '../opcodes/made.ts';
import type { FullSqe, IssueOutcome, OpContext } from '../opcodes/types.ts';
import type { Allowed } from '../scenario/prediction.ts';
import type { Sqe } from '../scenario/types.ts';
import type { Node, OpenFile } from '../world/files.ts';

/** A request on its way. */
interface Ran {
  readonly sqe: FullSqe;
  readonly context: OpContext;
}

/** A request that ran. */
export interface Trace {
  readonly shown: Shown;
  readonly opcode: number;
  readonly res: Allowed;
  /** False where it may not have run, or raced. */
  readonly certain: boolean;
  /** The table of descriptors that it worked with: two are the same where they are one object. */
  readonly files: object;
  /** The file that it opened in a direct slot, or worked on; undefined: not known. */
  readonly file: OpenFile | undefined;
  /** Its path, where it has one that leads where it says. */
  readonly path: string | undefined;
}

/** Keeps a trace of each request that carries a user_data of its own. */
export class Looks {
  /** How many requests of the scenario carry each user_data. */
  readonly #shared: ReadonlyMap<bigint, number>;
  readonly #traces = new Map<bigint, Trace | 'unknown'>();

  constructor(shared: ReadonlyMap<bigint, number>) {
    this.#shared = shared;
  }

  /** Nothing is known of what carries this user_data. */
  forget(userData: bigint): void {
    this.#traces.set(userData, 'unknown');
  }

  /** Nothing is known of any of these. */
  forgetAll(sqes: readonly Sqe[]): void {
    for (const { user_data: data = 0n } of sqes) this.forget(data);
  }

  /** What the request with this user_data did; undefined: none ran. */
  of(userData: bigint): Trace | 'unknown' | undefined {
    return (this.#shared.get(userData) ?? 0) > 1 ? 'unknown' : this.#traces.get(userData);
  }

  /** Notes that a request is about to run; to be called again, as what it returns, when it has. */
  begin(request: Ran, files: object): (outcome: IssueOutcome, certain: boolean) => void {
    const { sqe, context } = request;
    if ((this.#shared.get(sqe.user_data) ?? 0) > 1) return () => undefined;
    const spec = opSpec(sqe.opcode);
    const prep = spec?.prep(context);
    const payload = prep?.ok === true ? (prep.payload ?? NOTHING_SHOWN) : NOTHING_SHOWN;
    const text = spec?.leaves === 'file' ? pathText(context, sqe.addr) : undefined;
    const path = typeof text === 'string' ? text : undefined;
    const { paths } = context.sandbox.common;
    const before = path === undefined ? undefined : paths.get(path);
    const worksOn = spec?.leaves === 'socket' || spec?.leaves === 'file' ? undefined : requestFile(context);
    return ({ res }, certain) => {
      const node = path === undefined ? undefined : paths.get(path);
      this.#traces.set(sqe.user_data, {
        shown: { context, payload, node, fresh: before === undefined && node !== undefined },
        opcode: sqe.opcode,
        res,
        certain: certain && (sqe.flags & IOSQE.CQE_SKIP_SUCCESS) === 0,
        files,
        file: typeof worksOn === 'object' ? worksOn : openedDirect(request, res),
        path: leads(path, node) ? path : undefined,
      });
    };
  }
}

/** Whether a path is known to lead to what stands under it. */
function leads(path: string | undefined, node: Node | undefined): boolean {
  return (
    path !== undefined && node !== undefined && node.type !== 'symlink' && !/(?:^|\/)(?:\.{0,2})(?:\/|$)/.test(path)
  );
}

/** The file in the direct slot that a request filled. */
function openedDirect({ sqe, context }: Ran, res: Allowed): OpenFile | undefined {
  if (sqe.file_index === 0 || typeof res !== 'number' || res < 0) return undefined;
  const slot = sqe.file_index === FILE_INDEX_ALLOC ? res : sqe.file_index - 1;
  return context.sandbox.common.ring(context.ring).files?.[slot];
}
