/**
 * Mutants: faults in a kernel's source, all compiled into one kernel and chosen on its command line. A mutant is search
 * and replace in one function; here it becomes a choice between both texts.
 */
import { bodiesOf, codeOnly, withoutComments } from './c-text.ts';
import type { Span } from './c-text.ts';
import type { Mutant } from './mutant-file.ts';

/** Where the choice is declared, in the tree and for `#include`. */
const HEADER = 'linux/ringfence_mutant.h';

/** A mutant that has its number: what `ringfence_mutant=` on the kernel's command line chooses. */
export interface Numbered {
  readonly mutant: Mutant;
  /** From 1: its place among all ids in their order. */
  readonly number: number;
}

/** A mutant that does not fit its source. */
export interface Misfit {
  readonly id: string;
  /** What is wrong, without the id, such as `io_uring/tctx.c: "x" is not in f`. */
  readonly problem: string;
}

/** One source file with its mutants in it. */
export interface MutatedFile {
  readonly text: string;
  /** Where each mutant stands in `text`. */
  readonly places: readonly { readonly id: string; readonly at: Span }[];
  readonly misfits: readonly Misfit[];
}

/** A number for each mutant. Pure. */
export function numbered(mutants: readonly Mutant[]): readonly Numbered[] {
  const order = [...mutants].sort((a, b) => (a.id < b.id ? -1 : 1));
  return order.map((mutant, i) => ({ mutant, number: i + 1 }));
}

/** A source in which a function calls something first. Unchanged where there is no such function. Pure. */
export function hooked(text: string, name: string, call: string): string {
  const [body] = bodiesOf(text, name);
  return body === undefined ? text : `${text.slice(0, body.from)} ${call}${text.slice(body.from)}`;
}

/** Mutants on the same words, and those within these words. */
interface Place extends Span {
  readonly mutants: Numbered[];
  readonly inner: Place[];
}

/** The text with the mutants of this file in it. One that does not fit is left out, and told. Pure. */
export function mutate(text: string, mutants: readonly Numbered[]): MutatedFile {
  const source = { text, readable: withoutComments(text), code: codeOnly(text) };
  const misfits: Misfit[] = [];
  const found: (Span & { readonly one: Numbered })[] = [];
  for (const one of mutants) {
    const where = find(source, one.mutant);
    if (typeof where === 'string') misfits.push({ id: one.mutant.id, problem: where });
    else found.push({ ...where, one });
  }
  const writer = new Writer(text);
  writer.write({ from: 0, to: text.length, mutants: [], inner: nest(found, misfits) });
  return withInclude(writer, misfits);
}

interface Source {
  readonly text: string;
  /** Without comments. */
  readonly readable: string;
  /** Without strings as well. */
  readonly code: string;
}

/** Where the words to be replaced are, or why that cannot be said. Words within a string are none. */
function find({ text, readable, code }: Source, mutant: Mutant): Span | string {
  const { file, find: words, nth } = mutant;
  const bodies = bodiesOf(text, mutant.in);
  if (bodies.length === 0) return `${file} has no function or table ${mutant.in}`;
  const pattern = words
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/[^\w]/g, '\\$&'))
    .join('\\s+');
  const spans = bodies
    .flatMap(({ from, to }) =>
      [...readable.slice(from, to).matchAll(new RegExp(pattern, 'g'))].map((match) => ({
        from: from + match.index,
        to: from + match.index + match[0].length,
      })),
    )
    .filter(({ from }) => code[from] === readable[from] || /["']/.test(readable[from]!));
  const quoted = `${JSON.stringify(words)} is in ${mutant.in} of ${file}`;
  if (nth === undefined)
    return spans.length === 1 ? spans[0]! : `${quoted} ${times(spans.length)}, not once (say which with "nth")`;
  return spans[nth - 1] ?? `${quoted} ${times(spans.length)}: there is no number ${nth}`;
}

const times = (count: number): string => (count === 1 ? '1 time' : `${count} times`);

/** Places within places; the outermost ones, in their order. */
function nest(found: readonly (Span & { readonly one: Numbered })[], misfits: Misfit[]): Place[] {
  const top: Place[] = [];
  const order = [...found].sort((a, b) => a.from - b.from || b.to - a.to || a.one.number - b.one.number);
  for (const { from, to, one } of order) {
    const problem = put(top, { from, to, mutants: [one], inner: [] });
    if (problem !== undefined) misfits.push({ id: one.mutant.id, problem: `${one.mutant.file}: ${problem}` });
  }
  return top;
}

/** Places come in the order of their beginnings, the longer one first. */
function put(places: Place[], place: Place): string | undefined {
  const last = places.at(-1);
  if (last === undefined || last.to <= place.from) {
    places.push(place);
    return undefined;
  }
  const [one] = place.mutants;
  const [other] = last.mutants;
  if (last.from === place.from && last.to === place.to) {
    if (one!.mutant.as !== other!.mutant.as)
      return `its words are those of ${other!.mutant.id}, which is of the other kind ("as": "${other!.mutant.as}")`;
    last.mutants.push(one!);
    return undefined;
  }
  if (last.to < place.to) return `its words begin within those of ${other!.mutant.id} and end behind them`;
  return put(last.inner, place);
}

/** Writes the new text, and notes where each mutant comes to stand. */
class Writer {
  text = '';
  readonly places: { id: string; at: Span }[] = [];
  readonly #source: string;

  constructor(source: string) {
    this.#source = source;
  }

  write(place: Place): void {
    const opened = place.mutants.map((one) => this.#open(one));
    let at = place.from;
    for (const inner of place.inner) {
      this.text += this.#source.slice(at, inner.from);
      this.write(inner);
      at = inner.to;
    }
    this.text += this.#source.slice(at, place.to);
    for (const { id, from, close } of opened.reverse()) {
      this.text += close;
      this.places.push({ id, at: { from, to: this.text.length } });
    }
  }

  /** The choice, up to the words that are replaced. What replaces them is one line, so that lines keep their order. */
  #open({ mutant, number }: Numbered): { readonly id: string; readonly from: number; readonly close: string } {
    const from = this.text.length;
    const other = mutant.replace.trim().replace(/\s+/g, ' ');
    const chosen = `ringfence_mutant(${number})`;
    if (mutant.as === 'expression') {
      this.text += `(${chosen} ? (${other}) : (`;
      return { id: mutant.id, from, close: '))' };
    }
    // The outer braces keep an `else` behind it with its own `if`.
    this.text += `{ if (${chosen}) { ${other} } else { `;
    return { id: mutant.id, from, close: ' } }' };
  }
}

/** Before the first `#include`, which stands behind all that must come first. */
function withInclude({ text, places }: Writer, misfits: readonly Misfit[]): MutatedFile {
  const line = `#include <${HEADER}>\n`;
  const at = /^[ \t]*#[ \t]*include\b/m.exec(text)?.index ?? 0;
  const moved = places.map(({ id, at: place }) =>
    place.from < at ? { id, at: place } : { id, at: { from: place.from + line.length, to: place.to + line.length } },
  );
  return { text: text.slice(0, at) + line + text.slice(at), places: moved, misfits };
}
