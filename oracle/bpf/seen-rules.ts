/** The rules that evaluations reached, from the marks of the interpreter. */
import type { BpfRuleId } from './bpf-rules.ts';
import { INSTRUCTIONS } from './instructions.ts';
import { SEEN_DIV_ZERO, SEEN_INITIAL_A, SEEN_INITIAL_X, SEEN_NOT_TAKEN, SEEN_SHIFT_MASK, SEEN_TAKEN } from './seen.ts';
import type { Seen } from './seen.ts';

/** The rules that an evaluation reached, from what the interpreter recorded; in table order, each once. */
export function rulesOfSeen(seen: Seen): BpfRuleId[] {
  const hit = new Set<BpfRuleId>();
  for (const { code, rule, whitelisted, jump } of INSTRUCTIONS) {
    if (!whitelisted || seen[code] === 0) continue;
    hit.add(rule);
    if (jump === undefined) continue;
    if (seen[SEEN_TAKEN + code] !== 0) hit.add('bpf.jmp.true-branch');
    if (seen[SEEN_NOT_TAKEN + code] !== 0) hit.add('bpf.jmp.false-branch');
  }
  if (seen[SEEN_DIV_ZERO] !== 0) hit.add('bpf.run.div-by-zero-x');
  if (seen[SEEN_SHIFT_MASK] !== 0) hit.add('bpf.run.shift-x-mask');
  if (seen[SEEN_INITIAL_A] !== 0) hit.add('bpf.run.initial-a');
  if (seen[SEEN_INITIAL_X] !== 0) hit.add('bpf.run.initial-x');
  return [...hit];
}
