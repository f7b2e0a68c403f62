/** Reads a filter from a file, whatever form it has. */
import { parseAsm } from '../bpf/asm.ts';
import { parseCArray } from '../bpf/carray.ts';
import { CONTEXT_OFFSETS } from '../opcodes/index.ts';
import { BPF_MAXINSNS, decodeProgram } from '../bpf/program.ts';
import type { Program, SockFilter } from '../bpf/program.ts';
import type { Parsed } from '../bpf/syntax-error.ts';

/** `rows`: the output of `bpf_asm` and `tcpdump -ddd`, a count and then `code jt jf k` rows. */
export type ProgramForm = 'asm' | 'c' | 'rows' | 'raw';

/** A program and the form it was written in, or why it cannot be read. */
export type ParsedFile =
  | { readonly ok: true; readonly program: Program; readonly form: ProgramForm }
  /** `error` names the place: `line 3, column 5: ...`. */
  | { readonly ok: false; readonly form: ProgramForm; readonly error: string };

/** More than any sensible file holds. */
const TOO_MANY = 16 * BPF_MAXINSNS;

/**
 * The program in a file: assembler text, C rows, `bpf_asm` output, or raw struct sock_filter
 * bytes in the order of `littleEndian`. The form is told from the content.
 */
export function parseProgramFile(content: string | Uint8Array, littleEndian = true): ParsedFile {
  if (typeof content !== 'string' && isBinary(content)) {
    const decoded = decodeProgram(content, littleEndian);
    if (!decoded.ok) return { ok: false, form: 'raw', error: decoded.error };
    return limited(decoded.program, 'raw');
  }
  const text = typeof content === 'string' ? content : new TextDecoder().decode(content);
  if (text.trim() === '')
    return { ok: false, form: 'asm', error: 'the file is empty; expected at least one instruction, such as "ret #1"' };
  const rows = rowsOf(text);
  if (rows !== undefined) return rows;
  const form = /\{|\bBPF_(STMT|JUMP)\b/.test(text.replace(/\/\*[^]*?\*\/|;[^\n]*|\/\/[^\n]*/g, '')) ? 'c' : 'asm';
  const parsed: Parsed = form === 'c' ? parseCArray(text, CONTEXT_OFFSETS) : parseAsm(text);
  if (parsed.ok)
    return parsed.program.length === 0
      ? { ok: false, form, error: 'there is no instruction in the file' }
      : limited(parsed.program, form);
  const [first, ...more] = parsed.errors;
  const others =
    more.length === 0 ? '' : ` (and ${more.length} more: ${more.map(({ line }) => `line ${line}`).join(', ')})`;
  return {
    ok: false,
    form,
    error:
      `line ${first!.line}, column ${first!.column}: ${first!.message}${others}; ` +
      `read as ${form === 'c' ? 'a C array' : 'bpf_asm text'}`,
  };
}

function limited(program: Program, form: ProgramForm): ParsedFile {
  return program.length > TOO_MANY
    ? { ok: false, form, error: `${program.length} instructions; the kernel takes at most ${BPF_MAXINSNS}` }
    : { ok: true, program, form };
}

/** Text has no control bytes but for blanks, and is UTF-8. */
function isBinary(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte < 9 || (byte > 13 && byte < 32))) return true;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return false;
  } catch {
    return true;
  }
}

/** `3,32 0 0 16,21 0 1 2,6 0 0 1,` or the same on lines. */
function rowsOf(text: string): ParsedFile | undefined {
  if (!/^\s*\d+\s*[,\n](\s*\d+\s+\d+\s+\d+\s+\d+\s*(,|\n|$))+\s*$/.test(text)) return undefined;
  const numbers = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map(Number);
  const [told, ...rest] = numbers as [number, ...number[]];
  const program: SockFilter[] = [];
  for (let i = 0; i < rest.length; i += 4) {
    const [code, jt, jf, k] = rest.slice(i, i + 4) as [number, number, number, number];
    if (code > 0xffff || jt > 0xff || jf > 0xff || k > 0xffff_ffff)
      return { ok: false, form: 'rows', error: `row ${i / 4 + 1}: a number is too large for code, jt, jf or k` };
    program.push({ code, jt, jf, k });
  }
  if (told !== program.length)
    return { ok: false, form: 'rows', error: `the count says ${told} instructions, but ${program.length} rows follow` };
  return limited(program, 'rows');
}
