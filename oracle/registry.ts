/**
 * Every rule of the specification, joined: programs, the feature itself, the
 * opcodes and io_uring_register. Ids are unique; every rule a prediction counts is here.
 */
import { bpfRules } from './bpf/bpf-rules.ts';
import { featureRules } from './model/feature-rules.ts';
import { opcodeRules, opSpecs } from './opcodes/index.ts';
import type { OpRow } from './opcodes/types.ts';
import { registerRules } from './register/index.ts';
import type { Rule } from './rule.ts';
import { STEPS } from './steps/index.ts';

/** `op.<name>`: what an allowed request answers; `op.<name>.prep`: what prep refuses. */
function rulesOfOpcode({ name, rule, prepRule, manual }: OpRow): Rule[] {
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

/** The rule of an id, or undefined. */
export function ruleById(id: string): Rule | undefined {
  return Object.hasOwn(RULES, id) ? RULES[id] : undefined;
}
