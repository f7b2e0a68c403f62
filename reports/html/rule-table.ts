/** Every rule with its citation and hit count; filtered and sorted by the script of the page. */
import type { Rule } from '../../oracle/rule.ts';
import { KIND_TEXT } from '../text/rule-list.ts';
import { thousands } from '../text/style.ts';
import { html } from './escape.ts';
import type { Markup } from './escape.ts';
import { percent, section, softened, softProse } from './parts.ts';

/** State of a rule, as the table shows it. */
export type RuleMark = 'broken' | 'known' | 'kept' | 'unreached' | 'unreachable';

/** Marks, worst first. */
export const RULE_MARKS: readonly RuleMark[] = ['broken', 'known', 'kept', 'unreached', 'unreachable'];

/** One rule of the table. */
export interface RuleLine {
  readonly id: string;
  readonly hits: number;
  readonly mark: RuleMark;
  /** Why no case can come to it. */
  readonly why?: string | undefined;
}

const MARKS: Readonly<Record<RuleMark, string>> = {
  broken: 'broken',
  known: 'known finding',
  kept: 'kept',
  unreached: 'never reached',
  unreachable: 'cannot be reached',
};

/** The table of rules. `rules` give statements and citations. */
export function rulesSection(lines: readonly RuleLine[], rules: readonly Rule[]): Markup {
  const texts = new Map(rules.map((rule) => [rule.id, rule]));
  const most = Math.max(10, ...lines.map(({ hits }) => hits));
  return section(
    'rules',
    'Rules',
    html`
      ${filter(lines)}
      <table class="rules" id="rule-table">
        <caption class="hidden">Rules with statement, source, state and number of hits</caption>
        <thead><tr>
          <th scope="col" aria-sort="ascending">${sorter('id', 'Rule')}</th>
          <th scope="col">${sorter('mark', 'State')}</th>
          <th scope="col" class="n">${sorter('hits', 'Hits')}</th>
        </tr></thead>
        <tbody>${lines.map((line) => ruleRow(line, texts.get(line.id), most))}</tbody>
      </table>
    `,
    'What was promised, where, and how often a case came to it.',
  );
}

const sorter = (key: string, name: string): Markup => html`<button type="button" data-sort="${key}">${name}</button>`;

/** Without script there is nothing to filter with: it is hidden until the script shows it. */
function filter(lines: readonly RuleLine[]): Markup {
  const choices = RULE_MARKS.flatMap((mark) => {
    const count = lines.filter((line) => line.mark === mark).length;
    return count === 0 ? [] : choice(mark, MARKS[mark], count, false);
  });
  return html`<form class="filter" role="search" aria-label="Rules" hidden>
    <label>Search <input
      type="search"
      id="rule-search"
      autocomplete="off"
      spellcheck="false"
      placeholder="id, words, source"
    ></label>
    <fieldset>
      <legend class="hidden">Show</legend>
      ${choice('', 'all', lines.length, true)}
      ${choices}
    </fieldset>
    <output aria-live="polite" id="rule-count">${lines.length} rules</output>
  </form>`;
}

function choice(mark: string, name: string, count: number, checked: boolean): Markup {
  return html`<label>
    <input type="radio" name="mark" value="${mark}"${checked && html` checked`}>
    <span>${name} <i>${count}</i></span>
  </label>`;
}

/** @param most hits of the rule that has most: the scale is logarithmic */
function ruleRow({ id, hits, mark, why }: RuleLine, rule: Rule | undefined, most: number): Markup {
  const log = hits === 0 ? 0 : 0.06 + 0.94 * (Math.log10(hits) / Math.log10(most));
  const about =
    rule !== undefined &&
    html`
      <div>${softProse(rule.statement)}</div>
      <div class="cite"><span class="kind">${KIND_TEXT[rule.kind]}</span> ${rule.source}</div>
      ${mark === 'unreachable' && html`<div class="cite">${why}</div>`}
    `;
  return html`<tr id="rule-${id}" data-mark="${mark}" data-id="${id}" data-hits="${hits}">
    <td><div class="id"><code>${softened(id)}</code></div>${about}</td>
    <td class="mark ${mark}">${MARKS[mark]}</td>
    <td class="n hits">
      ${thousands(hits)}
      <svg width="100%" height="3" aria-hidden="true"><rect width="${percent(log)}" height="3"/></svg>
    </td>
  </tr>\n`;
}
