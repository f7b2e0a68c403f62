/** Notes: weaknesses that break no promise. */
import { html, NOTHING } from './escape.ts';
import type { Markup } from './escape.ts';
import { inlineCode, plainTable, scroll, section } from './parts.ts';

/** What the page tells of a note. */
export interface NoteLine {
  readonly id: string;
  readonly title: string;
  /** What it means for someone who relies on the feature. */
  readonly consequence: string;
}

/** The table of notes; nothing where there are none. */
export function notesSection(notes: readonly NoteLine[]): Markup {
  if (notes.length === 0) return NOTHING;
  const rows = notes.map(
    ({ id, title, consequence }) => html`<tr>
      <td>${inlineCode(id)}</td>
      <td class="words">${title}<div class="cite">${consequence}</div></td>
    </tr>\n`,
  );
  return section(
    'notes',
    'Notes',
    scroll('Notes', plainTable(['note', 'weakness'], rows)),
    'Weaknesses that break no promise: what people who write filters should know. No run fails over them.',
  );
}
