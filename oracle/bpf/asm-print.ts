/** Programs as assembler text that `parseAsm`, and without raw lines `bpf_asm`, reads back exactly. */
import { fieldName } from './context.ts';
import type { PayloadLayout } from './context.ts';
import { instructionOf, isConditionalJump } from './instructions.ts';
import type { Instruction } from './instructions.ts';
import type { Program, SockFilter } from './program.ts';

/** How to print. */
export interface PrintOptions {
  /** The payload whose names to use in the comments; by default none. */
  readonly payload?: PayloadLayout | undefined;
  /** Byte order of the context, which decides what is the low half; by default little-endian. */
  readonly littleEndian?: boolean;
  /** Whether to add field names as comments; by default yes. */
  readonly comments?: boolean;
}

/** One printed instruction. */
export interface AsmLine {
  /** Label of the instruction, `l` and its index, or null when nothing jumps to it. */
  readonly label: string | null;
  readonly text: string;
  readonly comment: string | null;
}

/** One line per instruction, in order. */
export function asmLines(program: Program, options: PrintOptions = {}): AsmLine[] {
  const targets = new Set<number>();
  const lines = program.map((filter, pc) => {
    const symbolic = symbolicForm(filter, pc, program.length);
    if (symbolic === null) return { text: rawForm(filter), comment: null };
    for (const target of symbolic.targets) targets.add(target);
    return { text: symbolic.text, comment: comment(filter, options) };
  });
  return lines.map((line, pc) => ({ label: targets.has(pc) ? labelOf(pc) : null, ...line }));
}

/** The program as text, one instruction a line, without a final newline; the empty program is the empty text. */
export function printAsm(program: Program, options: PrintOptions = {}): string {
  return alignedAsm(asmLines(program, options)).join('\n');
}

/** Lays lines out in columns: labels, instructions, and comments behind `;`. */
export function alignedAsm(lines: readonly AsmLine[]): string[] {
  const widest = (of: (line: AsmLine) => number): number => lines.reduce((most, line) => Math.max(most, of(line)), 0);
  const labelWidth = widest((line) => (line.label === null ? 0 : line.label.length + 2));
  const textWidth = widest((line) => (line.comment === null ? 0 : line.text.length));
  return lines.map(({ label, text, comment: note }) => {
    const head = (label === null ? '' : `${label}: `).padEnd(labelWidth);
    return head + (note === null ? text : `${text.padEnd(textWidth)} ; ${note}`);
  });
}

const labelOf = (pc: number): string => `l${pc}`;
const hex = (value: number): string => `0x${value.toString(16)}`;
/** Offsets and indexes in decimal, unless they are so large that they can only be bit patterns. */
const index = (value: number): string => (value < 0x10000 ? String(value) : hex(value));

/** Four numbers that say everything about an instruction; our extension of the language. */
function rawForm({ code, jt, jf, k }: SockFilter): string {
  return `.raw 0x${code.toString(16).padStart(4, '0')}, ${jt}, ${jf}, ${hex(k)}`;
}

/**
 * The readable form, or null when it would lose something: an unknown code, a field in disuse that is not 0, a jump out
 * of the program.
 */
function symbolicForm(filter: SockFilter, pc: number, length: number): { text: string; targets: number[] } | null {
  const { code, jt, jf, k } = filter;
  const instruction = instructionOf(code);
  if (instruction === undefined) return null;
  const { mnemonic, operand } = instruction;
  if (isConditionalJump(instruction)) {
    const targets = [pc + 1 + jt, pc + 1 + jf];
    if (targets.some((t) => t >= length) || (operand === 'x' && k !== 0)) return null;
    return { text: [`${mnemonic} ${operandText(instruction, k)}`, ...targets.map(labelOf)].join(', '), targets };
  }
  if (jt !== 0 || jf !== 0) return null;
  if (operand === 'label') {
    const target = (pc + 1 + k) % 0x100000000;
    return target < length ? { text: `${mnemonic} ${labelOf(target)}`, targets: [target] } : null;
  }
  if (k !== 0 && (operand === 'none' || operand === 'x' || operand === 'a' || operand === 'len')) return null;
  return { text: `${mnemonic} ${operandText(instruction, k)}`.trimEnd(), targets: [] };
}

const ARITHMETIC: ReadonlySet<string> = new Set(['add', 'sub', 'mul', 'div', 'mod', 'lsh', 'rsh']);

/** The operand of anything but `ja`. */
function operandText({ mnemonic, operand }: Instruction, k: number): string {
  switch (operand) {
    case 'k':
      return `#${ARITHMETIC.has(mnemonic) ? index(k) : hex(k)}`;
    case 'mem':
      return `M[${index(k)}]`;
    case 'abs':
      return `[${index(k)}]`;
    case 'ind':
      return `[x + ${index(k)}]`;
    case 'msh':
      return `4*([${index(k)}]&0xf)`;
    case 'len':
      return 'len';
    case 'x':
      return 'x';
    case 'a':
      return 'a';
    default:
      return '';
  }
}

/** The name of the context word that `ld [k]` reads. */
function comment(
  { code, k }: SockFilter,
  { payload, littleEndian = true, comments = true }: PrintOptions,
): string | null {
  return comments && code === 0x20 ? fieldName(payload, k, littleEndian) : null;
}
