/** What the text parsers return: a program, or every mistake found in the text. */
import type { Program } from './program.ts';

/** One mistake in a text. */
export interface SyntaxFault {
  /** Running number within the text, from 1. */
  readonly number: number;
  /** Line and column of the first character at fault, both from 1. */
  readonly line: number;
  readonly column: number;
  /** What stands there and what was expected, one sentence without a full stop. */
  readonly message: string;
}

/** Result of a parse. */
export type Parsed =
  | {
      readonly ok: true;
      readonly program: Program;
      /** Line (from 1) on which each instruction stands. */
      readonly lines: readonly number[];
    }
  | { readonly ok: false; readonly errors: readonly SyntaxFault[] };

/** The faults as text, one a line: `1: line 3, column 5: ...`. */
export function formatFaults(errors: readonly SyntaxFault[]): string {
  return errors.map((e) => `${e.number}: line ${e.line}, column ${e.column}: ${e.message}`).join('\n');
}

/** Where something stands in a text. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** Thrown inside a parser to leave the current instruction; never leaves the parser. */
export class Fault extends Error {
  readonly place: Place;
  constructor(place: Place, message: string) {
    super(message);
    this.place = place;
  }
}

/** A parser gives up after this many faults. */
export const MAX_FAULTS = 20;

/** Numbers the faults and puts them in text order. */
export function numberFaults(faults: readonly Fault[]): SyntaxFault[] {
  return [...faults]
    .sort((a, b) => a.place.line - b.place.line || a.place.column - b.place.column)
    .map(({ place, message }, i) => ({ number: i + 1, line: place.line, column: place.column, message }));
}

/** Turns an offset in a text into a line and a column. */
export function placeFinder(text: string): (offset: number) => Place {
  const starts = [0];
  for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return (offset) => {
    let low = 0;
    for (let high = starts.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1;
      if (starts[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - starts[low]! + 1 };
  };
}
