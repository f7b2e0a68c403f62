/** The assembler's parser: text in the language of `bpf_asm` to a program. */
import { ALIASES, tokenize } from './asm-tokens.ts';
import type { Token, TokenKind } from './asm-tokens.ts';
import { INSTRUCTIONS, isConditionalJump } from './instructions.ts';
import type { Instruction, Operand } from './instructions.ts';
import type { SockFilter } from './program.ts';
import { Fault, MAX_FAULTS, numberFaults } from './syntax-error.ts';
import type { Parsed } from './syntax-error.ts';
import { SKF_AD_OFF } from './validate.ts';

/**
 * Parses assembler text. Accepts what `bpf_asm` accepts and these besides: an
 * empty text, any number of instructions, several labels on one instruction,
 * `[x+4]` without blanks, and `.raw CODE, JT, JF, K` for any four values.
 * Stricter than `bpf_asm` in two points: a label may be defined only once, and
 * numbers must fit in 32 bits. Every mistake is reported, up to 20.
 */
export function parseAsm(text: string): Parsed {
  const { tokens, faults } = tokenize(text);
  const parser = new Parser(tokens, faults);
  parser.parse();
  if (faults.length > 0) return { ok: false, errors: numberFaults(faults).slice(0, MAX_FAULTS) };
  return { ok: true, program: parser.program, lines: parser.lines };
}

/** How an operand is written, for error messages. */
const SPELLING: { readonly [P in Operand]: string } = {
  none: 'nothing',
  k: '#k',
  x: 'x',
  a: 'a',
  mem: 'M[k]',
  abs: '[k]',
  ind: '[x + k]',
  msh: '4*([k]&0xf)',
  len: 'len',
  label: 'a label',
};

const rowsOf = (mnemonic: string): Instruction[] => INSTRUCTIONS.filter((i) => i.mnemonic === mnemonic);

type Draft = { -readonly [P in keyof SockFilter]: SockFilter[P] };

/** A jump field whose label is not resolved yet. */
interface Reference {
  readonly pc: number;
  readonly field: 'k' | 'jt' | 'jf';
  readonly label: Token;
}

class Parser {
  readonly program: Draft[] = [];
  readonly lines: number[] = [];
  readonly #tokens: readonly Token[];
  readonly #faults: Fault[];
  readonly #labels = new Map<string, number>();
  readonly #references: Reference[] = [];
  #next = 0;

  constructor(tokens: readonly Token[], faults: Fault[]) {
    this.#tokens = tokens;
    this.#faults = faults;
  }

  parse(): void {
    while (this.#peek().kind !== 'end') {
      const { line } = this.#peek().place;
      try {
        this.#line();
      } catch (fault) {
        /* v8 ignore next -- only a mistake in this file gets here */
        if (!(fault instanceof Fault)) throw fault;
        this.#faults.push(fault);
        this.#recover(line);
      }
    }
    for (const reference of this.#references) this.#resolve(reference);
  }

  #line(): void {
    while (this.#peek().kind === 'label') {
      const label = this.#take();
      this.#punct(':', `after the label '${label.text}'`);
      if (this.#labels.has(label.text))
        this.#faults.push(new Fault(label.place, `the label '${label.text}' is defined twice`));
      this.#labels.set(label.text, this.program.length);
    }
    const start = this.#peek();
    if (start.kind !== 'op' && start.kind !== 'raw') throw this.#unexpected('an instruction or a label');
    this.#take();
    // Placed before its operands are read, so that a wrong one does not shift the instructions behind it.
    const draft: Draft = { code: 0, jt: 0, jf: 0, k: 0 };
    this.program.push(draft);
    this.lines.push(start.place.line);
    if (start.kind === 'raw') this.#raw(draft);
    else this.#instruction(draft, start.text);
  }

  #raw(draft: Draft): void {
    const field = (name: string, max: number): number => {
      const token = this.#peek();
      const value = this.#number(`the ${name}`);
      if (value > max) throw new Fault(token.place, `${token.text} is too large for ${name}, expected at most ${max}`);
      return value;
    };
    draft.code = field('code', 0xffff);
    this.#punct(',');
    draft.jt = field('jt', 0xff);
    this.#punct(',');
    draft.jf = field('jf', 0xff);
    this.#punct(',');
    draft.k = field('k', 0xffffffff);
  }

  #instruction(draft: Draft, written: string): void {
    const alias = ALIASES[written];
    const rows = rowsOf(alias?.mnemonic ?? written);
    const { place } = this.#peek();
    const operand = rows.every((r) => r.operand === 'none') ? 'none' : this.#operand(draft, written, rows);
    let row = rows.find((r) => r.operand === operand);
    // `ldx 4*([k]&0xf)` is another spelling of ldxb.
    if (written === 'ldx' && operand === 'msh') row = rowsOf('ldxb')[0];
    if (row === undefined)
      throw new Fault(place, `'${written}' does not take ${SPELLING[operand]}, expected ${expected(written, rows)}`);
    draft.code = row.code;
    if (isConditionalJump(row)) this.#branches(alias?.inverted === true, written);
  }

  /** Reads an operand of any form, stores its constant in the draft and says which form it was. */
  #operand(draft: Draft, written: string, rows: readonly Instruction[]): Operand {
    const token = this.#peek();
    const bare = written === 'ldi' || written === 'ldxi';
    if (token.kind === 'punct' && token.text === '#') {
      this.#take();
      draft.k = this.#number("a number after '#'");
      return 'k';
    }
    if (bare) {
      draft.k = this.#number('#k or k');
      return 'k';
    }
    switch (token.kind) {
      case 'len':
        this.#take();
        return 'len';
      case 'extension':
        draft.k = SKF_AD_OFF + this.#take().value;
        return 'abs';
      case 'm':
        this.#take();
        draft.k = this.#bracketed();
        return 'mem';
      case 'number':
        return this.#headerLength(draft);
      case 'x':
      case 'a':
        this.#take();
        return token.kind;
      case 'label':
        if (rows.every((r) => r.operand !== 'label')) break;
        this.#references.push({ pc: this.program.length - 1, field: 'k', label: this.#take() });
        return 'label';
      default:
    }
    if (token.text === '%') {
      this.#take();
      const register = this.#peek();
      if (register.kind !== 'x' && register.kind !== 'a') throw this.#unexpected("x or a after '%'");
      this.#take();
      return register.kind;
    }
    if (token.text === '[') return this.#address(draft);
    throw this.#unexpected(expected(written, rows));
  }

  /** `[k]` or `[x + k]`. */
  #address(draft: Draft): 'abs' | 'ind' {
    this.#punct('[');
    const percent = this.#peek().text === '%';
    if (percent) this.#take();
    if (percent || this.#peek().kind === 'x') {
      this.#expect('x', "x after '%'");
      // `+4` without a blank is one token, a signed number.
      if (this.#peek().kind !== 'number' || !this.#peek().text.startsWith('+')) this.#punct('+', 'after x');
      draft.k = this.#number("a number after '+'");
      this.#punct(']');
      return 'ind';
    }
    draft.k = this.#number("a number or x after '['");
    this.#punct(']');
    return 'abs';
  }

  /** `4*([k]&0xf)`, the IPv4 header length. */
  #headerLength(draft: Draft): 'msh' {
    this.#exactly(4, "4 in '4*([k]&0xf)'");
    this.#punct('*');
    this.#punct('(');
    draft.k = this.#bracketed();
    this.#punct('&');
    this.#exactly(0xf, "0xf in '4*([k]&0xf)'");
    this.#punct(')');
    return 'msh';
  }

  /** `, Lt` or `, Lt, Lf`; an inverted mnemonic has only `, L`, its false branch. */
  #branches(inverted: boolean, written: string): void {
    const pc = this.program.length - 1;
    this.#punct(',', 'and a label');
    this.#references.push({ pc, field: inverted ? 'jf' : 'jt', label: this.#expect('label', "a label after ','") });
    if (this.#peek().text !== ',') return;
    if (inverted) throw new Fault(this.#peek().place, `'${written}' takes one label, not two`);
    this.#take();
    this.#references.push({ pc, field: 'jf', label: this.#expect('label', "a label after ','") });
  }

  #resolve({ pc, field, label }: Reference): void {
    const target = this.#labels.get(label.text);
    const draft = this.program[pc]!;
    if (target === undefined) {
      this.#faults.push(new Fault(label.place, `no instruction has the label '${label.text}'`));
      return;
    }
    const distance = target - pc - 1;
    // Like bpf_asm, `ja` may go backwards: its offset wraps in 32 bits. The kernel refuses it.
    if (field === 'k') draft.k = distance >>> 0;
    else if (distance >= 0 && distance <= 0xff) draft[field] = distance;
    else
      this.#faults.push(
        new Fault(label.place, `'${label.text}' is ${distance} instructions beyond the next one, expected 0 to 255`),
      );
  }

  /** After a fault: go on at a token that can start an instruction, on a later line than the faulty one began. */
  #recover(line: number): void {
    while (this.#peek().kind !== 'end') {
      const { kind, place } = this.#peek();
      if (place.line > line && (kind === 'op' || kind === 'raw' || kind === 'label')) return;
      this.#take();
    }
  }

  #peek(): Token {
    return this.#tokens[this.#next]!;
  }

  #take(): Token {
    const token = this.#peek();
    this.#next++;
    return token;
  }

  #unexpected(wanted: string): Fault {
    const { kind, text, place } = this.#peek();
    return new Fault(place, `${kind === 'end' ? 'the text ends here' : `found '${text}'`}, expected ${wanted}`);
  }

  #expect(kind: TokenKind, wanted: string): Token {
    if (this.#peek().kind !== kind) throw this.#unexpected(wanted);
    return this.#take();
  }

  #punct(char: string, where = ''): void {
    const { kind, text } = this.#peek();
    if (kind !== 'punct' || text !== char) throw this.#unexpected(`'${char}'${where === '' ? '' : ` ${where}`}`);
    this.#take();
  }

  #number(wanted: string): number {
    return this.#expect('number', wanted).value;
  }

  #exactly(value: number, wanted: string): void {
    const token = this.#peek();
    if (this.#number(wanted) !== value) throw new Fault(token.place, `found '${token.text}', expected ${wanted}`);
  }

  #bracketed(): number {
    this.#punct('[');
    const value = this.#number("a number after '['");
    this.#punct(']');
    return value;
  }
}

/** The operand forms a mnemonic takes, as a phrase. */
function expected(written: string, rows: readonly Instruction[]): string {
  const forms = rows.map((r) => SPELLING[r.operand]);
  if (written === 'ldx') forms.push(SPELLING.msh);
  const last = forms.pop()!;
  return forms.length === 0 ? last : `${forms.join(', ')} or ${last}`;
}
