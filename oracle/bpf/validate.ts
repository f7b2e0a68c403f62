/**
 * Whether the kernel takes a program: the checks common to all classic BPF,
 * then io_uring's whitelist. Every refusal is -E.INVAL, so the order in which
 * the rules are tried decides only which rule and instruction are cited.
 */
import type { AbiProfile } from '../uapi/abi.ts';
import { E } from '../uapi/constants.ts';
import { INSTRUCTIONS, instructionOf, isConditionalJump } from './instructions.ts';
import type { Instruction } from './instructions.ts';
import { BPF_MAXINSNS, BPF_MEMWORDS } from './program.ts';
import type { Program, SockFilter } from './program.ts';
import type { BpfRuleId } from './bpf-rules.ts';

/** The verdict on a program. */
export type Validation =
  | { readonly verdict: 'accepted'; readonly rule: 'bpf.program.accepted' }
  | {
      readonly verdict: 'rejected';
      /** Negative errno. */
      readonly errno: number;
      readonly rule: BpfRuleId;
      /** Index of the instruction at fault; 0 for an empty program, 4096 for one that is too long. */
      readonly pc: number;
    };

const ACCEPTED: Validation = { verdict: 'accepted', rule: 'bpf.program.accepted' };

function rejected(rule: BpfRuleId, pc: number): Validation {
  return { verdict: 'rejected', errno: -E.INVAL, rule, pc };
}

/** SKF_AD_OFF, -0x1000, as the u32 that k is (UAPI `linux/filter.h`). */
export const SKF_AD_OFF = 0xfffff000;
/** SKF_AD_MAX: ancillary data are the multiples of 4 below it (UAPI `linux/filter.h`). */
const SKF_AD_MAX = 64;

/** The verdict on a program for a kernel with the given context size. Total: any field values are judged. */
export function validate(program: Program, abi: Pick<AbiProfile, 'ctx_size'>): Validation {
  const length = program.length;
  if (length === 0) return rejected('bpf.program.empty', 0);
  if (length > BPF_MAXINSNS) return rejected('bpf.program.too-long', BPF_MAXINSNS);

  let readsScratch = false;
  for (let pc = 0; pc < length; pc++) {
    const filter = program[pc]!;
    const instruction = instructionOf(filter.code);
    if (instruction === undefined || !instruction.generic) return rejected('bpf.generic.unknown-instruction', pc);
    const rule = genericRule(instruction, filter, length - pc - 1);
    if (rule !== null) return rejected(rule, pc);
    if (READS_SCRATCH[filter.code] === 1) readsScratch = true;
  }
  if (instructionOf(program[length - 1]!.code)!.class !== 'ret')
    return rejected('bpf.generic.end-without-ret', length - 1);

  if (readsScratch) {
    const unwritten = unwrittenRead(program, false);
    if (unwritten !== null) return rejected('bpf.generic.scratch-unwritten', unwritten);
    const afterRet = unwrittenRead(program, true);
    if (afterRet !== null) return rejected('bpf.generic.scratch-after-ret', afterRet);
  }

  for (let pc = 0; pc < length; pc++) {
    const filter = program[pc]!;
    const rule = whitelistRule(instructionOf(filter.code)!, filter, abi.ctx_size);
    if (rule !== null) return rejected(rule, pc);
  }
  return ACCEPTED;
}

/** The generic rule that one known instruction breaks, with `after` instructions behind it. */
function genericRule(instruction: Instruction, { k, jt, jf }: SockFilter, after: number): BpfRuleId | null {
  if (isConditionalJump(instruction)) {
    if (jt >= after) return 'bpf.generic.jump-jt';
    return jf >= after ? 'bpf.generic.jump-jf' : null;
  }
  switch (instruction.operand) {
    case 'k':
      return constantRule(instruction, k);
    case 'mem':
      return k >= BPF_MEMWORDS ? 'bpf.generic.scratch-index' : null;
    case 'label':
      return k >= after ? 'bpf.generic.jump-ja' : null;
    case 'abs':
      return k >= SKF_AD_OFF && !isAncillary(k) ? 'bpf.generic.ancillary-offset' : null;
    default:
      return null;
  }
}

/** The generic rule that an instruction breaks by its constant operand. */
function constantRule(instruction: Instruction, k: number): BpfRuleId | null {
  if (k === 0 && (instruction.mnemonic === 'div' || instruction.mnemonic === 'mod')) return 'bpf.generic.div-by-zero-k';
  if (k >= 32 && (instruction.mnemonic === 'lsh' || instruction.mnemonic === 'rsh')) return 'bpf.generic.shift-k';
  return null;
}

/** Whether k, at or above SKF_AD_OFF, names an ancillary datum. */
function isAncillary(k: number): boolean {
  const offset = k - SKF_AD_OFF;
  return offset < SKF_AD_MAX && offset % 4 === 0;
}

/** io_uring's own rule that one generically valid instruction breaks. */
function whitelistRule(instruction: Instruction, { k }: SockFilter, ctxSize: number): BpfRuleId | null {
  if (!instruction.whitelisted) return instruction.rule;
  if (instruction.operand !== 'abs') return null;
  if (k >= ctxSize) return 'bpf.whitelist.load-outside';
  if (k % 4 !== 0) return 'bpf.whitelist.load-unaligned';
  return null;
}

/** Codes that read a scratch word. */
const READS_SCRATCH: Uint8Array = (() => {
  const reads = new Uint8Array(256);
  for (const { code, operand, class: cls } of INSTRUCTIONS)
    if (operand === 'mem' && (cls === 'ld' || cls === 'ldx')) reads[code] = 1;
  return reads;
})();

const ALL_WRITTEN = 0xffff;

/**
 * Index of the first read of a scratch word that some path leaves unwritten, or
 * null. Jumps only go forward, so one pass in program order sees every
 * predecessor of an instruction before the instruction itself.
 * `retFallsThrough` makes ret an ordinary predecessor of the next instruction.
 */
function unwrittenRead(program: Program, retFallsThrough: boolean): number | null {
  // written[pc]: words that every path to pc has written; unreached code has all of them.
  const written = new Uint16Array(program.length + 1).fill(ALL_WRITTEN);
  const flow = (pc: number, mask: number): void => {
    written[pc]! &= mask;
  };
  flow(0, 0);
  for (let pc = 0; pc < program.length; pc++) {
    const { code, jt, jf, k } = program[pc]!;
    const instruction = instructionOf(code)!;
    const mask = written[pc]!;
    if (READS_SCRATCH[code] === 1 && (mask & (1 << k)) === 0) return pc;
    if (isConditionalJump(instruction)) {
      flow(pc + 1 + jt, mask);
      flow(pc + 1 + jf, mask);
    } else if (instruction.operand === 'label') {
      flow(pc + 1 + k, mask);
    } else if (instruction.class === 'st' || instruction.class === 'stx') {
      flow(pc + 1, mask | (1 << k));
    } else if (instruction.class !== 'ret' || retFallsThrough) {
      flow(pc + 1, mask);
    }
  }
  return null;
}
