/** Programs in JSON: assembler lines (exact, see `printAsm`), or rows of four numbers. */
import { parseAsm, printAsm } from '../bpf/asm.ts';
import { opSpec } from '../opcodes/index.ts';
import type { Program, SockFilter } from '../bpf/program.ts';
import { ARENA } from '../scenario/layout.ts';
import { expected, int, list, DecodeError } from '../schema/codec.ts';
import type { Codec, Json } from '../schema/codec.ts';

/** Instructions that fit in the arena; more than the kernel takes. */
const PROGRAM_MAX = ARENA.program_size / 8;

const NUMBERS = list(int(0, 0xffff_ffff), 4, 4);
const LIMITS = [0xffff, 0xff, 0xff, 0xffff_ffff] as const;

function row(value: unknown, at: string): SockFilter {
  const numbers = NUMBERS.decode(value, at);
  LIMITS.forEach((limit, i) => {
    if (numbers[i]! > limit) expected(`${at}[${i}]`, `${['code', 'jt', 'jf', 'k'][i]!} from 0 to ${limit}`, numbers[i]);
  });
  const [code, jt, jf, k] = numbers as readonly [number, number, number, number];
  return { code, jt, jf, k };
}

function assembled(source: readonly string[], at: string): Program {
  const parsed = parseAsm(source.join('\n'));
  if (parsed.ok) return parsed.program;
  const { line, column, message } = parsed.errors[0]!;
  // A line of the text may itself hold several lines.
  let before = 0;
  let index = 0;
  while (index + 1 < source.length && before + source[index]!.split('\n').length < line)
    before += source[index++]!.split('\n').length;
  const inner = line - before === 1 ? '' : `line ${line - before}, `;
  throw new DecodeError(`${at}[${index}]`, `${inner}column ${column}: ${message}`);
}

/** Programs; the names in comments are those of the payload of `opcode`. */
export const program: Codec<Program> & { readonly encodeFor: (program: Program, opcode: number) => Json } = {
  decode: (value, at) => {
    if (!Array.isArray(value)) return expected(at, 'an array of assembler lines, or of [code, jt, jf, k] rows', value);
    if (value.length > PROGRAM_MAX) return expected(at, `at most ${PROGRAM_MAX} instructions`, value);
    if (value.every((line) => typeof line === 'string')) {
      const found = assembled(value, at);
      if (found.length > PROGRAM_MAX)
        throw new DecodeError(at, `expected at most ${PROGRAM_MAX} instructions, found ${found.length}`);
      return found;
    }
    return value.map((entry, i) => row(entry, `${at}[${i}]`));
  },
  encode: (value) => lines(value, 0),
  encodeFor: lines,
  schema: {
    description:
      'Assembler lines as bpf_asm takes them, and ".raw CODE, JT, JF, K" for any other instruction; ' +
      'or [code, jt, jf, k] rows.',
    type: 'array',
    maxItems: PROGRAM_MAX,
    anyOf: [{ items: { type: 'string' } }, { items: NUMBERS.schema }],
  },
};

function lines(value: Program, opcode: number): Json {
  return value.length === 0 ? [] : printAsm(value, { payload: opSpec(opcode)?.payload }).split('\n');
}
