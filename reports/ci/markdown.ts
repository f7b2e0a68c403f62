/** Markdown as GitHub reads it, in which no value means anything but itself. */

/** Lines of a block that are shown, and their width in characters. */
const LINES = 60;
const WIDTH = 400;

/** Parts with an empty line between each two, ending with a newline; empty ones are left out. */
export function joined(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** Something folded behind its summary, which is Markdown already. */
export function fold(summary: string, parts: readonly string[], open = false): string {
  return `<details${open ? ' open' : ''}><summary>${summary}</summary>\n\n${joined(parts)}\n</details>`;
}

/** A table; columns are numbered from 0, those of `right` are set to the right. */
export function pipeTable(
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(heads), row(heads.map((_, i) => (right.includes(i) ? '---:' : '---'))), ...rows.map(row)].join('\n');
}

/** Text in Markdown that means nothing but itself: no mark-up, no mention, no link, no cell border. */
export function plainText(value: string): string {
  return value.replace(/\s+/g, ' ').replace(/[&<>"'\\`*_{}[\]()#+!|~@:$-]/g, (char) => `&#${char.charCodeAt(0)};`);
}

/** Code on one line. */
export function codeSpan(value: string): string {
  return `<code>${plainText(value)}</code>`;
}

/** Lines as they are; neither a fence nor a tag in them ends the block. */
export function codeBlock(value: string): string {
  const all = value.trimEnd().split(/\r\n|[\r\n]/);
  const cut = all.length <= LINES ? all : [...all.slice(0, LINES), `... ${all.length - LINES} more lines`];
  const body = cut.map((line) => line.replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, '?').slice(0, WIDTH)).join('\n');
  const fence = '`'.repeat(Math.max(3, ...[...body.matchAll(/`+/g)].map(([run]) => run.length + 1)));
  return `${fence}text\n${body}\n${fence}`;
}
