/** Every rule with its citation and hit count; filtered and sorted by the script of the page. */
import type { Rule } from '../../oracle/rule.ts';
import { KIND_TEXT } from '../text/rule-list.ts';
import { thousands } from '../text/style.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { percent, prose, section, softened } from './parts.ts';

export type RuleMark = 'broken' | 'known' | 'kept' | 'unreached';

export interface RuleLine {
  readonly id: string;
  readonly hits: number;
  readonly mark: RuleMark;
}

const MARKS: Readonly<Record<RuleMark, string>> = {
  broken: 'broken',
  known: 'known finding',
  kept: 'kept',
  unreached: 'never reached',
};

export function rulesSection(lines: readonly RuleLine[], rules: readonly Rule[]): Markup {
  const texts = new Map(rules.map((rule) => [rule.id, rule]));
  const most = Math.max(10, ...lines.map(({ hits }) => hits));
  const counts = (['broken', 'known', 'kept', 'unreached'] as const).map(
    (mark) => [mark, lines.filter((line) => line.mark === mark).length] as const,
  );
  const filter = html`<form class="filter" role="search" aria-label="Rules" hidden><label>Search <input type="search" id="rule-search" autocomplete="off" spellcheck="false" placeholder="id, words, source"></label><fieldset><legend class="hidden">Show</legend><label><input type="radio" name="mark" value="" checked><span>all <i>${lines.length}</i></span></label>${counts
    .filter(([, count]) => count > 0)
    .map(
      ([mark, count]) =>
        html`<label><input type="radio" name="mark" value="${mark}"><span>${MARKS[mark]} <i>${count}</i></span></label>`,
    )}</fieldset><output aria-live="polite" id="rule-count">${lines.length} rules</output></form>`;
  const head = (key: string, name: string, kind = ''): Markup =>
    html`<th scope="col"${kind === '' ? NOTHING : html` class="${kind}"`}${key === 'id' ? html` aria-sort="ascending"` : NOTHING}><button type="button" data-sort="${key}">${name}</button></th>`;
  const rows = lines.map(({ id, hits, mark }) => {
    const rule = texts.get(id);
    const log = hits === 0 ? 0 : 0.06 + 0.94 * (Math.log10(hits) / Math.log10(most));
    return html`<tr id="rule-${id}" data-mark="${mark}" data-id="${id}" data-hits="${hits}"><td><div class="id"><code>${softened(id)}</code></div>${rule === undefined ? NOTHING : html`<div>${prose(rule.statement)}</div><div class="cite"><span class="kind">${KIND_TEXT[rule.kind]}</span> ${rule.source}</div>`}</td><td class="mark ${mark}">${MARKS[mark]}</td><td class="n hits">${thousands(hits)}<svg width="100%" height="3" aria-hidden="true"><rect width="${percent(log)}" height="3"/></svg></td></tr>\n`;
  });
  return section(
    'rules',
    'Rules',
    html`${filter}<table class="rules" id="rule-table"><caption class="hidden">Rules with statement, source, state and number of hits</caption><thead><tr>${head('id', 'Rule')}${head('mark', 'State')}${head('hits', 'Hits', 'n')}</tr></thead><tbody>${rows}</tbody></table>`,
    'What was promised, where, and how often a case came to it.',
  );
}
