/** Contexts for the tests of the opcode and register tables: one task, two rings, no kernel. */
import { decisionsOf } from '../quirks/index.ts';
import type { Decisions, QuirkId } from '../quirks/index.ts';
import type { AbiProfile } from '../uapi/abi.ts';
import { ABI_7_0 } from '../probe/abi-documented.ts';
import type { Fixture } from '../scenario/layout.ts';
import { FIXTURES, RING_FD } from '../scenario/layout.ts';
import type { Sqe } from '../scenario/types.ts';
import { opSpec } from '../opcodes/index.ts';
import { Sandbox } from '../world/sandbox.ts';
import { fullSqe } from '../opcodes/support.ts';
import type { IssueOutcome, OpContext, PrepOutcome } from '../opcodes/types.ts';
import { plain } from './plain.ts';
import type { PlainAllowed } from './plain.ts';

/** What a request may answer, without the places that leave it open. */
export type PlainOutcome = Omit<IssueOutcome, 'res' | 'cflags' | 'extra' | 'fails' | 'may_wait'> & {
  readonly res: PlainAllowed;
  readonly cflags?: PlainAllowed;
  readonly extra?: readonly { readonly res: PlainAllowed; readonly cflags: PlainAllowed }[];
  readonly fails: boolean | 'unknown';
  readonly may_wait?: true;
};

/** A ring as opcodes see it. */
export interface TestRing {
  readonly setup_flags?: number;
  readonly disabled?: boolean;
}

/** A task that submits on ring 0 and also holds ring 1. */
export class Bench {
  readonly abi: AbiProfile;
  readonly decisions: Decisions;
  readonly sandbox: Sandbox;
  readonly rings: readonly TestRing[];

  constructor(
    options: {
      readonly fixtures?: readonly Fixture[];
      readonly rings?: readonly TestRing[];
      readonly abi?: Partial<AbiProfile>;
      readonly quirks?: readonly QuirkId[];
    } = {},
  ) {
    this.abi = { ...ABI_7_0, ...options.abi };
    this.decisions = decisionsOf(new Set(options.quirks));
    this.rings = options.rings ?? [{}, {}];
    this.sandbox = new Sandbox(options.fixtures ?? FIXTURES, this.abi);
  }

  ringAt(fd: number): { readonly slot: number; readonly setup_flags: number; readonly disabled: boolean } | undefined {
    const slot = fd - RING_FD;
    const ring = this.rings[slot];
    return ring === undefined
      ? undefined
      : { slot, setup_flags: ring.setup_flags ?? 0, disabled: ring.disabled ?? false };
  }

  context(sqe: Sqe, more: Partial<OpContext> = {}): OpContext {
    return {
      abi: this.abi,
      decisions: this.decisions,
      sqe: fullSqe(sqe),
      setup_flags: this.rings[0]?.setup_flags ?? 0,
      ring: 0,
      linked: false,
      sandbox: this.sandbox,
      ringAt: (fd) => this.ringAt(fd),
      ...more,
    };
  }

  prep(sqe: Sqe, more: Partial<OpContext> = {}): PrepOutcome {
    const spec = opSpec(sqe.opcode);
    if (spec === undefined) throw new Error(`no opcode ${sqe.opcode}`);
    return spec.prep(this.context(sqe, more));
  }

  /** Issues without applying the effect. */
  ask(sqe: Sqe, more: Partial<OpContext> = {}): PlainOutcome {
    const spec = opSpec(sqe.opcode);
    if (spec === undefined) throw new Error(`no opcode ${sqe.opcode}`);
    const { res, cflags, extra, fails, may_wait, ...rest } = spec.issue(this.context(sqe, more));
    return {
      ...rest,
      res: plain(res),
      fails: typeof fails === 'boolean' ? fails : 'unknown',
      ...(cflags === undefined ? {} : { cflags: plain(cflags) }),
      ...(may_wait === undefined ? {} : { may_wait: true }),
      ...(extra === undefined
        ? {}
        : { extra: extra.map((more) => ({ res: plain(more.res), cflags: plain(more.cflags) })) }),
    };
  }

  /** Issues and applies the effect; the result. */
  run(sqe: Sqe): PlainAllowed {
    const outcome = this.ask(sqe);
    outcome.effect?.();
    return outcome.res;
  }
}
