/** What mails have in common: plain text of at most 72 columns, and the headers of one line each. */
import { wrap } from './style.ts';

/** Columns of a mail. */
export const MAIL_WIDTH = 72;

/** A Subject line, an empty line, the text. Ends with a newline. */
export function letter(about: string, lines: readonly string[]): string {
  return `${[`Subject: ${oneLine(about)}`, '', ...lines].join('\n').trimEnd()}\n`;
}

/** What comes from outside must not add header lines. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ');
}

/** Lines no wider than a mail; what goes on is indented two columns deeper than its beginning. */
export function folded(lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => {
    if (line.length <= MAIL_WIDTH) return [line];
    const indent = `${/^ */.exec(line)![0]}  `;
    const [first = '', ...rest] = wrap(line.trimStart(), MAIL_WIDTH - indent.length).flatMap((one) =>
      cut(one, MAIL_WIDTH - indent.length),
    );
    return [`${indent.slice(2)}${first}`, ...rest.map((one) => `${indent}${one}`)];
  });
}

/** A word that is wider than the mail. */
function cut(text: string, width: number): readonly string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length; at += width) parts.push(text.slice(at, at + width));
  return parts;
}
