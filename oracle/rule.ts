/**
 * Rules: the unit of the specification. Each has an id, a one-line statement and
 * a citation. Modules define their own with `defineRules` and the registry in
 * `oracle/registry.ts` joins them.
 */

/** Where a rule is promised, strongest first (CONTRIBUTING.md, "The specification is not bent"). */
export type SourceKind = 'uapi' | 'man' | 'patch' | 'observed';

/** One rule of the specification. */
export interface Rule {
  /** Dotted lower-case id, for example `bpf.generic.div-by-zero-k`. */
  readonly id: string;
  /** One line, present tense, what the kernel does. */
  readonly statement: string;
  readonly kind: SourceKind;
  /**
   * Exact place: header and field, manual page and section, or patch and file. For `observed`: what was seen and on
   * which release.
   */
  readonly source: string;
  /** Why no case can come to it, on any kernel. Absent: one can. */
  readonly unreachable?: string;
}

/** How the reason of a rule begins whose opcode a kernel does not have. */
export const NOT_HERE = 'not on this kernel';

/** One rule. */
export function rule(id: string, kind: SourceKind, statement: string, source: string): Rule {
  return { id, statement, kind, source };
}

/** A table of rules keyed by id; the key and the `id` field are the same. */
export type RuleTable<K extends string> = { readonly [P in K]: Rule & { readonly id: P } };

/** A row: kind, statement, source, and why no case can come to it. */
export type RuleRow = readonly [kind: SourceKind, statement: string, source: string, unreachable?: string];

/** Builds a rule table from rows by id. */
export function defineRules<const T extends Record<string, RuleRow>>(rows: T): RuleTable<keyof T & string> {
  const out: Record<string, Rule> = {};
  for (const [id, [kind, statement, source, unreachable]] of Object.entries(rows))
    out[id] = { id, statement, kind, source, ...(unreachable === undefined ? {} : { unreachable }) };
  return out as RuleTable<keyof T & string>;
}
