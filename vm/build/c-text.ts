/** Just enough of C to find a function in a source file: what is code in it, and where each definition's body is. */

/** Characters from `from` on, `to` not among them. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A comment, a string, a character constant. A string may not end; it does with its line. */
const NOT_CODE = /\/\*[^]*?\*\/|\/\/(?:\\\n|[^\n])*|"(?:\\[^]|[^"\\\n])*"?|'(?:\\[^]|[^'\\\n])*'?/g;

const blank = (text: string): string => text.replace(/[^\n]/g, ' ');

/** The text with blanks in place of comments, every character where it was. Pure. */
export function withoutComments(text: string): string {
  return text.replace(NOT_CODE, (part) => (part.startsWith('/') ? blank(part) : part));
}

/** The text with blanks in place of comments, strings and character constants. Pure. */
export function codeOnly(text: string): string {
  return text.replace(NOT_CODE, blank);
}

/** One definition at the top level that has a body in braces. */
interface Definition {
  /** What stands before its brace. */
  readonly head: string;
  /** Between its braces. */
  readonly body: Span;
}

/** Everything that a definition or a directive ends with, and what they are made of. */
const MARKS = /^[ \t]*#[ \t]*(\w*)(?:\\\n|[^\n])*|[{};]/gm;

/** Walks through a file, counting braces. Branches of `#if` count as one. */
class Walk {
  readonly found: Definition[] = [];
  readonly #code: string;
  #depth = 0;
  /** End of the last definition, declaration or directive at the top level. */
  #after = 0;
  #open: { readonly head: string; readonly from: number } | undefined;
  readonly #conditions: number[] = [];

  constructor(code: string) {
    this.#code = code;
    for (const mark of code.matchAll(MARKS)) this.#mark(mark[0], mark[1], mark.index);
  }

  #mark(text: string, directive: string | undefined, at: number): void {
    if (directive !== undefined) this.#directive(directive);
    else if (text === '{') this.#enter(at);
    else if (text === '}') this.#leave(at);
    if (this.#depth === 0 && text !== '{') this.#after = at + text.length;
  }

  #directive(name: string): void {
    if (name.startsWith('if')) this.#conditions.push(this.#depth);
    else if (name.startsWith('el')) this.#depth = this.#conditions.at(-1) ?? this.#depth;
    else if (name === 'endif') this.#conditions.pop();
  }

  #enter(at: number): void {
    if (this.#depth++ === 0) this.#open = { head: this.#code.slice(this.#after, at), from: at + 1 };
  }

  #leave(at: number): void {
    this.#depth = Math.max(0, this.#depth - 1);
    if (this.#depth > 0 || this.#open === undefined) return;
    this.found.push({ head: this.#open.head, body: { from: this.#open.from, to: at } });
    this.#open = undefined;
  }
}

/**
 * The bodies of a function or table: several where the file has one for each of several configurations. A function
 * that a macro defines (`SYSCALL_DEFINE2(name, ...)`) goes by its first argument. Pure.
 */
export function bodiesOf(text: string, name: string): readonly Span[] {
  const escaped = name.replace(/[^\w]/g, '\\$&');
  const named = new RegExp(`(?<![\\w])${escaped}\\s*[(=[]|^\\s*\\w+\\s*\\(\\s*${escaped}\\s*[,)]`);
  return new Walk(codeOnly(text)).found.filter(({ head }) => named.test(head)).map(({ body }) => body);
}
