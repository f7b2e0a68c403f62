/**
 * Words of the assembler language, as `bpf_asm` (kernel tools/bpf) reads it:
 * keywords and registers in either case, labels of two or more characters, free
 * layout over lines, comments from `;` or from a `#` in column 1 to the end of
 * the line, or between slash-star and star-slash. `.raw` is our own addition.
 */
import { INSTRUCTIONS } from './instructions.ts';
import { Fault, placeFinder } from './syntax-error.ts';
import type { Place } from './syntax-error.ts';

/** Kinds of token; `op` is a mnemonic, `punct` one of `: , # % [ ] ( ) + * &`. */
export type TokenKind = 'op' | 'raw' | 'number' | 'label' | 'x' | 'a' | 'm' | 'len' | 'extension' | 'punct' | 'end';

/** One token. */
export interface Token {
  readonly kind: TokenKind;
  /** As written, but mnemonics, registers and extensions in lower case and without a leading `#`. */
  readonly text: string;
  /** `number`: the value as u32. `extension`: offset above SKF_AD_OFF. Otherwise 0. */
  readonly value: number;
  readonly place: Place;
}

/** A mnemonic that stands for another one; `inverted` swaps the two branches. */
export interface Alias {
  readonly mnemonic: string;
  readonly inverted: boolean;
}

/** Mnemonics that have no code of their own (filter.rst, instruction table). */
export const ALIASES: Readonly<Record<string, Alias>> = {
  jmp: { mnemonic: 'ja', inverted: false },
  jne: { mnemonic: 'jeq', inverted: true },
  jneq: { mnemonic: 'jeq', inverted: true },
  jlt: { mnemonic: 'jge', inverted: true },
  jle: { mnemonic: 'jgt', inverted: true },
  ldi: { mnemonic: 'ld', inverted: false },
  ldxi: { mnemonic: 'ldx', inverted: false },
};

/** Ancillary data by the names of filter.rst, as offsets above SKF_AD_OFF (UAPI `linux/filter.h`). */
const EXTENSIONS: Readonly<Record<string, number>> = {
  proto: 0,
  type: 4,
  ifidx: 8,
  nla: 12,
  nlan: 16,
  mark: 20,
  queue: 24,
  hatype: 28,
  rxhash: 32,
  cpu: 36,
  vlan_tci: 44,
  vlan_pr: 48,
  vlan_avail: 48,
  poff: 52,
  rand: 56,
  vlan_tpid: 60,
};

const MNEMONICS: ReadonlySet<string> = new Set([...INSTRUCTIONS.map((i) => i.mnemonic), ...Object.keys(ALIASES)]);

const BLANK = /(?:[ \t\r\n]+|;[^\n]*|\/\*[^]*?\*\/)+/y;
const LINE_COMMENT = /#[^\n]*/y;
const WORD = /[a-z_][a-z0-9_]*/iy;
const HASH_WORD = /#[a-z_][a-z0-9_]*/iy;
const NUMBER = /0x[0-9a-f]+|0b[01]+|0[0-9]+|0|[-+]?[1-9][0-9]*/iy;
const RAW = /\.raw(?![a-z0-9_])/iy;
const PUNCTUATION = ':,#%[]()+*&';

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}

/** Whether a `#` here begins a comment: it stands in column 1. */
function startsLine(text: string, at: number): boolean {
  return text[at] === '#' && (at === 0 || text[at - 1] === '\n');
}

/** Splits a text into tokens, the last one of kind `end`, and the faults found on the way. */
export function tokenize(text: string): { tokens: Token[]; faults: Fault[] } {
  const tokens: Token[] = [];
  const faults: Fault[] = [];
  const placeOf = placeFinder(text);
  let at = 0;

  const take = (length: number, kind: TokenKind, value = 0, spelling = text.slice(at, at + length)): void => {
    tokens.push({ kind, text: spelling, value, place: placeOf(at) });
    at += length;
  };
  const refuse = (length: number, message: string): void => {
    faults.push(new Fault(placeOf(at), message));
    at += length;
  };

  while (at < text.length) {
    const skipped = matchAt(BLANK, text, at) ?? (startsLine(text, at) ? matchAt(LINE_COMMENT, text, at) : null);
    if (skipped !== null) at += skipped.length;
    else if (text.startsWith('/*', at)) refuse(text.length - at, 'this comment is not closed, expected */');
    else takeOne();
  }
  tokens.push({ kind: 'end', text: '', value: 0, place: placeOf(text.length) });
  return { tokens, faults };

  function takeOne(): void {
    const hashWord = matchAt(HASH_WORD, text, at)?.slice(1).toLowerCase();
    const word = matchAt(WORD, text, at);
    const number = matchAt(NUMBER, text, at);
    if (hashWord === 'len' || (hashWord !== undefined && Object.hasOwn(EXTENSIONS, hashWord)))
      takeName(hashWord, hashWord.length + 1);
    else if (word !== null) takeName(word, word.length);
    else if (number !== null) takeNumber(number);
    else if (matchAt(RAW, text, at) !== null) take(4, 'raw');
    else if (PUNCTUATION.includes(text[at]!)) take(1, 'punct');
    else refuse(1, `unexpected character '${text[at]!}'`);
  }

  function takeName(word: string, length: number): void {
    const lower = word.toLowerCase();
    if (MNEMONICS.has(lower)) take(length, 'op', 0, lower);
    else if (lower === 'len') take(length, 'len', 0, lower);
    else if (Object.hasOwn(EXTENSIONS, lower)) take(length, 'extension', EXTENSIONS[lower], lower);
    else if (lower === 'x' || lower === 'a' || lower === 'm') take(length, lower, 0, lower);
    else if (word.length === 1) refuse(1, `unexpected '${word}'; a label has at least two characters`);
    else take(length, 'label');
  }

  function takeNumber(spelling: string): void {
    const value = numberValue(spelling);
    if (value === null) refuse(spelling.length, `${spelling} is no number: expected octal digits after the leading 0`);
    else if (value < -0x80000000 || value > 0xffffffff) refuse(spelling.length, `${spelling} does not fit in 32 bits`);
    else take(spelling.length, 'number', value >>> 0);
  }
}

/** Value of a number as `bpf_asm` spells it: 0x hex, 0b binary, 0 octal, signed decimal; null for a wrong octal. */
function numberValue(spelling: string): number | null {
  if (/^0[0-9]/.test(spelling)) return /^[0-7]+$/.test(spelling) ? Number.parseInt(spelling, 8) : null;
  return Number(spelling);
}
