/** Templates whose every value is escaped: what comes from a kernel, a file or a command line cannot become mark-up. */

/** Mark-up that is right as it is. Made by `html` alone, and by `ownMarkup` for our own style and script. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** What a template takes: mark-up as it is, text to be escaped, and nothing for undefined and false. */
export type Part = Markup | string | number | undefined | false | readonly Part[];

/**
 * Joins mark-up. Templates are written in many lines: a line break and the blanks behind it stand for nothing, or for
 * one blank within a tag; `\n` is a line break on the page, and there is no other escape sequence.
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(literals(strings).reduce((text, string, i) => text + partText(parts[i - 1]) + string));
}

/** No mark-up at all. */
export const NOTHING = new Markup('');

/** Our own text, unescaped. Never for data. */
export function ownMarkup(text: string): Markup {
  return new Markup(text);
}

/** Template -> its texts without the breaks of the source; the same object comes with each call of one template. */
const joined = new WeakMap<TemplateStringsArray, readonly string[]>();

function literals(strings: TemplateStringsArray): readonly string[] {
  const known = joined.get(strings);
  if (known !== undefined) return known;
  let inTag = false;
  const texts = strings.raw.map((text) =>
    text
      .replace(/\n\s*(\/?>)?|[<>]/g, (found, end?: string) => {
        if (found === '<' || found === '>' || end !== undefined) inTag = found === '<';
        return found[0] !== '\n' ? found : (end ?? (inTag ? ' ' : ''));
      })
      .replace(/\\(.)/g, (found, letter) => {
        if (letter !== 'n') throw new Error(`${found} in a template of the page`);
        return '\n';
      }),
  );
  joined.set(strings, texts);
  return texts;
}

function partText(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Markup) return part.text;
  return typeof part === 'object' ? part.map(partText).join('') : escapeHtml(String(part));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * For element content and quoted attributes. Control characters, and those that turn the direction of text around, are
 * shown by number.
 */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(/\r\n?/g, '\n')
    .replace(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g,
      (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
    .replace(/[&<>"']/g, (char) => ENTITIES[char]!);
}

/** A value for `id` and `href="#..."`: letters, digits, `.`, `_` and `-`. */
export function anchor(...words: readonly (string | number)[]): string {
  return words.join('-').replace(/[^\w.-]/g, '_');
}
