/** How many of a run's rules were reached; those that no case can come to are counted apart. */
import { NOT_HERE } from '../../oracle/rule.ts';
import type { RunResult } from './result.ts';

/** Rules of a run. `reached` of `all` that can be; the others by why they cannot. */
export interface RuleCounts {
  readonly all: number;
  readonly reached: number;
  /** Could be reached and were not: gaps. */
  readonly never: readonly string[];
  /** No case can come to them, on any kernel. */
  readonly unreachable: readonly string[];
  /** Of what this kernel does not have. */
  readonly notHere: readonly string[];
}

/** Counts the rules of a result; one of an older version says nothing of what cannot be reached. */
export function ruleCounts({ rules, unreachable = {} }: Pick<RunResult, 'rules' | 'unreachable'>): RuleCounts {
  const ids = Object.keys(rules).sort();
  // What was reached in spite of a reason counts as reached.
  const barred = ids.filter((id) => rules[id] === 0 && unreachable[id] !== undefined);
  const here = (id: string): boolean => !unreachable[id]!.startsWith(NOT_HERE);
  const never = ids.filter((id) => rules[id] === 0 && unreachable[id] === undefined);
  return {
    all: ids.length - barred.length,
    reached: ids.length - barred.length - never.length,
    never,
    unreachable: barred.filter(here),
    notHere: barred.filter((id) => !here(id)),
  };
}

/** "; 4 cannot be, 2 not on this kernel"; empty where there are none. */
export function barredText({ unreachable, notHere }: RuleCounts): string {
  const parts = [
    ...(unreachable.length === 0 ? [] : [`${unreachable.length} cannot be`]),
    ...(notHere.length === 0 ? [] : [`${notHere.length} not on this kernel`]),
  ];
  return parts.length === 0 ? '' : `; ${parts.join(', ')}`;
}

/** Requests of a run that the rules leave open; undefined where the result does not say. */
export function openShare({ open }: Pick<RunResult, 'open'>): { requests: number; open: number } | undefined {
  if (open === undefined) return undefined;
  let requests = 0;
  let left = 0;
  for (const one of Object.values(open.suites)) {
    requests += one.requests;
    left += one.open;
  }
  return { requests, open: left };
}
