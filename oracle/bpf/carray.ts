/**
 * Programs as C: the rows of a `struct sock_filter` array. Printing gives the
 * plain form; parsing also takes the macros of UAPI `linux/filter.h`.
 */
import { alignedAsm, asmLines } from './asm-print.ts';
import type { PrintOptions } from './asm-print.ts';
import { C_CONSTANTS } from './c-constants.ts';
import { contextOffsets } from './context.ts';
import type { Program, SockFilter } from './program.ts';
import { Fault, numberFaults, placeFinder } from './syntax-error.ts';
import type { Parsed, Place } from './syntax-error.ts';

/** One instruction as an array row, `{ 0x15, 0, 3, 0x00000002 },`. */
export function cRow({ code, jt, jf, k }: SockFilter): string {
  return `{ 0x${code.toString(16).padStart(2, '0')}, ${jt}, ${jf}, 0x${k.toString(16).padStart(8, '0')} },`;
}

/** The rows of the whole program, one a line, without the braces around them. */
export function printCArray(program: Program): string {
  return program.map(cRow).join('\n');
}

/**
 * Assembler on the left; behind `;` the C row and the field name. The text is
 * still assembler that parses back.
 */
export function printSideBySide(program: Program, options: PrintOptions = {}): string {
  const rows = program.map(cRow);
  const width = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const lines = asmLines(program, options).map((line, pc) => {
    const row = rows[pc]!;
    return { ...line, comment: line.comment === null ? row : `${row.padEnd(width)}  ${line.comment}` };
  });
  return alignedAsm(lines).join('\n');
}

/**
 * Parses C: rows `{ code, jt, jf, k }` (also with `.code =` designators),
 * `BPF_STMT(code, k)` and `BPF_JUMP(code, k, jt, jf)`, separated by commas,
 * alone or inside `struct sock_filter name[] = { ... };`. Values are constant
 * expressions of numbers, the usual constant names,
 * `offsetof(struct io_uring_bpf_ctx, member)`, `+ - | & ~ << >>` and
 * parentheses; `-1` and the like are taken as u32. Stops at the first mistake.
 * @param offsets of the members that `offsetof` knows; by default those that every opcode has
 */
export function parseCArray(text: string, offsets = contextOffsets()): Parsed {
  try {
    const parser = new Parser(tokenize(text), offsets);
    parser.parse();
    return { ok: true, program: parser.program, lines: parser.lines };
  } catch (fault) {
    /* v8 ignore next -- only a mistake in this file gets here */
    if (!(fault instanceof Fault)) throw fault;
    return { ok: false, errors: numberFaults([fault]) };
  }
}

interface Token {
  /** The token as written; empty at the end of the text. */
  readonly text: string;
  readonly place: Place;
}

const BLANK = /(?:\s+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;
const TOKEN = /[A-Za-z_][A-Za-z0-9_]*|[0-9][A-Za-z0-9_]*|<<|>>|[{}()[\],;=.|&~+-]/y;

function tokenize(text: string): Token[] {
  const placeOf = placeFinder(text);
  const tokens: Token[] = [];
  for (let at = 0; ; ) {
    BLANK.lastIndex = at;
    at += BLANK.exec(text)?.[0].length ?? 0;
    if (at === text.length) {
      tokens.push({ text: '', place: placeOf(at) });
      return tokens;
    }
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text)?.[0];
    if (found === undefined) {
      throw new Fault(
        placeOf(at),
        text.startsWith('/*', at) ? 'this comment is not closed, expected */' : `unexpected character '${text[at]!}'`,
      );
    }
    tokens.push({ text: found, place: placeOf(at) });
    at += found.length;
  }
}

const FIELDS = ['code', 'jt', 'jf', 'k'] as const;
type Field = (typeof FIELDS)[number];
const MAXIMUM: { readonly [F in Field]: number } = { code: 0xffff, jt: 0xff, jf: 0xff, k: 0xffffffff };
const MACROS: Readonly<Record<string, readonly Field[]>> = {
  BPF_STMT: ['code', 'k'],
  BPF_JUMP: ['code', 'k', 'jt', 'jf'],
};

/** Keeps a hostile text from exhausting the stack. */
const MAX_DEPTH = 100;

type Draft = { -readonly [F in Field]: number };

class Parser {
  readonly program: SockFilter[] = [];
  readonly lines: number[] = [];
  readonly #tokens: readonly Token[];
  readonly #offsets: Readonly<Record<string, number>>;
  #next = 0;
  /** How many signs and parentheses enclose the current operand. */
  #depth = 0;

  constructor(tokens: readonly Token[], offsets: Readonly<Record<string, number>>) {
    this.#tokens = tokens;
    this.#offsets = offsets;
  }

  parse(): void {
    const wrapped = this.#opening();
    while (this.#peek() !== '' && this.#peek() !== '}') {
      this.lines.push(this.#place().line);
      this.program.push(this.#row());
      if (!this.#accept(',')) break;
    }
    if (wrapped) {
      this.#expect('}', 'an instruction or the closing }');
      this.#accept(';');
    }
    if (this.#peek() !== '') throw this.#unexpected('{, BPF_STMT, BPF_JUMP or the end of the text');
  }

  /** Skips a declaration, or the brace of a bare initialiser; tells whether there was one. */
  #opening(): boolean {
    let ahead = this.#next;
    // A declaration is whatever stands before the first '=' outside braces.
    if (this.#peek() !== '{' && !Object.hasOwn(MACROS, this.#peek())) {
      while (!['=', '{', ''].includes(this.#tokens[ahead]!.text)) ahead++;
      if (this.#tokens[ahead]!.text !== '=') return false;
      this.#next = ahead + 1;
      this.#expect('{', "{ after '='");
      return true;
    }
    if (this.#peek() !== '{') return false;
    const inner = this.#tokens[this.#next + 1]!.text;
    if (inner !== '{' && !Object.hasOwn(MACROS, inner)) return false;
    this.#next++;
    return true;
  }

  #row(): SockFilter {
    const draft: Draft = { code: 0, jt: 0, jf: 0, k: 0 };
    if (Object.hasOwn(MACROS, this.#peek())) {
      const macro = MACROS[this.#tokens[this.#next++]!.text]!;
      this.#expect('(', "'('");
      macro.forEach((field, i) => {
        if (i > 0) this.#expect(',', `',' and ${field}`);
        this.#field(draft, field);
      });
      this.#expect(')', "')'");
      return draft;
    }
    this.#expect('{', '{, BPF_STMT or BPF_JUMP');
    let position = 0;
    do {
      if (this.#peek() === '}') break;
      if (this.#accept('.')) {
        const place = this.#place();
        const name = this.#tokens[this.#next++]!.text;
        position = (FIELDS as readonly string[]).indexOf(name);
        if (position < 0) throw new Fault(place, `found '${name}', expected code, jt, jf or k`);
        this.#expect('=', "'='");
      }
      const field = FIELDS[position++];
      if (field === undefined) throw this.#unexpected('} after code, jt, jf and k');
      this.#field(draft, field);
    } while (this.#accept(','));
    this.#expect('}', "',' or }");
    return draft;
  }

  #field(draft: Draft, field: Field): void {
    const place = this.#place();
    const value = this.#or();
    // A negative constant is taken modulo 2^32, as an assignment to an unsigned field does; only k is wide enough.
    const unsigned = value < 0 ? BigInt.asUintN(32, value) : value;
    if (value < -0x80000000n || unsigned > MAXIMUM[field]) {
      throw new Fault(place, `${value} does not fit in ${field}, expected at most 0x${MAXIMUM[field].toString(16)}`);
    }
    draft[field] = Number(unsigned);
  }

  #or(): bigint {
    let value = this.#and();
    while (this.#accept('|')) value |= this.#and();
    return value;
  }

  #and(): bigint {
    let value = this.#shift();
    while (this.#accept('&')) value &= this.#shift();
    return value;
  }

  #shift(): bigint {
    let value = this.#sum();
    for (;;) {
      if (this.#accept('<<')) value <<= this.#count();
      else if (this.#accept('>>')) value >>= this.#count();
      else return value;
    }
  }

  #count(): bigint {
    const place = this.#place();
    const count = this.#sum();
    if (count < 0n || count > 63n) throw new Fault(place, `a shift by ${count}, expected 0 to 63`);
    return count;
  }

  #sum(): bigint {
    let value = this.#unary();
    for (;;) {
      if (this.#accept('+')) value += this.#unary();
      else if (this.#accept('-')) value -= this.#unary();
      else return value;
    }
  }

  #unary(): bigint {
    if (++this.#depth > MAX_DEPTH) throw this.#unexpected('an expression nested less deeply');
    const value = this.#operand();
    this.#depth--;
    return value;
  }

  #operand(): bigint {
    if (this.#accept('-')) return -this.#unary();
    if (this.#accept('+')) return this.#unary();
    if (this.#accept('~')) return ~this.#unary();
    if (this.#accept('(')) {
      const value = this.#or();
      this.#expect(')', "')'");
      return value;
    }
    return this.#constant();
  }

  #constant(): bigint {
    const text = this.#peek();
    if (/^[0-9]/.test(text)) {
      const value = numberValue(text);
      if (value === null) throw this.#unexpected('a C integer');
      this.#next++;
      return value;
    }
    if (text === 'offsetof') return this.#offsetof();
    if (!Object.hasOwn(C_CONSTANTS, text)) throw this.#unexpected('a number or a constant such as BPF_LD or AF_INET');
    this.#next++;
    return BigInt(C_CONSTANTS[text]!);
  }

  #offsetof(): bigint {
    for (const part of ['offsetof', '(', 'struct', 'io_uring_bpf_ctx', ',']) this.#expect(part, `'${part}'`);
    const place = this.#place();
    const name: string[] = [];
    while (this.#peek() !== ')' && this.#peek() !== '') name.push(this.#tokens[this.#next++]!.text);
    const member = name.join('');
    if (!Object.hasOwn(this.#offsets, member)) {
      throw new Fault(
        place,
        `found '${member}', expected a member of struct io_uring_bpf_ctx: ${Object.keys(this.#offsets).join(', ')}`,
      );
    }
    this.#expect(')', "')'");
    return BigInt(this.#offsets[member]!);
  }

  #peek(): string {
    return this.#tokens[this.#next]!.text;
  }

  #place(): Place {
    return this.#tokens[this.#next]!.place;
  }

  #accept(text: string): boolean {
    if (this.#peek() !== text) return false;
    this.#next++;
    return true;
  }

  #expect(text: string, wanted: string): void {
    if (!this.#accept(text)) throw this.#unexpected(wanted);
  }

  #unexpected(wanted: string): Fault {
    const found = this.#peek();
    return new Fault(this.#place(), `${found === '' ? 'the text ends here' : `found '${found}'`}, expected ${wanted}`);
  }
}

/** Value of a C integer constant with an optional u/l suffix, or null. */
function numberValue(text: string): bigint | null {
  const digits = /^(0[xX][0-9a-fA-F]+|0[bB][01]+|0[0-7]*|[1-9][0-9]*)[uUlL]*$/.exec(text)?.[1];
  if (digits === undefined) return null;
  return BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
}
