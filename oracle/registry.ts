/**
 * Every rule of the specification, joined: programs, the feature itself, the
 * opcodes and io_uring_register. Ids are unique; every rule a prediction counts is here.
 */
import { bpfRules } from './bpf/bpf-rules.ts';
import { featureRules } from './model/feature-rules.ts';
import { opcodeRules, opSpecs } from './opcodes/index.ts';
import type { OpRow } from './opcodes/types.ts';
import { registerRules, registerSpecs } from './register/index.ts';
import { NOT_HERE } from './rule.ts';
import type { Rule } from './rule.ts';
import type { AbiProfile } from './uapi/abi.ts';
import { STEPS } from './steps/index.ts';

/** `op.<name>`: what an allowed request answers; `op.<name>.prep`: what prep refuses. */
function rulesOfOpcode({ name, rule, prepRule, manual, neverRuns }: OpRow): Rule[] {
  const page = `io_uring_enter(2), IORING_OP_${name}`;
  return [
    {
      id: rule,
      statement:
        manual === undefined
          ? `An allowed ${name} completes with the result its description gives.`
          : `An allowed ${name} completes with the result ${manual} would give.`,
      kind: 'man',
      source: manual === undefined ? page : `${page}; ${manual}`,
      ...(neverRuns === undefined ? {} : { unreachable: neverRuns }),
    },
    {
      id: prepRule,
      statement:
        `${name} with fields that its prep step refuses completes with the errno of that check, ` +
        'and no filter sees it.',
      kind: 'man',
      source:
        `io_uring_enter(2), IORING_OP_${name} and ERRORS (CQE); ` +
        'patch series v6, 1/7, io_submit_sqe (filters run after prep)',
    },
  ];
}

/** These two say in general what the rules of each opcode say of one. */
const GENERAL: readonly string[] = ['op.prep-error', 'op.issue'];

function join(): Readonly<Record<string, Rule>> {
  const all: Record<string, Rule> = {};
  const tables: readonly (readonly Rule[])[] = [
    Object.values(bpfRules),
    Object.values(featureRules),
    ...Object.values(STEPS).map(({ rules = {} }) => Object.values(rules)),
    Object.values<Rule>(opcodeRules).filter(({ id }) => !GENERAL.includes(id)),
    opSpecs.flatMap(rulesOfOpcode),
    registerRules,
  ];
  for (const rule of tables.flat()) {
    /* v8 ignore next -- only a mistake in a table gets here */
    if (Object.hasOwn(all, rule.id)) throw new Error(`two rules have the id ${rule.id}`);
    all[rule.id] = rule;
  }
  return all;
}

/** Every rule by id, in the order of the specification. */
export const RULES: Readonly<Record<string, Rule>> = join();

/** Opcodes and register opcodes by the rules that only they come to. */
function needs(): ReadonlyMap<string, { readonly opcodes: number[]; readonly registers: number[] }> {
  const all = new Map<string, { opcodes: number[]; registers: number[] }>();
  const of = (id: string): { opcodes: number[]; registers: number[] } => {
    const there = all.get(id) ?? { opcodes: [], registers: [] };
    all.set(id, there);
    return there;
  };
  for (const { opcode, rule, prepRule } of opSpecs) for (const id of [rule, prepRule]) of(id).opcodes.push(opcode);
  for (const { opcode, rule } of registerSpecs) if (rule !== undefined) of(rule.id).registers.push(opcode);
  return all;
}

const NEEDS = needs();

/** Why no case can come to a rule on a kernel, or undefined. */
function whyUnreachable(id: string, abi: AbiProfile): string | undefined {
  const need = NEEDS.get(id);
  const absent = (numbers: readonly number[] | undefined, last: number): boolean =>
    numbers === undefined || numbers.every((number) => number >= last);
  if (need !== undefined && absent(need.opcodes, abi.op_last) && absent(need.registers, abi.register_last))
    return `${NOT_HERE}: no ${need.opcodes.length > 0 ? 'opcode' : 'register opcode'} ${[
      ...need.opcodes,
      ...need.registers,
    ].join(', ')}`;
  return RULES[id]?.unreachable;
}

/** The rules that no case can come to on a kernel, by id, with the reason. */
export function unreachableRules(abi: AbiProfile): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.keys(RULES).flatMap((id) => {
      const why = whyUnreachable(id, abi);
      return why === undefined ? [] : [[id, why]];
    }),
  );
}

/** The rule of an id, or undefined. */
export function ruleById(id: string): Rule | undefined {
  return Object.hasOwn(RULES, id) ? RULES[id] : undefined;
}
