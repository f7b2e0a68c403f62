/** Plots: rows of plain text with a drawing beside each, so that they are read by machines and fit a phone. */
import type { RunResult, SuiteCount } from '../data/result.ts';
import { counted, thousands } from '../text/style.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup, Part } from './escape.ts';
import { percent } from './parts.ts';

/** Rules that were never reached stand left of the scale. */
const NEVER = 0.02;
const START = 0.07;

/** Hits -> place on the scale. */
type Place = (hits: number) => string;

/** One row per group of rules, one tick per rule, hits on a logarithmic scale. */
export function hitsPlot(rules: RunResult['rules'], broken: ReadonlySet<string>): Markup {
  const most = Math.max(10, ...Object.values(rules));
  const decades = Math.ceil(Math.log10(most));
  const place: Place = (hits) => percent(hits === 0 ? NEVER : START + (0.985 - START) * (Math.log10(hits) / decades));
  const marks = Array.from({ length: decades + 1 }, (_, i) => 10 ** i);
  const grid = marks.map((at) => html`<line class="grid" x1="${place(at)}" x2="${place(at)}" y1="0" y2="100%"/>`);
  const groups = Map.groupBy(Object.keys(rules).sort(), (id) => id.split('.')[0]!);
  const rows = [...groups].map(([group, ids]) => {
    const reached = ids.filter((id) => rules[id]! > 0).length;
    const said = `${group}: ${reached} of ${counted(ids.length, 'rule')} reached`;
    return bar(
      group,
      html`<svg class="strip" width="100%" height="18" role="img" aria-label="${said}">
        ${grid}
        ${ids.map((id) => tick(id, rules[id]!, place, broken.has(id)))}
      </svg>`,
      html`${reached}<span class="soft">/${ids.length}</span>`,
    );
  });
  return plot(
    'Hits per rule',
    'each tick a rule, scale logarithmic; rings: never reached',
    html`<ul class="bars">${rows}${axis(marks, place)}</ul>`,
  );
}

function tick(id: string, hits: number, place: Place, broken: boolean): Markup {
  const at = place(hits);
  const title = html`<title>${id}: ${counted(hits, 'hit')}</title>`;
  if (hits === 0) return html`<circle class="never" cx="${at}" cy="9" r="3">${title}</circle>`;
  const [kind, top, bottom] = broken ? ['tick broken', 1, 17] : ['tick', 3, 15];
  return html`<line class="${kind}" x1="${at}" x2="${at}" y1="${top}" y2="${bottom}">${title}</line>`;
}

function axis(marks: readonly number[], place: Place): Markup {
  const texts = marks.map((at) => html`<text x="${place(at)}" y="12">${short(at)}</text>`);
  return html`<li class="axis" aria-hidden="true">
    <span class="label"></span>
    <svg width="100%" height="16"><text x="${percent(NEVER)}" y="12">0</text>${texts}</svg>
    <span class="n"></span>
  </li>`;
}

function plot(title: string, about: string, body: Markup): Markup {
  return html`<figure class="plot">
    <figcaption>${title} <span class="soft">${about}</span></figcaption>
    ${body}
  </figure>`;
}

/** One row: what, how it looks, and how much. */
function bar(label: string, drawing: Markup, numbers: Part): Markup {
  return html`<li><span class="label">${label}</span>${drawing}<span class="n">${numbers}</span></li>\n`;
}

function short(value: number): string {
  return value >= 1e6 ? `${value / 1e6}M` : value >= 1e3 ? `${value / 1e3}k` : String(value);
}

/** Kernel answers compared in each suite; scenarios that differ stand out. */
export function suitesPlot(suites: RunResult['suites']): Markup {
  const entries = Object.entries(suites);
  const most = Math.max(1, ...entries.map(([, { outcomes }]) => outcomes));
  const rows = entries.map(([name, count]) => suiteBar(name, count, most));
  return plot('Kernel answers per suite', 'right: scenarios that differ, of all', html`<ul class="bars">${rows}</ul>`);
}

/** @param most answers of the longest bar */
function suiteBar(name: string, { scenarios, outcomes, divergence, other }: SuiteCount, most: number): Markup {
  const bad = divergence + other;
  const width = outcomes / most;
  // The number stands in the bar where there is no room behind it.
  const [side, at] = width > 0.75 ? ['in', width - 0.01] : ['out', width + 0.01];
  const said = `${name}: ${counted(outcomes, 'answer')}, ${thousands(bad)} of ${counted(scenarios, 'scenario')} differ`;
  return bar(
    name,
    html`<svg width="100%" height="18" role="img" aria-label="${said}">
      <rect class="bar" x="0" y="3" width="${percent(width)}" height="12" rx="1"/>
      <text class="${side}" x="${percent(at)}" y="13">${thousands(outcomes)}</text>
    </svg>`,
    [
      bad > 0 ? html`<b class="bad">${thousands(bad)}</b>` : '0',
      html`<span class="soft">/${thousands(scenarios)}</span>`,
    ],
  );
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

/** How much was let through of what was asked for. */
export function sharesPlot(rules: RunResult['rules']): Markup {
  const sum = (ids: readonly string[]): number => ids.reduce((total, id) => total + (rules[id] ?? 0), 0);
  const rows = SHARES.flatMap(([name, yes, yesRules, no, noRules]) => {
    const [a, b] = [sum(yesRules), sum(noRules)];
    if (a + b === 0) return [];
    const share = a / (a + b);
    return bar(
      name,
      html`<svg width="100%" height="18" role="img" aria-label="${name}: ${thousands(a)} ${yes}, ${thousands(b)} ${no}">
        <rect class="bar" x="0" y="3" width="${percent(share)}" height="12"/>
        <rect class="rest" x="${percent(share)}" y="3" width="${percent(1 - share)}" height="12"/>
      </svg>`,
      `${Math.round(share * 100)} % ${yes}`,
    );
  });
  if (rows.length === 0) return NOTHING;
  return plot('Let through and refused', 'as the rules decided', html`<ul class="bars shares">${rows}</ul>`);
}
