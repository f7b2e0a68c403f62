/** Plots: rows of plain text with a drawing beside each, so that they are read by machines and fit a phone. */
import type { RunResult } from '../data/result.ts';
import { counted, thousands } from '../text/style.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { percent } from './parts.ts';

/** Rules that were never reached stand left of the scale. */
const NEVER = 0.02;
const START = 0.07;

/** One row per group of rules, one tick per rule, hits on a logarithmic scale. */
export function hitsPlot(rules: RunResult['rules'], broken: ReadonlySet<string>): Markup {
  const groups = Map.groupBy(Object.keys(rules).sort(), (id) => id.split('.')[0]!);
  const most = Math.max(10, ...Object.values(rules));
  const decades = Math.ceil(Math.log10(most));
  const place = (hits: number): string =>
    percent(hits === 0 ? NEVER : START + (0.985 - START) * (Math.log10(hits) / decades));
  const marks = Array.from({ length: decades + 1 }, (_, i) => 10 ** i);
  const grid = marks.map((at) => html`<line class="grid" x1="${place(at)}" x2="${place(at)}" y1="0" y2="100%"/>`);
  const rows = [...groups].map(([group, ids]) => {
    const reached = ids.filter((id) => rules[id]! > 0).length;
    const ticks = ids.map((id) => {
      const hits = rules[id]!;
      const at = place(hits);
      const title = html`<title>${id}: ${counted(hits, 'hit')}</title>`;
      return hits === 0
        ? html`<circle class="never" cx="${at}" cy="9" r="3">${title}</circle>`
        : html`<line class="${broken.has(id) ? 'tick broken' : 'tick'}" x1="${at}" x2="${at}" y1="${broken.has(id) ? 1 : 3}" y2="${broken.has(id) ? 17 : 15}">${title}</line>`;
    });
    return html`<li><span class="label">${group}</span><svg class="strip" width="100%" height="18" role="img" aria-label="${group}: ${reached} of ${counted(ids.length, 'rule')} reached">${grid}${ticks}</svg><span class="n">${reached}<span class="soft">/${ids.length}</span></span></li>\n`;
  });
  const axis = html`<li class="axis" aria-hidden="true"><span class="label"></span><svg width="100%" height="16"><text x="${percent(NEVER)}" y="12">0</text>${marks.map((at) => html`<text x="${place(at)}" y="12">${short(at)}</text>`)}</svg><span class="n"></span></li>`;
  return html`<figure class="plot"><figcaption>Hits per rule <span class="soft">each tick a rule, scale logarithmic; rings: never reached</span></figcaption><ul class="bars">${rows}${axis}</ul></figure>`;
}

function short(value: number): string {
  return value >= 1e6 ? `${value / 1e6}M` : value >= 1e3 ? `${value / 1e3}k` : String(value);
}

/** Kernel answers compared in each suite; scenarios that differ stand out. */
export function suitesPlot(suites: RunResult['suites']): Markup {
  const entries = Object.entries(suites);
  const most = Math.max(1, ...entries.map(([, { outcomes }]) => outcomes));
  return html`<figure class="plot"><figcaption>Kernel answers per suite <span class="soft">right: scenarios that differ, of all</span></figcaption><ul class="bars">${entries.map(
    ([name, { scenarios, outcomes, divergence, other }]) => {
      const bad = divergence + other;
      const width = outcomes / most;
      const inside = width > 0.75;
      return html`<li><span class="label">${name}</span><svg width="100%" height="18" role="img" aria-label="${name}: ${counted(outcomes, 'answer')}, ${thousands(bad)} of ${counted(scenarios, 'scenario')} differ"><rect class="bar" x="0" y="3" width="${percent(width)}" height="12" rx="1"/><text class="${inside ? 'in' : 'out'}" x="${percent(inside ? width - 0.01 : width + 0.01)}" y="13">${thousands(outcomes)}</text></svg><span class="n">${bad > 0 ? html`<b class="bad">${thousands(bad)}</b>` : '0'}<span class="soft">/${thousands(scenarios)}</span></span></li>\n`;
    },
  )}</ul></figure>`;
}

/** What was let through and what was refused, as far as rules were hit: how evenly a run draws. */
const SHARES: readonly (readonly [
  name: string,
  yes: string,
  yesRules: readonly string[],
  no: string,
  noRules: readonly string[],
])[] = [
  ['programs', 'taken', ['bpf.program.accepted'], 'refused', ['filter-reg.program-invalid']],
  ['filters', 'allow', ['filter.allow'], 'deny', ['filter.deny', 'filter.deny-rest']],
  [
    'restrictions',
    'allow',
    ['classic.allow'],
    'refuse',
    ['classic.sqe-op', 'classic.flags-allowed', 'classic.flags-required', 'classic.allowlist-whole'],
  ],
  [
    'registrations',
    'succeed',
    ['filter-reg.accepted', 'classic-reg.accepted', 'task-classic-reg.accepted'],
    'fail',
    ['filter-reg.failed-changes-nothing'],
  ],
];

export function sharesPlot(rules: RunResult['rules']): Markup {
  const sum = (ids: readonly string[]): number => ids.reduce((total, id) => total + (rules[id] ?? 0), 0);
  const rows = SHARES.map(([name, yes, yesRules, no, noRules]) => ({
    name,
    yes,
    no,
    a: sum(yesRules),
    b: sum(noRules),
  })).filter(({ a, b }) => a + b > 0);
  if (rows.length === 0) return NOTHING;
  return html`<figure class="plot"><figcaption>Let through and refused <span class="soft">as the rules decided</span></figcaption><ul class="bars shares">${rows.map(
    ({ name, yes, no, a, b }) => {
      const share = a / (a + b);
      return html`<li><span class="label">${name}</span><svg width="100%" height="18" role="img" aria-label="${name}: ${thousands(a)} ${yes}, ${thousands(b)} ${no}"><rect class="bar" x="0" y="3" width="${percent(share)}" height="12"/><rect class="rest" x="${percent(share)}" y="3" width="${percent(1 - share)}" height="12"/></svg><span class="n">${Math.round(share * 100)} % ${yes}</span></li>\n`;
    },
  )}</ul></figure>`;
}
