/** The verdict on a program, and where it is refused. */
import type { AbiProfile } from '../uapi/abi.ts';
import { printAsm } from '../bpf/asm.ts';
import { cRow } from '../bpf/carray.ts';
import { opSpec } from '../opcodes/index.ts';
import type { Program } from '../bpf/program.ts';
import { validate } from '../bpf/validate.ts';
import { ruleById } from '../registry.ts';
import { resultText } from '../text/index.ts';

/** The rule that decided, in full. */
interface Decided {
  /** Rule that refuses it, or `bpf.program.accepted`. */
  readonly rule: string;
  readonly statement: string;
  /** Kind of source: uapi, man, patch or observed. */
  readonly kind: string;
  readonly source: string;
}

/** What the checks say of a program, with the rule that decided. */
export type ProgramVerdict =
  | (Decided & { readonly accepted: true })
  | (Decided & {
      readonly accepted: false;
      /** Index of the instruction at fault. */
      readonly pc: number;
      /** Negative errno. */
      readonly errno: number;
    });

function ruleParts(id: string): Decided {
  const { statement, kind, source } = ruleById(id)!;
  return { rule: id, statement, kind, source };
}

/** Judges a program as the kernel's checks do. */
export function judgeProgram(program: Program, abi: AbiProfile): ProgramVerdict {
  const found = validate(program, abi);
  const base = ruleParts(found.rule);
  return found.verdict === 'accepted'
    ? { accepted: true, ...base }
    : { accepted: false, ...base, pc: found.pc, errno: found.errno };
}

/** How a program is listed. */
export interface ListingOptions {
  /** Instruction the arrow points at. */
  readonly arrow?: number;
  /** Only so many instructions before and behind the arrow; default: all. */
  readonly around?: number;
  /** With the C rows beside the assembler. */
  readonly rows?: boolean;
}

/** The program as numbered lines, an arrow at one of them. */
export function listing(
  program: Program,
  opcode: number,
  abi: AbiProfile,
  { arrow, around, rows = false }: ListingOptions = {},
): string[] {
  if (program.length === 0) return ['(no instructions)'];
  const asm = printAsm(program, { payload: opSpec(opcode)?.payload, littleEndian: abi.little_endian }).split('\n');
  const digits = String(program.length - 1).length;
  const width = rows ? asm.reduce((most, line) => Math.max(most, line.length), 0) : 0;
  const first = arrow === undefined || around === undefined ? 0 : Math.max(0, arrow - around);
  const last =
    arrow === undefined || around === undefined ? program.length - 1 : Math.min(program.length - 1, arrow + around);
  const lines: string[] = [];
  if (first > 0) lines.push('    ...');
  for (let pc = first; pc <= last; pc++) {
    const text = rows ? `${asm[pc]!.padEnd(width)}   ${cRow(program[pc]!)}` : asm[pc]!;
    lines.push(`${pc === arrow ? '-->' : '   '} ${String(pc).padStart(digits)}  ${text}`);
  }
  if (last < program.length - 1) lines.push('    ...');
  return lines;
}

/** "refused with -EINVAL at instruction 2: ...", or "accepted". */
export function verdictText(verdict: ProgramVerdict): string {
  return verdict.accepted
    ? 'accepted'
    : `refused with ${resultText(verdict.errno)} at instruction ${verdict.pc}: ${verdict.statement}`;
}
