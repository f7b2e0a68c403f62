/** Mistakes about programs: what the checker takes, and what instructions do. */
import type { Mistake } from './mutants.ts';

const CHECKER = 'bpf/validate.ts';
const MACHINE = 'bpf/interpret.ts';
const TABLE = 'bpf/instructions.ts';

const checks = (
  rows: readonly (readonly [name: string, file: string, find: string, replace: string])[],
  ...likely: string[]
): readonly Mistake[] => rows.map(([name, file, find, replace]) => ({ name, file, find, replace, likely }));

/** They are about the checker and the interpreter. */
export const BPF_MISTAKES: readonly Mistake[] = [
  ...checks(
    [
      ['a constant shift may be 32', CHECKER, 'k >= 32 &&', 'k > 32 &&'],
      ['a constant shift is not bounded', CHECKER, 'k >= 32 &&', 'k < 0 &&'],
      [
        'only left shifts are bounded',
        CHECKER,
        "instruction.mnemonic === 'lsh' || instruction.mnemonic === 'rsh'",
        "instruction.mnemonic === 'lsh'",
      ],
      [
        'division by a constant 0 is taken',
        CHECKER,
        "k === 0 && (instruction.mnemonic === 'div' || instruction.mnemonic === 'mod')",
        "k === 0 && instruction.mnemonic === 'mod'",
      ],
      ['scratch word 16 exists', CHECKER, 'k >= BPF_MEMWORDS', 'k > BPF_MEMWORDS'],
      [
        'ja may go one past the end',
        CHECKER,
        "return k >= after ? 'bpf.generic.jump-ja'",
        "return k > after ? 'bpf.generic.jump-ja'",
      ],
      ['the true branch may go one past the end', CHECKER, 'jt >= after', 'jt > after'],
      ['the false branch may go one past the end', CHECKER, 'jf >= after', 'jf > after'],
      [
        'a program need not end with ret',
        CHECKER,
        ".class !== 'ret') return rejected('bpf.generic.end-without-ret'",
        ".class === 'jmp') return rejected('bpf.generic.end-without-ret'",
      ],
      ['scratch words need not be written', CHECKER, 'if (readsScratch) {', 'if (readsScratch && length < 0) {'],
      [
        'scratch words written on one branch count for both',
        CHECKER,
        'written[pc]! &= mask;',
        'written[pc]! |= written[pc] === ALL_WRITTEN ? 0 : mask; ' +
          'written[pc]! &= written[pc] === ALL_WRITTEN ? mask : ALL_WRITTEN;',
      ],
      [
        'stx does not write its word',
        CHECKER,
        "instruction.class === 'st' || instruction.class === 'stx'",
        "instruction.class === 'st'",
      ],
      ['a load may start at the end of the context', CHECKER, 'k >= ctxSize', 'k > ctxSize'],
      ['a load need not be aligned', CHECKER, 'k % 4 !== 0', 'k % 2 !== 0'],
      ['the context is one word shorter', CHECKER, 'k >= ctxSize', 'k >= ctxSize - 4'],
      ['4097 instructions fit', 'bpf/program.ts', 'BPF_MAXINSNS = 4096', 'BPF_MAXINSNS = 4097'],
      [
        'mod is taken',
        TABLE,
        "row('mod', 0x94, 'alu', 'k', 'bpf.whitelist.mod', { ...REFUSED, alu: mod })",
        "row('mod', 0x94, 'alu', 'k', 'bpf.whitelist.mod', { alu: mod })",
      ],
      [
        'byte loads are taken',
        TABLE,
        "row('ldb', 0x30, 'ld', 'abs', 'bpf.whitelist.load-narrow', REFUSED)",
        "row('ldb', 0x30, 'ld', 'abs', 'bpf.ld.abs')",
      ],
      [
        'indirect loads are taken',
        TABLE,
        "row('ld', 0x40, 'ld', 'ind', 'bpf.whitelist.load-indirect', REFUSED)",
        "row('ld', 0x40, 'ld', 'ind', 'bpf.ld.abs')",
      ],
      [
        'ret x is taken',
        TABLE,
        "row('ret', 0x0e, 'ret', 'x', 'bpf.generic.unknown-instruction', { ...REFUSED, generic: false })",
        "row('ret', 0x0e, 'ret', 'x', 'bpf.ret.a')",
      ],
    ],
    'validator',
  ),
  ...checks(
    [
      ['TAX and TXA are swapped', MACHINE, 'if (code === TAX) x = a;', 'if (code !== TAX) x = a;'],
      ['sub is reversed', MACHINE, 'return (a - operand) | 0', 'return (operand - a) | 0'],
      ['neg is not', MACHINE, 'return -a | 0', 'return ~a'],
      [
        'mul is done in floating point',
        MACHINE,
        'return Math.imul(a, operand)',
        'return ((a >>> 0) * (operand >>> 0)) | 0',
      ],
      ['div is signed', MACHINE, 'return ((a >>> 0) / (operand >>> 0)) | 0', 'return (a / operand) | 0'],
      [
        'div by X = 0 gives 0 and goes on',
        MACHINE,
        'seen[SEEN_DIV_ZERO] = 1;\n              return 0;',
        'a = 0;\n              break;',
      ],
      ['div by X = 0 ends with 1', MACHINE, 'seen[SEEN_DIV_ZERO] = 1;\n              return 0;', 'return 1;'],
      ['or is xor', MACHINE, 'return a | operand', 'return a ^ operand'],
      ['xor is or', MACHINE, 'return a ^ operand', 'return a | operand'],
      [
        'lsh by X of 32 and more gives 0',
        MACHINE,
        'return a << operand;',
        'return operand >>> 0 > 31 ? 0 : a << operand;',
      ],
      ['rsh is arithmetic', MACHINE, 'return (a >>> operand) | 0', 'return a >> operand'],
      ['jgt is jge', MACHINE, 'return a >>> 0 > operand >>> 0', 'return a >>> 0 >= operand >>> 0'],
      ['jge is jgt', MACHINE, 'return a >>> 0 >= operand >>> 0', 'return a >>> 0 > operand >>> 0'],
      ['jgt is signed', MACHINE, 'return a >>> 0 > operand >>> 0', 'return a > operand'],
      ['jge is signed', MACHINE, 'return a >>> 0 >= operand >>> 0', 'return a >= operand'],
      ['jset is inverted', MACHINE, 'return (a & operand) !== 0', 'return (a & operand) === 0'],
      ['jset wants all bits', MACHINE, 'return (a & operand) !== 0', 'return (a & operand) === operand'],
      ['ret a returns k', MACHINE, '(code === RET_K ? k : a) >>> 0', 'k >>> 0'],
      ['ld len is off by 4', MACHINE, 'a = loaded(code, k, ctx, ctxSize)', 'a = loaded(code, k, ctx, ctxSize - 4)'],
      ['ldx len is off by 4', MACHINE, 'x = loaded(code, k, ctx, ctxSize)', 'x = loaded(code, k, ctx, ctxSize - 4)'],
      [
        'scratch words 8 to 15 are words 0 to 7',
        MACHINE,
        'case ST: scratch[k & 15] = a',
        'case ST: scratch[k & 7] = a',
      ],
      ['loads are one word off', MACHINE, 'ctx[k >>> 2]! | 0', 'ctx[(k >>> 2) ^ 1]! | 0'],
      [
        'user_data comes in the other byte order',
        'model/evaluate.ts',
        '  if (abi.little_endian) {\n    words[0] = low;\n    words[1] = high;',
        '  if (abi.little_endian) {\n    words[0] = high;\n    words[1] = low;',
      ],
      [
        'opcode and flags are swapped in the context',
        'model/evaluate.ts',
        'opcode | (sqeFlags << 8) | (pdu << 16)',
        'sqeFlags | (opcode << 8) | (pdu << 16)',
      ],
      [
        'the payload size is missing in the context',
        'model/evaluate.ts',
        'opcode | (sqeFlags << 8) | (pdu << 16)',
        'opcode | (sqeFlags << 8)',
      ],
      ['only 1 allows', 'model/evaluate.ts', 'if (value === 0) return', 'if (value !== 1) return'],
      ['0 allows and the rest denies', 'model/evaluate.ts', 'if (value === 0) return', 'if (value !== 0) return'],
    ],
    'evaluation',
    'opcode-context',
    'jit-vs-interpreter',
  ),
];
