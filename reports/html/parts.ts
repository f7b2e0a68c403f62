/** Small pieces that every section uses. */
import { html, NOTHING } from './escape.ts';
import type { Markup, Part } from './escape.ts';

/** A table or text that is wider than a phone: it scrolls in its own box, also by keyboard. */
export function scroll(label: string, body: Part): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${body}</div>`;
}

/** A command or text with a button that copies it. */
export function command(text: string, label = 'Copy the command'): Markup {
  return html`<div class="command"><pre tabindex="0" aria-label="Command"><code>${text}</code></pre><button type="button" data-copy hidden aria-label="${label}">Copy</button></div>`;
}

export function section(id: string, title: string, body: Part, lead?: Part): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-h"><h2 id="${id}-h">${title}</h2>${lead === undefined ? NOTHING : html`<p class="lead">${lead}</p>`}${body}</section>\n`;
}

export function details(summary: Part, body: Part, open = false, id?: string): Markup {
  return html`<details${open ? html` open` : NOTHING}${id === undefined ? NOTHING : html` id="${id}"`}><summary>${summary}</summary>${body}</details>`;
}

/** Name and value pairs. */
export function facts(pairs: readonly (readonly [name: string, value: Part])[], kind = 'facts'): Markup {
  return html`<dl class="${kind}">${pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

export function code(text: string): Markup {
  return html`<code>${text}</code>`;
}

/** Prose in which names of errors stay whole: no line ends after the minus of -EACCES. */
export function prose(text: string): Markup {
  return html`${text.split(/(-E[A-Z0-9]{2,})/).map((part, i) => (i % 2 === 1 ? html`<span class="nb">${part}</span>` : part))}`;
}

/** A link to a rule in the table of rules. */
export function ruleLink(id: string): Markup {
  return html`<a class="rule" href="#rule-${id}"><code>${softened(id)}</code></a>`;
}

/** An id that may be broken after its dots. */
export function softened(id: string): Markup {
  return html`${id.split('.').map((part, i) => html`${i === 0 ? '' : '.'}${i === 0 ? NOTHING : html`<wbr>`}${part}`)}`;
}

/** "0x1f". */
export function hex(value: number): string {
  return `0x${value.toString(16)}`;
}

/** A share of 1 as a percentage for SVG, with two decimals: the same text on every machine. */
export function percent(share: number): string {
  return `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%`;
}
