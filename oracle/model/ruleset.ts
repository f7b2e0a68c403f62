/**
 * The rules a task or a ring carries: classic restrictions and stacks of filters.
 * Stacks are persistent lists (most recent first), so handing them on is copying heads.
 */
import type { Program } from '../bpf/program.ts';

/** One registered filter, or the deny filter that DENY_REST attaches (`program` undefined). */
export interface FilterNode {
  readonly program: Program | undefined;
  readonly next: FilterNode | undefined;
  /** Step that registered it, for explanations. */
  readonly step: number;
}

/** Heads of the stacks, one per opcode. */
export class FilterTable {
  readonly heads: (FilterNode | undefined)[];
  constructor(heads: readonly (FilterNode | undefined)[]) {
    this.heads = heads.slice();
  }
}

/** Classic restrictions: one allowlist. */
export interface Classic {
  readonly sqe_op: ReadonlySet<number>;
  readonly register_op: ReadonlySet<number>;
  readonly sqe_flags_allowed: number;
  readonly sqe_flags_required: number;
  /** Whether any entry (or the empty set) concerned SQEs / register opcodes. */
  readonly names_sqe: boolean;
  readonly names_register: boolean;
}

/** What a task or a ring is bound by. Mutable: registration replaces its parts. */
export class RuleSet {
  classic: Classic | undefined;
  table: FilterTable | undefined;
  /** Only the model of a faulty kernel looks at it: the table is shared and must be copied before a change. */
  copy_on_write = false;

  /** True for a set that binds nothing. */
  get empty(): boolean {
    return this.classic === undefined && this.table === undefined;
  }

  /**
   * A copy for a new ring or child. `share` is the model of a faulty kernel: the
   * copy shares the table and only the copy's owner knows that it must not change it.
   */
  inherit(share: boolean): RuleSet {
    const copy = new RuleSet();
    copy.classic = this.classic;
    if (this.table !== undefined) {
      if (share) {
        copy.table = this.table;
        copy.copy_on_write = true;
      } else copy.table = new FilterTable(this.table.heads);
    }
    return copy;
  }

  /** Adds a filter on `opcode`; with `denyRest` a deny filter goes to every opcode below `opLast` that has none. */
  add(opcode: number, program: Program, denyRest: boolean, opLast: number, step: number): void {
    if (this.table === undefined) this.table = new FilterTable(new Array(opLast).fill(undefined));
    else if (this.copy_on_write) this.table = new FilterTable(this.table.heads);
    this.copy_on_write = false;
    const heads = this.table.heads;
    heads[opcode] = { program, next: heads[opcode], step };
    if (!denyRest) return;
    for (let op = 0; op < opLast; op++) heads[op] ??= { program: undefined, next: undefined, step };
  }
}

/** Whether there are filters on any of these opcodes. */
export function filtersAny({ table }: RuleSet, opcodes: ReadonlySet<number> | undefined): boolean {
  if (table === undefined || opcodes === undefined) return false;
  for (const opcode of opcodes) if (table.heads[opcode] !== undefined) return true;
  return false;
}
