/** What the rules left open in a run: the places, why, and how often. */
import { openPlaces } from '../../oracle/open-answer.ts';
import { openShare } from '../data/rule-counts.ts';
import type { RunResult } from '../data/result.ts';
import { OPEN_KIND_TEXT } from '../text/open-list.ts';
import { thousands } from '../text/style.ts';
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { plainTable, scroll, section } from './parts.ts';

/** One row per place that left an answer open, the most used first. */
export function openSection(results: readonly RunResult[]): Markup {
  const uses: Record<string, number> = {};
  let requests = 0;
  let open = 0;
  for (const result of results) {
    const share = openShare(result);
    if (share === undefined) continue;
    requests += share.requests;
    open += share.open;
    for (const [id, times] of Object.entries(result.open!.places)) uses[id] = (uses[id] ?? 0) + times;
  }
  if (requests === 0) return NOTHING;
  const places = openPlaces();
  const rows = Object.entries(uses)
    .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
    .map(([id, times]) => {
      const place = places.get(id);
      return html`<tr>
        <td><code>${id}</code></td>
        <td>${place === undefined ? '' : OPEN_KIND_TEXT[place.kind]}</td>
        <td>${place?.reason ?? ''}</td>
        <td class="n">${thousands(times)}</td>
      </tr>`;
    });
  return section(
    'open',
    'Left open',
    scroll('Places that left an answer open', plainTable(['Place', 'Kind', 'What', ['Times', 'n']], rows)),
    `Of ${((100 * open) / requests).toFixed(2)} % of ${thousands(requests)} requests more than one answer was right.`,
  );
}
