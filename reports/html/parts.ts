/** Small pieces that every section uses. */
import { html } from './escape.ts';
import type { Markup, Part } from './escape.ts';

/** A table or text that is wider than a phone: it scrolls in its own box, also by keyboard. */
export function scroll(label: string, body: Part, kind = ''): Markup {
  return html`<div class="scroll${kind === '' ? '' : ` ${kind}`}" tabindex="0" role="region" aria-label="${label}">
    ${body}
  </div>`;
}

/** Text as it is, in its own box. */
export function textBox(label: string, text: string, kind = ''): Markup {
  return scroll(label, html`<pre>${text}</pre>`, kind);
}

/** A table with one row of headings; `n` behind a heading: a column of numbers. */
export function plainTable(
  heads: readonly (string | readonly [name: string, kind: 'n'] | false)[],
  rows: Part,
): Markup {
  const cells = heads.map((head) => {
    if (typeof head === 'string') return html`<th scope="col">${head}</th>`;
    return head && html`<th scope="col" class="${head[1]}">${head[0]}</th>`;
  });
  return html`<table><thead><tr>${cells}</tr></thead><tbody>${rows}</tbody></table>`;
}

/** A command or text with a button that copies it. */
export function commandBox(text: string, label = 'Copy the command'): Markup {
  return html`<div class="command">
    <pre tabindex="0" aria-label="Command"><code>${text}</code></pre>
    <button type="button" data-copy hidden aria-label="${label}">Copy</button>
  </div>`;
}

/** A part of the page with a heading, which `nav` and links know as `id`. */
export function section(id: string, title: string, body: Part, lead?: Part): Markup {
  return html`<section id="${id}" aria-labelledby="${id}-h">
    <h2 id="${id}-h">${title}</h2>
    ${lead !== undefined && html`<p class="lead">${lead}</p>`}
    ${body}
  </section>\n`;
}

/** Something that is folded away behind its summary. */
export function details(summary: Part, body: Part, open = false): Markup {
  return html`<details${open && html` open`}><summary>${summary}</summary>${body}</details>`;
}

/** Name and value pairs. */
export function facts(pairs: readonly (readonly [name: string, value: Part])[], kind = 'facts'): Markup {
  const items = pairs.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`);
  return html`<dl class="${kind}">${items}</dl>`;
}

/** Parts with a text between each two. */
export function between(parts: readonly Part[], text: string): Part {
  return parts.map((part, i) => (i === 0 ? part : [text, part]));
}

/** Code within prose. */
export function inlineCode(text: string): Markup {
  return html`<code>${text}</code>`;
}

/** Prose in which names of errors stay whole: no line ends after the minus of -EACCES. */
export function softProse(text: string): Part {
  return text.split(/(-E[A-Z0-9]{2,})/).map((part, i) => (i % 2 === 1 ? html`<span class="nb">${part}</span>` : part));
}

/** A link to a rule in the table of rules. */
export function ruleLink(id: string): Markup {
  return html`<a class="rule" href="#rule-${id}"><code>${softened(id)}</code></a>`;
}

/** An id that may be broken after its dots. */
export function softened(id: string): Part {
  return id.split('.').map((part, i) => (i === 0 ? part : ['.', html`<wbr>`, part]));
}

/** A share of 1 as a percentage for SVG, with two decimals: the same text on every machine. */
export function percent(share: number): string {
  return `${(Math.min(1, Math.max(0, share)) * 100).toFixed(2)}%`;
}
