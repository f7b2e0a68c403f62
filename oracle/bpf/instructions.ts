/**
 * The instruction table of classic BPF: one row per instruction. The checker,
 * the tracer, the assembler and the generators all read this table; only the
 * fast interpreter repeats the semantics, and a test compares the two.
 */
import type { BpfRuleId } from './bpf-rules.ts';

/** Instruction class, the low three bits of a code (UAPI `linux/bpf_common.h`, BPF_CLASS). */
export type InstructionClass = 'ld' | 'ldx' | 'st' | 'stx' | 'alu' | 'jmp' | 'ret' | 'misc';

/**
 * What an instruction works on besides A:
 * `none` nothing, `k` the constant k, `x` register X, `a` register A,
 * `mem` scratch word M[k], `abs` bytes at k, `ind` bytes at X + k,
 * `msh` 4 * (byte at k & 0xf), `len` the length, `label` a jump target in k.
 */
export type Operand = 'none' | 'k' | 'x' | 'a' | 'mem' | 'abs' | 'ind' | 'msh' | 'len' | 'label';

/** One row of the table. */
export interface Instruction {
  /** Name that `bpf_asm` gives it. */
  readonly mnemonic: string;
  /** Encoding, 0 .. 0xff. */
  readonly code: number;
  readonly class: InstructionClass;
  readonly operand: Operand;
  /** Whether the kernel's generic classic-BPF check knows it. */
  readonly generic: boolean;
  /** Whether io_uring's whitelist accepts it (with a suitable k). */
  readonly whitelisted: boolean;
  /** The rule that states what it does, or, when not whitelisted, why io_uring refuses it. */
  readonly rule: BpfRuleId;
  /** ALU only: the new A from A and the operand, all u32. Not called with a zero divisor. */
  readonly alu?: (a: number, operand: number) => number;
  /** Conditional jumps only: whether the jump is taken, from A and the operand, both u32. */
  readonly jump?: (a: number, operand: number) => boolean;
}

type Traits = Partial<Pick<Instruction, 'generic' | 'whitelisted' | 'alu' | 'jump'>>;

function row(
  mnemonic: string,
  code: number,
  cls: InstructionClass,
  operand: Operand,
  rule: BpfRuleId,
  traits: Traits = {},
): Instruction {
  return { mnemonic, code, class: cls, operand, generic: true, whitelisted: true, rule, ...traits };
}

type Alu = (a: number, operand: number) => number;
const add: Alu = (a, b) => (a + b) >>> 0;
const sub: Alu = (a, b) => (a - b) >>> 0;
const mul: Alu = (a, b) => Math.imul(a, b) >>> 0;
const div: Alu = (a, b) => Math.floor(a / b);
const mod: Alu = (a, b) => a % b;
const or: Alu = (a, b) => (a | b) >>> 0;
const and: Alu = (a, b) => (a & b) >>> 0;
const xor: Alu = (a, b) => (a ^ b) >>> 0;
// JavaScript shifts use the low five bits of the count, as the kernel's 32-bit shifts do.
const lsh: Alu = (a, b) => (a << b) >>> 0;
const rsh: Alu = (a, b) => a >>> b;
const neg: Alu = (a) => -a >>> 0;

type Compare = (a: number, operand: number) => boolean;
const jeq: Compare = (a, b) => a === b;
const jgt: Compare = (a, b) => a > b;
const jge: Compare = (a, b) => a >= b;
const jset: Compare = (a, b) => (a & b) !== 0;

const REFUSED = { whitelisted: false } as const;

/** Every instruction that `bpf_asm` can write, in order of class and code. */
export const INSTRUCTIONS: readonly Instruction[] = [
  row('ld', 0x00, 'ld', 'k', 'bpf.ld.imm'),
  row('ld', 0x20, 'ld', 'abs', 'bpf.ld.abs'),
  row('ldh', 0x28, 'ld', 'abs', 'bpf.whitelist.load-narrow', REFUSED),
  row('ldb', 0x30, 'ld', 'abs', 'bpf.whitelist.load-narrow', REFUSED),
  row('ld', 0x40, 'ld', 'ind', 'bpf.whitelist.load-indirect', REFUSED),
  row('ldh', 0x48, 'ld', 'ind', 'bpf.whitelist.load-indirect', REFUSED),
  row('ldb', 0x50, 'ld', 'ind', 'bpf.whitelist.load-indirect', REFUSED),
  row('ld', 0x60, 'ld', 'mem', 'bpf.ld.mem'),
  row('ld', 0x80, 'ld', 'len', 'bpf.ld.len'),
  row('ldx', 0x01, 'ldx', 'k', 'bpf.ldx.imm'),
  row('ldx', 0x61, 'ldx', 'mem', 'bpf.ldx.mem'),
  row('ldx', 0x81, 'ldx', 'len', 'bpf.ldx.len'),
  row('ldxb', 0xb1, 'ldx', 'msh', 'bpf.whitelist.load-msh', REFUSED),
  row('st', 0x02, 'st', 'mem', 'bpf.st.mem'),
  row('stx', 0x03, 'stx', 'mem', 'bpf.stx.mem'),
  row('add', 0x04, 'alu', 'k', 'bpf.alu.add-k', { alu: add }),
  row('add', 0x0c, 'alu', 'x', 'bpf.alu.add-x', { alu: add }),
  row('sub', 0x14, 'alu', 'k', 'bpf.alu.sub-k', { alu: sub }),
  row('sub', 0x1c, 'alu', 'x', 'bpf.alu.sub-x', { alu: sub }),
  row('mul', 0x24, 'alu', 'k', 'bpf.alu.mul-k', { alu: mul }),
  row('mul', 0x2c, 'alu', 'x', 'bpf.alu.mul-x', { alu: mul }),
  row('div', 0x34, 'alu', 'k', 'bpf.alu.div-k', { alu: div }),
  row('div', 0x3c, 'alu', 'x', 'bpf.alu.div-x', { alu: div }),
  row('or', 0x44, 'alu', 'k', 'bpf.alu.or-k', { alu: or }),
  row('or', 0x4c, 'alu', 'x', 'bpf.alu.or-x', { alu: or }),
  row('and', 0x54, 'alu', 'k', 'bpf.alu.and-k', { alu: and }),
  row('and', 0x5c, 'alu', 'x', 'bpf.alu.and-x', { alu: and }),
  row('lsh', 0x64, 'alu', 'k', 'bpf.alu.lsh-k', { alu: lsh }),
  row('lsh', 0x6c, 'alu', 'x', 'bpf.alu.lsh-x', { alu: lsh }),
  row('rsh', 0x74, 'alu', 'k', 'bpf.alu.rsh-k', { alu: rsh }),
  row('rsh', 0x7c, 'alu', 'x', 'bpf.alu.rsh-x', { alu: rsh }),
  row('neg', 0x84, 'alu', 'none', 'bpf.alu.neg', { alu: neg }),
  row('mod', 0x94, 'alu', 'k', 'bpf.whitelist.mod', { ...REFUSED, alu: mod }),
  row('mod', 0x9c, 'alu', 'x', 'bpf.whitelist.mod', { ...REFUSED, alu: mod }),
  row('xor', 0xa4, 'alu', 'k', 'bpf.alu.xor-k', { alu: xor }),
  row('xor', 0xac, 'alu', 'x', 'bpf.alu.xor-x', { alu: xor }),
  row('ja', 0x05, 'jmp', 'label', 'bpf.jmp.ja'),
  row('jeq', 0x15, 'jmp', 'k', 'bpf.jmp.jeq-k', { jump: jeq }),
  row('jeq', 0x1d, 'jmp', 'x', 'bpf.jmp.jeq-x', { jump: jeq }),
  row('jgt', 0x25, 'jmp', 'k', 'bpf.jmp.jgt-k', { jump: jgt }),
  row('jgt', 0x2d, 'jmp', 'x', 'bpf.jmp.jgt-x', { jump: jgt }),
  row('jge', 0x35, 'jmp', 'k', 'bpf.jmp.jge-k', { jump: jge }),
  row('jge', 0x3d, 'jmp', 'x', 'bpf.jmp.jge-x', { jump: jge }),
  row('jset', 0x45, 'jmp', 'k', 'bpf.jmp.jset-k', { jump: jset }),
  row('jset', 0x4d, 'jmp', 'x', 'bpf.jmp.jset-x', { jump: jset }),
  row('ret', 0x06, 'ret', 'k', 'bpf.ret.k'),
  // bpf_asm writes `ret x`, but the kernel does not know it.
  row('ret', 0x0e, 'ret', 'x', 'bpf.generic.unknown-instruction', { ...REFUSED, generic: false }),
  row('ret', 0x16, 'ret', 'a', 'bpf.ret.a'),
  row('tax', 0x07, 'misc', 'none', 'bpf.misc.tax'),
  row('txa', 0x87, 'misc', 'none', 'bpf.misc.txa'),
];

const BY_CODE: readonly (Instruction | undefined)[] = (() => {
  const table = new Array<Instruction | undefined>(256).fill(undefined);
  for (const instruction of INSTRUCTIONS) table[instruction.code] = instruction;
  return table;
})();

/** The row of a code, or undefined when there is none (every code above 0xff, too). */
export function instructionOf(code: number): Instruction | undefined {
  return BY_CODE[code];
}

/** The register that an instruction sets, if any. */
export function registerSet({ class: cls, mnemonic }: Instruction): 'a' | 'x' | undefined {
  if (cls === 'ld' || cls === 'alu' || mnemonic === 'txa') return 'a';
  return cls === 'ldx' || mnemonic === 'tax' ? 'x' : undefined;
}

/** Whether the code is a conditional jump, the one family that uses jt and jf. */
export function isConditionalJump(instruction: Instruction): boolean {
  return instruction.jump !== undefined;
}
