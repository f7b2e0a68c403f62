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
  ask(sqe: Sqe, more: Partial<OpContext> = {}): IssueOutcome {
    const spec = opSpec(sqe.opcode);
    if (spec === undefined) throw new Error(`no opcode ${sqe.opcode}`);
    return spec.issue(this.context(sqe, more));
  }

  /** Issues and applies the effect; the result. */
  run(sqe: Sqe): IssueOutcome['res'] {
    const outcome = this.ask(sqe);
    outcome.effect?.();
    return outcome.res;
  }
}
