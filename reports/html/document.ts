/** The frame of every page: head, sections and how to get to them, style and script. */
import { createHash } from 'node:crypto';
import type { Verdict } from '../data/result.ts';
import { assets } from './assets.ts';
import { html, ownMarkup } from './escape.ts';
import type { Markup } from './escape.ts';

/** What the page may load: its own style and script, known by their hash, and nothing else. */
function policyOf(style: string, script: string): string {
  const known = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return [
    "default-src 'none'",
    `style-src ${known(style)}`,
    `script-src ${known(script)}`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}

/** What a page is made of. */
interface Page {
  readonly title: string;
  readonly verdict: Verdict;
  readonly top: Markup;
  readonly sections: readonly Markup[];
  /** Names of the sections by their ids, in the order in which they are listed. */
  readonly names: readonly (readonly [id: string, name: string])[];
}

/** The whole page, as the text of its file. */
export function pageOf({ title, verdict, top, sections, names }: Page): string {
  const { style, script } = assets();
  const present = names.filter(([id]) => sections.some(({ text }) => text.startsWith(`<section id="${id}"`)));
  const links = present.map(([id, name]) => html`<li><a href="#${id}">${name}</a></li>`);
  return html`<!doctype html>\n
    <html lang="en" data-verdict="${verdict}">\n
    <head>\n
    <meta charset="utf-8">\n
    <meta http-equiv="Content-Security-Policy" content="${policyOf(style, script)}">\n
    <meta name="viewport" content="width=device-width, initial-scale=1">\n
    <meta name="color-scheme" content="light dark">\n
    <meta name="referrer" content="no-referrer">\n
    <meta name="generator" content="ringfence">\n
    <title>${title}</title>\n
    <style>${ownMarkup(style)}</style>\n
    </head>\n
    <body>\n
    <a class="skip" href="#main">Skip to the results</a>\n
    <nav aria-label="Sections">
      <ul><li><a href="#top">Verdict</a></li>${links}</ul>
      <button type="button" id="theme" hidden>Theme: auto</button>
    </nav>\n
    <main id="main" tabindex="-1">\n
    ${top}\n
    ${sections}\n
    </main>\n
    <footer class="end"><p>Made by ringfence from plain data; the page needs no network.</p></footer>\n
    <script type="module">${ownMarkup(script)}</script>\n
    </body>\n
    </html>\n
  `.text;
}
