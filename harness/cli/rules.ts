/** ringfence rules. */
import { RULES } from '../../oracle/registry.ts';
import { formatRules } from '../../reports/text/rule-list.ts';
import { EXIT, UsageError } from '../../vm/index.ts';
import { parse } from './options.ts';

export const HELP = `ringfence rules [PATTERN]: every rule of the specification with its statement and source

  PATTERN              only rules whose id contains it, for example "filter-reg" or "bpf.alu"
      --json           as JSON
`;

export async function command(argv: readonly string[]): Promise<number> {
  const { values, positionals } = parse(argv, { json: { type: 'boolean' } }, 1);
  const pattern = positionals[0] ?? '';
  const rules = Object.values(RULES).filter(({ id }) => id.includes(pattern));
  if (rules.length === 0) throw new UsageError(`no rule's id contains "${pattern}"`);
  process.stdout.write(values.json === true ? `${JSON.stringify(rules, null, 2)}\n` : formatRules(rules));
  return EXIT.ok;
}
