/** ringfence rules. */
import { RULES } from '../../oracle/registry.ts';
import { formatRules } from '../../reports/text/rule-list.ts';
import { EXIT, UsageError } from '../../vm/index.ts';
import { command } from './command.ts';
import { flag } from './option.ts';

/** ringfence rules. */
export const RULE_LIST = command({
  name: 'rules',
  summary: 'every rule with its source',
  about: 'every rule of the specification with its statement and source',
  operands: {
    usage: '[PATTERN]',
    least: 0,
    most: 1,
    help: [['PATTERN', 'only rules whose id contains it, for example "filter-reg" or "bpf.alu"']],
  },
  options: { json: flag('as JSON') },
  run: async ({ json }, [pattern = '']) => {
    const rules = Object.values(RULES).filter(({ id }) => id.includes(pattern));
    if (rules.length === 0) throw new UsageError(`no rule's id contains "${pattern}"`);
    process.stdout.write(json ? `${JSON.stringify(rules, null, 2)}\n` : formatRules(rules));
    return EXIT.ok;
  },
});
