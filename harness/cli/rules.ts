/** ringfence rules. */
import { measureOpen } from '../../generators/open-sample.ts';
import { openPlaces } from '../../oracle/open-answer.ts';
import { documentedAbi } from '../../oracle/probe/abi-documented.ts';
import { RULES } from '../../oracle/registry.ts';
import { formatOpen, openLines } from '../../reports/text/open-list.ts';
import { formatRules } from '../../reports/text/rule-list.ts';
import { EXIT, UsageError } from '../../vm/index.ts';
import { command } from './command.ts';
import { flag } from './option.ts';

/** Cases of each suite over which uses are measured. */
const SAMPLE = 200;

/** ringfence rules. */
export const RULE_LIST = command({
  name: 'rules',
  summary: 'every rule with its source',
  about: 'every rule with its source; or what the rules leave open, and why',
  operands: {
    usage: '[PATTERN]',
    least: 0,
    most: 1,
    help: [['PATTERN', 'only those whose id contains it, for example "filter-reg" or "bpf.alu"']],
  },
  options: {
    json: flag('as JSON'),
    open: flag('what the rules leave open: each place with its reason, and how often it is used'),
  },
  run: async ({ json, open }, [pattern = '']) => {
    process.stdout.write(open ? openText(pattern, json) : ruleText(pattern, json));
    return EXIT.ok;
  },
});

function ruleText(pattern: string, json: boolean): string {
  const rules = Object.values(RULES).filter(({ id }) => id.includes(pattern));
  if (rules.length === 0) throw new UsageError(`no rule's id contains "${pattern}"`);
  return json ? `${JSON.stringify(rules, null, 2)}\n` : formatRules(rules);
}

function openText(pattern: string, json: boolean): string {
  const places = [...openPlaces().values()].filter(({ id }) => id.includes(pattern));
  if (places.length === 0) throw new UsageError(`no open answer's id contains "${pattern}"`);
  const about = `the first ${SAMPLE} cases of each suite, seed 1, Linux 7.3`;
  const sample = { about, ...measureOpen(SAMPLE, 1, documentedAbi('7.3')) };
  const lines = openLines(places, sample);
  return json
    ? `${JSON.stringify({ about, suites: sample.suites, places: lines }, null, 2)}\n`
    : formatOpen(lines, sample);
}
